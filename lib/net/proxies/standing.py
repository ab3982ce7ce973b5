"""What is thought of each proxy, and which one is next: decisions only. Times are epoch seconds."""

from __future__ import annotations

import random
from collections.abc import Mapping

import msgspec

_NEVER = float("-inf")


class ProxyRules(msgspec.Struct, frozen=True, kw_only=True):
    """A proof holds for `proof_s`. `failures` doubtful ones in a row, or a sure one, bring a quarantine of
    `first_rest_s`, twice as long each time until a request succeeds again, up to `max_rest_s`."""

    proof_s: float = 3_600.0
    failures: int = 3
    first_rest_s: float = 60.0
    max_rest_s: float = 6 * 3_600.0


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """`failures`: in a row. `rests`: quarantines in a row. `exit`: the address that the last proof saw."""

    used_at: float = _NEVER
    proved_until: float = _NEVER
    resting_until: float = _NEVER
    failures: int = 0
    rests: int = 0
    exit: str | None = None
    reason: str = ""


def used(state: Standing, now: float) -> Standing:
    """It was chosen."""
    return msgspec.structs.replace(state, used_at=now)


def proved(state: Standing, now: float, exit_address: str, rules: ProxyRules) -> Standing:
    """The echo endpoint saw another address than ours. Only a source's answer ends a row of failures."""
    return msgspec.structs.replace(state, proved_until=now + rules.proof_s, exit=exit_address)


def succeeded(state: Standing) -> Standing:
    """A source answered through it."""
    return msgspec.structs.replace(state, failures=0, rests=0, reason="")


def failed(state: Standing, now: float, reason: str, rules: ProxyRules, *, surely: bool) -> Standing:
    """It did not carry a request. Unless `surely`, the source may be to blame: then it has to prove itself again.

    A failure during its rest, of a request that began before, changes nothing.
    """
    if now < state.resting_until:
        return state
    failures = state.failures + 1
    if not surely and failures < rules.failures:
        return msgspec.structs.replace(state, failures=failures, proved_until=_NEVER, reason=reason)
    rest_s = min(rules.max_rest_s, rules.first_rest_s * 2.0 ** min(state.rests, 32))
    return msgspec.structs.replace(
        state, failures=0, rests=state.rests + 1, proved_until=_NEVER, resting_until=now + rest_s, reason=reason
    )


def choose(standings: Mapping[str, Standing], now: float, rng: random.Random) -> str | None:
    """The name of the proxy that was not used for longest, at random among equals; None when all rest."""
    free = [(name, state.used_at) for name, state in standings.items() if state.resting_until <= now]
    if not free:
        return None
    longest = min(used_at for _, used_at in free)
    return rng.choice(sorted(name for name, used_at in free if used_at == longest))
