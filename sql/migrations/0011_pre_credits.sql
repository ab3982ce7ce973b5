-- What paid providers may cost and did cost. The entries are the truth; the budget's sums are theirs, kept in the same
-- transactions.
CREATE TABLE credit_budget (
    period      date PRIMARY KEY,                   -- first day of the month, in UTC
    granted     bigint NOT NULL CHECK (granted >= 0),
    used        bigint NOT NULL DEFAULT 0 CHECK (used >= 0),
    reserved    bigint NOT NULL DEFAULT 0 CHECK (reserved >= 0),
    told        smallint NOT NULL DEFAULT 0         -- the highest share in percent that was alerted
) WITH (fillfactor = 50);

CREATE TABLE credit_entry (                         -- append only: one row per reservation, one per its end
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    reservation uuid NOT NULL,
    kind        text NOT NULL CHECK (kind IN ('reserve', 'settle', 'release')),
    period      date NOT NULL REFERENCES credit_budget,
    account_id  bigint REFERENCES account,          -- NULL: the house
    provider    text NOT NULL,
    operation   text NOT NULL,
    credits     bigint NOT NULL CHECK (credits >= 0),
    request_id  text NOT NULL,
    search_id   uuid,
    record      text,
    outcome     text,
    at          timestamptz NOT NULL DEFAULT now(),
    lease_until timestamptz                         -- of a reservation: when it is presumed spent
);
CREATE UNIQUE INDEX credit_entry_reserved ON credit_entry (reservation) WHERE kind = 'reserve';
CREATE UNIQUE INDEX credit_entry_ended ON credit_entry (reservation) WHERE kind <> 'reserve';
CREATE INDEX credit_entry_account ON credit_entry (period, account_id, at);
CREATE INDEX credit_entry_search ON credit_entry (search_id) WHERE search_id IS NOT NULL;

CREATE TABLE credit_open (                          -- reservations without an end, few at any time
    reservation uuid PRIMARY KEY,
    period      date NOT NULL,
    account_id  bigint,
    credits     bigint NOT NULL,
    lease_until timestamptz NOT NULL
);

CREATE TABLE purchase (                             -- what was bought: answered again without a credit
    request_id  text PRIMARY KEY,
    provider    text NOT NULL,
    operation   text NOT NULL,
    record      text,                               -- what the answer is about, as in indeed:4f2a...
    account_id  bigint REFERENCES account,
    blob_key    text NOT NULL,
    credits     bigint NOT NULL,
    bought_at   timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX purchase_record ON purchase (record, bought_at DESC) WHERE record IS NOT NULL;
