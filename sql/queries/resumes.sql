-- keep_resume --
-- Keeps a résumé until its owner's time is over, once however often it is said. No row: the account keeps enough.
INSERT INTO resume (id, account_id, language, pages, ocr, unread, text, sections, created_at, keep_until)
SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10
 WHERE (SELECT count(*) FROM resume WHERE account_id = $2 AND keep_until > $9 AND id <> $1) < $11
    ON CONFLICT (id) DO UPDATE SET keep_until = excluded.keep_until
RETURNING id

-- load_resume --
-- A kept résumé, for its owner only, and only while it is to be kept.
SELECT id, language, pages, ocr, unread, text, sections, keep_until FROM resume
 WHERE id = $1 AND account_id = $2 AND keep_until > $3

-- list_resumes --
-- What an account keeps, newest first; without what the résumés say.
SELECT id, pages, created_at, keep_until FROM resume
 WHERE account_id = $1 AND keep_until > $2 ORDER BY created_at DESC, id

-- forget_resume --
-- Deletes one résumé of an account. No row: it has none with this id.
DELETE FROM resume WHERE id = $1 AND account_id = $2 RETURNING id

-- forget_resumes --
-- Deletes all résumés of an account.
WITH gone AS (DELETE FROM resume WHERE account_id = $1 RETURNING 1) SELECT count(*) FROM gone

-- prune_resumes --
-- Deletes what is over.
WITH gone AS (DELETE FROM resume WHERE keep_until <= $1 RETURNING 1) SELECT count(*) FROM gone
