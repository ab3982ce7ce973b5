"""The API: matches and jobs over HTTP, described by the same types that validate. It meets the daemons in tables and
streams only."""
