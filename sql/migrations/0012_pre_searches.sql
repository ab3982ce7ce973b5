-- Searches that go on after their first answer, and what they told since.
ALTER TABLE search_request
    ADD COLUMN account_id bigint REFERENCES account,
    ADD COLUMN found integer NOT NULL DEFAULT 0,    -- how many reached the least score that is shown
    ADD COLUMN profile jsonb,                       -- only while live work needs it
    ADD COLUMN live text NOT NULL DEFAULT 'not_needed'
        CHECK (live IN ('unavailable', 'not_needed', 'running', 'done')),
    ADD COLUMN live_why text,
    ADD COLUMN credits_used integer NOT NULL DEFAULT 0,
    ADD COLUMN events integer NOT NULL DEFAULT 0;   -- the newest one's number
CREATE INDEX search_request_live ON search_request (at) WHERE live = 'running';
CREATE INDEX search_request_account ON search_request (account_id, at);
CREATE INDEX search_request_at ON search_request USING brin (at);

CREATE TABLE search_event (
    search_id   uuid NOT NULL REFERENCES search_request ON DELETE CASCADE,
    seq         integer NOT NULL,
    at          timestamptz NOT NULL DEFAULT now(),
    kind        text NOT NULL,                      -- progress, matches, done
    body        jsonb NOT NULL,
    PRIMARY KEY (search_id, seq)
);
CREATE INDEX search_event_at ON search_event USING brin (at);
