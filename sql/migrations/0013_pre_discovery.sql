-- Metered listings and details, each bought once.
CREATE TABLE discovery_query (
    key           bytea PRIMARY KEY,                -- SHA-256 of provider, words, place
    claimed_by    uuid,                             -- the search that buys it now
    claimed_until timestamptz,
    bought_at     timestamptz,                      -- the same is not bought again for a while
    posting_ids   bigint[] NOT NULL DEFAULT '{}'    -- what it found
);

CREATE TABLE detail_claim (
    posting_id    bigint PRIMARY KEY REFERENCES posting ON DELETE CASCADE,
    claimed_by    text,
    claimed_until timestamptz,
    fetched_at    timestamptz,                      -- not again for a week
    outcome       text
);

CREATE TABLE search_detail (                        -- which searches wait for which details
    search_id     uuid NOT NULL REFERENCES search_request ON DELETE CASCADE,
    posting_id    bigint NOT NULL REFERENCES posting ON DELETE CASCADE,
    PRIMARY KEY (search_id, posting_id)
);
CREATE INDEX search_detail_posting ON search_detail (posting_id);
