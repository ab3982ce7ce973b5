-- plan_with_values --
-- For this transaction: plans that know which filters are set.
SELECT set_config('plan_cache_mode', 'force_custom_plan', true)

-- list_jobs --
-- Open postings seen lately, newest first, from a place in that order on.
SELECT p.id, p.title, p.company, p.url, p.apply_url, p.places, p.city, p.region, p.country_code, p.language, p.remote,
       p.employment, p.salary_min, p.salary_max, p.salary_currency, p.salary_period, p.salary_year_min_eur,
       p.salary_year_max_eur, p.posted_at, p.first_seen, p.last_seen
  FROM posting p
  LEFT JOIN posting_text t ON t.posting_id = p.id
 WHERE p.state IN ('discovered', 'described')
   AND p.last_seen > $1
   AND ($2::timestamptz IS NULL OR (p.first_seen, p.id) < ($2, $3::bigint))
   AND ($4::text IS NULL OR p.country_code = $4)
   AND ($5::text IS NULL OR p.language = $5)
   AND ($6::text IS NULL OR p.remote = $6)
   AND ($7::text[] IS NULL OR p.employment = ANY($7))
   AND ($8::text IS NULL OR lower(p.company) = lower($8))
   AND ($9::real IS NULL OR coalesce(p.salary_year_max_eur, p.salary_year_min_eur) >= $9)
   AND ($10::text IS NULL
        OR t.search @@ (websearch_to_tsquery('german', $10) || websearch_to_tsquery('english', $10)))
 ORDER BY p.first_seen DESC, p.id DESC
 LIMIT $11

-- load_job --
-- One posting with its text, where it came from, and how each derived field was found.
SELECT p.id, p.state, p.revision, p.external_id, p.title, p.company, p.url, p.apply_url, p.places, p.city, p.region,
       p.country_code, p.lat, p.lon, p.language, p.remote, p.employment, p.permanent, p.salary_min, p.salary_max,
       p.salary_currency, p.salary_period, p.salary_year_min_eur, p.salary_year_max_eur, p.posted_at, p.valid_through,
       p.first_seen, p.last_seen, p.closed_at, p.reopened_at, p.stated, p.board_id, b.source, b.tenant,
       b.url AS board_url, t.description_html, t.description_text, t.described_at, t.raw_response_id, t.provenance
  FROM posting p
  JOIN board b ON b.id = p.board_id
  LEFT JOIN posting_text t ON t.posting_id = p.id
 WHERE p.id = $1

-- load_history --
-- The changes of one posting, oldest first, after those of the postings on other boards that it continues.
WITH RECURSIVE line (id, predecessor_id, depth) AS (
    SELECT id, predecessor_id, 0 FROM posting WHERE id = $1
    UNION ALL
    SELECT p.id, p.predecessor_id, l.depth + 1 FROM posting p JOIN line l ON p.id = l.predecessor_id WHERE l.depth < 20
)
SELECT h.revision, h.at, h.session, h.changes FROM posting_history h JOIN line l ON l.id = h.posting_id
 ORDER BY l.depth DESC, h.revision, h.id LIMIT 200
