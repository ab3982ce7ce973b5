-- count_request --
-- Counts one more request of today's grant before it is sent; no row when the grant is used up.
INSERT INTO metered_request AS held (source, day, requests)
SELECT $1, (now() AT TIME ZONE 'UTC')::date, 1 WHERE $2::int > 0
ON CONFLICT (source, day) DO UPDATE SET requests = held.requests + 1 WHERE held.requests < $2
RETURNING requests
