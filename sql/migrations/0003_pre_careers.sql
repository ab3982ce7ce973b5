-- Career pages of companies without a job-board system: each page of such a site that we know of, and what it is.

CREATE TABLE career_page (
    board_id      bigint NOT NULL REFERENCES board ON DELETE CASCADE,
    url           text NOT NULL,                    -- canonical
    depth         smallint NOT NULL,                -- links from the careers page, 0 for itself
    state         text NOT NULL DEFAULT 'new' CHECK (state IN ('new', 'read', 'browser', 'aside', 'gone')),
    kind          text NOT NULL DEFAULT 'unknown' CHECK (kind IN ('unknown', 'ad', 'list', 'document', 'other')),
    external_ids  text[] NOT NULL DEFAULT '{}',     -- of the postings that it holds
    etag          text,                             -- for a conditional GET
    last_modified text,
    body_hash     bytea,                            -- SHA-256: the same bytes need not be read again
    version       text,                             -- of the code that read it; another one reads it once more
    lastmod       text NOT NULL DEFAULT '',         -- as the sitemap has it
    doubts        smallint NOT NULL DEFAULT 0,      -- answers in a row that may mean that the posting is gone
    attempts      smallint NOT NULL DEFAULT 0,      -- visits in a row without a page
    reason        text,                             -- why it is set aside, gone, or no posting
    linked_at     timestamptz NOT NULL,             -- last seen in a list or sitemap
    read_at       timestamptz,
    due_at        timestamptz NOT NULL,
    PRIMARY KEY (board_id, url)
);
CREATE INDEX career_page_browser ON career_page (due_at) WHERE state = 'browser';
