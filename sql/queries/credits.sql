-- open_period --
-- Makes the row of a period with the budget that is set, when the first call of it is asked for.
INSERT INTO credit_budget (period, granted)
VALUES (date_trunc('month', coalesce($1::timestamptz, now()) AT TIME ZONE 'UTC')::date, $2)
ON CONFLICT (period) DO NOTHING

-- open_places --
-- Makes the places of a provider that are missing.
INSERT INTO credit_slot (provider, place) SELECT $1, generate_series(1, $2::smallint)
ON CONFLICT (provider, place) DO NOTHING

-- share_facts --
-- What an account's fair share depends on; no row before the period's first call.
SELECT day, granted, used + reserved AS spoken_for,
       (SELECT coalesce(sum(used + reserved), 0)::bigint FROM credit_use WHERE credit_use.day = moment.day) AS today,
       (SELECT count(DISTINCT account_id) FROM credit_use
         WHERE credit_use.day > moment.day - $2::int AND used + reserved > 0) AS active
  FROM (SELECT (coalesce($1::timestamptz, now()) AT TIME ZONE 'UTC')::date AS day) moment
  JOIN credit_budget ON period = date_trunc('month', day)::date

-- reserve --
-- Reserves credits of the budget, of the account's share and a place at the provider: all three, or none and the reason.
-- Whoever reserves holds the period's row first, so what is counted here cannot change meanwhile; rows that changed while
-- we waited for it are judged as they are now, only a place that was just given back may be missed. A record that the
-- account has paid for already is paid for by the house.
WITH moment AS (
    SELECT at, (at AT TIME ZONE 'UTC')::date AS day FROM (SELECT coalesce($2::timestamptz, now()) AS at) given
), budget AS MATERIALIZED (
    SELECT period, granted, used, reserved, at, day
      FROM credit_budget JOIN moment ON period = date_trunc('month', day)::date
       FOR NO KEY UPDATE OF credit_budget
), slot AS MATERIALIZED (
    SELECT number FROM credit_slot
     WHERE provider = $4 AND place <= $11 AND lease_until <= (SELECT at FROM budget)
     ORDER BY place LIMIT 1
       FOR NO KEY UPDATE SKIP LOCKED
), payer AS MATERIALIZED (
    SELECT CASE WHEN NOT EXISTS (SELECT FROM credit_entry
                                  WHERE record = $9 AND account_id = $3 AND kind = 'settle' AND credits > 0)
                 AND NOT EXISTS (SELECT FROM credit_open WHERE record = $9 AND account_id = $3) THEN $3::bigint
           END AS account_id
), room AS MATERIALIZED (
    SELECT payer.account_id,
           CASE WHEN payer.account_id IS NOT NULL
                THEN least($12::bigint, $13::bigint - coalesce(sum(use.used + use.reserved), 0)) END AS today
      FROM payer CROSS JOIN budget
      LEFT JOIN credit_use use
        ON use.account_id = payer.account_id AND use.day >= budget.period AND use.day <> budget.day
     GROUP BY payer.account_id
), before AS MATERIALIZED (
    SELECT account_id, lease_until FROM credit_entry WHERE reservation = $1 AND kind = 'reserve'
), verdict AS MATERIALIZED (
    SELECT CASE
           WHEN EXISTS (SELECT FROM before) THEN 'granted before'
           WHEN EXISTS (SELECT FROM credit_shut WHERE provider = $4 AND operation = $5) THEN 'shut'
           WHEN EXISTS (SELECT FROM purchase WHERE request_id = $7)
             OR EXISTS (SELECT FROM purchase WHERE record = $9 AND provider = $4 AND operation = $5
                           AND bought_at > at - $14::interval)
             OR EXISTS (SELECT FROM credit_open WHERE request_id = $7)
             OR EXISTS (SELECT FROM credit_open WHERE record = $9 AND provider = $4 AND operation = $5) THEN 'pending'
           WHEN used + reserved + $6 > granted THEN 'spent'
           WHEN NOT EXISTS (SELECT FROM slot)
           THEN CASE WHEN $11 > (SELECT count(*) FROM credit_slot WHERE provider = $4) THEN 'unplaced' ELSE 'full' END
           ELSE 'granted' END AS outcome
      FROM budget
), charged AS (
    INSERT INTO credit_use AS held (day, account_id, reserved)
    SELECT day, account_id, $6 FROM budget, verdict, room
     WHERE outcome = 'granted' AND (today IS NULL OR $6 <= today)
    ON CONFLICT (day, account_id) DO UPDATE SET reserved = held.reserved + excluded.reserved
     WHERE (SELECT today IS NULL OR held.used + held.reserved + excluded.reserved <= today FROM room)
    RETURNING account_id
), granted AS MATERIALIZED (
    SELECT charged.account_id, budget.*, at + make_interval(secs => $10) AS lease_until FROM charged, budget
), taken AS (
    UPDATE credit_slot SET reservation = $1, lease_until = granted.lease_until
      FROM granted, slot WHERE credit_slot.number = slot.number
), summed AS (
    UPDATE credit_budget SET reserved = credit_budget.reserved + $6
      FROM granted WHERE credit_budget.period = granted.period
), opened AS (
    INSERT INTO credit_open (reservation, period, account_id, provider, operation, credits, request_id, record,
                             lease_until)
    SELECT $1, period, account_id, $4, $5, $6, $7, $9, lease_until FROM granted
), entered AS (
    INSERT INTO credit_entry (reservation, kind, period, account_id, provider, operation, credits, request_id,
                              search_id, record, at, lease_until)
    SELECT $1, 'reserve', period, account_id, $4, $5, $6, $7, $8, $9, at, lease_until FROM granted
), closed AS (
    UPDATE credit_budget SET closed_at = budget.at
      FROM budget, verdict
     WHERE credit_budget.period = budget.period AND outcome = 'spent'
       AND credit_budget.closed_at IS NULL AND budget.used + $6 > budget.granted
)
SELECT CASE WHEN outcome = 'granted' AND granted.period IS NULL THEN 'share' ELSE outcome END AS outcome,
       moment.at, coalesce(granted.account_id, before.account_id) AS account_id,
       coalesce(granted.lease_until, before.lease_until) AS lease_until
  FROM moment CROSS JOIN verdict LEFT JOIN granted ON true LEFT JOIN before ON true

-- end_reservations --
-- Ends reservations, each the first time only: deleting the open row decides who was first. NULL credits mean all that
-- was reserved. The budget's row is changed before the account's, in the order in which `reserve` takes them.
WITH closed AS (
    DELETE FROM credit_open WHERE reservation = ANY($1::uuid[]) RETURNING reservation
), held AS MATERIALIZED (
    SELECT entry.*, coalesce($3::bigint, entry.credits) AS charged,
           coalesce($2::timestamptz, now()) AS ended_at
      FROM closed JOIN credit_entry entry USING (reservation) WHERE kind = 'reserve'
), summed AS (
    UPDATE credit_budget budget
       SET reserved = budget.reserved - part.reserved, used = budget.used + part.charged,
           level = greatest(budget.level, (SELECT max(share) FROM unnest($8::smallint[]) share
                                            WHERE (budget.used + part.charged) * 100 >= budget.granted * share))
      FROM (SELECT period, sum(credits) AS reserved, sum(charged) AS charged FROM held GROUP BY period) part
     WHERE budget.period = part.period
    RETURNING budget.period
), use AS (
    UPDATE credit_use use SET reserved = use.reserved - part.reserved, used = use.used + part.charged
      FROM (SELECT period, (at AT TIME ZONE 'UTC')::date AS day, account_id, sum(credits) AS reserved,
                   sum(charged) AS charged
              FROM held GROUP BY 1, 2, 3) part
      JOIN summed USING (period)
     WHERE use.day = part.day AND use.account_id IS NOT DISTINCT FROM part.account_id
), freed AS (
    UPDATE credit_slot SET reservation = NULL, lease_until = '-infinity'
      FROM held WHERE credit_slot.reservation = held.reservation
), shut AS (
    INSERT INTO credit_shut (provider, operation, declared, charged, at)
    SELECT DISTINCT ON (provider, operation) provider, operation, credits, charged, ended_at
      FROM held WHERE charged > credits ORDER BY provider, operation, charged DESC
    ON CONFLICT DO NOTHING
), bought AS (
    INSERT INTO purchase (request_id, provider, operation, record, account_id, blob_key, credits, bought_at)
    SELECT request_id, provider, operation, record, account_id, $7, charged, ended_at
      FROM held WHERE $7::text IS NOT NULL
    ON CONFLICT (request_id) DO NOTHING
), entered AS (
    INSERT INTO credit_entry (reservation, kind, period, account_id, provider, operation, credits, request_id,
                              search_id, record, outcome, provider_id, at)
    SELECT reservation, $4, period, account_id, provider, operation, charged, request_id, search_id, record, $5, $6,
           ended_at
      FROM held
)
SELECT reservation, credits AS reserved, charged FROM held

-- overdue --
-- Reservations whose lease has ended.
SELECT reservation FROM credit_open WHERE lease_until <= coalesce($1::timestamptz, now()) ORDER BY lease_until LIMIT $2

-- prune_purchases --
-- Forgets old answers that are about no record.
DELETE FROM purchase WHERE record IS NULL AND bought_at < now() - $1::interval RETURNING request_id

-- clock --
-- The time on which all agree.
SELECT now()

-- status_budget --
-- A period as it stands; no row before its first call.
SELECT period, granted, used, reserved, level, closed_at
  FROM credit_budget
 WHERE period = date_trunc('month', coalesce($1::timestamptz, now()) AT TIME ZONE 'UTC')::date

-- status_flights --
-- How many calls each provider is answering.
SELECT provider, count(*) AS calls FROM credit_slot
 WHERE lease_until > coalesce($1::timestamptz, now()) GROUP BY provider ORDER BY provider

-- status_days --
-- What was used on each day of a period.
SELECT day, sum(used)::bigint AS used FROM credit_use
 WHERE day >= $1 AND day < $1 + interval '1 month' GROUP BY day HAVING sum(used) > 0 ORDER BY day

-- status_accounts --
-- Who uses a period's credits, the greatest first; no name is the house.
SELECT account_id, name, sum(used)::bigint AS used, sum(reserved)::bigint AS reserved
  FROM credit_use LEFT JOIN account ON account.id = account_id
 WHERE day >= $1 AND day < $1 + interval '1 month'
 GROUP BY account_id, name HAVING sum(used) + sum(reserved) > 0
 ORDER BY sum(used) + sum(reserved) DESC, account_id
 LIMIT $2

-- account_days --
-- What one account used of a period, by day.
SELECT day, sum(used)::bigint AS used FROM credit_use
 WHERE account_id = $1 AND day >= $2 AND day < $2 + interval '1 month'
 GROUP BY day HAVING sum(used) > 0 ORDER BY day

-- status_shut --
-- Operations that wait for an operator.
SELECT provider, operation, declared, charged, at FROM credit_shut ORDER BY at

-- raise_to --
-- Raises a period's limit, which opens it again, and writes down who did so; no row when it would not be a raise.
WITH before AS MATERIALIZED (
    SELECT period, granted FROM credit_budget
     WHERE period = date_trunc('month', coalesce($1::timestamptz, now()) AT TIME ZONE 'UTC')::date
       FOR NO KEY UPDATE
), raised AS (
    UPDATE credit_budget SET granted = $2, closed_at = NULL FROM before
     WHERE credit_budget.period = before.period AND before.granted < $2
    RETURNING credit_budget.period, before.granted
), audited AS (
    INSERT INTO admin_audit (who, action, subject, details)
    SELECT $3, 'raise credits', to_char(period, 'YYYY-MM'),
           jsonb_build_object('from', granted, 'to', $2::bigint, 'why', $4::text)
      FROM raised
)
SELECT period, granted FROM raised

-- reopen --
-- Lets an operation be bought again that was shut, and writes down who did so.
WITH reopened AS (
    DELETE FROM credit_shut WHERE provider = $1 AND operation = $2 RETURNING declared, charged
), audited AS (
    INSERT INTO admin_audit (who, action, subject, details)
    SELECT $3, 'reopen operation', $1 || '/' || $2,
           jsonb_build_object('declared', declared, 'charged', charged, 'why', $4::text)
      FROM reopened
)
SELECT declared, charged FROM reopened

-- mirrored --
-- The figures of a period that the mirror shows.
SELECT granted, used, reserved FROM credit_budget
 WHERE period = date_trunc('month', coalesce($1::timestamptz, now()) AT TIME ZONE 'UTC')::date

-- verify --
-- Says where sums, days and open reservations are not what the entries say, and which ends have no beginning.
WITH made AS (
    SELECT reserve.*, ended.kind AS end_kind, ended.credits AS charged
      FROM credit_entry reserve
      LEFT JOIN credit_entry ended ON ended.reservation = reserve.reservation AND ended.kind <> 'reserve'
     WHERE reserve.kind = 'reserve'
), budgets AS (
    SELECT period, coalesce(sum(charged) FILTER (WHERE end_kind = 'settle'), 0) AS used,
           coalesce(sum(credits) FILTER (WHERE end_kind IS NULL), 0) AS reserved
      FROM made GROUP BY period
), days AS (
    SELECT (at AT TIME ZONE 'UTC')::date AS day, account_id,
           coalesce(sum(charged) FILTER (WHERE end_kind = 'settle'), 0) AS used,
           coalesce(sum(credits) FILTER (WHERE end_kind IS NULL), 0) AS reserved
      FROM made GROUP BY 1, 2
)
SELECT format('%s: %s used and %s reserved, but %s and %s by its entries', to_char(period, 'YYYY-MM'),
              budget.used, budget.reserved, coalesce(budgets.used, 0), coalesce(budgets.reserved, 0)) AS problem
  FROM credit_budget budget LEFT JOIN budgets USING (period)
 WHERE (budget.used, budget.reserved) IS DISTINCT FROM (coalesce(budgets.used, 0), coalesce(budgets.reserved, 0))
UNION ALL
SELECT format('account %s on %s: %s used and %s reserved, but %s and %s by its entries',
              coalesce(coalesce(use.account_id, days.account_id)::text, 'of the house'), coalesce(use.day, days.day),
              coalesce(use.used, 0), coalesce(use.reserved, 0), coalesce(days.used, 0), coalesce(days.reserved, 0))
  FROM credit_use use
  FULL JOIN days ON days.day = use.day AND coalesce(days.account_id, 0) = coalesce(use.account_id, 0)
 WHERE (coalesce(use.used, 0), coalesce(use.reserved, 0))
       IS DISTINCT FROM (coalesce(days.used, 0), coalesce(days.reserved, 0))
UNION ALL
SELECT format('reservation %s is %s', coalesce(open.reservation, made.reservation),
              CASE WHEN open.reservation IS NULL THEN 'neither open nor ended'
                   WHEN made.reservation IS NULL THEN 'open without an entry' ELSE 'open though it has ended' END)
  FROM credit_open open FULL JOIN made ON made.reservation = open.reservation
 WHERE made.reservation IS NULL OR (open.reservation IS NULL) = (made.end_kind IS NULL)
UNION ALL
SELECT format('reservation %s has ended, but was never made', ended.reservation)
  FROM credit_entry ended
 WHERE kind <> 'reserve'
   AND NOT EXISTS (SELECT FROM credit_entry made WHERE made.reservation = ended.reservation AND made.kind = 'reserve')

-- ended_calls --
-- Calls to a provider that have ended, by the period they were made in.
SELECT ended.request_id, ended.provider_id, ended.credits, ended.outcome, made.at AS reserved_at, ended.at AS ended_at
  FROM credit_entry ended
  JOIN credit_entry made ON made.reservation = ended.reservation AND made.kind = 'reserve'
 WHERE ended.provider = $1 AND ended.period BETWEEN $2 AND $3 AND ended.kind <> 'reserve'
 ORDER BY ended.id
