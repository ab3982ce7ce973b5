"""The gate of a rollout: whether everything on a server is well, and stays so for several looks in a row."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, replace

import aiohttp
import anyio

from keeper.fleet.daemons import Daemon, ailment

LOOKS = 4
LOOK_S = 1.5
_ANSWER_S = 5.0


@dataclass(frozen=True)
class Sign:
    """What one look shows of a unit: its process, and what is wrong with it; None: nothing is."""

    pid: int | None
    ailment: str | None


Look = Callable[[], Awaitable[Mapping[str, Sign]]]


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What keeps the gate closed, by unit; nothing: it opens. `seconds`: how long that took."""

    reasons: Mapping[str, str]
    seconds: float


class Steadiness:
    """Counts the looks at which a unit was well in one and the same process; a crash loop never gets far."""

    def __init__(self, looks: int = LOOKS) -> None:
        self._looks = looks
        self._rows: dict[str, tuple[int | None, int]] = {}

    def see(self, signs: Mapping[str, Sign]) -> dict[str, str]:
        """Takes a look into account; why units are not known to be well yet."""
        reasons = {}
        for unit, sign in signs.items():
            pid, times = self._rows.get(unit, (None, 0))
            if sign.ailment is not None:
                times = 0
                reasons[unit] = sign.ailment
            else:
                times = times + 1 if pid == sign.pid else 1
                if times < self._looks:
                    reasons[unit] = "well, but not for long enough" if times == 1 else "about to be well"
            self._rows[unit] = (sign.pid, times)
        return reasons


def signs(
    wanted: Mapping[str, str], daemons: Mapping[str, Daemon], version: str | None, deaf: Mapping[str, str]
) -> dict[str, Sign]:
    """What a look shows of the units in `wanted` (their hosts). `deaf`: why API units do not answer."""
    found = {}
    for unit, host in wanted.items():
        daemon = daemons.get(unit)
        sign = Sign(None if daemon is None else daemon.pid, ailment(daemon, host, version))
        found[unit] = replace(sign, ailment=deaf[unit]) if sign.ailment is None and unit in deaf else sign
    return found


async def deaf(addresses: Mapping[str, str]) -> dict[str, str]:
    """Which API units do not answer requests at their addresses, and why."""
    found: dict[str, str] = {}

    async def ask(session: aiohttp.ClientSession, unit: str, address: str) -> None:
        try:
            async with session.get(f"{address}/readyz") as response:
                if response.status != 200:
                    found[unit] = f"{address}/readyz answers {response.status}"
        except (aiohttp.ClientError, TimeoutError) as error:
            found[unit] = f"{address} does not answer: {str(error) or type(error).__name__}"

    timeout = aiohttp.ClientTimeout(total=_ANSWER_S)
    async with aiohttp.ClientSession(timeout=timeout) as session, anyio.create_task_group() as tasks:
        for unit, address in addresses.items():
            tasks.start_soon(ask, session, unit, address)
    return found


async def settle(look: Look, units: Iterable[str], within_s: float, pause_s: float = LOOK_S) -> Verdict:
    """Looks until all of `units` are well, for `within_s` seconds at most."""
    steadiness = Steadiness()
    began = time.monotonic()
    reasons = dict.fromkeys(units, "nobody knows: the database does not answer")
    with anyio.move_on_after(within_s):
        while reasons:
            reasons = steadiness.see(await look())
            if reasons:
                await anyio.sleep(pause_s)
    return Verdict(reasons=reasons, seconds=time.monotonic() - began)
