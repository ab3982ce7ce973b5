-- acquire_lease --
-- Takes a free or expired lease, or extends our own; a change of hands raises the epoch.
INSERT INTO lease AS held (name, owner, epoch, expires_at)
VALUES ($1, $2, 1, clock_timestamp() + make_interval(secs => $3))
ON CONFLICT (name) DO UPDATE
   SET owner = excluded.owner,
       epoch = held.epoch + CASE WHEN held.owner = excluded.owner THEN 0 ELSE 1 END,
       expires_at = excluded.expires_at
 WHERE held.owner = excluded.owner OR held.expires_at < clock_timestamp()
RETURNING epoch

-- renew_leases --
-- Extends all leases of one owner that nobody took over, and says which they are. One that was given back stays free.
UPDATE lease SET expires_at = clock_timestamp() + make_interval(secs => $2)
 WHERE owner = $1 AND name = ANY($3::text[]) AND expires_at > '-infinity'
RETURNING name

-- release_lease --
-- Lets go at once, so that a successor need not wait for the end of the term. The epoch stays.
UPDATE lease SET expires_at = '-infinity' WHERE name = $1 AND owner = $2
