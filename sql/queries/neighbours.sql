-- load_signs --
-- When each daemon and keeper last beat, as seconds before now on the database's clock.
SELECT unit, host, extract(epoch FROM clock_timestamp() - heartbeat_at)::float8 AS age_s FROM daemon
