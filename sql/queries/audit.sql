-- lock_chain --
-- One sealer at a time works on a shard's chain; the lock ends with the transaction.
SELECT pg_advisory_xact_lock(hashtext('history_seal'), $1::int)

-- last_seal --
-- Where a shard's chain ends.
SELECT position, hash FROM history_seal WHERE shard = $1 ORDER BY position DESC LIMIT 1

-- unsealed --
-- History of a shard that is not in its chain yet, oldest first.
SELECT h.id, h.posting_id, h.revision, h.at, h.session, h.changes
  FROM posting_history h JOIN posting p ON p.id = h.posting_id
 WHERE p.shard = $1 AND NOT EXISTS (SELECT FROM history_seal s WHERE s.history_id = h.id)
 ORDER BY h.id
 LIMIT $2

-- add_seals --
-- Appends links to a shard's chain.
INSERT INTO history_seal (shard, position, history_id, hash)
SELECT $1, * FROM unnest($2::bigint[], $3::bigint[], $4::bytea[])

-- chain --
-- A stretch of a shard's chain with the rows that it seals; a row that is no more comes as NULLs.
SELECT s.position, s.hash, s.history_id, h.posting_id, h.revision, h.at, h.session, h.changes
  FROM history_seal s LEFT JOIN posting_history h ON h.id = s.history_id
 WHERE s.shard = $1 AND s.position > $2
 ORDER BY s.position
 LIMIT $3

-- open_history --
-- How many rows of history are not sealed yet.
SELECT count(*) FROM posting_history h WHERE NOT EXISTS (SELECT FROM history_seal s WHERE s.history_id = h.id)
