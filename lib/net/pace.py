"""When the next request to a host may start. Arithmetic only, on a clock that is an argument.

A token bucket kept as one number (the generic cell rate algorithm): `due`, the moment at which the bucket will be
full again. Each request moves it by one interval; a request may start as soon as `due` is at most a burst ahead.
"""

from __future__ import annotations

from typing import NamedTuple

from lib.net.policy import HostLimits

FURTHEST_S = 3600.0  # a bucket further ahead than this was not filled by us: the clock was put back


class Turn(NamedTuple):
    """`wait_s`: seconds until the request may start. `due`: the bucket's state with this request in it."""

    wait_s: float
    due: float


def reserve(due: float, now: float, limits: HostLimits) -> Turn:
    """The next request's turn. Nothing is reserved unless the caller keeps the new `due`."""
    if limits.rate_per_s is None:
        return Turn(0.0, due)
    interval_s = 1.0 / limits.rate_per_s
    if due > now + FURTHEST_S:
        due = now
    wait_s = max(0.0, due - (limits.burst - 1) * interval_s - now)
    return Turn(wait_s, max(due, now) + interval_s)
