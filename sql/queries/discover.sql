-- claim_query --
-- Takes a query that nobody buys now and that was not bought lately. Its request keeps the name of the search that began
-- it, so that whoever takes over after a death gets what was bought; an old one that nobody ended begins anew.
INSERT INTO discovery_query AS q (key, search_id, claimed_by, claimed_until)
VALUES ($1, $2, $3, now() + make_interval(secs => $4))
ON CONFLICT (key) DO UPDATE
   SET search_id = CASE WHEN q.bought_at IS NULL AND q.claimed_until > now() - interval '1 day'
                        THEN q.search_id ELSE excluded.search_id END,
       claimed_by = excluded.claimed_by, claimed_until = excluded.claimed_until, bought_at = NULL
 WHERE (q.claimed_by IS NULL OR q.claimed_until < now())
   AND (q.bought_at IS NULL OR q.bought_at < now() - make_interval(secs => $5))
RETURNING search_id

-- look_query --
-- What a query found lately; NULL while somebody buys it.
SELECT posting_ids, next_page FROM discovery_query
 WHERE key = $1 AND bought_at > now() - make_interval(secs => $2)

-- renew --
-- Whoever buys these queries and fetches these details lives.
WITH queries AS (
    UPDATE discovery_query SET claimed_until = now() + make_interval(secs => $2)
     WHERE claimed_by = $1 AND key = ANY ($3::bytea[])
)
UPDATE detail_claim SET claimed_until = now() + make_interval(secs => $2)
 WHERE claimed_by = $1 AND posting_id = ANY ($4::bigint[])

-- finish_query --
-- What was bought, if it is still ours to say so.
UPDATE discovery_query
   SET bought_at = $3, posting_ids = $4, next_page = $5, claimed_by = NULL
 WHERE key = $1 AND claimed_by = $2

-- free_query --
-- It was not bought: whoever waits for it may begin it anew.
UPDATE discovery_query SET claimed_by = NULL, claimed_until = NULL WHERE key = $1 AND claimed_by = $2

-- leave_query --
-- It may have been bought: whoever takes it over asks for it in the same name.
UPDATE discovery_query SET claimed_by = NULL WHERE key = $1 AND claimed_by = $2

-- hold_board --
-- The board of a provider's country, of which all that buy are the one crawler.
INSERT INTO board (source, tenant, url, state, claimed_by, claimed_until, last_crawled_at)
VALUES ($1, $2, $3, 'metered', $4, now() + interval '5 minutes', now())
ON CONFLICT (source, tenant) DO UPDATE
   SET state = 'metered', claimed_by = excluded.claimed_by, claimed_until = excluded.claimed_until,
       last_crawled_at = excluded.last_crawled_at
RETURNING id

-- known --
-- Postings of a board by external id, as far as we have them: with their hash while they are open; whether a detail said
-- lately that they are gone.
SELECT p.id, p.external_id, CASE WHEN p.state IN ('discovered', 'described') THEN p.content_hash END AS content_hash,
       p.state = 'closed' AND EXISTS (
           SELECT FROM detail_claim c WHERE c.posting_id = p.id AND c.outcome = 'gone'
                                        AND c.fetched_at > now() - make_interval(days => $3)) AS gone
  FROM posting p WHERE p.board_id = $1 AND p.external_id = ANY ($2::text[])

-- namesakes --
-- Open postings of other boards whose titles hold all words of one of these, of companies whose names begin alike.
SELECT asked.place, found.id, found.title, found.company, found.city, found.country_code, found.places
  FROM unnest($1::int[], $2::text[], $3::text[]) AS asked (place, words, company)
 CROSS JOIN LATERAL (
       SELECT p.id, p.title, p.company, p.city, p.country_code, p.places
         FROM posting p
        WHERE to_tsvector('simple', p.title) @@ plainto_tsquery('simple', asked.words)
          AND p.state IN ('discovered', 'described') AND p.board_id <> $4
          -- What starts_with means, in words that an index serves for a prefix that is no constant.
          AND lower(p.company) ~>=~ asked.company AND lower(p.company) ~<~ (asked.company || chr(1114111))
        ORDER BY p.id LIMIT 50) found

-- forget_queries --
-- Queries of yesterday are asked anew anyway.
DELETE FROM discovery_query WHERE coalesce(bought_at, claimed_until, '-infinity') < now() - interval '1 day'

-- want_details --
-- Which of these postings of metered boards have no text and may be bought; the search waits for them. One that was
-- fetched in vain begins a new round after a week. Why discovery ended early is told when the search ends.
WITH wanted AS (
    SELECT p.id
      FROM posting p JOIN board b ON b.id = p.board_id AND b.state = 'metered'
      LEFT JOIN detail_claim c ON c.posting_id = p.id
     WHERE p.id = ANY ($2::bigint[]) AND p.state = 'discovered'
       AND (c.fetched_at IS NULL OR c.fetched_at < now() - make_interval(days => $3))
     ORDER BY p.id
), claims AS (
    INSERT INTO detail_claim AS c (posting_id) SELECT id FROM wanted
    ON CONFLICT (posting_id) DO UPDATE SET round = c.round + 1, fetched_at = NULL, outcome = NULL
     WHERE c.fetched_at < now() - make_interval(days => $3)
), waiting AS (
    INSERT INTO search_detail (search_id, posting_id) SELECT $1, id FROM wanted ON CONFLICT DO NOTHING
), noted AS (
    UPDATE search_request SET live_why = $4 WHERE id = $1 AND live = 'running' AND live_why IS DISTINCT FROM $4
)
SELECT id FROM wanted

-- claim_detail --
-- Takes a detail that nobody fetches now, for the search that waited first.
WITH first AS (
    SELECT s.id AS search_id, s.account_id
      FROM search_detail d JOIN search_request s ON s.id = d.search_id
     WHERE d.posting_id = $1 AND s.live = 'running'
     ORDER BY s.at, s.id LIMIT 1
), taken AS (
    UPDATE detail_claim SET claimed_by = $2, claimed_until = now() + make_interval(secs => $3)
     WHERE posting_id = $1 AND fetched_at IS NULL
       AND (claimed_by IS NULL OR claimed_until < now()) AND EXISTS (SELECT FROM first)
    RETURNING posting_id, round
)
SELECT t.posting_id, t.round, f.search_id, f.account_id, p.external_id, p.title, p.url, p.board_id, b.source
  FROM taken t CROSS JOIN first f JOIN posting p ON p.id = t.posting_id JOIN board b ON b.id = p.board_id

-- is_wanted --
-- Whether a detail has not come that a running search waits for.
SELECT EXISTS (SELECT FROM detail_claim c
                 JOIN search_detail d ON d.posting_id = c.posting_id
                 JOIN search_request s ON s.id = d.search_id AND s.live = 'running'
                WHERE c.posting_id = $1 AND c.fetched_at IS NULL)

-- settle_details --
-- What became of details; not again for a week.
UPDATE detail_claim c SET fetched_at = now(), outcome = i.outcome, claimed_by = NULL
  FROM unnest($1::bigint[], $2::text[]) AS i (posting_id, outcome)
 WHERE c.posting_id = i.posting_id

-- free_detail --
-- It was not fetched: whoever has a job for it may try.
UPDATE detail_claim SET claimed_by = NULL WHERE posting_id = $1 AND claimed_by = $2

-- give_up --
-- A search waits for no more details but those that are being fetched now; why is told when it ends.
WITH left_out AS (
    DELETE FROM search_detail d USING detail_claim c
     WHERE d.search_id = $1 AND c.posting_id = d.posting_id AND c.fetched_at IS NULL
       AND (c.claimed_by IS NULL OR c.claimed_until < now())
)
UPDATE search_request SET live_why = $2 WHERE id = $1 AND live = 'running'

-- waiting_searches --
-- Running searches that wait for one of these postings, and whether nothing more is to come for them.
SELECT s.id, NOT EXISTS (
       SELECT FROM search_detail o JOIN detail_claim c ON c.posting_id = o.posting_id
        WHERE o.search_id = s.id AND c.fetched_at IS NULL) AS complete
  FROM search_request s
 WHERE s.live = 'running'
   AND s.id IN (SELECT search_id FROM search_detail WHERE posting_id = ANY ($1::bigint[]))

-- details_of --
-- How many details a search waits for, and how many came; one whose job was given up came, too.
SELECT count(*) AS wanted,
       count(*) FILTER (WHERE c.fetched_at IS NOT NULL OR EXISTS (
           SELECT FROM dead_letter l WHERE l.queue = 'stream:details' AND l.key = d.posting_id::text
                                       AND l.updated_at > s.at)) AS came
  FROM search_request s JOIN search_detail d ON d.search_id = s.id JOIN detail_claim c ON c.posting_id = d.posting_id
 WHERE s.id = $1

-- missing_details --
-- What searches still wait for and nobody fetches now.
SELECT DISTINCT d.posting_id
  FROM search_detail d JOIN detail_claim c ON c.posting_id = d.posting_id
 WHERE d.search_id = ANY ($1::uuid[]) AND c.fetched_at IS NULL
   AND (c.claimed_by IS NULL OR c.claimed_until < now())
 ORDER BY d.posting_id

-- spent --
-- Credits of a search: what was settled for it.
SELECT coalesce(sum(credits), 0)::int FROM credit_entry WHERE search_id = $1 AND kind = 'settle'

-- running --
-- Which of these searches go on.
SELECT id FROM search_request WHERE id = ANY ($1::uuid[]) AND live = 'running'

-- quiet_searches --
-- Running searches that told nothing for a while: whether they wait for details, and why their job was given up.
SELECT s.id, s.at < now() - make_interval(secs => $2) AS late,
       EXISTS (SELECT FROM search_detail d WHERE d.search_id = s.id) AS detailed,
       EXISTS (SELECT FROM dead_letter l WHERE l.queue = 'stream:discovery' AND l.key = s.id::text) AS dead
  FROM search_request s
 WHERE s.live = 'running' AND s.at < now() - make_interval(secs => $1)
   AND NOT EXISTS (SELECT FROM search_event e
                    WHERE e.search_id = s.id AND e.at > now() - make_interval(secs => $1))
 ORDER BY s.at
 LIMIT 100
