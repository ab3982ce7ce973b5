"""Vectors: of listings for all postings at once, of full texts first for those that came up in a match."""
