-- Vectors of titles, each once however many postings bear it. An index that holds the same point a thousand times has
-- islands: the nearest neighbours of such a point are all itself, and a search that lands there finds no way on.
CREATE FUNCTION title_id(halfvec) RETURNS bigint IMMUTABLE STRICT PARALLEL SAFE LANGUAGE sql
    RETURN ('x' || encode(substring(sha256(halfvec_send($1)) FOR 8), 'hex'))::bit(64)::bigint;

CREATE TABLE title_vector (
    id      bigint PRIMARY KEY,                     -- title_id(vector)
    vector  halfvec(256) NOT NULL
);
INSERT INTO title_vector (id, vector)
SELECT DISTINCT ON (title_id(listing)) title_id(listing), listing FROM posting_vector WHERE listing IS NOT NULL;
CREATE INDEX title_vector_nearest ON title_vector USING hnsw (vector halfvec_cosine_ops)
    WITH (m = 16, ef_construction = 100);

-- From here on others wait, so what takes long comes first. Versions before this one search by `listing` until they are
-- gone: without its index they look at everything, and the copies of rows that UPDATE makes need not enter it.
DROP INDEX posting_vector_listing;
ALTER TABLE posting_vector ADD COLUMN title_id bigint;  -- follower: embed; NULL while the posting is not open
UPDATE posting_vector SET title_id = title_id(listing) WHERE listing IS NOT NULL;
ALTER TABLE posting_vector ADD FOREIGN KEY (title_id) REFERENCES title_vector;
CREATE INDEX posting_vector_title ON posting_vector (title_id);
CREATE INDEX posting_vector_limits ON posting_vector (country_code, language, remote, employment)
    WHERE title_id IS NOT NULL;
CREATE INDEX posting_vector_pay ON posting_vector (salary_eur) WHERE title_id IS NOT NULL;
