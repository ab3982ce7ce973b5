"""A circuit breaker per host: who keeps failing is left alone for a while, then asked by one request only.

Only decisions: the state lives where all processes see it (`lib.net.politeness`), and time is an argument.
"""

from __future__ import annotations

from enum import Enum
from typing import Literal, NamedTuple

import msgspec


class Event(Enum):
    """What happens to a host, as its breaker sees it. A 404, 410 or 429 is an answer, hence a success."""

    ASK = "ask"
    SUCCESS = "success"
    FAILURE = "failure"


class BreakerRules(msgspec.Struct, frozen=True, kw_only=True):
    """`failures` in a row open the breaker for `first_open_s`, twice as long after each failed probe, up to
    `max_open_s`. A probe without a result within `probe_s` counts as lost, and another one is let through."""

    failures: int = 5
    first_open_s: float = 15.0
    max_open_s: float = 600.0
    probe_s: float = 60.0


class Breaker(msgspec.Struct, frozen=True, array_like=True):
    """`failures`: in a row while closed. `openings`: in a row without a success. `until` (epoch seconds): when an
    open breaker lets a probe through, or when a half-open one gives its probe up."""

    phase: Literal["closed", "open", "half_open"] = "closed"
    failures: int = 0
    openings: int = 0
    until: float = 0.0


CLOSED = Breaker()


class Decision(NamedTuple):
    """The state after the event; `admitted` says whether an ASK may go on (always true for other events)."""

    state: Breaker
    admitted: bool


def decide(state: Breaker, event: Event, now: float, rules: BreakerRules = BreakerRules()) -> Decision:  # noqa: B008 -- frozen
    """What `event` at `now` (epoch seconds) does to `state`. Late news of earlier requests leave an open one open."""
    if event is Event.ASK:
        return _asked(state, now, rules)
    if state.phase == "open":
        return Decision(state, True)
    if event is Event.SUCCESS:
        return Decision(CLOSED, True)
    failures = state.failures + 1
    if state.phase == "closed" and failures < rules.failures:
        return Decision(Breaker("closed", failures), True)
    open_s = min(rules.max_open_s, rules.first_open_s * 2.0 ** min(state.openings, 32))
    return Decision(Breaker("open", failures, state.openings + 1, now + open_s), True)


def _asked(state: Breaker, now: float, rules: BreakerRules) -> Decision:
    if state.phase == "closed":
        return Decision(state, True)
    longest = rules.max_open_s if state.phase == "open" else rules.probe_s
    if now < state.until <= now + longest:  # further ahead than ever set: a clock was put back, do not wait for it
        return Decision(state, False)
    return Decision(Breaker("half_open", state.failures, state.openings, now + rules.probe_s), True)


def lifetime_s(state: Breaker, now: float, rules: BreakerRules) -> float:
    """How long `state` is worth keeping: a host that nobody asks any more is forgotten."""
    return max(0.0, state.until - now) + rules.max_open_s


def encode(state: Breaker) -> str:
    """`state` as text that is equal exactly when states are; a host in good standing is the empty string."""
    return "" if state == CLOSED else msgspec.json.encode(state).decode()


def decode(text: str | bytes) -> Breaker:
    """The state in `text`. Text that is no state (written by another version) reads as closed."""
    try:
        return msgspec.json.decode(text, type=Breaker) if text else CLOSED
    except msgspec.DecodeError:
        return CLOSED
