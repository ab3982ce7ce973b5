"""Boards in, postings stored: list always, detail once, and nothing closed without a proven complete list."""
