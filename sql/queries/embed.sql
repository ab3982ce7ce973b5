-- titles --
-- What a listing vector is made of and filtered by; closed postings lose theirs.
SELECT p.id, p.title, p.state IN ('discovered', 'described') AS open, p.country_code, p.language, p.remote,
       p.employment, coalesce(p.salary_year_max_eur, p.salary_year_min_eur) AS salary_eur, t.description_text
  FROM posting p
  LEFT JOIN posting_text t ON t.posting_id = p.id
 WHERE p.id = ANY ($1::bigint[])
 ORDER BY p.id

-- write_listings --
-- Titles' vectors, each once, in order so that two writers do not wait for each other; and of each posting which it has,
-- with copies of what a match filters on, and what it compares (skills come as lines). What is the same is left alone.
WITH given AS MATERIALIZED (
SELECT id, listing, title_id(listing) AS title_id, country_code, language, remote, employment, salary_eur, seniority,
       string_to_array(lines, E'\n') AS skills
  FROM unnest($1::bigint[], $2::halfvec[], $3::text[], $4::text[], $5::text[], $6::text[], $7::real[], $8::text[],
              $9::text[])
    AS i (id, listing, country_code, language, remote, employment, salary_eur, seniority, lines)
       ),
       titles AS (
INSERT INTO title_vector (id, vector)
SELECT DISTINCT ON (title_id) title_id, listing FROM given WHERE listing IS NOT NULL ORDER BY title_id
    ON CONFLICT DO NOTHING
       )
UPDATE posting_vector v
   SET title_id = g.title_id, country_code = g.country_code, language = g.language, remote = g.remote,
       employment = g.employment, salary_eur = g.salary_eur, seniority = g.seniority, skills = g.skills
  FROM given g
 WHERE v.posting_id = g.id
   AND (v.title_id, v.country_code, v.language, v.remote, v.employment, v.salary_eur, v.seniority, v.skills)
       IS DISTINCT FROM (g.title_id, g.country_code, g.language, g.remote, g.employment, g.salary_eur, g.seniority,
                         g.skills)

-- texts --
-- Open postings of these whose full text has no vector yet, or one of an older text or another model.
SELECT p.id, p.title, t.description_text, t.html_hash
  FROM posting p
  JOIN posting_text t ON t.posting_id = p.id
  JOIN posting_full_vector f ON f.posting_id = p.id
 WHERE p.id = ANY ($1::bigint[]) AND p.state = 'described' AND t.description_text IS NOT NULL
   AND (f.text_hash IS DISTINCT FROM t.html_hash OR f.model IS DISTINCT FROM $2)
 ORDER BY p.id

-- write_full_vectors --
-- Full-text vectors, each with the hash of the text and the name of the model that it was made with.
UPDATE posting_full_vector f SET full_text = i.full_text, text_hash = i.text_hash, model = $4, embedded_at = now()
  FROM unnest($1::bigint[], $2::halfvec[], $3::bytea[]) AS i (id, full_text, text_hash)
 WHERE f.posting_id = i.id

-- pending_searches --
-- Recent searches whose results still lack vectors: what a lost stream would have carried.
SELECT id, posting_ids FROM search_request
 WHERE embedded_at IS NULL AND at > now() - interval '1 day' AND at < now() - make_interval(secs => $1)
 ORDER BY at LIMIT $2

-- settle_searches --
-- All results of these searches have their vectors.
UPDATE search_request SET embedded_at = now() WHERE id = ANY ($1::uuid[]) AND embedded_at IS NULL
