-- tune_search --
-- For this transaction: enough neighbours per index scan, and plans that know the limits' values.
SELECT set_config('hnsw.ef_search', '500', true),
       set_config('hnsw.iterative_scan', 'relaxed_order', true),
       set_config('hnsw.max_scan_tuples', '40000', true),
       set_config('plan_cache_mode', 'force_custom_plan', true)

-- estimate --
-- How many titles there are, and how many postings the hard limits keep, as the planner guesses it; explained, not run.
EXPLAIN (FORMAT JSON)
SELECT FROM title_vector
 UNION ALL
SELECT FROM posting_vector v
 WHERE v.title_id IS NOT NULL
   AND ($1::text[] IS NULL OR v.country_code = ANY($1))
   AND ($2::text[] IS NULL OR v.language = ANY($2))
   AND ($3::text[] IS NULL OR v.remote = ANY($3))
   AND ($4::text[] IS NULL OR v.employment = ANY($4))
   AND ($5::real IS NULL OR v.salary_eur >= $5)

-- nearest_by_index --
-- The postings whose titles are nearest to a vector: title by title out of the HNSW index, which goes on until enough
-- postings keep within the limits.
SELECT v.posting_id, t.vector <=> $6::halfvec AS distance, v.seniority, v.skills
  FROM title_vector t
  JOIN posting_vector v ON v.title_id = t.id
 WHERE ($1::text[] IS NULL OR v.country_code = ANY($1))
   AND ($2::text[] IS NULL OR v.language = ANY($2))
   AND ($3::text[] IS NULL OR v.remote = ANY($3))
   AND ($4::text[] IS NULL OR v.employment = ANY($4))
   AND ($5::real IS NULL OR v.salary_eur >= $5)
 ORDER BY t.vector <=> $6::halfvec
 LIMIT $7

-- nearest_exactly --
-- The same by looking at every posting that the limits keep: the sum in ORDER BY is what no index can serve.
SELECT v.posting_id, t.vector <=> $6::halfvec AS distance, v.seniority, v.skills
  FROM posting_vector v
  JOIN title_vector t ON t.id = v.title_id
 WHERE ($1::text[] IS NULL OR v.country_code = ANY($1))
   AND ($2::text[] IS NULL OR v.language = ANY($2))
   AND ($3::text[] IS NULL OR v.remote = ANY($3))
   AND ($4::text[] IS NULL OR v.employment = ANY($4))
   AND ($5::real IS NULL OR v.salary_eur >= $5)
 ORDER BY (t.vector <=> $6::halfvec) + 0
 LIMIT $7

-- candidates --
-- What a match compares of each candidate that is open and was seen lately: those of one of the two statements above,
-- which takes the place in braces, and of the postings whose titles hold all words of a title, those nearest to its
-- vector.
  WITH nearest AS MATERIALIZED (
{nearest}
       ),
       named AS MATERIALIZED (
SELECT v.posting_id, t.vector <=> $6::halfvec AS distance, v.seniority, v.skills
  FROM (SELECT v.*
          FROM posting p
          JOIN posting_vector v ON v.posting_id = p.id
         WHERE to_tsvector('simple', p.title) @@ plainto_tsquery('simple', $8)
           AND p.state IN ('discovered', 'described')
           AND v.title_id IS NOT NULL
           AND ($1::text[] IS NULL OR v.country_code = ANY($1))
           AND ($2::text[] IS NULL OR v.language = ANY($2))
           AND ($3::text[] IS NULL OR v.remote = ANY($3))
           AND ($4::text[] IS NULL OR v.employment = ANY($4))
           AND ($5::real IS NULL OR v.salary_eur >= $5)
         LIMIT $9) v
  JOIN title_vector t ON t.id = v.title_id
 ORDER BY distance
 LIMIT $10
       )
SELECT (SELECT count(*) FROM nearest) AS nearest,
       p.id, p.title, p.company, p.city, p.country_code, p.lat, p.lon, p.language, p.remote, p.employment,
       p.salary_year_min_eur, p.salary_year_max_eur, coalesce(p.posted_at, p.first_seen), p.posted_at IS NOT NULL,
       v.seniority, v.skills, (1 - v.distance)::real
  FROM (SELECT * FROM nearest
         UNION ALL
        SELECT * FROM named WHERE posting_id NOT IN (SELECT posting_id FROM nearest)) v
  JOIN posting p ON p.id = v.posting_id
 WHERE p.state IN ('discovered', 'described')
   AND p.last_seen > $11

-- second_look --
-- What is shown of these postings besides what was compared, whether this model embedded their full texts, and the plain
-- texts of a few of them.
SELECT p.id, p.url, p.apply_url, p.places, v.posting_id IS NOT NULL AS embedded, t.description_text
  FROM posting p
  LEFT JOIN posting_full_vector v ON v.posting_id = p.id AND v.model = $2 AND v.full_text IS NOT NULL
  LEFT JOIN posting_text t ON t.posting_id = p.id AND t.posting_id = ANY($3::bigint[])
 WHERE p.id = ANY($1::bigint[])

-- full_similarities --
-- How near the full texts are to a profile's vector, of those that have one by this model.
SELECT posting_id, (1 - (full_text <=> $3::halfvec))::real AS cosine
  FROM posting_full_vector
 WHERE posting_id = ANY($1::bigint[]) AND model = $2 AND full_text IS NOT NULL

-- forget_titles --
-- Vectors of titles that no posting bears any more; those that somebody is about to use stay.
DELETE FROM title_vector WHERE id IN (
SELECT t.id FROM title_vector t
 WHERE NOT EXISTS (SELECT FROM posting_vector v WHERE v.title_id = t.id)
 LIMIT $1 FOR UPDATE SKIP LOCKED)
RETURNING id
