-- beat --
-- A daemon's sign of life; answers whether an operator asks it to stop.
INSERT INTO daemon AS held (unit, host, pid, version, started_at, heartbeat_at, progress_at, state, status,
                            memory_bytes, counters)
VALUES ($1, $2, $3, $4, $5, now(), now() - make_interval(secs => $6), $7, $8, $9, $10)
ON CONFLICT (unit) DO UPDATE
   SET host = excluded.host, pid = excluded.pid, version = excluded.version, started_at = excluded.started_at,
       heartbeat_at = excluded.heartbeat_at, progress_at = excluded.progress_at, state = excluded.state,
       status = excluded.status, memory_bytes = excluded.memory_bytes, counters = excluded.counters
RETURNING stop_requested
