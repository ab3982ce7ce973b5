"""Tells daemons by stream what searches ask of them: which postings were found, so that their full texts are embedded
first, and which searches go on live.

These are hints only: the daemons read the same from `search_request`. So nobody waits for Redis, and when Redis stays
away the oldest hints are dropped.
"""

from __future__ import annotations

import asyncio
import uuid
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

from lib.store.connections import Cache
from lib.store.streams import Stream

FULLTEXT, DISCOVERY = "fulltext", "discovery"
_MOST_WAITING = 1_000


class Publisher:
    """`found` and `goes_on` never wait; `run` sends, until `close`."""

    def __init__(self, cache: Cache) -> None:
        self._streams = {name: Stream(cache, name) for name in (FULLTEXT, DISCOVERY)}
        self._waiting: deque[tuple[str, uuid.UUID, Mapping[str, Any]]] = deque(maxlen=_MOST_WAITING)
        self._told = asyncio.Event()
        self._open = True

    def found(self, search: uuid.UUID, posting_ids: Sequence[int]) -> None:
        """These postings were found, best first."""
        if posting_ids:
            self._tell(FULLTEXT, search, {"posting_ids": tuple(posting_ids)})

    def goes_on(self, search: uuid.UUID) -> None:
        """This search wants live results."""
        self._tell(DISCOVERY, search, {})

    def _tell(self, stream: str, search: uuid.UUID, payload: Mapping[str, Any]) -> None:
        self._waiting.append((stream, search, payload))
        self._told.set()

    async def run(self) -> None:
        """Publishes what was told, until it is closed."""
        while self._open:
            await self._told.wait()
            self._told.clear()
            while self._waiting and self._open:
                told, self._waiting = self._waiting, deque(maxlen=_MOST_WAITING)
                for name, stream in self._streams.items():
                    await stream.publish_many({str(search): payload for to, search, payload in told if to == name})

    def close(self) -> None:
        """Ends `run` after the hints in hand; the others are left to the daemons."""
        self._open = False
        self._told.set()
