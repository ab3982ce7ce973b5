-- create_key --
-- A new key, of which only the hash is kept.
INSERT INTO api_key (account_id, label, hash, scopes, expires_at) VALUES ($1, $2, $3, $4, $5) RETURNING id

-- rotate_key --
-- A key that does and lives as another one, which itself ends after $3. No row: that one opens nothing any more, or was
-- rotated before.
WITH old AS (
    SELECT key.id, account_id, label, scopes, expires_at, expires_at - key.created_at AS life
      FROM api_key key JOIN account ON account.id = account_id
     WHERE key.id = $1 AND replaced_by IS NULL AND revoked_at IS NULL AND closed_at IS NULL
       AND (expires_at IS NULL OR expires_at > now())
       FOR UPDATE OF key
), made AS (
    INSERT INTO api_key (account_id, label, hash, scopes, expires_at)
    SELECT account_id, label, $2, scopes, now() + life FROM old
    RETURNING id
)
UPDATE api_key SET replaced_by = made.id, expires_at = least(old.expires_at, now() + $3)
  FROM old, made WHERE api_key.id = old.id
RETURNING replaced_by

-- replacement --
-- The key that stands in the place of one that was rotated.
SELECT replaced_by FROM api_key WHERE id = $1

-- list_keys --
-- All keys, oldest first.
SELECT key.id, account.name AS account, key.label, key.scopes, key.created_at, key.expires_at, key.used_at,
       least(key.revoked_at, account.closed_at) AS revoked_at
  FROM api_key key JOIN account ON account.id = key.account_id
 ORDER BY key.id

-- revoke_key --
-- From now on the key opens nothing. No row: there is no such key, or it was revoked before.
UPDATE api_key SET revoked_at = now() WHERE id = $1 AND revoked_at IS NULL RETURNING id

-- verify_key --
-- Whose key this is, and what it opens. That it was used is written down once in ten minutes.
WITH found AS (
    SELECT key.id, key.account_id, key.scopes, account.tier, key.used_at
      FROM api_key key JOIN account ON account.id = key.account_id
     WHERE key.hash = $1 AND key.revoked_at IS NULL AND account.closed_at IS NULL
       AND (key.expires_at IS NULL OR key.expires_at > now())
), used AS (
    UPDATE api_key SET used_at = now() FROM found
     WHERE api_key.id = found.id AND (found.used_at IS NULL OR found.used_at < now() - interval '10 minutes')
)
SELECT id, account_id, scopes, tier FROM found

-- market_counts --
-- What there is, for the index page.
SELECT (SELECT count(*) FROM posting WHERE state IN ('discovered', 'described') AND last_seen > $1) AS open,
       (SELECT count(*) FROM board WHERE last_complete_at IS NOT NULL) AS boards,
       (SELECT count(*) FROM posting_vector WHERE title_id IS NOT NULL) AS matchable

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
