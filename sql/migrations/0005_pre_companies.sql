-- Finding companies and boards: what the Common Crawl index and the map show, and how far each search has come.

CREATE TABLE index_part (                            -- a file or address of the Common Crawl index that was scanned
    address     text NOT NULL,
    domains     text NOT NULL,                       -- digest of the domains that were looked for
    rows        bigint NOT NULL,                     -- captures in it
    matched     bigint NOT NULL,                     -- of hosts that belong to a system
    candidates  bigint NOT NULL,                     -- tenants that it named
    scanned_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (address, domains)
);

CREATE TABLE board_candidate (
    source      text NOT NULL,
    tenant      text NOT NULL,
    evidence    text NOT NULL,                       -- the address that named it
    found_in    text NOT NULL,                       -- the part of the index, or what else was searched
    times       bigint NOT NULL DEFAULT 1,           -- how often it was named
    state       text NOT NULL DEFAULT 'new'
                CHECK (state IN ('new', 'live', 'empty', 'gone', 'unknown', 'registered')),
    postings    integer,                             -- on its first page, or what the list says of itself
    reason      text,                                -- why nothing is known
    attempts    integer NOT NULL DEFAULT 0,
    checked_at  timestamptz,
    found_at    timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX board_candidate_key ON board_candidate (source, lower(tenant));  -- spellings differ in case
CREATE INDEX board_candidate_due ON board_candidate (state, source);

CREATE TABLE geo_place (                             -- a square of the map that is searched for companies
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    region       smallint NOT NULL,
    name         text NOT NULL,
    country      text NOT NULL,
    lat          double precision NOT NULL,          -- of its middle
    lon          double precision NOT NULL,
    half_m       integer NOT NULL CHECK (half_m > 0),  -- from the middle to an edge
    population   integer NOT NULL,
    depth        smallint NOT NULL DEFAULT 0,        -- 0: around the place; 1: a quarter of that; 2: a quarter of one
    next_due     timestamptz NOT NULL DEFAULT now(), -- infinity: its quarters are searched instead
    claimed_by   text,
    claimed_until timestamptz,
    searched_at  timestamptz,
    sites        integer NOT NULL DEFAULT 0,         -- that its last search found
    failures     integer NOT NULL DEFAULT 0,
    last_error   text,
    UNIQUE (country, name, lat, lon, depth)
);
CREATE INDEX geo_place_due ON geo_place (region, next_due);

CREATE TABLE company_site (                          -- a company's site, looked at once in 90 days at the most
    host         text PRIMARY KEY,                   -- without www.
    url          text NOT NULL,
    name         text,
    region       smallint NOT NULL,
    place_id     bigint REFERENCES geo_place ON DELETE SET NULL,
    state        text NOT NULL DEFAULT 'new'
                 CHECK (state IN ('new', 'board', 'careers', 'nothing', 'denied', 'gone', 'unknown')),
    careers_url  text,
    source       text,
    tenant       text,
    evidence     text,
    found_at     timestamptz NOT NULL DEFAULT now(),
    looked_at    timestamptz                         -- written before the first request to it
);
CREATE INDEX company_site_due ON company_site (region, looked_at NULLS FIRST);
