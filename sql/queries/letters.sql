-- bury --
-- Sets one piece of work aside with its reason; burying it again counts.
INSERT INTO dead_letter AS letter (queue, key, shard, payload, reason)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (queue, key) DO UPDATE
   SET shard = excluded.shard, payload = excluded.payload, reason = excluded.reason,
       attempts = letter.attempts + 1, updated_at = now()

-- list --
-- The newest letters of a queue, or of all.
SELECT id, queue, key, shard, payload, reason, attempts, created_at, updated_at
  FROM dead_letter
 WHERE $1::text IS NULL OR queue = $1
 ORDER BY updated_at DESC, id DESC
 LIMIT $2

-- choose --
-- The letters with these ids and of this queue; NULL does not restrict.
SELECT id FROM dead_letter
 WHERE ($1::bigint[] IS NULL OR id = ANY($1)) AND ($2::text IS NULL OR queue = $2)
 ORDER BY id

-- take --
-- Removes one letter to work on it, unless somebody else is doing so.
DELETE FROM dead_letter
 WHERE id IN (SELECT id FROM dead_letter WHERE id = $1 FOR UPDATE SKIP LOCKED)
RETURNING id, queue, key, shard, payload, reason, attempts, created_at, updated_at

-- renew_place --
-- Gives a posting a new place in the change log, so that its followers read it again.
UPDATE posting SET changed_xid = pg_current_xact_id() WHERE id = $1

-- prune --
-- Deletes letters that nothing happened to for a while.
DELETE FROM dead_letter
 WHERE updated_at < $1 AND ($2::text IS NULL OR queue = $2)
RETURNING true

-- recrawl --
-- Makes the board that a letter's key begins with due now, and read anew although it may not have changed.
WITH meant AS (
    UPDATE board SET next_due = now()
     WHERE source = $1 AND ($2 = tenant OR starts_with($2, tenant || ':'))
    RETURNING id
), forgotten AS (
    DELETE FROM board_validator WHERE board_id IN (SELECT id FROM meant)
)
SELECT id FROM meant
