-- Since when each process beats, what the map of the fleet expected when, and where a daemon shows its own figures.

CREATE TABLE daemon_span (                          -- uninterrupted heartbeats of one process, on this server's clock
    unit      text NOT NULL,
    host      text NOT NULL,
    began_at  timestamptz NOT NULL,
    pid       integer NOT NULL,
    beat_at   timestamptz NOT NULL,                 -- not indexed: a beat stays a HOT update
    ending    text CHECK (ending IN ('drained', 'asked')),  -- it said goodbye; asked: by the control plane
    PRIMARY KEY (unit, host, began_at)
) WITH (fillfactor = 50);

CREATE TABLE placement (                            -- what the map of the fleet said, as the keepers read it
    unit        text NOT NULL,
    host        text NOT NULL,
    placed_at   timestamptz NOT NULL DEFAULT now(),
    removed_at  timestamptz,
    PRIMARY KEY (unit, host, placed_at)
);
CREATE UNIQUE INDEX placement_now ON placement (unit, host) WHERE removed_at IS NULL;

ALTER TABLE daemon ADD COLUMN metrics_address text; -- host:port of its own figures, where it has any
