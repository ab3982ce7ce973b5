-- join_follower --
-- From now on only writes under this epoch count; gives the place to go on from. A version that differs walks the past
-- again. No row: a later epoch is at work, and nothing was changed under its feet.
INSERT INTO follower AS held (name, shard, version, epoch) VALUES ($1, $2, $3, $4)
ON CONFLICT (name, shard) DO UPDATE
   SET version = excluded.version, epoch = excluded.epoch,
       cursor_xid = CASE WHEN held.version = excluded.version THEN held.cursor_xid ELSE '0' END,
       cursor_id = CASE WHEN held.version = excluded.version THEN held.cursor_id ELSE 0 END
 WHERE held.epoch <= excluded.epoch
RETURNING cursor_xid, cursor_id

-- load_cursor --
-- Where the follower stands, and under which epoch.
SELECT cursor_xid, cursor_id, epoch FROM follower WHERE name = $1 AND shard = $2

-- load_bound --
-- How far those stand that this follower waits for. One that is not registered yet stands at the beginning.
SELECT coalesce(f.cursor_xid, '0') AS xid, coalesce(f.cursor_id, 0) AS id
  FROM unnest($1::text[]) AS wanted(name)
  LEFT JOIN follower f ON f.name = wanted.name AND f.shard = $2
 ORDER BY 1, 2
 LIMIT 1

-- read_changes --
-- The next changed postings after a place in the log. Changes of transactions that might still be overtaken by an
-- earlier one that has not committed wait: that is what the xmin horizon is for.
SELECT changed_xid AS xid, id
  FROM posting
 WHERE shard = $1
   AND (changed_xid, id) > ($2::xid8, $3::bigint)
   AND changed_xid < pg_snapshot_xmin(pg_current_snapshot())
 ORDER BY changed_xid, id
 LIMIT $4

-- read_changes_until --
-- Like read_changes, but not beyond the place of those that this follower waits for.
SELECT changed_xid AS xid, id
  FROM posting
 WHERE shard = $1
   AND (changed_xid, id) > ($2::xid8, $3::bigint)
   AND (changed_xid, id) <= ($5::xid8, $6::bigint)
   AND changed_xid < pg_snapshot_xmin(pg_current_snapshot())
 ORDER BY changed_xid, id
 LIMIT $4

-- move_cursor --
-- Advances under our epoch, from where we believe to stand; no row means that we were taken over, or moved before.
UPDATE follower SET cursor_xid = $5, cursor_id = $6, rows = rows + $7, moved_at = now()
 WHERE name = $1 AND shard = $2 AND epoch = $8 AND cursor_xid = $3 AND cursor_id = $4
RETURNING true

-- follower_status --
-- Every follower and shard with its place and how many changes are still before it.
SELECT f.name, f.shard, f.version, f.cursor_xid, f.cursor_id, f.epoch, f.rows, f.moved_at,
       (SELECT count(*) FROM posting p
         WHERE p.shard = f.shard AND (p.changed_xid, p.id) > (f.cursor_xid, f.cursor_id)) AS lag
  FROM follower f
 ORDER BY f.name, f.shard

-- rebase_followers --
-- Transaction ids start anew when a dump is restored into another cluster: everything changed "now".
UPDATE posting SET changed_xid = pg_current_xact_id()

-- reset_followers --
-- All followers walk the past again.
UPDATE follower SET cursor_xid = '0', cursor_id = 0

-- followers_at_work --
-- Who holds the lease of a follower.
SELECT DISTINCT owner FROM lease WHERE name LIKE 'follower:%' AND expires_at > now() ORDER BY owner
