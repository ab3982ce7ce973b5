-- scanned_parts --
-- Which of these parts of the index were scanned for the same domains already.
SELECT address FROM index_part WHERE address = ANY ($1::text[]) AND domains = $2

-- add_part --
-- A part of the index that was scanned to its end, and whether that was the first time.
INSERT INTO index_part (address, domains, rows, matched, candidates) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (address, domains) DO UPDATE
   SET rows = excluded.rows, matched = excluded.matched, candidates = excluded.candidates, scanned_at = now()
RETURNING (xmax = 0) AS first

-- add_candidates --
-- Tenants that something named; of one that is known already only the count grows, if this counts. Spellings differ in
-- case.
INSERT INTO board_candidate AS old (source, tenant, evidence, times, found_in)
SELECT source, tenant, evidence, times, $5
  FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[]) AS found (source, tenant, evidence, times)
ON CONFLICT (source, lower(tenant)) DO UPDATE
   SET times = old.times + CASE WHEN $6::boolean THEN excluded.times ELSE 0 END
RETURNING (xmax = 0) AS added

-- candidates_to_check --
-- The next candidates of these sources to ask about: new ones first, then those that gave no answer, once a day.
SELECT source, tenant FROM board_candidate
 WHERE source = ANY ($1::text[])
   AND (state = 'new' OR (state = 'unknown' AND attempts < $2 AND checked_at < now() - interval '1 day'))
 ORDER BY attempts, times DESC, source, tenant
 LIMIT $3

-- count_to_check --
-- How many those are in all.
SELECT count(*) FROM board_candidate
 WHERE source = ANY ($1::text[])
   AND (state = 'new' OR (state = 'unknown' AND attempts < $2 AND checked_at < now() - interval '1 day'))

-- note_check --
-- What one list request said of a candidate.
UPDATE board_candidate
   SET state = $3, postings = $4, reason = $5, attempts = attempts + 1, checked_at = now()
 WHERE source = $1 AND lower(tenant) = lower($2) AND state <> 'registered'

-- candidates_to_register --
-- Candidates whose list had postings, and that are no boards yet.
SELECT c.source, c.tenant FROM board_candidate c
 WHERE c.state = 'live'
 ORDER BY c.source, c.tenant

-- note_registered --
-- They are boards now.
UPDATE board_candidate SET state = 'registered'
 WHERE (source, lower(tenant)) IN (
       SELECT source, lower(tenant) FROM unnest($1::text[], $2::text[]) AS done (source, tenant))

-- count_candidates --
-- How many candidates of each source are in which state.
SELECT source, state, count(*) AS candidates, coalesce(sum(postings), 0)::bigint AS postings
  FROM board_candidate GROUP BY source, state ORDER BY source, state

-- list_candidates --
-- All candidates, for export.
SELECT source, tenant, evidence, found_in, times, state, postings, reason, checked_at, found_at
  FROM board_candidate
 WHERE ($1::text IS NULL OR state = $1)
 ORDER BY source, tenant

-- add_places --
-- Squares of the map to be searched; known ones are left alone.
INSERT INTO geo_place (region, name, country, lat, lon, half_m, population, depth)
SELECT * FROM unnest($1::smallint[], $2::text[], $3::text[], $4::float8[], $5::float8[], $6::int[], $7::int[],
                     $8::smallint[])
ON CONFLICT DO NOTHING

-- claim_place --
-- The largest due place of these regions that nobody searches; one whose searcher died is free when its claim ran out.
UPDATE geo_place SET claimed_by = $1, claimed_until = now() + make_interval(secs => $2)
 WHERE id = (
       SELECT id FROM geo_place
        WHERE region BETWEEN $3 AND $4 AND next_due <= now()
          AND (claimed_until IS NULL OR claimed_until < now() OR claimed_by = $1)
        ORDER BY population DESC, id LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING id, region, name, country, lat, lon, half_m, population, depth, failures

-- finish_place --
-- A search has ended: what came of it and when the next one is due.
UPDATE geo_place
   SET claimed_by = NULL, claimed_until = NULL, searched_at = now(), next_due = now() + make_interval(secs => $3),
       sites = $4, failures = $5, last_error = $6
 WHERE id = $1 AND claimed_by = $2
RETURNING true

-- split_place --
-- A square that holds too much is searched as its quarters from now on.
UPDATE geo_place SET claimed_by = NULL, claimed_until = NULL, searched_at = now(), next_due = 'infinity', last_error = $3
 WHERE id = $1 AND claimed_by = $2
RETURNING true

-- add_sites --
-- Sites of companies, each once, however many places show it.
INSERT INTO company_site (host, url, name, region, place_id)
SELECT host, url, name, $4, $5 FROM unnest($1::text[], $2::text[], $3::text[]) AS found (host, url, name)
ON CONFLICT (host) DO NOTHING
RETURNING host

-- claim_sites --
-- Sites of these regions that nobody has looked at for so long. The claim is the look: a site is never looked at twice
-- because a daemon died.
UPDATE company_site SET looked_at = now()
 WHERE host IN (
       SELECT host FROM company_site
        WHERE region BETWEEN $1 AND $2 AND (looked_at IS NULL OR looked_at < now() - make_interval(days => $3))
        ORDER BY looked_at NULLS FIRST LIMIT $4 FOR UPDATE SKIP LOCKED)
RETURNING host, url, name, region

-- finish_site --
-- What a look at a site showed.
UPDATE company_site SET state = $2, careers_url = $3, source = $4, tenant = $5, evidence = $6 WHERE host = $1

-- count_regions --
-- How far each region is: places, those searched, sites, those looked at, boards and careers pages found.
SELECT p.region, p.places, p.searched, coalesce(s.sites, 0) AS sites, coalesce(s.looked, 0) AS looked,
       coalesce(s.boards, 0) AS boards, coalesce(s.careers, 0) AS careers
  FROM (SELECT region, count(*) AS places, count(searched_at) AS searched FROM geo_place GROUP BY region) p
  LEFT JOIN (SELECT region, count(*) AS sites, count(looked_at) AS looked,
                    count(*) FILTER (WHERE state = 'board') AS boards,
                    count(*) FILTER (WHERE state = 'careers') AS careers
               FROM company_site GROUP BY region) s ON s.region = p.region
 ORDER BY p.region
