"""The month's figures in Redis, for whoever only wants to know whether anything is left.

They are a few seconds old at most, and made anew from PostgreSQL when they are lost. Nothing is ever bought because of
them: that is what `lib.spend.ledger` decides.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import anyio
import msgspec
import redis.asyncio as aioredis
import redis.exceptions

from lib.store.connections import Cache, Database
from sql import statements

_SQL = statements("credits")
_KEY = "vakanz:credits:"
_FRESH_S = 2
_PATIENCE_S = 0.1
_AWAY = (OSError, TimeoutError, redis.exceptions.RedisError)


@dataclass(frozen=True)
class Figures:
    """Credits of one month."""

    granted: int
    used: int
    reserved: int

    @property
    def left(self) -> int:
        """Neither used nor reserved."""
        return max(0, self.granted - self.used - self.reserved)


def _now() -> datetime:
    return datetime.now(UTC)


class Mirror:
    """The figures as a reader sees them. `monthly`: what a month has that nobody has used yet."""

    def __init__(self, database: Database, cache: Cache, monthly: int, clock: Callable[[], datetime] = _now) -> None:
        self._database = database
        self._cache = cache
        self._monthly = monthly
        self._clock = clock

    async def spent(self) -> bool:
        """Whether nothing of this month's credits is left, as far as is known."""
        return (await self.figures()).left == 0

    async def figures(self) -> Figures:
        """Those of this month: from Redis, or from PostgreSQL where Redis lost them or is away."""
        now = self._clock().astimezone(UTC)
        key = f"{_KEY}{now:%Y-%m}"
        kept = await self._ask(lambda client: client.get(key))
        if kept is not None:
            with suppress(msgspec.MsgspecError):  # what another program put there is written over
                return msgspec.json.decode(kept, type=Figures)
        row = await self._database.fetchrow(_SQL.mirrored, now)
        figures = Figures(self._monthly, 0, 0) if row is None else Figures(**row)
        await self._ask(lambda client: client.set(key, msgspec.json.encode(figures), ex=_FRESH_S))
        return figures

    async def _ask(self, work: Callable[[aioredis.Redis], Awaitable[Any]]) -> Any:
        """None while Redis is away, which nobody waits for."""
        try:
            with anyio.fail_after(_PATIENCE_S):
                return await work(self._cache.client)
        except _AWAY:
            return None
