-- served --
-- Of these postings those that are still open and were seen lately, with what hard limits look at.
SELECT id, country_code, language, remote, employment, coalesce(salary_year_max_eur, salary_year_min_eur)
  FROM posting
 WHERE id = ANY($1::bigint[]) AND state IN ('discovered', 'described') AND last_seen > $2

-- record_searches --
-- The truth of searches that end with their first answer: the full texts of what they found are embedded before all
-- others.
INSERT INTO search_request (id, api_key_id, account_id, profile_hash, candidates, found, posting_ids, best_score,
                            took_ms, live, live_why)
SELECT id, key, account, hash, candidates, found, postings::bigint[], best, took_ms, live, why
  FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bytea[], $5::integer[], $6::integer[], $7::text[],
              $8::real[], $9::real[], $10::text[], $11::text[])
    AS asked (id, key, account, hash, candidates, found, postings, best, took_ms, live, why)
ON CONFLICT (id) DO NOTHING

-- record_live --
-- The truth of searches that go on after their first answer, which is the first that they tell: what they ask stays
-- until they are done.
WITH asked AS (
SELECT *
  FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bytea[], $5::jsonb[], $6::jsonb[])
    AS asked (id, key, account, hash, profile, answer)
     ),
     begun AS (
INSERT INTO search_request (id, api_key_id, account_id, profile_hash, candidates, found, posting_ids, best_score,
                            took_ms, live, profile, events)
SELECT id, key, account, hash, (answer ->> 'candidates')::integer, (answer ->> 'found')::integer,
       ARRAY(SELECT (match ->> 'id')::bigint
               FROM jsonb_array_elements(answer -> 'matches') WITH ORDINALITY AS shown (match, place) ORDER BY place),
       (answer #>> '{matches,0,score}')::real, (answer ->> 'took_ms')::real, 'running', profile, 1
  FROM asked
ON CONFLICT (id) DO NOTHING
RETURNING id
     )
INSERT INTO search_event (search_id, seq, kind, body)
SELECT id, 1, 'matches', answer FROM begun JOIN asked USING (id)

-- load_search --
-- One search as it stands now.
SELECT id, account_id, at, profile_hash, candidates, found, posting_ids, best_score, live, live_why, credits_used,
       events, profile
  FROM search_request
 WHERE id = $1

-- tell --
-- What happened, under the next number of its search, whose row is locked until the commit. A search that is done hears
-- nothing more. What a message says of credits holds for the search.
WITH next AS (
UPDATE search_request
   SET events = events + 1,
       credits_used = greatest(credits_used, coalesce(($3::jsonb ->> 'credits_used')::integer, 0))
 WHERE id = $1 AND live = 'running'
RETURNING events
     )
INSERT INTO search_event (search_id, seq, kind, body)
SELECT $1, events, $2, $3 FROM next
RETURNING seq

-- finish --
-- The end of a search, told once: what it asked is forgotten.
WITH ended AS (
UPDATE search_request
   SET live = $2, live_why = $3, credits_used = greatest(credits_used, $4), profile = NULL, events = events + 1
 WHERE id = $1 AND live = 'running'
RETURNING events, credits_used
     )
INSERT INTO search_event (search_id, seq, kind, body)
SELECT $1, events, 'done', jsonb_build_object('live', $2::text, 'why', $3::text, 'credits_used', credits_used)
  FROM ended
RETURNING seq

-- events_after --
-- What several searches told since a number of each, oldest first, some at a time.
SELECT e.search_id, e.seq, e.kind, e.body::text AS body
  FROM unnest($1::uuid[], $2::integer[]) AS asked (search_id, after)
  JOIN search_event e ON e.search_id = asked.search_id AND e.seq > asked.after
 ORDER BY e.search_id, e.seq
 LIMIT $3

-- last_matches --
-- The newest matches that a search told.
SELECT body::text AS body FROM search_event WHERE search_id = $1 AND kind = 'matches' ORDER BY seq DESC LIMIT 1

-- abandon --
-- Ends searches that told nothing for so long, as `finish` does.
WITH silent AS (
SELECT id FROM search_request r
 WHERE live = 'running' AND at < now() - make_interval(secs => $1)
   AND NOT EXISTS (SELECT FROM search_event e
                    WHERE e.search_id = r.id AND e.seq = r.events AND e.at > now() - make_interval(secs => $1))
 ORDER BY at LIMIT $2 FOR UPDATE SKIP LOCKED
     ),
     ended AS (
UPDATE search_request r
   SET live = 'done', live_why = 'abandoned', profile = NULL, events = events + 1
  FROM silent
 WHERE r.id = silent.id
RETURNING r.id, r.events, r.credits_used
     )
INSERT INTO search_event (search_id, seq, kind, body)
SELECT id, events, 'done', jsonb_build_object('live', 'done', 'why', 'abandoned', 'credits_used', credits_used)
  FROM ended
RETURNING search_id

-- forget_events --
-- Deletes some old events of searches that are done.
DELETE FROM search_event
 WHERE (search_id, seq) IN (SELECT e.search_id, e.seq FROM search_event e JOIN search_request r ON r.id = e.search_id
                             WHERE e.at < $1 AND r.live <> 'running' LIMIT $2)
RETURNING true

-- forget_searches --
-- Deletes some old searches that are done, with whatever they told.
DELETE FROM search_request
 WHERE id IN (SELECT id FROM search_request WHERE at < $1 AND live <> 'running' LIMIT $2)
RETURNING true
