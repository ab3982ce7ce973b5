"""Results that are kept for some minutes in Redis, by profile, for whoever asks the same again.

A result says nothing of who asked. Its key is made of the profile's hash and of whatever else decides what is found, so
that a new release, another model or another setting starts anew. Redis is never waited for long, and never needed.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import msgspec
import redis.asyncio as aioredis
import redis.exceptions
import zstandard

from lib.match.answer import Result
from lib.store.connections import Cache

_MOST_BYTES = 128 * 1024  # compressed; an answer of twenty matches has some 6 kB
_MOST_PLAIN_BYTES = 2 * 1024 * 1024
_PATIENCE_S = 0.1
_AWAY_S = 1.0
_TROUBLE = (OSError, TimeoutError, redis.exceptions.RedisError)


class KeptResults:
    """Results by the hash of their profile. `version`: whatever else decides what is found. `keep_s` 0: keeps none."""

    def __init__(self, cache: Cache, version: str, keep_s: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._cache = cache
        self._prefix = f"vakanz:match:{hashlib.sha256(version.encode()).hexdigest()[:16]}:"
        self._keep_s = keep_s
        self._clock = clock
        self._away_until = 0.0

    async def get(self, digest: bytes) -> Result | None:
        """What is kept for a profile, None where nothing is, or Redis is away."""
        kept = await self._ask(lambda client: client.get(self._key(digest)))
        return None if kept is None else _unpacked(kept)

    async def put(self, digest: bytes, result: Result) -> None:
        """Keeps a result, if Redis takes it at once and it is not too large."""
        packed = _packed(result)
        if len(packed) <= _MOST_BYTES:
            await self._ask(lambda client: client.set(self._key(digest), packed, ex=self._keep_s))

    def _key(self, digest: bytes) -> str:
        return self._prefix + digest.hex()

    async def _ask(self, work: Callable[[aioredis.Redis], Awaitable[Any]]) -> Any:
        """None while Redis is away, of which nobody asks it again for a second."""
        if self._keep_s == 0 or self._clock() < self._away_until:
            return None
        try:
            with anyio.fail_after(_PATIENCE_S):
                return await work(self._cache.client)
        except _TROUBLE:
            self._away_until = self._clock() + _AWAY_S
            return None


def _packed(result: Result) -> bytes:
    return zstandard.ZstdCompressor(level=1, write_content_size=True).compress(msgspec.msgpack.encode(result))


def _unpacked(kept: bytes) -> Result | None:
    """None for what another program put there."""
    try:
        if not 0 < zstandard.frame_content_size(kept) <= _MOST_PLAIN_BYTES:
            return None
        return msgspec.msgpack.decode(zstandard.ZstdDecompressor().decompress(kept), type=Result)
    except (zstandard.ZstdError, msgspec.MsgspecError):
        return None
