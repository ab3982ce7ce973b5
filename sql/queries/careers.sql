-- find_pages --
-- Pages that a list, a sitemap or another page of a site leads to. A known one is due when its sitemap says that it
-- changed, or when it is linked and was gone or no ad; a site has room for so many pages and no more.
WITH input AS (
    SELECT * FROM unnest($2::text[], $3::smallint[], $4::text[], $5::text[]) WITH ORDINALITY
        AS i (url, depth, kind, lastmod, nth)
), known AS (
    UPDATE career_page p
       SET linked_at = $6, depth = least(p.depth, i.depth),
           due_at = CASE WHEN i.lastmod <> '' AND i.lastmod <> p.lastmod THEN $6
                         WHEN (p.state = 'gone' OR p.kind = 'other') AND p.read_at < $6::timestamptz - interval '1 hour'
                              AND (p.attempts < 5 OR p.linked_at < $6::timestamptz - interval '3 days') THEN least(p.due_at, $6)
                         ELSE p.due_at END,
           lastmod = coalesce(nullif(i.lastmod, ''), p.lastmod)
      FROM input i WHERE p.board_id = $1 AND p.url = i.url
    RETURNING p.url
)
INSERT INTO career_page (board_id, url, depth, kind, lastmod, linked_at, due_at)
SELECT $1, url, depth, kind, lastmod, $6, $6
  FROM input
 WHERE url NOT IN (SELECT url FROM known)
 ORDER BY nth
 LIMIT greatest(0, $7 - (SELECT count(*) FROM career_page WHERE board_id = $1))
ON CONFLICT DO NOTHING

-- due_pages --
-- Pages to visit now that were not read since this turn began: lists first, as they lead to others, then postings, then
-- what nobody has looked at yet; documents after the pages that may be about the same job.
SELECT * FROM career_page
 WHERE board_id = $1 AND due_at <= $2 AND (state = 'browser') = $3 AND (read_at IS NULL OR read_at < $5)
 ORDER BY depth > 0, kind <> 'list', cardinality(external_ids) = 0, kind = 'document', state = 'gone', kind <> 'ad',
          depth, read_at NULLS FIRST, url
 LIMIT $4

-- save_visits --
-- What visits to pages found.
UPDATE career_page p
   SET state = i.state, kind = i.kind, external_ids = string_to_array(i.external_ids, E'\x1f'), etag = i.etag,
       last_modified = i.last_modified, body_hash = i.body_hash, version = $2, doubts = i.doubts,
       attempts = i.attempts, reason = i.reason, read_at = $3, due_at = i.due_at
  FROM unnest($4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::bytea[], $11::smallint[],
              $12::smallint[], $13::text[], $14::timestamptz[])
    AS i (url, state, kind, external_ids, etag, last_modified, body_hash, doubts, attempts, reason, due_at)
 WHERE p.board_id = $1 AND p.url = i.url

-- forget_pages --
-- Pages that nothing leads to any more, and that hold no posting. Not lists: what led to one may just not have changed.
DELETE FROM career_page
 WHERE board_id = $1 AND linked_at < $2 AND cardinality(external_ids) = 0 AND depth > 0
   AND (kind <> 'list' OR state = 'gone')

-- pages_of --
-- The pages of one site for a person, those with postings first.
SELECT * FROM career_page WHERE board_id = $1 ORDER BY cardinality(external_ids) = 0, state, url

-- list_sites --
-- The sites with how many pages, postings, pages that need a browser, and pages that are set aside.
SELECT b.*,
       (SELECT count(*) FROM posting p WHERE p.board_id = b.id AND p.state IN ('discovered', 'described')) AS open,
       count(c.url) AS pages,
       count(*) FILTER (WHERE c.state = 'browser') AS browser,
       count(*) FILTER (WHERE c.state = 'aside') AS aside
  FROM board b LEFT JOIN career_page c ON c.board_id = b.id
 WHERE b.source = 'careers'
 GROUP BY b.id
 ORDER BY b.tenant

-- sites_for_browser --
-- Sites with pages that are due in a browser, unless somebody works on them.
SELECT b.id FROM board b
 WHERE b.source = 'careers' AND b.state IN ('active', 'suspect')
   AND (b.claimed_until IS NULL OR b.claimed_until < now() OR b.claimed_by = $1)
   AND EXISTS (SELECT FROM career_page c WHERE c.board_id = b.id AND c.state = 'browser' AND c.due_at <= now())
 ORDER BY b.id LIMIT $2

-- lapsed --
-- Open postings of a site whose last day is over; a day's grace, as many name the day by its first second.
SELECT external_id FROM posting
 WHERE board_id = $1 AND state IN ('discovered', 'described') AND valid_through < $2::timestamptz - interval '1 day'

-- same_titles --
-- Open postings of a site whose titles begin with one of these texts of so many small letters, and their texts.
SELECT p.external_id, p.url, p.title, p.places, t.html
  FROM posting p JOIN posting_text t ON t.posting_id = p.id
 WHERE p.board_id = $1 AND p.state IN ('discovered', 'described') AND left(lower(p.title), $3) = ANY ($2::text[])

-- repeated_titles --
-- Open postings of a site whose titles begin with the same small letters as another's, so many, and their texts.
SELECT p.external_id, p.url, p.title, p.places, t.html
  FROM posting p JOIN posting_text t ON t.posting_id = p.id
 WHERE p.board_id = $1 AND p.state IN ('discovered', 'described')
   AND left(lower(p.title), $3) IN (SELECT left(lower(title), $3) FROM posting
                                     WHERE board_id = $1 AND state IN ('discovered', 'described')
                                     GROUP BY 1 HAVING count(*) > 1)
 ORDER BY p.id DESC LIMIT $2
