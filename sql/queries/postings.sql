-- held --
-- What we hold of a board: every posting's hash, none where it is closed; behind a zero byte where its own page said
-- lately that it is gone.
SELECT external_id, CASE WHEN state IN ('discovered', 'described') THEN content_hash
                         WHEN closed_by = 'page' AND closed_at > now() - $2::interval THEN '\x00' || content_hash END
  FROM posting WHERE board_id = $1

-- ingest --
-- New, changed and reopened postings of one board, with their texts, rows for their vectors and their history: all of
-- them, if the board is still its crawler's, or none. Replaying a batch changes nothing: a row whose hash and state are
-- the same is left alone. The board's marks are forgotten, as they stand for what the board held before.
WITH claim AS (
    SELECT FROM board WHERE id = $1 AND claimed_by = $3 AND claimed_until > now() FOR UPDATE
), forgotten AS (
    DELETE FROM board_validator WHERE board_id = $1 AND EXISTS (SELECT FROM claim)
), input AS (
    SELECT * FROM unnest($5::text[], $6::bytea[], $7::text[], $8::text[], $9::text[], $10::text[], $11::text[],
                         $12::text[], $13::timestamptz[], $14::timestamptz[], $15::text[], $16::bytea[], $17::bigint[])
        AS i (external_id, content_hash, title, company, url, apply_url, places, stated, posted_at, valid_through,
              html, html_hash, raw_id)
     WHERE EXISTS (SELECT FROM claim)
     ORDER BY external_id
), written AS (
    INSERT INTO posting AS p (board_id, external_id, state, content_hash, title, company, url, apply_url, places,
                              stated, posted_at, valid_through, first_seen, last_seen)
    SELECT $1, external_id, CASE WHEN html IS NULL THEN 'discovered' ELSE 'described' END, content_hash, title,
           company, url, apply_url, string_to_array(places, E'\x1f'), stated::jsonb, posted_at, valid_through, $4, $4
      FROM input
    ON CONFLICT (board_id, external_id) DO UPDATE
       SET state = CASE WHEN excluded.state = 'described' OR p.closed_by IS DISTINCT FROM 'page' AND EXISTS (
                                  SELECT FROM posting_text t WHERE t.posting_id = p.id AND t.html IS NOT NULL)
                        THEN 'described' ELSE 'discovered' END,  -- a page that was gone is asked again
           revision = p.revision + 1, changed_xid = pg_current_xact_id(), content_hash = excluded.content_hash,
           title = excluded.title, company = excluded.company, url = excluded.url,
           -- A list without texts says less than the detail that came later: what only that said stays.
           apply_url = CASE WHEN excluded.state = 'described' THEN excluded.apply_url
                            ELSE coalesce(excluded.apply_url, p.apply_url) END,
           stated = CASE WHEN excluded.state = 'described' THEN excluded.stated ELSE p.stated || excluded.stated END,
           places = CASE WHEN excluded.state = 'described' OR excluded.places <> '{}' THEN excluded.places
                         ELSE p.places END,
           posted_at = CASE WHEN excluded.state = 'described' THEN excluded.posted_at
                            ELSE coalesce(excluded.posted_at, p.posted_at) END,
           valid_through = CASE WHEN excluded.state = 'described' THEN excluded.valid_through
                                ELSE coalesce(excluded.valid_through, p.valid_through) END,
           last_seen = excluded.last_seen,
           reopened_at = CASE WHEN p.state IN ('closed', 'expired') THEN excluded.last_seen ELSE p.reopened_at END,
           closed_at = NULL, closed_by = NULL
     WHERE p.content_hash <> excluded.content_hash OR p.state IN ('closed', 'expired')
    RETURNING p.id, p.external_id, p.revision, p.state, p.apply_url, p.places, p.stated, (p.xmax = 0) AS new
), texts AS (
    INSERT INTO posting_text AS t (posting_id, html, html_hash, raw_response_id, described_at)
    SELECT w.id, i.html, i.html_hash, i.raw_id, CASE WHEN i.html IS NOT NULL THEN $4::timestamptz END
      FROM written w JOIN input i USING (external_id)
    ON CONFLICT (posting_id) DO UPDATE
       SET html = excluded.html, html_hash = excluded.html_hash, raw_response_id = excluded.raw_response_id,
           described_at = excluded.described_at
     WHERE excluded.html IS NOT NULL AND t.html_hash IS DISTINCT FROM excluded.html_hash
), vectors AS (
    INSERT INTO posting_vector (posting_id) SELECT id FROM written WHERE new ON CONFLICT DO NOTHING
), full_vectors AS (
    INSERT INTO posting_full_vector (posting_id) SELECT id FROM written WHERE new ON CONFLICT DO NOTHING
), history AS (
    INSERT INTO posting_history (posting_id, revision, at, session, changes)
    SELECT w.id, w.revision, $4, $2, jsonb_strip_nulls(jsonb_build_object(
           'state', CASE WHEN o.state IS DISTINCT FROM w.state THEN jsonb_build_array(coalesce(o.state, ''), w.state) END,
           'title', CASE WHEN o.title <> i.title THEN jsonb_build_array(o.title, i.title) END,
           'company', CASE WHEN NOT w.new AND o.company IS DISTINCT FROM i.company
                           THEN jsonb_build_array(coalesce(o.company, ''), coalesce(i.company, '')) END,
           'url', CASE WHEN o.url <> i.url THEN jsonb_build_array(o.url, i.url) END,
           'apply_url', CASE WHEN NOT w.new AND o.apply_url IS DISTINCT FROM w.apply_url
                             THEN jsonb_build_array(coalesce(o.apply_url, ''), coalesce(w.apply_url, '')) END,
           'places', CASE WHEN o.places <> w.places THEN jsonb_build_array(o.places, w.places) END,
           'stated', CASE WHEN o.stated <> w.stated THEN jsonb_build_array(o.stated, w.stated) END,
           'text', CASE WHEN i.html_hash IS NOT NULL AND t.html_hash IS DISTINCT FROM i.html_hash
                        THEN jsonb_build_array(coalesce(encode(t.html_hash, 'hex'), ''), encode(i.html_hash, 'hex')) END))
      FROM written w JOIN input i USING (external_id)
      LEFT JOIN posting o ON o.id = w.id AND NOT w.new
      LEFT JOIN posting_text t ON t.posting_id = w.id AND NOT w.new
)
SELECT EXISTS (SELECT FROM claim)

-- touch --
-- These open postings of a board were seen, if the board is still its crawler's.
WITH claim AS (
    SELECT FROM board WHERE id = $1 AND claimed_by = $2 AND claimed_until > now() FOR UPDATE
), seen AS (
    UPDATE posting SET last_seen = $3
     WHERE board_id = $1 AND external_id = ANY ($4::text[]) AND state IN ('discovered', 'described') AND last_seen < $3
       AND EXISTS (SELECT FROM claim)
)
SELECT EXISTS (SELECT FROM claim)

-- absent_ads --
-- Title and address of open postings.
SELECT external_id, title, url FROM posting
 WHERE board_id = $1 AND external_id = ANY ($2::text[]) AND state IN ('discovered', 'described')

-- absences --
-- Which open postings of a board the last complete lists lacked, and how many in a row.
SELECT external_id, lists FROM posting_absence WHERE board_id = $1

-- note_absences --
-- Remembers these absences and no others, if the board is still its crawler's.
WITH claim AS (
    SELECT FROM board WHERE id = $1 AND claimed_by = $2 AND claimed_until > now() FOR UPDATE
), seen AS (
    DELETE FROM posting_absence WHERE board_id = $1 AND external_id <> ALL ($3::text[]) AND EXISTS (SELECT FROM claim)
), missing AS (
    INSERT INTO posting_absence (board_id, external_id, lists)
    SELECT $1, i.* FROM unnest($3::text[], $4::int[]) i WHERE EXISTS (SELECT FROM claim)
    ON CONFLICT (board_id, external_id) DO UPDATE SET lists = excluded.lists
)
SELECT EXISTS (SELECT FROM claim)

-- close --
-- Closes open postings on our clock, with a place in the change log and in the history.
WITH shut AS (
    UPDATE posting SET state = 'closed', closed_at = $3, closed_by = 'list', revision = revision + 1, changed_xid = pg_current_xact_id()
     WHERE board_id = $1 AND external_id = ANY ($4::text[]) AND state IN ('discovered', 'described')
    RETURNING id, revision
)
INSERT INTO posting_history (posting_id, revision, at, session, changes)
SELECT s.id, s.revision, $3, $2, jsonb_build_object('state', jsonb_build_array(p.state, 'closed'))
  FROM shut s JOIN posting p ON p.id = s.id

-- expire --
-- Postings that no list showed for so long are not served any more, whatever became of their boards. Their boards'
-- marks are forgotten: a list that says "not modified" would never open them again.
WITH old AS (
    SELECT id, board_id, state FROM posting
     WHERE state IN ('discovered', 'described') AND last_seen < $1
     ORDER BY id LIMIT $4 FOR UPDATE SKIP LOCKED
), shut AS (
    UPDATE posting p SET state = 'expired', closed_at = $2, closed_by = 'age', revision = revision + 1,
                         changed_xid = pg_current_xact_id()
      FROM old WHERE p.id = old.id
    RETURNING p.id, p.revision, old.state
), forgotten AS (
    DELETE FROM board_validator WHERE board_id IN (SELECT board_id FROM old)
)
INSERT INTO posting_history (posting_id, revision, at, session, changes)
SELECT id, revision, $2, $3, jsonb_build_object('state', jsonb_build_array(state, 'expired')) FROM shut
RETURNING posting_id

-- undescribed --
-- Which of these open postings have no text, or one old enough to be fetched again because their listing changed.
SELECT p.id, p.external_id, p.url, p.revision, b.id AS board_id, b.source, b.tenant,
       coalesce(r.attempts, 0) AS attempts, coalesce(r.refusals, 0) AS refusals
  FROM posting p JOIN board b ON b.id = p.board_id JOIN posting_text t ON t.posting_id = p.id
  LEFT JOIN detail_retry r ON r.posting_id = p.id
 WHERE p.id = ANY ($1::bigint[]) AND b.source = ANY ($2::text[])
   AND (p.state = 'discovered' OR (p.state = 'described' AND p.changed_xid <> t.described_xid
                                   AND t.described_at < now() - make_interval(days => $3)))
 ORDER BY p.id

-- describe --
-- Texts that were fetched one by one, with what only they state. Replaying changes nothing: a detail that says the same
-- is left alone.
WITH input AS (
    SELECT id, html, html_hash, apply_url, stated::jsonb, raw_id, nullif(string_to_array(places, E'\x1f'), '{}') AS places,
           posted_at, valid_through
      FROM unnest($3::bigint[], $4::text[], $5::bytea[], $6::text[], $7::text[], $8::bigint[], $9::text[],
                  $10::timestamptz[], $11::timestamptz[])
        AS i (id, html, html_hash, apply_url, stated, raw_id, places, posted_at, valid_through)
), written AS (
    UPDATE posting p
       SET state = 'described', revision = p.revision + 1, changed_xid = pg_current_xact_id(),
           apply_url = coalesce(i.apply_url, p.apply_url), stated = p.stated || i.stated,
           places = coalesce(i.places, p.places), posted_at = coalesce(i.posted_at, p.posted_at),
           valid_through = coalesce(i.valid_through, p.valid_through)
      FROM input i JOIN posting_text t ON t.posting_id = i.id
     WHERE p.id = i.id AND p.state IN ('discovered', 'described')
       AND (p.state = 'discovered' OR t.html_hash IS DISTINCT FROM i.html_hash
            OR (p.apply_url, p.stated, p.places, p.posted_at, p.valid_through)
               IS DISTINCT FROM (coalesce(i.apply_url, p.apply_url), p.stated || i.stated, coalesce(i.places, p.places),
                                 coalesce(i.posted_at, p.posted_at), coalesce(i.valid_through, p.valid_through)))
    RETURNING p.id, p.revision, p.apply_url, p.stated, p.places, i.html_hash AS hash, t.html_hash AS old_hash
), texts AS (
    UPDATE posting_text t
       SET html = i.html, html_hash = i.html_hash, raw_response_id = i.raw_id, described_at = $1,
           described_xid = pg_current_xact_id()
      FROM input i WHERE t.posting_id = i.id
), settled AS (
    DELETE FROM detail_retry d USING input i WHERE d.posting_id = i.id
)
INSERT INTO posting_history (posting_id, revision, at, session, changes)
SELECT w.id, w.revision, $1, $2, jsonb_strip_nulls(jsonb_build_object(
       'state', CASE WHEN p.state <> 'described' THEN jsonb_build_array(p.state, 'described') END,
       'apply_url', CASE WHEN p.apply_url IS DISTINCT FROM w.apply_url
                         THEN jsonb_build_array(coalesce(p.apply_url, ''), w.apply_url) END,
       'places', CASE WHEN p.places <> w.places THEN jsonb_build_array(p.places, w.places) END,
       'stated', CASE WHEN p.stated <> w.stated THEN jsonb_build_array(p.stated, w.stated) END,
       'text', CASE WHEN w.old_hash IS DISTINCT FROM w.hash
                    THEN jsonb_build_array(coalesce(encode(w.old_hash, 'hex'), ''), encode(w.hash, 'hex')) END))
  FROM written w JOIN posting p ON p.id = w.id

-- close_by_id --
-- The posting's own page says that it is gone: closed at once.
WITH shut AS (
    UPDATE posting SET state = 'closed', closed_at = $1, closed_by = 'page', revision = revision + 1, changed_xid = pg_current_xact_id()
     WHERE id = ANY ($3::bigint[]) AND state IN ('discovered', 'described')
    RETURNING id, revision
), settled AS (
    DELETE FROM detail_retry WHERE posting_id = ANY ($3::bigint[])
)
INSERT INTO posting_history (posting_id, revision, at, session, changes)
SELECT s.id, s.revision, $1, $2, jsonb_build_object('state', jsonb_build_array(p.state, 'closed'))
  FROM shut s JOIN posting p ON p.id = s.id

-- postpone --
-- Details that could not be fetched now.
INSERT INTO detail_retry AS r (posting_id, attempts, refusals, retry_at, reason)
SELECT * FROM unnest($1::bigint[], $2::int[], $3::int[], $4::timestamptz[], $5::text[])
ON CONFLICT (posting_id) DO UPDATE
   SET attempts = excluded.attempts, refusals = excluded.refusals, retry_at = excluded.retry_at, reason = excluded.reason

-- give_up --
-- Details that were tried often enough: no longer retried here, they have their dead letters.
DELETE FROM detail_retry WHERE posting_id = ANY ($1::bigint[])

-- recheck --
-- Lists that may still show what its own page said is gone are to be read again, however unchanged they are.
DELETE FROM board_validator WHERE board_id IN (
    SELECT board_id FROM posting
     WHERE closed_by = 'page' AND closed_at BETWEEN now() - $1::interval - interval '1 day' AND now() - $1::interval)
RETURNING board_id

-- retry_due --
-- Postings whose detail is due again get a new place in the change log, where their shard finds them. Those that were
-- closed meanwhile need none.
WITH due AS (
    SELECT posting_id FROM detail_retry WHERE retry_at <= now() ORDER BY retry_at LIMIT $1 FOR UPDATE SKIP LOCKED
), renewed AS (
    UPDATE posting p SET changed_xid = pg_current_xact_id()
      FROM due WHERE p.id = due.posting_id AND p.state IN ('discovered', 'described')
    RETURNING p.id
), kept AS (
    UPDATE detail_retry SET retry_at = now() + interval '1 hour' WHERE posting_id IN (SELECT id FROM renewed)
), dropped AS (
    DELETE FROM detail_retry WHERE posting_id IN (SELECT posting_id FROM due EXCEPT SELECT id FROM renewed)
)
SELECT id FROM renewed
