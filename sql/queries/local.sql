-- progress --
-- How far the main job is since a moment: boards crawled, postings on their way, details put off, letters.
SELECT (SELECT count(*) FROM board WHERE state NOT IN ('paused', 'metered')) AS boards,
       (SELECT count(*) FROM board WHERE last_crawled_at >= $1) AS crawled,
       count(*) FILTER (WHERE p.state IN ('discovered', 'described')) AS postings,
       count(*) FILTER (WHERE p.state = 'described') AS described,
       count(*) FILTER (WHERE p.state = 'described' AND t.description_text IS NOT NULL) AS enriched,
       count(*) FILTER (WHERE p.state IN ('discovered', 'described') AND v.title_id IS NOT NULL) AS embedded,
       count(*) FILTER (WHERE p.state = 'described' AND f.full_text IS NOT NULL) AS full_embedded,
       (SELECT count(*) FROM detail_retry) AS put_off,
       (SELECT count(*) FROM dead_letter) AS dead_letters
  FROM posting p
  LEFT JOIN posting_text t ON t.posting_id = p.id
  LEFT JOIN posting_vector v ON v.posting_id = p.id
  LEFT JOIN posting_full_vector f ON f.posting_id = p.id

-- due_now --
-- All boards are crawled again now.
UPDATE board SET next_due = now() WHERE state IN ('active', 'suspect')

-- unsettled --
-- How many of these searches' results still lack full-text vectors.
SELECT count(*) FROM search_request WHERE id = ANY ($1::uuid[]) AND embedded_at IS NULL
