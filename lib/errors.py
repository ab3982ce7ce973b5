"""Errors are grouped by what to do next, not by where they came from.

Libraries' exceptions are translated at the border, once, with ``raise ... from``. Whatever is not a
``VakanzError`` is a bug: it ends the daemon loudly and the keeper restarts it.
"""

from __future__ import annotations

from datetime import datetime


class VakanzError(Exception):
    """Base of everything that Vakanz raises on purpose; its message is one line for a person."""


class ConfigError(VakanzError):
    """The configuration cannot be used. Carries every problem, not only the first."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("; ".join(problems))


class SourceError(VakanzError):
    """A source, or the host behind it, did not give what was asked for. `url`: the address that did not, after
    redirects; "" where nothing was asked."""

    url = ""


class Transient(SourceError):
    """Time-out, reset or 5xx: ask again after a backoff. `status` is the HTTP status, None without an answer."""

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class ProxyFailed(Transient):
    """The way out failed, not the source: ask again by another proxy. Says nothing about board or host."""


class RateLimited(SourceError):
    """The source asked us to wait until `retry_at` (aware UTC). Not a failure."""

    def __init__(self, message: str, retry_at: datetime) -> None:
        super().__init__(message)
        self.retry_at = retry_at


class Gone(SourceError):
    """404 or 410 for a known target: mark it, never retry."""

    def __init__(self, message: str, status: int = 404) -> None:
        super().__init__(message)
        self.status = status


class Denied(SourceError):
    """401 or 403, or robots.txt forbids it: stop asking, tell a person once."""


class Refused(SourceError):
    """We do not go there: private address, unknown scheme, forbidden redirect, body over the limit."""


class Malformed(SourceError):
    """We do not understand the answer: set row or payload aside, go on, alert on the share."""


class Fenced(VakanzError):
    """Another worker took over the lease that this work was done under; nothing of it was written."""
