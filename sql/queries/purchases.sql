-- held_purchase --
-- What answers this request without a credit: what was bought under its id, else the same about the same record.
SELECT request_id, provider, operation, record, account_id, blob_key, bought_at
  FROM purchase
 WHERE request_id = $1
    OR record = $4 AND provider = $2 AND operation = $3 AND bought_at > now() - $5::interval
 ORDER BY request_id = $1 DESC, bought_at DESC
 LIMIT 1

-- may_buy --
-- Whether the account may spend at all, and whether a call under this id was lately paid for without an answer that was
-- kept.
SELECT EXISTS (SELECT FROM account WHERE id = $1 AND tier <> 'free' AND closed_at IS NULL) AS may_spend,
       EXISTS (SELECT FROM credit_entry
                WHERE request_id = $3 AND at > now() - $4::interval AND kind = 'settle' AND provider = $2)
       AND NOT EXISTS (SELECT FROM purchase WHERE request_id = $3) AS paid
