-- The house of ARCHITECTURE: boards and postings, the change log and its followers, the control plane, the API.
-- Runs on PostgreSQL 15 and newer with pgvector 0.8.4 or newer.

CREATE EXTENSION IF NOT EXISTS vector;

-- ── where postings come from ────────────────────────────────────────────────────────────────────────────────────

CREATE TABLE company (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key         text NOT NULL UNIQUE,               -- folded name: one row per company however it is spelt
    name        text NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE board (
    id               bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source           text NOT NULL,
    tenant           text NOT NULL,
    company          text,                          -- as a person registered it; the postings' own word wins
    url              text NOT NULL,
    state            text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'suspect', 'denied', 'gone', 'paused')),
    next_due         timestamptz NOT NULL DEFAULT now(),
    every_s          integer NOT NULL DEFAULT 86400 CHECK (every_s > 0),
    claimed_by       text,                          -- the crawler that works on it, and until when it may
    claimed_until    timestamptz,
    last_crawled_at  timestamptz,
    last_complete_at timestamptz,
    last_count       integer,                       -- rows of the last complete list
    suspect_count    integer NOT NULL DEFAULT 0,    -- complete lists in a row that dropped too far
    failures         integer NOT NULL DEFAULT 0,    -- crawls in a row without a complete list
    last_error       text,
    created_at       timestamptz NOT NULL DEFAULT now(),
    UNIQUE (source, tenant)
);
CREATE INDEX board_due ON board (next_due) WHERE state IN ('active', 'suspect', 'denied');

CREATE TABLE crawl_session (
    id          text PRIMARY KEY,                   -- 2026-11-21T04-30-00.000-<host>-<pid>
    started_at  timestamptz NOT NULL DEFAULT now(),
    host        text NOT NULL,
    version     text NOT NULL
);

CREATE TABLE board_validator (                      -- what the pages of the last complete list are known by
    board_id      bigint NOT NULL REFERENCES board ON DELETE CASCADE,
    url           text NOT NULL,                    -- with its query
    etag          text,                             -- for a conditional GET
    last_modified text,
    body_hash     bytea,                            -- SHA-256: the same bytes need not be read again
    cursor        text,                             -- what the page said to ask for next
    session       text REFERENCES crawl_session,    -- another version of the code reads everything once more
    PRIMARY KEY (board_id, url)
);

CREATE TABLE raw_response (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    board_id      bigint NOT NULL REFERENCES board ON DELETE CASCADE,
    session       text NOT NULL REFERENCES crawl_session,
    url           text NOT NULL,
    status        smallint NOT NULL,
    content_hash  bytea NOT NULL,                   -- SHA-256 of the body
    blob_key      text NOT NULL,
    blob_from     integer NOT NULL DEFAULT 0,       -- answers that came together share a blob: where this one begins
    bytes         integer NOT NULL,
    fetched_at    timestamptz NOT NULL
);
CREATE INDEX raw_response_board ON raw_response (board_id, fetched_at);

-- ── postings: narrow and hot, then their texts, then their vectors ──────────────────────────────────────────────
-- Content columns are the crawler's and the description pipeline's: a change of one takes a place in the change log
-- (changed_xid). Derived columns are each written by one follower, with UPDATE only, and never touch changed_xid.

CREATE TABLE posting (
    id               bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    board_id         bigint NOT NULL REFERENCES board,
    external_id      text NOT NULL,
    shard            smallint NOT NULL
                     GENERATED ALWAYS AS ((hashtext(board_id::text || ':' || external_id) & 7)::smallint) STORED,
    state            text NOT NULL CHECK (state IN ('discovered', 'described', 'closed', 'expired')),
    revision         integer NOT NULL DEFAULT 1,
    changed_xid      xid8 NOT NULL DEFAULT pg_current_xact_id(),
    content_hash     bytea NOT NULL,                -- of the listing's own fields, see lib.posting.fingerprint

    title            text NOT NULL,
    company          text,
    url              text NOT NULL,
    apply_url        text,
    places           text[] NOT NULL DEFAULT '{}',
    stated           jsonb NOT NULL DEFAULT '{}',   -- country, remote, employment_type, department, language, salary
    posted_at        timestamptz,
    valid_through    timestamptz,

    first_seen       timestamptz NOT NULL,          -- these four on our clock
    last_seen        timestamptz NOT NULL,
    closed_at        timestamptz,
    reopened_at      timestamptz,

    language         text,                          -- follower: text
    city             text,                          -- follower: place
    region           text,
    country_code     text,
    lat              real,
    lon              real,
    salary_min       real,                          -- follower: salary
    salary_max       real,
    salary_currency  text,
    salary_period    text,
    salary_year_min_eur real,
    salary_year_max_eur real,
    salary_year_min_chf real,
    salary_year_max_chf real,
    employment       text,                          -- follower: employment
    permanent        boolean,
    remote           text,

    UNIQUE (board_id, external_id)
) WITH (fillfactor = 80);

CREATE INDEX posting_changes ON posting (shard, changed_xid, id);
CREATE INDEX posting_newest ON posting (first_seen DESC, id DESC) WHERE state IN ('discovered', 'described');
CREATE INDEX posting_title_words ON posting USING gin (to_tsvector('simple', title))
    WHERE state IN ('discovered', 'described');

CREATE TABLE posting_text (
    posting_id        bigint PRIMARY KEY REFERENCES posting ON DELETE CASCADE,
    html              text,                         -- as the board gave it
    html_hash         bytea,
    raw_response_id   bigint,
    described_at      timestamptz,
    described_xid     xid8 NOT NULL DEFAULT '0',     -- the change that brought the text, to tell it from a later one
    description_html  text,                         -- follower: text; safe to show
    description_text  text,
    search            tsvector,                     -- follower: text; German and English
    provenance        jsonb NOT NULL DEFAULT '{}'   -- field -> {kind, enricher, version, span, evidence}
) WITH (fillfactor = 80);
CREATE INDEX posting_text_search ON posting_text USING gin (search);

CREATE TABLE posting_vector (
    posting_id   bigint PRIMARY KEY REFERENCES posting ON DELETE CASCADE,
    listing      halfvec(256),                      -- follower: embed; NULL while the posting is not open
    country_code text,                              -- copies of what a match filters on, written with the vector
    language     text,
    remote       text,
    employment   text,
    salary_eur   real,                              -- upper end of a year's pay
    seniority    text,                              -- what a match compares, see lib.match.facets
    skills       text[]                             -- NULL: there is no text that could name any
);
CREATE INDEX posting_vector_listing ON posting_vector USING hnsw (listing halfvec_cosine_ops)
    WITH (m = 16, ef_construction = 100);
CREATE INDEX posting_vector_facets ON posting_vector (country_code, language, remote, employment)
    WHERE listing IS NOT NULL;
CREATE INDEX posting_vector_salary ON posting_vector (salary_eur) WHERE listing IS NOT NULL;
CREATE STATISTICS posting_vector_facets_together (mcv) ON country_code, language, remote, employment FROM posting_vector;

CREATE TABLE posting_full_vector (                  -- apart, so that the listing vectors' rows stay narrow
    posting_id   bigint PRIMARY KEY REFERENCES posting ON DELETE CASCADE,
    full_text    halfvec(384),
    text_hash    bytea,                             -- of the text that was embedded
    model        text,
    embedded_at  timestamptz
);

CREATE TABLE posting_history (                      -- append only: what a posting was before, and since when it is not
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    posting_id   bigint NOT NULL,
    revision     integer NOT NULL,
    at           timestamptz NOT NULL,
    session      text NOT NULL,
    changes      jsonb NOT NULL                     -- field -> [old, new]
);
CREATE INDEX posting_history_posting ON posting_history (posting_id, revision);

CREATE TABLE history_seal (                         -- one chain per shard: each hash covers a row and the hash before
    shard        smallint NOT NULL,
    position     bigint NOT NULL,
    history_id   bigint NOT NULL UNIQUE,            -- no reference: a chain outlives rows, and so shows their absence
    hash         bytea NOT NULL,
    PRIMARY KEY (shard, position)
);

-- ── following ───────────────────────────────────────────────────────────────────────────────────────────────────

CREATE TABLE follower (
    name         text NOT NULL,
    shard        smallint NOT NULL,
    version      integer NOT NULL,
    cursor_xid   xid8 NOT NULL DEFAULT '0',
    cursor_id    bigint NOT NULL DEFAULT 0,
    epoch        bigint NOT NULL DEFAULT 0,         -- of the lease under which the cursor last moved
    rows         bigint NOT NULL DEFAULT 0,
    moved_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (name, shard)
) WITH (fillfactor = 50);

CREATE TABLE lease (
    name         text PRIMARY KEY,
    owner        text NOT NULL,
    epoch        bigint NOT NULL,                   -- grows with every change of hands: the fencing token
    expires_at   timestamptz NOT NULL
) WITH (fillfactor = 50);

CREATE TABLE schedule_run (
    job          text NOT NULL,
    due          timestamptz NOT NULL,
    claimed_by   text NOT NULL,
    claimed_at   timestamptz NOT NULL DEFAULT now(),
    finished_at  timestamptz,
    outcome      text,
    PRIMARY KEY (job, due)
);

CREATE TABLE dead_letter (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    queue        text NOT NULL,                     -- 'follower:<name>', 'stream:<name>', 'crawl:<source>', 'detail:<source>'
    key          text NOT NULL,                     -- what the letter is about: posting id, board, job id
    shard        smallint,
    payload      jsonb NOT NULL DEFAULT '{}',
    reason       text NOT NULL,
    attempts     integer NOT NULL DEFAULT 1,
    created_at   timestamptz NOT NULL DEFAULT now(),
    updated_at   timestamptz NOT NULL DEFAULT now(),
    UNIQUE (queue, key)
);

CREATE TABLE detail_retry (                         -- details that could not be fetched yet; upkeep puts them back
    posting_id   bigint PRIMARY KEY REFERENCES posting ON DELETE CASCADE,
    attempts     integer NOT NULL,
    retry_at     timestamptz NOT NULL,
    reason       text NOT NULL
);
CREATE INDEX detail_retry_due ON detail_retry (retry_at);

-- ── the control plane ───────────────────────────────────────────────────────────────────────────────────────────

CREATE TABLE daemon (
    unit            text PRIMARY KEY,               -- crawl@0, descriptions@3
    host            text NOT NULL,
    pid             integer NOT NULL,
    version         text NOT NULL,
    started_at      timestamptz NOT NULL,
    heartbeat_at    timestamptz NOT NULL,
    progress_at     timestamptz NOT NULL,
    state           text NOT NULL,                  -- starting, working, idle, draining, stopped
    status          text NOT NULL DEFAULT '',       -- what it does now, for a person
    memory_bytes    bigint NOT NULL DEFAULT 0,
    counters        jsonb NOT NULL DEFAULT '{}',
    stop_requested  boolean NOT NULL DEFAULT false
) WITH (fillfactor = 50);

-- ── answering ───────────────────────────────────────────────────────────────────────────────────────────────────

CREATE TABLE api_key (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    label        text NOT NULL,
    hash         bytea NOT NULL UNIQUE,             -- SHA-256 of the key; the key itself is shown once and not kept
    created_at   timestamptz NOT NULL DEFAULT now(),
    revoked_at   timestamptz
);

CREATE TABLE search_request (
    id           uuid PRIMARY KEY,
    api_key_id   bigint REFERENCES api_key,         -- NULL: the command line, or the page on this machine
    at           timestamptz NOT NULL DEFAULT now(),
    profile_hash bytea NOT NULL,
    candidates   integer NOT NULL,
    posting_ids  bigint[] NOT NULL,                 -- best first: their full texts are embedded before all others
    best_score   real,
    took_ms      real NOT NULL,
    embedded_at  timestamptz                        -- when every one of them had its full vector
);
CREATE INDEX search_request_pending ON search_request (at) WHERE embedded_at IS NULL;
