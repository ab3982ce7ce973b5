-- database_clock --
-- The database's clock, in seconds since 1970; it is the same one throughout a transaction.
SELECT extract(epoch FROM now())::float8

-- load_spans --
-- Every process that beat in the last $1 seconds, and each unit's last one before.
SELECT unit, host, pid, extract(epoch FROM began_at)::float8 AS began, extract(epoch FROM beat_at)::float8 AS beat,
       coalesce(ending, '') AS ending
  FROM daemon_span
 WHERE beat_at > now() - make_interval(secs => $1)
UNION ALL
(SELECT DISTINCT ON (unit)
        unit, host, pid, extract(epoch FROM began_at)::float8, extract(epoch FROM beat_at)::float8,
        coalesce(ending, '')
   FROM daemon_span
  WHERE beat_at <= now() - make_interval(secs => $1)
  ORDER BY unit, beat_at DESC)
ORDER BY 1, 4

-- load_placements --
-- When each unit stood on the map of the fleet; without an end it still does.
SELECT unit, extract(epoch FROM placed_at)::float8 AS since, extract(epoch FROM removed_at)::float8 AS until
  FROM placement
 ORDER BY unit, placed_at

-- load_past_holds --
-- What operators wanted left alone in the last $1 seconds.
SELECT target, extract(epoch FROM since)::float8 AS since,
       extract(epoch FROM least(coalesce(released_at, until), now()))::float8 AS until
  FROM hold
 WHERE coalesce(released_at, until) > now() - make_interval(secs => $1)

-- place --
-- The map of the fleet as it is now: units $1 on hosts $2; what it does not name any more has left it.
WITH map AS (
    SELECT unit, host FROM unnest($1::text[], $2::text[]) AS given (unit, host)
), gone AS (
    UPDATE placement SET removed_at = now()
     WHERE removed_at IS NULL AND (unit, host) NOT IN (SELECT unit, host FROM map)
)
INSERT INTO placement (unit, host) SELECT unit, host FROM map
ON CONFLICT (unit, host) WHERE removed_at IS NULL DO NOTHING

-- prune_spans --
-- Forgets processes, and places on the map, that ended more than $1 ago.
WITH places AS (
    DELETE FROM placement WHERE removed_at < now() - $1::interval
)
DELETE FROM daemon_span WHERE beat_at < now() - $1::interval RETURNING unit
