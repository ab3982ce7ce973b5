"""What an HTTP status tells us to do next."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from lib.errors import Denied, Gone, ProxyFailed, RateLimited, Refused, SourceError, Transient
from lib.net.breaker import Event
from lib.net.retry_after import parse_retry_after

UNSAID_WAIT = timedelta(seconds=60)  # a 429 that does not say for how long


def error_of(
    status: int, headers: Mapping[str, str], now: datetime, *, conditional: bool, ranged: bool = False
) -> SourceError | None:
    """The error that `status` stands for, None for an answer to hand on. `headers` have lower-case names.

    429, and 503 with Retry-After: RateLimited. 404, 410: Gone. 401, 403, 407, 451: Denied. 5xx: Transient. Any
    other 4xx (400, 405, 422 ...) is Transient with its status as well: one such answer may be a hiccup of the host,
    a caller that counts several of them knows its request or its target to be wrong. An unasked 304, and
    206 but for a `ranged` request, bring no whole body: Transient.
    """
    if status == 304 and conditional:
        return None
    if 200 <= status < 300 and (status != 206 or ranged):
        return None
    if status in (404, 410):
        return Gone(f"status {status}", status)
    if status in (401, 403, 407, 451):
        return Denied(f"status {status}")
    retry_at = parse_retry_after(headers.get("retry-after"), now) if status in (429, 503) else None
    if status == 429:
        return RateLimited("status 429", retry_at or now + UNSAID_WAIT)
    if retry_at is not None:
        return RateLimited(f"status {status} with Retry-After", retry_at)
    return Transient(f"status {status}", status)


def event_of(error: SourceError) -> Event | None:
    """What `error` says about the host's health: any sane answer is a success; what we refuse ourselves, or
    what never got there, is no news."""
    if isinstance(error, (Refused, ProxyFailed)):
        return None
    failed = isinstance(error, Transient) and (error.status is None or error.status >= 500)
    return Event.FAILURE if failed else Event.SUCCESS


def pause_of(error: SourceError, now: datetime) -> float:
    """For how many seconds after `now` the host wants to be left alone, 0 if it did not say."""
    return max(0.0, (error.retry_at - now).total_seconds()) if isinstance(error, RateLimited) else 0.0
