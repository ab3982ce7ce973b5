-- What paid providers may cost and did cost. The entries are the truth; the sums of a period and of an account's day are
-- theirs, kept in the same statements.
CREATE TABLE credit_budget (
    period      date PRIMARY KEY,                   -- first day of the month, in UTC
    granted     bigint NOT NULL CHECK (granted >= 0),
    used        bigint NOT NULL DEFAULT 0 CHECK (used >= 0),
    reserved    bigint NOT NULL DEFAULT 0 CHECK (reserved >= 0),
    level       smallint NOT NULL DEFAULT 0,        -- the highest of the shares that are told, in percent, ever reached
    closed_at   timestamptz                         -- when something first no longer fitted; NULL again after a raise
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
    provider_id text,                               -- what the provider's answer calls the call
    at          timestamptz NOT NULL DEFAULT now(),
    lease_until timestamptz                         -- of a reservation: when it is presumed spent
);
CREATE UNIQUE INDEX credit_entry_reserved ON credit_entry (reservation) WHERE kind = 'reserve';
CREATE UNIQUE INDEX credit_entry_ended ON credit_entry (reservation) WHERE kind <> 'reserve';
CREATE INDEX credit_entry_period ON credit_entry (period, provider, at);
CREATE INDEX credit_entry_record ON credit_entry (record, account_id) WHERE kind = 'settle' AND record IS NOT NULL;
CREATE INDEX credit_entry_search ON credit_entry (search_id) WHERE search_id IS NOT NULL;

CREATE TABLE credit_open (                          -- reservations without an end, few at any time
    reservation uuid PRIMARY KEY,
    period      date NOT NULL,
    account_id  bigint,
    provider    text NOT NULL,
    operation   text NOT NULL,
    credits     bigint NOT NULL,
    request_id  text NOT NULL CONSTRAINT credit_open_request UNIQUE,
    record      text,
    lease_until timestamptz NOT NULL,
    CONSTRAINT credit_open_record UNIQUE (provider, operation, record)
);

CREATE TABLE credit_use (                           -- an account's day, in UTC
    day         date NOT NULL,
    account_id  bigint,                             -- NULL: the house
    used        bigint NOT NULL DEFAULT 0 CHECK (used >= 0),
    reserved    bigint NOT NULL DEFAULT 0 CHECK (reserved >= 0),
    UNIQUE NULLS NOT DISTINCT (day, account_id)
) WITH (fillfactor = 50);

CREATE TABLE credit_slot (                          -- places of calls in flight, of all gateways together
    number      smallint PRIMARY KEY,
    reservation uuid,
    lease_until timestamptz NOT NULL DEFAULT '-infinity'
) WITH (fillfactor = 50);
INSERT INTO credit_slot (number) SELECT generate_series(1, 100);

CREATE TABLE credit_shut (                          -- operations that cost more than declared, until an operator looked
    provider    text NOT NULL,
    operation   text NOT NULL,
    declared    bigint NOT NULL,
    charged     bigint NOT NULL,
    at          timestamptz NOT NULL,
    PRIMARY KEY (provider, operation)
);

CREATE TABLE purchase (                             -- what was bought: answered again without a credit
    request_id  text PRIMARY KEY,
    provider    text NOT NULL,
    operation   text NOT NULL,
    record      text,                               -- what the answer is about, as in indeed:4f2a...
    account_id  bigint REFERENCES account,          -- who paid; NULL: the house
    blob_key    text NOT NULL,
    credits     bigint NOT NULL,
    bought_at   timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX purchase_record ON purchase (record, bought_at DESC) WHERE record IS NOT NULL;
