-- Pages of a résumé that are pictures, beside pages of text, and were not read.
ALTER TABLE resume ADD COLUMN unread smallint NOT NULL DEFAULT 0;
