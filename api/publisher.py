"""Tells the embedding daemon, by stream, which postings were found, so that their full texts come first.

It is a hint only: the daemon reads the same from `search_request`. So nobody waits for Redis, and when Redis stays away
the oldest hints are dropped.
"""

from __future__ import annotations

import asyncio
import uuid
from collections import deque
from collections.abc import Sequence

from lib.store.connections import Cache
from lib.store.streams import Stream

STREAM = "fulltext"
_MOST_WAITING = 1_000


class Publisher:
    """`tell` never waits; `run` sends, until `close`."""

    def __init__(self, cache: Cache) -> None:
        self._stream = Stream(cache, STREAM)
        self._waiting: deque[tuple[uuid.UUID, tuple[int, ...]]] = deque(maxlen=_MOST_WAITING)
        self._told = asyncio.Event()
        self._open = True

    def tell(self, request: uuid.UUID, posting_ids: Sequence[int]) -> None:
        """These postings were found, best first."""
        if posting_ids:
            self._waiting.append((request, tuple(posting_ids)))
            self._told.set()

    async def run(self) -> None:
        """Publishes what was told, until it is closed."""
        while self._open:
            await self._told.wait()
            self._told.clear()
            while self._waiting and self._open:
                request, posting_ids = self._waiting.popleft()
                await self._stream.publish(str(request), {"posting_ids": posting_ids})

    def close(self) -> None:
        """Ends `run` after the hint in hand; the others are left to the daemon."""
        self._open = False
        self._told.set()
