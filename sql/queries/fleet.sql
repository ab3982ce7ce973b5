-- load_daemons --
-- Every daemon's last heartbeat with its version, and its ages on the database's clock.
SELECT unit, host, pid, version, state, status, memory_bytes, stop_requested,
       extract(epoch FROM clock_timestamp() - heartbeat_at)::float8 AS heartbeat_age_s,
       extract(epoch FROM clock_timestamp() - progress_at)::float8 AS progress_age_s
  FROM daemon
 ORDER BY unit

-- open_incidents --
-- What is wrong and not over, oldest first, without those that are told as a line of another one.
SELECT kind, title, host, acked_by, extract(epoch FROM clock_timestamp() - opened_at)::float8 AS age_s
  FROM incident
 WHERE closed_at IS NULL AND digest IS NULL
 ORDER BY opened_at
