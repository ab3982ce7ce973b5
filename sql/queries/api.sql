-- create_key --
-- A new key, of which only the hash is kept.
INSERT INTO api_key (label, hash) VALUES ($1, $2) RETURNING id

-- list_keys --
-- All keys, oldest first.
SELECT id, label, created_at, revoked_at FROM api_key ORDER BY id

-- revoke_key --
-- From now on the key opens nothing. No row: there is no such key, or it was revoked before.
UPDATE api_key SET revoked_at = now() WHERE id = $1 AND revoked_at IS NULL RETURNING id

-- verify_key --
-- Whose key this is.
SELECT id FROM api_key WHERE hash = $1 AND revoked_at IS NULL

-- market_counts --
-- What there is, for the index page.
SELECT (SELECT count(*) FROM posting WHERE state IN ('discovered', 'described') AND last_seen > $1) AS open,
       (SELECT count(*) FROM board WHERE last_complete_at IS NOT NULL) AS boards,
       (SELECT count(*) FROM posting_vector WHERE listing IS NOT NULL) AS matchable

-- daemon_figures --
-- What every daemon last said of itself.
SELECT unit, host, state, extract(epoch FROM now() - heartbeat_at)::float8 AS silent_s,
       extract(epoch FROM now() - progress_at)::float8 AS quiet_s, memory_bytes, counters
  FROM daemon
 ORDER BY unit

-- letter_figures --
-- How many dead letters lie in each queue.
SELECT queue, count(*) AS letters FROM dead_letter GROUP BY queue
