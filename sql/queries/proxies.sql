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
