-- A key that was rotated names the one in its place, which is the one to rotate next: its own end says nothing any more
-- of how long its successors live.
ALTER TABLE api_key ADD COLUMN replaced_by bigint REFERENCES api_key;
