"""Whether and when a request to a host may start: rate, concurrency, pauses and breaker, shared by all processes.

What the processes share is asked in one call before a request and told in one after it (`lib.net.shared`). Each
process keeps the same limits by itself as well, so that they hold when Redis is away: per process then, never none.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import redis.asyncio as aioredis
import structlog

from lib.errors import RateLimited
from lib.net.breaker import BreakerRules, Event, decide, decode, encode, lifetime_s
from lib.net.pace import reserve
from lib.net.policy import HostLimits
from lib.net.shared import Ask, SharedState, Verdict

_FRESH_S = 1.0  # for how long what was last heard of a host's breaker is taken for true
_POLL_S = (0.01, 0.1)  # between two looks for a free seat, at random, so that waiting processes do not march in step
_SOON_S = 1.0  # when to come back if all seats are taken: nobody knows
_HOSTS = 5_000
_UNLIMITED = HostLimits(rate_per_s=None, concurrency=None)


class Resting(RateLimited):
    """The host failed too often in a row: its breaker is open, or one request probes it just now."""


class _Host:
    """A host as this process knows it. `paused_until`, `due`, `heard_at` are on the process's own clock; `breaker`
    is the state's text (`lib.net.breaker.encode`) as it was last heard, empty in good standing; `era` was last heard
    at `era_at`."""

    __slots__ = ("breaker", "due", "era", "era_at", "heard_at", "paused_until", "seats", "visits")

    def __init__(self, limits: HostLimits) -> None:
        self.seats = None if limits.concurrency is None else asyncio.Semaphore(limits.concurrency)
        self.visits = 0
        self.due = float("-inf")
        self.paused_until = float("-inf")
        self.breaker = ""
        self.era = ""
        self.era_at = float("-inf")
        self.heard_at = float("-inf")

    def idle(self, now: float) -> bool:
        """Whether nothing would be lost by forgetting it."""
        return not self.visits and max(self.due, self.paused_until) <= now and not self.breaker


class Visit:
    """A granted request to `host`; hand it back with `leave`, whatever comes of it."""

    __slots__ = ("host", "lease", "seated")

    def __init__(self, host: str) -> None:
        self.host = host
        self.lease = ""  # empty: Redis does not know of this visit
        self.seated = False


class Politeness:
    """The gate before every request. Raises RateLimited when a host is not to be asked now.

    `longest_s`: how long a request may wait for its turn; whoever would wait longer is sent away at once.
    """

    def __init__(
        self,
        client: aioredis.Redis | None,
        *,
        longest_s: float,
        rules: BreakerRules,
        rng: random.Random,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._shared = SharedState(client, rng=rng, clock=clock, wall=wall)
        self._longest_s = longest_s
        self._rules = rules
        self._rng = rng
        self._clock = clock
        self._hosts: dict[str, _Host] = {}
        self._sweep_at = _HOSTS
        self._leaving: set[asyncio.Task[None]] = set()
        self._name = f"{rng.getrandbits(64):016x}"
        self._count = 0
        self._log = structlog.get_logger("fetch")

    async def aclose(self) -> None:
        """Tells Redis what is still to be told, for a few seconds at most."""
        if self._leaving:
            await asyncio.wait(self._leaving, timeout=2.0)
        await self._shared.aclose()

    async def enter(self, name: str, limits: HostLimits, hold_s: float) -> Visit:
        """Waits for the turn of a request that takes `hold_s` seconds at most. Raises RateLimited."""
        host = self._known(name, limits)
        visit = Visit(name)
        host.visits += 1
        try:
            self._check_pause(host, name)
            deadline = self._clock() + self._longest_s
            await self._sit_down(host, visit)
            wait_s = await self._turn(host, visit, limits, hold_s, deadline)
            if wait_s > 0:
                await asyncio.sleep(wait_s)
                self._check_pause(host, name)
        except BaseException:
            self.leave(visit)
            raise
        return visit

    def leave(self, visit: Visit, event: Event | None = None, pause_s: float = 0.0) -> None:
        """Ends a visit. `event`: what it says of the host's health; `pause_s`: for how long the host wants rest."""
        host = self._hosts[visit.host]
        host.visits -= 1
        if visit.seated and host.seats is not None:
            host.seats.release()
        if pause_s > 0:
            host.paused_until = max(host.paused_until, self._clock() + pause_s)
        before, host.breaker = host.breaker, self._after(host.breaker, event)
        if pause_s <= 0 and host.breaker == before:
            if visit.lease:
                self._shared.vacate(visit.host, visit.lease)
            return
        telling = asyncio.create_task(self._tell(host, visit, before, event, pause_s))
        self._leaving.add(telling)
        telling.add_done_callback(self._leaving.discard)

    def _known(self, name: str, limits: HostLimits) -> _Host:
        host = self._hosts.get(name)
        if host is None:
            if len(self._hosts) >= self._sweep_at:
                now = self._clock()
                self._hosts = {key: kept for key, kept in self._hosts.items() if not kept.idle(now)}
                self._sweep_at = max(_HOSTS, 2 * len(self._hosts))
            host = self._hosts[name] = _Host(limits)
        return host

    def _check_pause(self, host: _Host, name: str) -> None:
        left_s = host.paused_until - self._clock()
        if left_s > 0:
            raise self._not_now(f"{name} asked for a pause", left_s)

    async def _sit_down(self, host: _Host, visit: Visit) -> None:
        """Takes one of the seats that this process has at the host."""
        if host.seats is None:
            return
        if not host.seats.locked():
            await host.seats.acquire()
        else:
            try:
                async with asyncio.timeout(self._longest_s):
                    await host.seats.acquire()
            except TimeoutError as error:
                raise self._not_now(f"too many requests to {visit.host} are under way", _SOON_S) from error
        visit.seated = True

    async def _turn(self, host: _Host, visit: Visit, limits: HostLimits, hold_s: float, deadline: float) -> float:
        """Seconds to wait before the request may start."""
        limited = limits.rate_per_s is not None or limits.concurrency is not None
        while True:
            breaker = await self._pass_breaker(host, visit.host)
            if not limited and not breaker and self._clock() - host.heard_at < _FRESH_S:
                return 0.0
            if limits.concurrency is not None:
                self._count += 1
                visit.lease = f"{self._name}:{self._count}"
            era = host.era if self._clock() - host.era_at < hold_s else ""
            ask = Ask(visit.host, limits, self._longest_s, hold_s, breaker, era)
            entry = await self._shared.enter(ask, visit.lease)
            if entry is None:
                visit.lease = ""
                return self._turn_alone(host, visit.host, limits)
            host.breaker, host.heard_at = entry.breaker, self._clock()
            if entry.era:
                host.era, host.era_at = entry.era, host.heard_at
            if entry.verdict is Verdict.GO:
                host.due = reserve(host.due, self._clock(), limits).due
                return entry.wait_s
            if entry.verdict is Verdict.PAUSED:
                host.paused_until = self._clock() + entry.wait_s
                raise self._not_now(f"{visit.host} asked for a pause", entry.wait_s)
            if entry.verdict is Verdict.LATE:
                raise self._not_now(f"the rate of {visit.host} is used up", entry.wait_s)
            if entry.verdict is Verdict.FULL:
                if self._clock() > deadline:
                    raise self._not_now(f"too many requests to {visit.host} are under way", _SOON_S)
                await asyncio.sleep(self._rng.uniform(*_POLL_S))

    def _turn_alone(self, host: _Host, name: str, limits: HostLimits) -> float:
        turn = reserve(host.due, self._clock(), limits)
        if turn.wait_s > self._longest_s:
            raise self._not_now(f"the rate of {name} is used up", turn.wait_s)
        host.due = turn.due
        return turn.wait_s

    async def _pass_breaker(self, host: _Host, name: str) -> str:
        """The breaker's state in which a request may go on. Raises RateLimited when there is none."""
        while True:
            now, held = self._shared.now(), decode(host.breaker)
            decision = decide(held, Event.ASK, now, self._rules)
            if decision.admitted and decision.state == held:
                return host.breaker
            if decision.admitted:
                probing = encode(decision.state)
                if await self._change(host, name, host.breaker, probing):
                    return probing
            elif self._clock() - host.heard_at < _FRESH_S:
                raise self._not_now(f"{name} failed {held.failures} times in a row", held.until - now, Resting)
            else:
                await self._listen(host, name)

    async def _listen(self, host: _Host, name: str) -> None:
        """Hears the breaker's state from Redis, where another process may have closed it."""
        entry = await self._shared.enter(Ask(name, _UNLIMITED, 0.0, 0.0, None), "")
        host.heard_at = self._clock()
        if entry is not None:
            host.breaker = entry.breaker

    async def _change(
        self, host: _Host, name: str, before: str, wanted: str, *, lease: str = "", pause_s: float = 0.0
    ) -> bool:
        """Sets the breaker unless somebody changed it since `before`, and remembers what it is now."""
        lifetime = lifetime_s(decode(wanted), self._shared.now(), self._rules)
        told = await self._shared.leave(
            name, lease=lease, breaker=before, wanted=wanted, lifetime_s=lifetime, pause_s=pause_s
        )
        if told is None:
            host.breaker = wanted
        else:
            host.breaker, host.heard_at = told.breaker, self._clock()
        kept = told is None or told.kept
        if kept and wanted != before and (state := decode(wanted)).phase == "open":
            self._log.warning("host fails, left alone for now", host=name, failures=state.failures)
        return kept

    async def _tell(self, host: _Host, visit: Visit, before: str, event: Event | None, pause_s: float) -> None:
        """Gives the seat back and reports `event`, again on top of what others reported meanwhile."""
        wanted = self._after(before, event)
        while not await self._change(host, visit.host, before, wanted, lease=visit.lease, pause_s=pause_s):
            before = host.breaker
            wanted = self._after(before, event)
            if wanted == before:
                return

    def _after(self, held: str, event: Event | None) -> str:
        """The breaker's text after `event`. The same text when nothing changes, even one that we cannot read."""
        if event is None:
            return held
        state = decode(held)
        after = decide(state, event, self._shared.now(), self._rules).state
        return held if after == state else encode(after)

    def _not_now(self, why: str, wait_s: float, kind: type[RateLimited] = RateLimited) -> RateLimited:
        return kind(why, datetime.now(UTC) + timedelta(seconds=max(0.0, wait_s)))
