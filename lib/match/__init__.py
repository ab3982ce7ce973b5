"""Comparing postings with people: vectors for titles and texts, candidates, scores and their reasons. Heavy
libraries are imported by the loaders only, so that importing a module of this room stays cheap."""
