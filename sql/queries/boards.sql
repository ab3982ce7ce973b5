-- add_board --
-- Registers a board once.
INSERT INTO board (source, tenant, company, url, every_s) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (source, tenant) DO UPDATE SET company = coalesce(excluded.company, board.company)
RETURNING id, (xmax = 0) AS added

-- add_boards --
-- Registers many boards at once.
INSERT INTO board (source, tenant, company, url, every_s)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::int[])
ON CONFLICT (source, tenant) DO NOTHING

-- list_boards --
-- All boards with how many postings are open on each.
SELECT b.*, (SELECT count(*) FROM posting p WHERE p.board_id = b.id AND p.state IN ('discovered', 'described')) AS open
  FROM board b
 WHERE ($1::bigint IS NULL OR b.id = $1)
 ORDER BY b.source, b.tenant

-- yield_by_source --
-- What each source brings.
SELECT source, count(*)::int AS boards, count(*) FILTER (WHERE last_error IS NOT NULL)::int AS failing,
       max(last_crawled_at) AS last_run, max(last_complete_at) AS last_complete, coalesce(sum(last_count), 0)::int AS listed
  FROM board WHERE state <> 'moved' GROUP BY source ORDER BY source

-- find_boards --
-- A board by id, by tenant, by source:tenant or by address.
SELECT id FROM board
 WHERE id::text = $1 OR tenant = $1 OR source || ':' || tenant = $1 OR url = $1
 ORDER BY id

-- source_of_board --
-- Which system a board is of.
SELECT source FROM board WHERE id = $1

-- claim_due_boards --
-- Takes due boards of these sources that nobody works on; one whose worker died is free when its claim ran out, its own
-- worker's successor (same owner) gets it at once.
UPDATE board SET claimed_by = $1, claimed_until = now() + make_interval(secs => $2)
 WHERE id IN (
       SELECT id FROM board
        WHERE state IN ('active', 'suspect', 'denied') AND next_due <= now() AND id <> ALL ($4::bigint[])
          AND (claimed_until IS NULL OR claimed_until < now() OR claimed_by = $1)
          AND ($5::text[] IS NULL OR source = ANY ($5))
        ORDER BY next_due LIMIT $3 FOR UPDATE SKIP LOCKED)
RETURNING *

-- bring_forward --
-- Spreads boards over the time from $1 to $2 that would be due later: evenly, each source's as well, and always at the
-- same place in it. One that was crawled less than a quarter of its interval before is fresh enough, and one that is
-- crawled every few days comes forward on the day before it is due.
UPDATE board SET next_due = due.at
  FROM (SELECT id, $1::timestamptz + ($2::timestamptz - $1) * (id * 0.6180339887498949 % 1)::float8 AS at FROM board) due
 WHERE due.id = board.id AND state = 'active' AND failures = 0 AND next_due > due.at
   AND (last_crawled_at IS NULL OR last_crawled_at < $1 - make_interval(secs => greatest(every_s / 4, every_s - 86400)))
RETURNING board.id

-- claim_board --
-- Takes one board, due or not, unless somebody works on it.
UPDATE board SET claimed_by = $1, claimed_until = now() + make_interval(secs => $2)
 WHERE id = $3 AND (claimed_until IS NULL OR claimed_until < now() OR claimed_by = $1)
RETURNING *

-- extend_claims --
-- The worker lives: its claims go on.
UPDATE board SET claimed_until = now() + make_interval(secs => $2) WHERE claimed_by = $1 AND id = ANY ($3::bigint[])

-- hold_claim --
-- Locks a board that is still ours, so that a worker that was taken over cannot write what it knew.
SELECT true FROM board WHERE id = $1 AND claimed_by = $2 AND claimed_until > now() FOR UPDATE

-- finish_board --
-- The end of a crawl: what was learnt, when to come back, whether every open posting was seen, what the list's pages
-- are known by, and the claim is free. The same end may come again, when the connection died during COMMIT.
WITH finished AS (
    UPDATE board
       SET state = $3, next_due = now() + make_interval(secs => $4), last_crawled_at = $5,
           last_complete_at = CASE WHEN $6 THEN $5 ELSE last_complete_at END,
           last_count = coalesce($7, last_count), suspect_count = $8, failures = $9, last_error = $10,
           claimed_by = NULL, claimed_until = NULL
     WHERE id = $1 AND (claimed_by = $2 OR (claimed_by IS NULL AND last_crawled_at = $5))
    RETURNING id
), seen AS (
    UPDATE posting p SET last_seen = $5 FROM finished f
     WHERE $11::boolean AND p.board_id = f.id AND p.state IN ('discovered', 'described') AND p.last_seen < $5
), forgotten AS (
    DELETE FROM board_validator v USING finished f
     WHERE $12::boolean AND v.board_id = f.id AND v.url <> ALL ($14::text[])
), marked AS (
    INSERT INTO board_validator (board_id, session, url, etag, last_modified, body_hash, cursor)
    SELECT f.id, $13, m.*
      FROM finished f, unnest($14::text[], $15::text[], $16::text[], $17::bytea[], $18::text[]) m
    ON CONFLICT (board_id, url) DO UPDATE
       SET session = excluded.session, etag = excluded.etag, last_modified = excluded.last_modified,
           body_hash = excluded.body_hash, cursor = excluded.cursor
)
SELECT EXISTS (SELECT FROM finished)

-- load_marks --
-- What the pages of a board's last complete list are known by, if this version of the code read them.
SELECT m.url, m.etag, m.last_modified, m.body_hash, m.cursor
  FROM board_validator m JOIN crawl_session s ON s.id = m.session
 WHERE m.board_id = $1 AND s.version = (SELECT version FROM crawl_session WHERE id = $2)

-- open_session --
-- A run of a crawler, which all that it writes names.
INSERT INTO crawl_session (id, host, version) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING

-- add_raw --
-- What was asked and what came.
INSERT INTO raw_response (board_id, session, url, status, content_hash, blob_key, bytes, fetched_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
RETURNING id

-- add_raws --
-- The same for many answers at once, in their order.
INSERT INTO raw_response (board_id, session, url, status, content_hash, blob_key, blob_from, bytes, fetched_at)
SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[], $4::smallint[], $5::bytea[], $6::text[], $7::int[],
                     $8::int[], $9::timestamptz[])
RETURNING id
