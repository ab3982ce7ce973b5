-- Who asks: accounts with a tier, keys that belong to one, sessions of people who signed in, what admins did.
CREATE TABLE account (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name        text NOT NULL UNIQUE,               -- what a person signs in with
    tier        text NOT NULL CHECK (tier IN ('free', 'paid', 'partner', 'admin')),
    password    text,                               -- scrypt with its parameters and salt; NULL: keys only
    created_at  timestamptz NOT NULL DEFAULT now(),
    closed_at   timestamptz
);
INSERT INTO account (name, tier) VALUES ('operator', 'free');  -- the first of all: 1

ALTER TABLE api_key
    ADD COLUMN account_id bigint NOT NULL DEFAULT 1 REFERENCES account,
    ADD COLUMN scopes text[] NOT NULL DEFAULT '{match,jobs,figures,credits}',
    ADD COLUMN expires_at timestamptz,
    ADD COLUMN used_at timestamptz;                 -- about: written once in a while
CREATE INDEX api_key_account ON api_key (account_id);

CREATE TABLE web_session (
    hash        bytea PRIMARY KEY,                  -- SHA-256 of the cookie
    account_id  bigint NOT NULL REFERENCES account,
    csrf        text NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    used_at     timestamptz NOT NULL DEFAULT now(), -- about: a session that nobody uses ends before `expires_at`
    expires_at  timestamptz NOT NULL
);
CREATE INDEX web_session_account ON web_session (account_id);
CREATE INDEX web_session_over ON web_session (expires_at);

CREATE TABLE admin_audit (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at          timestamptz NOT NULL DEFAULT now(),
    who         text NOT NULL,                      -- account's name, or the command line's user and host
    action      text NOT NULL,
    subject     text NOT NULL,
    details     jsonb NOT NULL DEFAULT '{}'
);
-- What was done stays written down: only who may drop the trigger may take it back.
CREATE FUNCTION refuse_rewriting() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER admin_audit_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON admin_audit
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewriting();
