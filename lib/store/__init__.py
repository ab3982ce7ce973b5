"""PostgreSQL, Redis and blobs: connections that come back, and the few ways in which state may change."""
