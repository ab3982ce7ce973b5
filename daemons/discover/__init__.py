"""Discovery: what a paying user's search finds at metered providers while they watch, each listing and detail bought
once."""
