-- create_account --
-- A new account. No row: the name is taken.
INSERT INTO account (name, tier, password) VALUES ($1, $2, $3) ON CONFLICT (name) DO NOTHING RETURNING id

-- list_accounts --
-- All accounts, oldest first, with the number of their keys that open something.
SELECT account.id, name, tier, password IS NOT NULL AS signs_in, created_at, closed_at,
       (SELECT count(*) FROM api_key key
         WHERE key.account_id = account.id AND closed_at IS NULL AND revoked_at IS NULL
           AND (expires_at IS NULL OR expires_at > now())) AS keys
  FROM account
 ORDER BY account.id

-- find_account --
-- The open account of this name.
SELECT id FROM account WHERE name = $1 AND closed_at IS NULL

-- name_account --
-- What an account is called.
SELECT name FROM account WHERE id = $1

-- load_account --
-- An open account by its id; nobody changes or closes it before the transaction ends.
SELECT id, name, tier FROM account WHERE id = $1 AND closed_at IS NULL FOR UPDATE

-- set_tier --
-- From now on the account is of this tier.
UPDATE account SET tier = $2 WHERE id = $1

-- set_password --
-- From now on this password signs in.
UPDATE account SET password = $2 WHERE id = $1

-- close_account --
-- The account opens nothing any more, by key or by signing in. It stays, because others' rows name it.
UPDATE account SET closed_at = now() WHERE id = $1

-- load_password --
-- What signing in is checked by.
SELECT id, password FROM account WHERE name = $1 AND closed_at IS NULL

-- open_session --
-- A new session, once those that are over are swept and the one before it ($5) is ended. None where the account was
-- closed, or got another password, while this one ($6) was looked at.
WITH swept AS (
    DELETE FROM web_session WHERE expires_at < now() OR hash = $5
)
INSERT INTO web_session (hash, account_id, csrf, expires_at)
SELECT $1, id, $3, now() + $4 FROM account WHERE id = $2 AND password = $6 AND closed_at IS NULL

-- find_session --
-- Whose session this is, unless it is over or was left alone for $2. That it was used is written down now and then.
WITH found AS (
    SELECT hash, account_id, name, tier, csrf, used_at
      FROM web_session JOIN account ON account.id = account_id
     WHERE hash = $1 AND expires_at > now() AND used_at > now() - $2::interval AND closed_at IS NULL
), used AS (
    UPDATE web_session SET used_at = now() FROM found
     WHERE web_session.hash = found.hash AND found.used_at < now() - interval '10 minutes'
)
SELECT account_id, name, tier, csrf FROM found

-- standing --
-- Of these keys and sessions those that still open something.
SELECT key.id AS key_id, NULL::bytea AS session
  FROM api_key key JOIN account ON account.id = key.account_id
 WHERE key.id = ANY ($1::bigint[]) AND key.revoked_at IS NULL AND account.closed_at IS NULL
   AND (key.expires_at IS NULL OR key.expires_at > now())
 UNION ALL
SELECT NULL, session.hash
  FROM web_session session JOIN account ON account.id = session.account_id
 WHERE session.hash = ANY ($2::bytea[]) AND session.expires_at > now() AND session.used_at > now() - $3::interval
   AND account.closed_at IS NULL

-- end_session --
-- One person leaves.
DELETE FROM web_session WHERE hash = $1

-- end_sessions --
-- Everybody who is signed in to an account leaves.
DELETE FROM web_session WHERE account_id = $1

-- write_audit --
-- What an admin did.
INSERT INTO admin_audit (who, action, subject, details) VALUES ($1, $2, $3, $4)

-- list_audit --
-- What admins did, newest first.
SELECT at, who, action, subject, details FROM admin_audit ORDER BY id DESC LIMIT $1
