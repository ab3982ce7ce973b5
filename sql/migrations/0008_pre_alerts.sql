-- What the keepers tell people: which incidents each of them sees, one row per incident that is told, one row per
-- message in a channel, and what people asked the keepers for.

CREATE TABLE incident_report (                      -- what each keeper sees now; it writes only its own rows
    host          text NOT NULL,
    key           text NOT NULL,
    content       jsonb NOT NULL,
    seen_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (host, key)
) WITH (fillfactor = 50);

CREATE TABLE incident (                             -- written by the one keeper that holds the lease `alerts`
    id            uuid PRIMARY KEY,
    key           text NOT NULL,
    kind          text NOT NULL,                    -- a paragraph of docs/runbook.md
    title         text NOT NULL,
    host          text NOT NULL,                    -- where; '' for the whole fleet
    content       jsonb NOT NULL,                   -- since, units, why, lines, did, facts
    hosts         text[] NOT NULL,                  -- whose keepers see it
    opened_at     timestamptz NOT NULL,
    missing_since timestamptz,                      -- nobody sees it any more, which is not yet trusted
    closed_at     timestamptz,
    acked_at      timestamptz,
    acked_by      text NOT NULL DEFAULT '',
    reminders     integer NOT NULL DEFAULT 0,
    reminded_at   timestamptz,
    digest        uuid                              -- told as a line of this incident
) WITH (fillfactor = 50);
CREATE UNIQUE INDEX incident_open ON incident (key) WHERE closed_at IS NULL;
CREATE INDEX incident_closed ON incident (closed_at);

CREATE TABLE alert_outbox (                         -- one row per message: as it should be, and as it was sent
    id            uuid PRIMARY KEY,
    incident      uuid REFERENCES incident ON DELETE CASCADE,
    channel       text NOT NULL,                    -- telegram:<chat id>, webhook, mail
    purpose       text NOT NULL CHECK (purpose IN ('incident', 'over', 'reminder', 'answer', 'notice')),
    text          text NOT NULL,
    shown         text,                             -- NULL: not known to have been sent
    number        bigint,                           -- its id in the channel
    reply_to      bigint,
    created_at    timestamptz NOT NULL,
    tried_at      timestamptz,                      -- written before sending, so a repetition can say that it is one
    sent_at       timestamptz,
    attempts      integer NOT NULL DEFAULT 0,
    failed        text                              -- why it is given up
) WITH (fillfactor = 50);
CREATE INDEX alert_outbox_incident ON alert_outbox (incident);
CREATE INDEX alert_outbox_waiting ON alert_outbox (created_at) WHERE shown IS DISTINCT FROM text AND failed IS NULL;

CREATE TABLE alert_chat (                           -- what Telegram said of a chat
    channel        text PRIMARY KEY,
    target         bigint NOT NULL,                 -- its id now; a group gets another one when it grows
    disabled_until timestamptz,
    reason         text NOT NULL DEFAULT ''
);

CREATE TABLE telegram_offset (
    bot           bigint PRIMARY KEY,
    next_update   bigint NOT NULL
);

CREATE TABLE keeper_request (                       -- what a person asks of the keeper of one host
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    host          text NOT NULL,                    -- '' for the keeper that tells the alerts
    unit          text NOT NULL,
    what          text NOT NULL CHECK (what IN ('restart', 'tail', 'ack')),
    asked_by      text NOT NULL,
    channel       text NOT NULL DEFAULT '',         -- where the answer goes; '' for a command line that waits for it
    reply_to      bigint,
    asked_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    taken_at      timestamptz,
    answered_at   timestamptz,
    answer        text,
    told_at       timestamptz
);
CREATE INDEX keeper_request_open ON keeper_request (host) WHERE taken_at IS NULL;
CREATE INDEX keeper_request_untold ON keeper_request (asked_at) WHERE told_at IS NULL;
