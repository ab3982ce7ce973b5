-- claim --
-- Makes a slot ours, once for all servers; the same claim asked again after a lost answer is still ours.
INSERT INTO schedule_run AS run (job, due, claimed_by)
VALUES ($1, $2, $3)
ON CONFLICT (job, due) DO UPDATE SET claimed_by = excluded.claimed_by
 WHERE run.claimed_by = excluded.claimed_by
RETURNING true

-- holder --
-- Who has a slot that somebody claimed.
SELECT split_part(claimed_by, '#', 1) AS owner, claimed_at, finished_at FROM schedule_run WHERE job = $1 AND due = $2

-- finish --
-- Notes how a claimed slot ended; only its claimer may say so.
UPDATE schedule_run
   SET finished_at = now(), outcome = $4
 WHERE job = $1 AND due = $2 AND claimed_by = $3
RETURNING true

-- prune --
-- Forgets slots that were due long ago.
DELETE FROM schedule_run WHERE due < $1 RETURNING true
