"""How long to wait before the next try. Decisions only: nothing here sleeps."""

from __future__ import annotations

import random
from collections.abc import Iterator

RECONNECT_LADDER_S = (1.0, 2.0, 4.0, 8.0, 16.0, 30.0)


def reconnect_delays(rng: random.Random, *, jitter: float = 0.1) -> Iterator[float]:
    """Seconds before each reconnect, without end: 1, 2, 4, 8, 16, 30, 30, ..., each off by up to +-`jitter`."""
    rungs = iter(RECONNECT_LADDER_S)
    rung = RECONNECT_LADDER_S[-1]
    while True:
        rung = next(rungs, RECONNECT_LADDER_S[-1])
        yield rung * rng.uniform(1.0 - jitter, 1.0 + jitter)


def full_jitter_delays(rng: random.Random, *, first_s: float = 1.0, cap_s: float = 300.0) -> Iterator[float]:
    """Seconds before each retry, without end: uniform below a ceiling that doubles from `first_s` up to `cap_s`."""
    ceiling = first_s
    while True:
        yield rng.uniform(0.0, ceiling)
        ceiling = min(cap_s, ceiling * 2.0)
