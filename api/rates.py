"""How often one caller may ask: a bucket that fills evenly, shared by all processes in Redis.

What a bucket holds is one number, the moment at which it will be full again (the generic cell rate algorithm). While
Redis is away each process keeps buckets of its own, and asks Redis again after some seconds: a limit is never an error.
Fields of answers: draft-ietf-httpapi-ratelimit-headers-11, read 2026-11.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import structlog

from lib.store.connections import Cache

if TYPE_CHECKING:
    from redis.commands.core import AsyncScript

PREFIX = "vakanz:rate:"
_TIMEOUT_S = 0.5
_REST_S = 5.0
_MOST_REMEMBERED = 10_000

# The arithmetic is that of `take`, in milliseconds of the server's clock.
_TAKE = """
local t = redis.call('TIME')
local now = t[1] * 1000 + t[2] / 1000
local quota, window = tonumber(ARGV[1]), tonumber(ARGV[2])
local full = math.max(now, tonumber(redis.call('GET', KEYS[1]) or 0)) + window / quota
if full - now > window + 0.001 then return {0, tostring(full - window / quota - now)} end
redis.call('SET', KEYS[1], string.format('%.3f', full), 'PX', math.ceil(full - now) + 1000)
return {1, tostring(full - now)}
"""


@dataclass(frozen=True)
class Limit:
    """`quota` requests at once, and as many again in every `window_s` seconds, evenly."""

    name: str
    quota: int
    window_s: float

    @property
    def policy(self) -> str:
        """The value of RateLimit-Policy."""
        return f'"{self.name}";q={self.quota};w={math.ceil(self.window_s)}'


@dataclass(frozen=True)
class Grant:
    """Whether one more request may come. `full_s`: when the whole quota is there again."""

    allowed: bool
    limit: Limit
    full_s: float

    @property
    def left(self) -> int:
        """How many more may come at once."""
        return max(0, math.floor((self.limit.window_s - self.full_s) * self.limit.quota / self.limit.window_s + 1e-6))

    @property
    def retry_s(self) -> int:
        """After how many seconds one more may come, at least one."""
        interval = self.limit.window_s / self.limit.quota
        return max(1, math.ceil(self.full_s + interval - self.limit.window_s))

    def fields(self) -> dict[str, str]:
        """The fields of an answer that say so."""
        said = {
            "RateLimit-Policy": self.limit.policy,
            "RateLimit": f'"{self.limit.name}";r={self.left};t={math.ceil(self.full_s)}',
        }
        return said if self.allowed else said | {"Retry-After": str(self.retry_s)}


def take(limit: Limit, full_at: float, now: float) -> tuple[Grant, float]:
    """One request at `now` of a bucket that is full at `full_at`, both in seconds; and when it is full after that."""
    before = max(now, full_at)
    after = before + limit.window_s / limit.quota
    if after - now > limit.window_s + 1e-6:
        return Grant(False, limit, before - now), before
    return Grant(True, limit, after - now), after


class Rates:
    """The buckets of all callers. Logs once that Redis is lost, once that it is back."""

    def __init__(self, cache: Cache, clock: Callable[[], float] = time.monotonic) -> None:
        self._cache = cache
        self._clock = clock
        self._script: AsyncScript | None = None
        self._own: dict[str, float] = {}
        self._retry_at = -math.inf
        self._away = False
        self._log = structlog.get_logger("api")

    async def take(self, mark: str, limit: Limit) -> Grant:
        """Takes one request out of the bucket `mark`, if there is one."""
        answer = await self._ask(f"{PREFIX}{mark}", limit)
        if answer is not None:
            return Grant(bool(answer[0]), limit, float(answer[1]) / 1000)
        if len(self._own) >= _MOST_REMEMBERED:
            self._own.clear()
        grant, self._own[mark] = take(limit, self._own.get(mark, 0.0), self._clock())
        return grant

    async def _ask(self, key: str, limit: Limit) -> Any:
        """What Redis says, None while it is away."""
        from redis.exceptions import RedisError  # here and not above: an idle API does without these 8 MB

        if self._clock() < self._retry_at:
            return None
        if self._away:
            self._retry_at = self._clock() + _REST_S  # one request tries, the others go on without
        try:
            client = self._cache.client
            self._script = self._script or client.register_script(_TAKE)
            async with asyncio.timeout(_TIMEOUT_S):
                answer = await self._script(keys=[key], args=[limit.quota, limit.window_s * 1000], client=client)
        except (RedisError, OSError) as error:  # a time-out is an OSError
            if not self._away:
                self._log.warning("rates are kept by each process alone", reason=f"{type(error).__name__}: {error}")
            self._away, self._retry_at = True, self._clock() + _REST_S
            return None
        if self._away:
            self._away, self._retry_at = False, -math.inf
            self._log.info("rates are shared again")
        return answer
