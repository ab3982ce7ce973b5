-- company_pages --
-- Pages of the company whose board this is.
SELECT coalesce(careers_url, url) AS url FROM company_site WHERE source = $1 AND lower(tenant) = lower($2) LIMIT 3

-- move_board --
-- The company's board is elsewhere now: it is registered there, due at once, and this one leads to it. One that had led
-- here does so no longer.
WITH target AS (
    INSERT INTO board (source, tenant, company, url, every_s) VALUES ($2, $3, $4, $5, $6)
    ON CONFLICT (source, tenant) DO UPDATE
       SET company = coalesce(board.company, excluded.company), next_due = least(board.next_due, now()), moved_to = NULL,
           state = CASE WHEN board.state IN ('gone', 'moved') THEN 'active' ELSE board.state END
    RETURNING id
)
UPDATE board b SET state = 'moved', moved_to = t.id, last_error = 'moved to ' || $2 || ':' || $3
  FROM target t WHERE b.id = $1 AND b.id <> t.id
RETURNING t.id

-- move_back --
-- The new board was never read, however often it was tried: the old one is looked at again.
UPDATE board b SET state = 'suspect', moved_to = NULL, next_due = now()
  FROM board t WHERE t.id = b.moved_to AND b.state = 'moved' AND t.last_complete_at IS NULL AND t.failures >= 3

-- due_moves --
-- Moved boards with open postings, whose new boards were read whole since.
SELECT b.id, b.moved_to FROM board b JOIN board t ON t.id = b.moved_to
 WHERE b.state = 'moved' AND t.last_complete_at > b.last_crawled_at
   AND EXISTS (SELECT FROM posting p WHERE p.board_id = b.id AND p.state IN ('discovered', 'described'))
 ORDER BY b.id

-- open_ads --
-- What is open on a board.
SELECT id, title, places FROM posting WHERE board_id = $1 AND state IN ('discovered', 'described') ORDER BY id

-- adopt --
-- Postings on their new board continue those of the old one: known since then, and theirs the history.
WITH pair AS (
    SELECT o.id AS old_id, n.id AS new_id, o.first_seen, o.state
      FROM unnest($1::bigint[], $2::bigint[]) AS i (old_id, new_id)
      JOIN posting o ON o.id = i.old_id AND o.state IN ('discovered', 'described')
      JOIN posting n ON n.id = i.new_id AND n.predecessor_id IS NULL
), heir AS (
    UPDATE posting n SET predecessor_id = p.old_id, first_seen = least(n.first_seen, p.first_seen),
                         revision = n.revision + 1, changed_xid = pg_current_xact_id()
      FROM pair p WHERE n.id = p.new_id
    RETURNING n.id, n.revision, p.old_id
), shut AS (
    UPDATE posting o SET state = 'closed', closed_at = $3, closed_by = 'move', revision = o.revision + 1,
                         changed_xid = pg_current_xact_id()
      FROM pair p WHERE o.id = p.old_id
    RETURNING o.id, o.revision, p.state, p.new_id
)
INSERT INTO posting_history (posting_id, revision, at, session, changes)
SELECT id, revision, $3::timestamptz, $4::text, jsonb_build_object('predecessor', jsonb_build_array('', old_id)) FROM heir
UNION ALL
SELECT id, revision, $3, $4, jsonb_build_object('state', jsonb_build_array(state, 'closed'),
                                                'successor', jsonb_build_array('', new_id)) FROM shut

-- close_left_behind --
-- What a moved board had and its new one has not.
WITH shut AS (
    UPDATE posting p SET state = 'closed', closed_at = $2, closed_by = 'move', revision = p.revision + 1,
                         changed_xid = pg_current_xact_id()
      FROM posting o
     WHERE p.id = ANY ($1::bigint[]) AND o.id = p.id AND p.state IN ('discovered', 'described')
    RETURNING p.id, p.revision, o.state
)
INSERT INTO posting_history (posting_id, revision, at, session, changes)
SELECT id, revision, $2, $3, jsonb_build_object('state', jsonb_build_array(state, 'closed')) FROM shut
