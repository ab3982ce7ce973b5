"""Everything that leaves this machine over HTTP: what to ask, politeness, and the one client that does it."""
