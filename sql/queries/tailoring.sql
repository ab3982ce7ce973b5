-- load_application_posting --
-- What an application needs to know of a posting, open or not.
SELECT p.id, p.title, p.company, p.city, p.remote, p.language, coalesce(t.description_text, '') AS text
  FROM posting p
  LEFT JOIN posting_text t ON t.posting_id = p.id
 WHERE p.id = $1
