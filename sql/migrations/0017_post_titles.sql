-- Titles have their vectors in title_vector. The indexes that speak of the column go with it.
ALTER TABLE posting_vector DROP COLUMN listing;
