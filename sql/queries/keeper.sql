-- load_daemons --
-- Every daemon's last heartbeat, with its ages on the database's clock.
SELECT unit, host, pid, state, status, memory_bytes, stop_requested,
       extract(epoch FROM heartbeat_at)::float8 AS heartbeat_at,
       extract(epoch FROM clock_timestamp() - heartbeat_at)::float8 AS heartbeat_age_s,
       extract(epoch FROM clock_timestamp() - progress_at)::float8 AS progress_age_s,
       extract(epoch FROM clock_timestamp() - start_requested_at)::float8 AS start_age_s
  FROM daemon
 ORDER BY unit

-- ask_to_stop --
-- The operator stops a daemon or takes that back; the keeper starts it again only then.
UPDATE daemon
   SET stop_requested = $2, start_requested_at = CASE WHEN $2 THEN start_requested_at ELSE clock_timestamp() END
 WHERE unit = $1
RETURNING unit

-- load_holds --
-- What is to be left alone now.
SELECT target, held_by, why, since, until
  FROM hold
 WHERE released_at IS NULL AND until > clock_timestamp()
 ORDER BY until, target

-- hold --
-- Holds a target from now on, in place of an earlier hold of the same one.
WITH earlier AS (
    UPDATE hold
       SET released_at = least(until, clock_timestamp()),
           released_by = CASE WHEN until > clock_timestamp() THEN $2 END
     WHERE target = $1 AND released_at IS NULL
    RETURNING id
)
INSERT INTO hold (target, held_by, why, until)
SELECT $1, $2, $3, clock_timestamp() + make_interval(secs => $4) FROM (SELECT count(*) FROM earlier) AS done
RETURNING until

-- release --
-- Ends a hold that is in force.
UPDATE hold SET released_at = clock_timestamp(), released_by = $2
 WHERE target = $1 AND released_at IS NULL AND until > clock_timestamp()
RETURNING target

-- clock --
-- Seconds since 1970 as the database counts them.
SELECT extract(epoch FROM clock_timestamp())::float8

-- horizon --
-- The oldest transaction that writes. Followers read up to it, so it holds up all of them; mere readers do not.
SELECT extract(epoch FROM clock_timestamp() - began)::float8 AS age_s, began, who
  FROM (SELECT xact_start, concat_ws(' ', 'pid', pid, usename, application_name, client_addr, state)
          FROM pg_stat_activity
         WHERE backend_xid IS NOT NULL AND pid <> pg_backend_pid()
        UNION ALL
        SELECT prepared, concat_ws(' ', 'prepared transaction', gid, owner) FROM pg_prepared_xacts) AS open (began, who)
 WHERE began IS NOT NULL
 ORDER BY began
 LIMIT 1

-- behind --
-- Changes before each follower over all shards; no shard is counted beyond $1, for that alone would take long.
SELECT f.name, sum(counted)::bigint AS rows, bool_or(counted = $1) AS more,
       extract(epoch FROM clock_timestamp() - max(f.moved_at))::float8 AS still_s
  FROM follower f,
       LATERAL (SELECT count(*) AS counted
                  FROM (SELECT FROM posting p
                         WHERE p.shard = f.shard AND (p.changed_xid, p.id) > (f.cursor_xid, f.cursor_id)
                         LIMIT $1) AS ahead) AS counts
 GROUP BY f.name
 ORDER BY f.name

-- credit_budget --
-- This month's credits; no row before its first call.
SELECT period, granted, level, closed_at IS NOT NULL OR used >= granted AS closed
  FROM credit_budget WHERE period = date_trunc('month', now() AT TIME ZONE 'UTC')::date

-- credit_shut --
-- Operations that cost more than declared, and wait for an operator.
SELECT provider || '/' || operation AS what, declared, charged FROM credit_shut ORDER BY what
