-- Why a posting is closed, how often its page refused to be shown, and where a board has moved to.

ALTER TABLE posting
    ADD COLUMN closed_by text CHECK (closed_by IN ('list', 'page', 'age', 'move')),
    ADD COLUMN predecessor_id bigint;               -- the same posting on the board that this one's moved from

CREATE TABLE posting_absence (                      -- open postings that complete lists lack, until that is confirmed
    board_id     bigint NOT NULL REFERENCES board ON DELETE CASCADE,
    external_id  text NOT NULL,
    lists        integer NOT NULL,                  -- in a row
    PRIMARY KEY (board_id, external_id)
);

ALTER TABLE detail_retry ADD COLUMN refusals integer NOT NULL DEFAULT 0;  -- 4xx in a row

ALTER TABLE board
    ADD COLUMN moved_to bigint REFERENCES board,    -- the company's board in another system
    DROP CONSTRAINT board_state_check,
    ADD CONSTRAINT board_state_check CHECK (state IN ('active', 'suspect', 'denied', 'gone', 'paused', 'moved'));
CREATE INDEX board_moved_to ON board (moved_to) WHERE moved_to IS NOT NULL;
