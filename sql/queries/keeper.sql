-- load_daemons --
-- Every daemon's last heartbeat, with its ages on the database's clock.
SELECT unit, host, pid, state, status, memory_bytes, stop_requested,
       extract(epoch FROM clock_timestamp() - heartbeat_at)::float8 AS heartbeat_age_s,
       extract(epoch FROM clock_timestamp() - progress_at)::float8 AS progress_age_s
  FROM daemon
 ORDER BY unit

-- ask_to_stop --
-- The operator stops a daemon or takes that back; the keeper starts it again only then.
UPDATE daemon SET stop_requested = $2 WHERE unit = $1 RETURNING unit
