-- What operators want left alone, and when they last asked for a start.

CREATE TABLE hold (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    target      text NOT NULL,                      -- a unit, a pattern of units (descriptions@*), or a host
    held_by     text NOT NULL,
    why         text NOT NULL,
    since       timestamptz NOT NULL DEFAULT now(),
    until       timestamptz NOT NULL,               -- it ends by itself
    released_at timestamptz,                        -- or was taken back before
    released_by text
);
CREATE UNIQUE INDEX hold_target ON hold (target) WHERE released_at IS NULL;

ALTER TABLE daemon ADD COLUMN start_requested_at timestamptz;  -- takes back every stop from before
