"""The Retry-After header, in both forms of RFC 9110, section 10.2.3."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

SHORTEST_S = 1.0
LONGEST_S = 6 * 3600.0  # a host that asks for more is asked again sooner: its header may be broken or hostile


def parse_retry_after(value: str | None, now: datetime) -> datetime | None:
    """When to come back (aware UTC), between SHORTEST_S and LONGEST_S after `now` (aware).

    None when there is no header, or one that is neither a number of seconds nor a date.
    """
    seconds = _seconds((value or "").strip()[:64], now)
    if seconds is None:
        return None
    return now.astimezone(UTC) + timedelta(seconds=min(LONGEST_S, max(SHORTEST_S, seconds)))


def _seconds(value: str, now: datetime) -> float | None:
    if value.isascii() and value.isdigit():
        return float(value)
    if value.isascii() and value.replace(".", "", 1).isdigit():
        return float(value)  # not in the RFC, but sent by APIs that count in fractions
    try:
        moment = parsedate_to_datetime(value)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return (moment - now).total_seconds()
    except (ValueError, TypeError, OverflowError):
        return None
