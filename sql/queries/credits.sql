-- open_period --
-- Makes the row of a period with the budget that is set, when the first call of it is asked for.
INSERT INTO credit_budget (period, granted)
VALUES (date_trunc('month', coalesce($1::timestamptz, now()) AT TIME ZONE 'UTC')::date, $2)
ON CONFLICT (period) DO NOTHING

-- share_facts --
-- What an account's fair share depends on; no row before the period's first call.
SELECT day, granted, used + reserved AS spoken_for,
       (SELECT coalesce(sum(use.used + use.reserved), 0)::bigint FROM credit_use use WHERE use.day = moment.day) AS today,
       (SELECT count(DISTINCT account_id) FROM credit_use use WHERE use.day > moment.day - $2::int) AS active
  FROM (SELECT (coalesce($1::timestamptz, now()) AT TIME ZONE 'UTC')::date AS day) moment
  JOIN credit_budget ON period = date_trunc('month', day)::date

-- reserve --
-- Reserves credits of the budget, of the account's share and a place in flight: all three, or none and the reason.
-- Whoever reserves holds the period's row first, so nothing that is counted here can change meanwhile; what was read
-- before the row was free is read again from its newest version, and a place that was just given back may be missed.
WITH moment AS (
    SELECT at, (at AT TIME ZONE 'UTC')::date AS day FROM (SELECT coalesce($2::timestamptz, now()) AS at) given
), budget AS MATERIALIZED (
    SELECT period, granted, used, reserved, at, day
      FROM credit_budget JOIN moment ON period = date_trunc('month', day)::date
       FOR NO KEY UPDATE OF credit_budget
), slot AS MATERIALIZED (
    SELECT number FROM credit_slot
     WHERE number <= $11 AND lease_until <= (SELECT at FROM budget)
     ORDER BY number LIMIT 1
       FOR NO KEY UPDATE SKIP LOCKED
), other_days AS (
    SELECT coalesce(sum(use.used + use.reserved), 0) AS credits
      FROM credit_use use JOIN budget ON use.day >= budget.period AND use.day <> budget.day
     WHERE use.account_id = $3
), verdict AS MATERIALIZED (
    SELECT CASE
           WHEN EXISTS (SELECT FROM credit_entry WHERE reservation = $1) THEN 'granted before'
           WHEN EXISTS (SELECT FROM credit_shut WHERE provider = $4 AND operation = $5) THEN 'shut'
           WHEN EXISTS (SELECT FROM purchase WHERE request_id = $7)
             OR EXISTS (SELECT FROM purchase WHERE record = $9 AND provider = $4 AND operation = $5
                           AND bought_at > at - $14::interval)
             OR EXISTS (SELECT FROM credit_open WHERE request_id = $7)
             OR EXISTS (SELECT FROM credit_open WHERE record = $9 AND provider = $4 AND operation = $5) THEN 'pending'
           WHEN used + reserved + $6 > granted THEN 'spent'
           WHEN NOT EXISTS (SELECT FROM slot) THEN 'full'
           ELSE 'granted' END AS outcome
      FROM budget
), charged AS (
    INSERT INTO credit_use AS held (day, account_id, reserved)
    SELECT day, $3, $6 FROM budget, verdict, other_days
     WHERE outcome = 'granted' AND coalesce($6 <= least($12, $13 - other_days.credits), true)
    ON CONFLICT (day, account_id) DO UPDATE SET reserved = held.reserved + excluded.reserved
     WHERE coalesce(held.used + held.reserved + excluded.reserved
                    <= least($12, $13 - (SELECT credits FROM other_days)), true)
    RETURNING day
), taken AS (
    UPDATE credit_slot SET reservation = $1, lease_until = at + make_interval(secs => $10)
      FROM budget, slot, charged WHERE credit_slot.number = slot.number
), summed AS (
    UPDATE credit_budget SET reserved = credit_budget.reserved + $6
      FROM budget, charged WHERE credit_budget.period = budget.period
), opened AS (
    INSERT INTO credit_open (reservation, period, account_id, provider, operation, credits, request_id, record, lease_until)
    SELECT $1, period, $3, $4, $5, $6, $7, $9, at + make_interval(secs => $10) FROM budget, charged
), entered AS (
    INSERT INTO credit_entry (reservation, kind, period, account_id, provider, operation, credits, request_id,
                              search_id, record, at, lease_until)
    SELECT $1, 'reserve', period, $3, $4, $5, $6, $7, $8, $9, at, at + make_interval(secs => $10) FROM budget, charged
), closed AS (
    UPDATE credit_budget SET closed_at = at
      FROM budget, verdict
     WHERE credit_budget.period = budget.period AND outcome = 'spent'
       AND credit_budget.closed_at IS NULL AND budget.used + $6 > budget.granted
)
SELECT CASE WHEN outcome = 'granted' AND NOT EXISTS (SELECT FROM charged) THEN 'share' ELSE outcome END AS outcome,
       at, at + make_interval(secs => $10) AS lease_until
  FROM verdict, budget

-- reserved --
-- A reservation that was made already.
SELECT credits, lease_until FROM credit_entry WHERE reservation = $1 AND kind = 'reserve'

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
    UPDATE credit_budget budget SET reserved = budget.reserved - part.reserved, used = budget.used + part.charged
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
