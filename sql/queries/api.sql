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
-- What every daemon last said of itself. Those that left the map are left out; those on it that never beat are not.
SELECT unit, coalesce(d.host, p.host) AS host, coalesce(version, '') AS version, coalesce(state, '') AS state,
       extract(epoch FROM now() - coalesce(heartbeat_at, placed_at))::float8 AS silent_s,
       extract(epoch FROM now() - coalesce(progress_at, placed_at))::float8 AS quiet_s,
       coalesce(memory_bytes, 0) AS memory_bytes, coalesce(counters, '{}') AS counters,
       coalesce(stop_requested, false) AS stop_requested, metrics_address
  FROM daemon d
  FULL JOIN (SELECT DISTINCT ON (unit) unit, host, placed_at FROM placement WHERE removed_at IS NULL
              ORDER BY unit, placed_at DESC) p USING (unit)
 WHERE p.host IS NOT NULL OR NOT EXISTS (SELECT FROM placement gone WHERE gone.unit = d.unit)
 ORDER BY unit

-- letter_figures --
-- How many dead letters lie in each queue.
SELECT queue, count(*) AS letters FROM dead_letter GROUP BY queue

-- alert_figures --
-- What is wrong now by kind, and (kind '') how many messages about it wait to be sent.
SELECT kind, count(*) AS number FROM incident WHERE closed_at IS NULL GROUP BY kind
UNION ALL
SELECT '', count(*) FROM alert_outbox WHERE shown IS DISTINCT FROM text AND failed IS NULL

-- market_figures --
-- Open postings as the last ANALYZE estimated them, the newest one's age, and how long the next board is overdue.
SELECT (SELECT greatest(reltuples, 0)::float8 FROM pg_class WHERE oid = 'posting_newest'::regclass) AS open,
       (SELECT extract(epoch FROM now() - first_seen)::float8 FROM posting
         WHERE state IN ('discovered', 'described') ORDER BY first_seen DESC, id DESC LIMIT 1) AS newest_s,
       (SELECT greatest(extract(epoch FROM now() - min(next_due)), 0)::float8 FROM board
         WHERE state IN ('active', 'suspect', 'denied')) AS overdue_s
