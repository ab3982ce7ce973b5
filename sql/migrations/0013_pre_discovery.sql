-- Metered listings and details, each bought once.
CREATE TABLE discovery_query (
    key           bytea PRIMARY KEY,                -- SHA-256 of provider, words, place and page
    search_id     uuid NOT NULL,                    -- for whom it is bought: names the request, whoever takes it over
    claimed_by    text,                             -- who buys it now, and until when nobody else does
    claimed_until timestamptz,
    bought_at     timestamptz,                      -- the same is not bought again for a while; NULL: not yet
    posting_ids   bigint[] NOT NULL DEFAULT '{}',   -- what it found
    next_page     text                              -- what to ask for the page after it
);

CREATE TABLE detail_claim (
    posting_id    bigint PRIMARY KEY REFERENCES posting ON DELETE CASCADE,
    round         integer NOT NULL DEFAULT 1,       -- names the request: the next one is a week later at the soonest
    claimed_by    text,
    claimed_until timestamptz,
    fetched_at    timestamptz,                      -- not again for a week; NULL: wanted
    outcome       text
);

CREATE TABLE search_detail (                        -- which searches wait for which details
    search_id     uuid NOT NULL REFERENCES search_request ON DELETE CASCADE,
    posting_id    bigint NOT NULL REFERENCES posting ON DELETE CASCADE,
    PRIMARY KEY (search_id, posting_id)
);
CREATE INDEX search_detail_posting ON search_detail (posting_id);

ALTER TABLE board                                   -- metered: of a paid provider; nobody crawls it
    DROP CONSTRAINT board_state_check,
    ADD CONSTRAINT board_state_check
        CHECK (state IN ('active', 'suspect', 'denied', 'gone', 'paused', 'moved', 'metered'));
