-- Résumés that their owner asked to keep, until then.
CREATE TABLE resume (
    id          uuid PRIMARY KEY,
    account_id  bigint NOT NULL REFERENCES account ON DELETE CASCADE,
    language    text,
    pages       integer NOT NULL,
    ocr         boolean NOT NULL,
    text        text NOT NULL,
    sections    jsonb NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    keep_until  timestamptz NOT NULL
);
CREATE INDEX resume_account ON resume (account_id);
CREATE INDEX resume_over ON resume (keep_until);
