-- facts --
-- What enrichers read of open postings; the markup only where it is asked for.
SELECT p.id, p.title, p.company, p.places, p.stated, CASE WHEN $2 THEN t.html END AS html, t.description_text
  FROM posting p JOIN posting_text t ON t.posting_id = p.id
 WHERE p.id = ANY ($1::bigint[]) AND p.state IN ('discovered', 'described')
 ORDER BY p.id

-- write_text --
-- Enricher text: cleaned description, plain text, its search words in German and English, and the language.
WITH input AS (
    SELECT * FROM unnest($1::bigint[], $3::text[], $4::text[], $5::text[], $6::text[])
        AS i (id, provenance, description_html, description_text, language)
), language AS (
    UPDATE posting p SET language = i.language FROM input i
     WHERE p.id = i.id AND p.language IS DISTINCT FROM i.language
)
UPDATE posting_text t
   SET description_html = i.description_html, description_text = i.description_text,
       provenance = (t.provenance - $2::text[]) || i.provenance::jsonb,
       search = setweight(to_tsvector('german', p.title), 'A') || setweight(to_tsvector('english', p.title), 'A')
                || to_tsvector('german', left(coalesce(i.description_text, ''), 50000))
                || to_tsvector('english', left(coalesce(i.description_text, ''), 50000))
  FROM input i JOIN posting p ON p.id = i.id
 WHERE t.posting_id = i.id

-- write_place --
-- Enricher place: city, region, country and coordinates.
WITH input AS (
    SELECT * FROM unnest($1::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::real[], $8::real[])
        AS i (id, provenance, city, region, country_code, lat, lon)
), origin AS (
    UPDATE posting_text t SET provenance = (t.provenance - $2::text[]) || i.provenance::jsonb
      FROM input i WHERE t.posting_id = i.id
)
UPDATE posting p SET city = i.city, region = i.region, country_code = i.country_code, lat = i.lat, lon = i.lon
  FROM input i WHERE p.id = i.id

-- write_salary --
-- Enricher salary: as stated or found, and a year's range in euro and franc.
WITH input AS (
    SELECT * FROM unnest($1::bigint[], $3::text[], $4::real[], $5::real[], $6::text[], $7::text[], $8::real[],
                         $9::real[], $10::real[], $11::real[])
        AS i (id, provenance, salary_min, salary_max, salary_currency, salary_period, salary_year_min_eur,
              salary_year_max_eur, salary_year_min_chf, salary_year_max_chf)
), origin AS (
    UPDATE posting_text t SET provenance = (t.provenance - $2::text[]) || i.provenance::jsonb
      FROM input i WHERE t.posting_id = i.id
)
UPDATE posting p
   SET salary_min = i.salary_min, salary_max = i.salary_max, salary_currency = i.salary_currency,
       salary_period = i.salary_period, salary_year_min_eur = i.salary_year_min_eur,
       salary_year_max_eur = i.salary_year_max_eur, salary_year_min_chf = i.salary_year_min_chf,
       salary_year_max_chf = i.salary_year_max_chf
  FROM input i WHERE p.id = i.id

-- write_employment --
-- Enricher employment: kind of employment, whether permanent, and where the work is done.
WITH input AS (
    SELECT * FROM unnest($1::bigint[], $3::text[], $4::text[], $5::boolean[], $6::text[])
        AS i (id, provenance, employment, permanent, remote)
), origin AS (
    UPDATE posting_text t SET provenance = (t.provenance - $2::text[]) || i.provenance::jsonb
      FROM input i WHERE t.posting_id = i.id
)
UPDATE posting p SET employment = i.employment, permanent = i.permanent, remote = i.remote
  FROM input i WHERE p.id = i.id
