-- Who asks: accounts with a tier, keys that belong to one, sessions of people who signed in, what admins did.
CREATE TABLE account (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name        text NOT NULL UNIQUE,               -- what a person signs in with
    tier        text NOT NULL CHECK (tier IN ('free', 'paid', 'partner', 'admin')),
    password    text,                               -- scrypt with its parameters and salt; NULL: keys only
    created_at  timestamptz NOT NULL DEFAULT now(),
    closed_at   timestamptz
);

ALTER TABLE api_key
    ADD COLUMN account_id bigint REFERENCES account,
    ADD COLUMN scopes text[] NOT NULL DEFAULT '{match,jobs,figures,credits}',
    ADD COLUMN expires_at timestamptz,
    ADD COLUMN used_at timestamptz;                 -- about: written once in a while
INSERT INTO account (name, tier) SELECT 'operator', 'free' WHERE EXISTS (SELECT FROM api_key);
UPDATE api_key SET account_id = (SELECT id FROM account WHERE name = 'operator');

CREATE TABLE web_session (
    hash        bytea PRIMARY KEY,                  -- SHA-256 of the cookie
    account_id  bigint NOT NULL REFERENCES account,
    csrf        text NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    expires_at  timestamptz NOT NULL
);

CREATE TABLE admin_audit (                          -- append only
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at          timestamptz NOT NULL DEFAULT now(),
    who         text NOT NULL,                      -- account's name, or the command line's user and host
    action      text NOT NULL,
    subject     text NOT NULL,
    details     jsonb NOT NULL DEFAULT '{}'
);
