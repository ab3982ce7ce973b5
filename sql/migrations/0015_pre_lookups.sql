-- Indexes of two lookups that grow with the market and with what is bought: postings of a company whose name begins like
-- another, and payments of a call by its id.
CREATE INDEX posting_company ON posting (lower(company) text_pattern_ops) WHERE state IN ('discovered', 'described');
CREATE INDEX credit_entry_request ON credit_entry (request_id, at) WHERE kind = 'settle';
