-- write_reports --
-- All that one keeper sees now, in place of what it saw before.
WITH told AS (
    SELECT key, content FROM jsonb_to_recordset($2::jsonb) AS report(key text, content jsonb)
), gone AS (
    DELETE FROM incident_report WHERE host = $1 AND key NOT IN (SELECT key FROM told)
)
INSERT INTO incident_report AS old (host, key, content)
SELECT $1, key, content FROM told
ON CONFLICT (host, key) DO UPDATE SET content = excluded.content, seen_at = clock_timestamp()

-- load_reports --
-- What all keepers see, and the time on the clock that all of them share.
SELECT report.host, report.content, extract(epoch FROM report.seen_at)::float8 AS seen_at,
       extract(epoch FROM clock_timestamp())::float8 AS now
  FROM (SELECT 1) AS always LEFT JOIN incident_report report ON true

-- lease_free_s --
-- How long nobody has held the lease; no row where nobody ever did.
SELECT extract(epoch FROM clock_timestamp() - expires_at)::float8 AS free_s FROM lease WHERE name = $1

-- hold_on --
-- Extends the lease under our epoch, and keeps others from taking it until this transaction ends. No row: it is lost.
UPDATE lease SET expires_at = clock_timestamp() + make_interval(secs => $4)
 WHERE name = $1 AND owner = $2 AND epoch = $3
RETURNING true

-- save_incidents --
-- The teller's cases as they are now. A case that another keeper opened meanwhile for the same key stays the open one.
INSERT INTO incident AS old (id, key, kind, title, host, content, hosts, opened_at, missing_since, closed_at, acked_at,
                             acked_by, reminders, reminded_at, digest)
SELECT id, key, kind, title, host, content, hosts, to_timestamp(opened_at), to_timestamp(missing_since),
       CASE WHEN closed_at IS NULL AND EXISTS (SELECT 1 FROM incident other
                                                WHERE other.key = new.key AND other.id <> new.id
                                                  AND other.closed_at IS NULL)
            THEN clock_timestamp() ELSE to_timestamp(closed_at) END,
       to_timestamp(acked_at), acked_by, reminders, to_timestamp(reminded_at), digest
  FROM jsonb_to_recordset($1::jsonb) AS new(
           id uuid, key text, kind text, title text, host text, content jsonb, hosts text[], opened_at float8,
           missing_since float8, closed_at float8, acked_at float8, acked_by text, reminders integer,
           reminded_at float8, digest uuid)
ON CONFLICT (id) DO UPDATE
   SET title = excluded.title, host = excluded.host, content = excluded.content, hosts = excluded.hosts,
       missing_since = excluded.missing_since, closed_at = excluded.closed_at, acked_at = excluded.acked_at,
       acked_by = excluded.acked_by, reminders = excluded.reminders, reminded_at = excluded.reminded_at

-- save_messages --
-- The teller's messages as they are now.
INSERT INTO alert_outbox AS old (id, incident, channel, purpose, text, shown, number, reply_to, created_at, tried_at,
                                 sent_at, attempts, failed)
SELECT id, "case", channel, purpose, text, shown, number, reply_to, to_timestamp(created_at), to_timestamp(tried_at),
       to_timestamp(sent_at), attempts, failed
  FROM jsonb_to_recordset($1::jsonb) AS new(
           id uuid, "case" uuid, channel text, purpose text, text text, shown text, number bigint, reply_to bigint,
           created_at float8, tried_at float8, sent_at float8, attempts integer, failed text)
ON CONFLICT (id) DO UPDATE
   SET text = excluded.text, shown = excluded.shown, number = excluded.number, tried_at = excluded.tried_at,
       sent_at = excluded.sent_at, attempts = excluded.attempts, failed = excluded.failed

-- save_chats --
-- What Telegram said of the chats.
INSERT INTO alert_chat (channel, target, disabled_until, reason)
SELECT channel, target, to_timestamp(disabled_until), reason
  FROM jsonb_to_recordset($1::jsonb) AS new(channel text, target bigint, disabled_until float8, reason text)
ON CONFLICT (channel) DO UPDATE
   SET target = excluded.target, disabled_until = excluded.disabled_until, reason = excluded.reason

-- load_incidents --
-- What is open, what was over a short while ago, and what still has something to be told.
SELECT id::text, key, kind, title, host, content, hosts,
       extract(epoch FROM opened_at)::float8 AS opened_at, extract(epoch FROM missing_since)::float8 AS missing_since,
       extract(epoch FROM closed_at)::float8 AS closed_at, extract(epoch FROM acked_at)::float8 AS acked_at, acked_by,
       reminders, extract(epoch FROM reminded_at)::float8 AS reminded_at, digest::text
  FROM incident
 WHERE closed_at IS NULL OR closed_at > clock_timestamp() - make_interval(secs => $1)
    OR id IN (SELECT incident FROM alert_outbox
               WHERE shown IS DISTINCT FROM text AND failed IS NULL
                 AND created_at > clock_timestamp() - interval '1 day')
 ORDER BY opened_at

-- load_messages --
-- The messages of these incidents, and what else waits to be told.
SELECT id::text, incident::text AS "case", channel, purpose, text, shown, number, reply_to,
       extract(epoch FROM created_at)::float8 AS created_at, extract(epoch FROM tried_at)::float8 AS tried_at,
       extract(epoch FROM sent_at)::float8 AS sent_at, attempts, failed
  FROM alert_outbox
 WHERE incident = ANY($1::uuid[])
    OR (incident IS NULL AND shown IS DISTINCT FROM text AND failed IS NULL
        AND created_at > clock_timestamp() - interval '1 day')

-- load_chats --
-- What Telegram said of the chats.
SELECT channel, target, extract(epoch FROM disabled_until)::float8 AS disabled_until, reason FROM alert_chat

-- list_incidents --
-- For a person: what is open, then what was over last.
SELECT id::text, key, kind, title, host, content, hosts,
       extract(epoch FROM opened_at)::float8 AS opened_at, extract(epoch FROM missing_since)::float8 AS missing_since,
       extract(epoch FROM closed_at)::float8 AS closed_at, extract(epoch FROM acked_at)::float8 AS acked_at, acked_by,
       reminders, extract(epoch FROM reminded_at)::float8 AS reminded_at, digest::text
  FROM incident
 ORDER BY closed_at DESC NULLS FIRST, opened_at DESC
 LIMIT $1

-- purge_alerts --
-- Nobody looks for what was over so many days ago.
WITH answered AS (DELETE FROM keeper_request WHERE asked_at < now() - make_interval(days => $1)),
     words AS (DELETE FROM alert_outbox WHERE incident IS NULL AND created_at < now() - make_interval(days => $1))
DELETE FROM incident WHERE closed_at < now() - make_interval(days => $1)

-- load_offset --
-- The first update of the bot that nobody has acted upon.
SELECT next_update FROM telegram_offset WHERE bot = $1

-- save_offset --
-- What came before is acted upon. It never goes back, unless the bot itself began anew.
INSERT INTO telegram_offset (bot, next_update) VALUES ($1, $2)
ON CONFLICT (bot) DO UPDATE SET next_update = excluded.next_update

-- ask_keeper --
-- A person asks the keeper of a host for something.
INSERT INTO keeper_request (host, unit, what, asked_by, channel, reply_to)
VALUES ($1, $2, $3, $4, $5, $6) RETURNING id

-- take_requests --
-- What is asked of this host's keeper, once: who dies after this has not answered, and the person is told so.
UPDATE keeper_request SET taken_at = clock_timestamp()
 WHERE host = $1 AND taken_at IS NULL AND answered_at IS NULL
RETURNING id, unit, what, asked_by

-- answer_request --
-- What came of it.
UPDATE keeper_request SET answered_at = clock_timestamp(), answer = $2 WHERE id = $1 AND answered_at IS NULL

-- load_answer --
-- What came of a request, for a command line that waits.
SELECT answer FROM keeper_request WHERE id = $1 AND answered_at IS NOT NULL

-- load_untold --
-- Requests out of a chat that were answered, or that nobody answered in time.
SELECT id, host, unit, what, channel, reply_to, answer
  FROM keeper_request
 WHERE told_at IS NULL AND channel <> ''
   AND (answered_at IS NOT NULL OR asked_at < clock_timestamp() - make_interval(secs => $1))
 ORDER BY id

-- tell_requests --
-- Their answers are in the outbox now; a late one is not told any more.
UPDATE keeper_request
   SET told_at = clock_timestamp(), answered_at = coalesce(answered_at, clock_timestamp()),
       answer = coalesce(answer, 'nobody answered in time'), taken_at = coalesce(taken_at, clock_timestamp())
 WHERE id = ANY($1::bigint[])
