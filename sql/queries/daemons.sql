-- beat --
-- A daemon's sign of life, which lengthens its process's span; answers whether an operator asks it to stop.
WITH span AS (
    INSERT INTO daemon_span (unit, host, pid, began_at, beat_at, ending)
    SELECT $1, $2, $3,
           coalesce((SELECT began_at
                       FROM (SELECT began_at, beat_at, pid FROM daemon_span WHERE unit = $1 AND host = $2
                              ORDER BY began_at DESC LIMIT 1) AS newest
                      WHERE pid = $3 AND beat_at > now() - interval '90 s'),
                    now()),
           now(),
           CASE WHEN $7 <> 'stopped' THEN NULL
                WHEN (SELECT stop_requested FROM daemon WHERE unit = $1) THEN 'asked'
                ELSE 'drained' END
        ON CONFLICT (unit, host, began_at) DO UPDATE SET beat_at = excluded.beat_at, ending = excluded.ending
)
INSERT INTO daemon AS held (unit, host, pid, version, started_at, heartbeat_at, progress_at, state, status,
                            memory_bytes, counters, metrics_address)
VALUES ($1, $2, $3, $4, $5, now(), now() - make_interval(secs => $6), $7, $8, $9, $10, $11)
ON CONFLICT (unit) DO UPDATE
   SET host = excluded.host, pid = excluded.pid, version = excluded.version, started_at = excluded.started_at,
       heartbeat_at = excluded.heartbeat_at, progress_at = excluded.progress_at, state = excluded.state,
       status = excluded.status, memory_bytes = excluded.memory_bytes, counters = excluded.counters,
       metrics_address = excluded.metrics_address
RETURNING stop_requested
