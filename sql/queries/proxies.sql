-- write_spend --
-- Writes a process's totals of a day; older totals never overwrite newer ones.
INSERT INTO proxy_spend AS old (proxy, day, spender, requests, failures, bytes)
SELECT proxy, day, $1, requests, failures, bytes
  FROM unnest($2::text[], $3::date[], $4::bigint[], $5::bigint[], $6::bigint[])
       AS new (proxy, day, requests, failures, bytes)
ON CONFLICT (proxy, day, spender) DO UPDATE
   SET requests = greatest(old.requests, excluded.requests),
       failures = greatest(old.failures, excluded.failures),
       bytes = greatest(old.bytes, excluded.bytes)

-- load_spend --
-- What each proxy carried since a day, all processes together.
SELECT proxy, sum(requests)::bigint AS requests, sum(failures)::bigint AS failures, sum(bytes)::bigint AS bytes
  FROM proxy_spend WHERE day >= $1
 GROUP BY proxy ORDER BY proxy

-- merge_spend --
-- Makes one row of what the processes of a day carried, once the day is long over and none of them writes any more.
WITH old AS (
    DELETE FROM proxy_spend WHERE day < $1 AND spender <> '' RETURNING *
)
INSERT INTO proxy_spend AS merged (proxy, day, spender, requests, failures, bytes)
SELECT proxy, day, '', sum(requests), sum(failures), sum(bytes) FROM old GROUP BY proxy, day
ON CONFLICT (proxy, day, spender) DO UPDATE
   SET requests = merged.requests + excluded.requests,
       failures = merged.failures + excluded.failures,
       bytes = merged.bytes + excluded.bytes
RETURNING true
