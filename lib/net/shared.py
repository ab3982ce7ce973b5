"""What all processes know together about a host, in Redis: its pace, the seats taken, a pause, its breaker.

One script call before a request and one after it. Every key has a lifetime. A seat is a lease as long as its request
may last at most, so the seat of a killed worker becomes free by itself. A flush would let everybody in at once: so each
host has an era, and whoever has heard of another one makes all leave the host alone for as long as a lease lasts.
While Redis is away every call answers None, and it is tried again on the usual ladder.
"""

from __future__ import annotations

import asyncio
import hashlib
import random
from collections.abc import Callable, Coroutine, Iterator, Sequence
from enum import IntEnum
from typing import Any, NamedTuple

import redis.asyncio as aioredis
import redis.exceptions
import structlog

from lib.backoff import reconnect_delays
from lib.net.pace import FURTHEST_S
from lib.net.policy import HostLimits
from lib.store.connections import lost_redis

PREFIX = "vakanz:net:"
_TIMEOUT_S = 1.0
_BATCH = 100

# The arithmetic is that of `lib.net.pace.reserve`, in milliseconds of the server's clock.
_ENTER = """
local pace, seats, breaker, pause, eras = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local interval, burst, places = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local longest, hold, known, before = tonumber(ARGV[4]), tonumber(ARGV[5]), ARGV[6], ARGV[7]
local held = redis.call('GET', breaker) or ''
if held ~= known then return {held, now, 1, 0, ''} end
local era = redis.call('GET', eras) or string.format('%.0f', now)
redis.call('SET', eras, era, 'PX', math.ceil(2 * hold) + 1000)
local left = redis.call('PTTL', pause)
if before ~= '' and before ~= era and left < hold then
  redis.call('SET', pause, 1, 'PX', hold)
  left = hold
end
if left > 0 then return {held, now, 2, left, era} end
local free, due, verdict, late = math.huge, 0, 0, 0
if places > 0 then
  redis.call('ZREMRANGEBYSCORE', seats, '-inf', now)
  free = places - redis.call('ZCARD', seats)
end
if interval > 0 then due = tonumber(redis.call('GET', pace) or 0) end
if due > now + furthest then due = now end
local waits, taken = {}, {}
for i = 8, #ARGV do
  if free <= 0 then verdict = 3 break end
  local wait = 0
  if interval > 0 then
    wait = math.max(0, due - (burst - 1) * interval - now)
    if wait > longest then verdict, late = 4, math.ceil(wait) break end
    due = math.max(due, now) + interval
  end
  free = free - 1
  waits[#waits + 1] = math.ceil(wait)
  taken[#taken + 1] = now + wait + hold
  taken[#taken + 1] = ARGV[i]
end
if #waits > 0 and interval > 0 then redis.call('SET', pace, due, 'PX', math.ceil(due - now) + 1000) end
if #waits > 0 and places > 0 then
  redis.call('ZADD', seats, unpack(taken))
  redis.call('PEXPIRE', seats, math.max(redis.call('PTTL', seats), math.ceil(taken[#taken - 1] - now)))
end
return {held, now, verdict, late, era, unpack(waits)}
"""
_VACATE = """
return redis.call('ZREM', KEYS[1], unpack(ARGV))
"""
_LEAVE = """
local seats, breaker, pause = KEYS[1], KEYS[2], KEYS[3]
local lease, known, wanted = ARGV[1], ARGV[2], ARGV[3]
local lifetime, rest = tonumber(ARGV[4]), tonumber(ARGV[5])
redis.call('ZREM', seats, lease)
if rest > 0 and rest > redis.call('PTTL', pause) then redis.call('SET', pause, 1, 'PX', rest) end
local held = redis.call('GET', breaker) or ''
if held ~= known then return {0, held} end
if wanted == '' then redis.call('DEL', breaker) elseif wanted ~= known then
  redis.call('SET', breaker, wanted, 'PX', lifetime)
end
return {1, wanted}
"""
SERVER_CLOCK = "local t = redis.call('TIME') local now = t[1] * 1000 + math.floor(t[2] / 1000)"


class Verdict(IntEnum):
    """What the host's state says to a request."""

    GO = 0
    BREAKER_CHANGED = 1
    PAUSED = 2
    FULL = 3
    LATE = 4


class Entry(NamedTuple):
    """`wait_s`: until the request may start (GO), the pause ends (PAUSED), or its turn would come (LATE).

    `era`: since when Redis knows the host; empty where it did not say.
    """

    verdict: Verdict
    wait_s: float
    breaker: str
    era: str = ""


class Exit(NamedTuple):
    """`kept`: the breaker was as expected and is now as wanted. `breaker`: what it is."""

    kept: bool
    breaker: str


class Ask(NamedTuple):
    """A wish for a turn within `longest_s` seconds, and for a seat for `hold_s` seconds after it.

    `breaker`: the state in which the caller goes on; None to be told the state without getting a turn. `era`: what was
    heard of it in the last `hold_s` seconds, else empty: if it is another one by now, Redis has forgotten who is at the
    host, which is then paused until all of those must have left.
    """

    host: str
    limits: HostLimits
    longest_s: float
    hold_s: float
    breaker: str | None
    era: str = ""


class SharedState:
    """The hosts' state in `client`, None for a process that is alone. Logs once that Redis is lost, once that it is
    back."""

    def __init__(
        self,
        client: aioredis.Redis | None,
        *,
        rng: random.Random,
        clock: Callable[[], float],
        wall: Callable[[], float],
        server_clock: str = SERVER_CLOCK,
    ) -> None:
        self._client = client
        self._rng = rng
        self._clock = clock
        self._wall = wall
        self._skew_s = 0.0
        self._enter = _Script(server_clock, _ENTER)
        self._leave = _Script(server_clock, _LEAVE)
        self._vacate = _Script("", _VACATE)
        self._asking: dict[Ask, list[tuple[str, asyncio.Future[Entry | None]]]] = {}
        self._vacating: dict[str, list[str]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._retry_at = float("-inf") if client is not None else float("inf")
        self._lost_at = float("-inf")
        self._delays: Iterator[float] | None = None  # of the outage that is going on
        self._log = structlog.get_logger("fetch")

    def now(self) -> float:
        """Epoch seconds on the clock that all share: the server's, as far as it was heard of."""
        return self._wall() + self._skew_s

    async def enter(self, ask: Ask, lease: str) -> Entry | None:
        """Asks for a turn and the seat `lease`; None while Redis is away. Requests that ask alike while a call is
        under way go together in the next one."""
        future: asyncio.Future[Entry | None] = asyncio.get_running_loop().create_future()
        queue = self._asking.get(ask)
        if queue is None:
            self._asking[ask] = [(lease, future)]
            self._spawn(self._ask_in_batches(ask))
        else:
            queue.append((lease, future))
        return await future

    def vacate(self, host: str, lease: str) -> None:
        """Gives the seat `lease` back soon, together with others of the host."""
        leases = self._vacating.get(host)
        if leases is None:
            self._vacating[host] = [lease]
            self._spawn(self._vacate_in_batches(host))
        else:
            leases.append(lease)

    async def leave(
        self, host: str, *, lease: str, breaker: str, wanted: str, lifetime_s: float, pause_s: float
    ) -> Exit | None:
        """Gives the seat back, pauses the host, changes its breaker if nobody else did; None while Redis is away."""
        answer = await self._call(
            self._leave,
            _keys(host, "seats", "breaker", "pause"),
            (lease, breaker, wanted, int(lifetime_s * 1000) + 1, int(pause_s * 1000)),
        )
        return None if answer is None else Exit(bool(answer[0]), _text(answer[1]))

    async def aclose(self) -> None:
        """Waits up to two seconds for what is still to be told."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=2.0)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _ask_in_batches(self, ask: Ask) -> None:
        queue = self._asking[ask]
        batch: list[tuple[str, asyncio.Future[Entry | None]]] = []
        try:
            while queue:
                batch = [(lease, future) for lease, future in queue[:_BATCH] if not future.done()]
                del queue[:_BATCH]
                entries = await self._ask(ask, [lease for lease, _ in batch])
                for (_, future), entry in zip(batch, entries, strict=True):
                    if not future.done():
                        future.set_result(entry)
        except BaseException as error:
            for _, future in batch + queue:  # nobody else would ever wake them
                if not future.done():
                    future.set_exception(error)
            raise
        finally:
            del self._asking[ask]

    async def _ask(self, ask: Ask, leases: list[str]) -> Sequence[Entry | None]:
        limits = ask.limits
        interval_ms = 1000.0 / limits.rate_per_s if limits.rate_per_s else 0
        known = "?" if ask.breaker is None else ask.breaker
        arguments = (interval_ms, limits.burst, limits.concurrency or 0, int(ask.longest_s * 1000))
        keys = _keys(ask.host, "pace", "seats", "breaker", "pause", "era")
        answer = await self._call(self._enter, keys, (*arguments, int(ask.hold_s * 1000), known, ask.era, *leases))
        if answer is None:
            return [None] * len(leases)
        held, now_ms, verdict, wait_ms, era, *granted = answer
        self._skew_s = now_ms / 1000 - self._wall()
        said = (_text(held), _text(era))
        rest = Entry(Verdict(verdict), wait_ms / 1000, *said)
        entries = [Entry(Verdict.GO, granted_ms / 1000, *said) for granted_ms in granted]
        return entries + [rest] * (len(leases) - len(entries))

    async def _vacate_in_batches(self, host: str) -> None:
        leases = self._vacating[host]
        try:
            while leases:
                batch = leases[:_BATCH]
                del leases[:_BATCH]
                await self._call(self._vacate, _keys(host, "seats"), tuple(batch))
        finally:
            del self._vacating[host]

    async def _call(self, script: _Script, keys: list[str], arguments: tuple[Any, ...]) -> Any:
        if self._client is None or self._clock() < self._retry_at:
            return None
        sent_at = self._clock()
        if self._delays is not None:
            self._retry_at = sent_at + _TIMEOUT_S  # one request tries, the others go on without
        try:
            async with asyncio.timeout(_TIMEOUT_S):
                answer = await script.run(self._client, keys, arguments)
        except Exception as error:
            if not isinstance(error, redis.exceptions.RedisError) and not lost_redis(error):
                raise
            self._lost(error, sent_at)
            return None
        if self._delays is not None and sent_at >= self._lost_at:
            self._delays = None
            self._retry_at = self._clock()
            self._log.info("shared limits are back")
        return answer

    def _lost(self, error: Exception, sent_at: float) -> None:
        if self._delays is None:
            self._delays = reconnect_delays(self._rng)
            reason = f"{type(error).__name__}: {error}"[:300]
            self._log.warning("shared limits are away, each process keeps them by itself", reason=reason)
        elif sent_at < self._lost_at:
            return  # one of those that were on their way when the outage was noticed
        self._lost_at = self._clock()
        self._retry_at = self._lost_at + next(self._delays)


class _Script:
    """A Lua script, sent by its digest and whole when the server does not know it (yet, or any more)."""

    def __init__(self, server_clock: str, body: str) -> None:
        self._text = f"{server_clock}\nlocal furthest = {FURTHEST_S * 1000:.0f}\n{body}"
        self._digest = hashlib.sha1(self._text.encode(), usedforsecurity=False).hexdigest()

    async def run(self, client: aioredis.Redis, keys: list[str], arguments: tuple[Any, ...]) -> Any:
        try:
            answer = await client.evalsha(self._digest, len(keys), *keys, *arguments)
        except redis.exceptions.NoScriptError:
            answer = await client.eval(self._text, len(keys), *keys, *arguments)
        return answer


def _keys(host: str, *names: str) -> list[str]:
    return [f"{PREFIX}{{{host}}}:{name}" for name in names]  # the braces keep a host's keys on one node of a cluster


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value
