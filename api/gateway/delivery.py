"""An answer on its way, for everybody who asked for the same: it is bought once, and each sees all of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import datetime

from api.gateway.refusals import NotBought


@dataclass(frozen=True)
class Delivered:
    """A whole answer. `again`: it was bought before."""

    body: bytes
    credits: int
    bought_at: datetime
    again: bool = False


class Delivery:
    """Filled by one, followed by many. `request_id`: who asked first, and has it bought. `waiting`: how many follow it
    now."""

    def __init__(self, request_id: str) -> None:
        self.request_id = request_id
        self.waiting = 0
        self._pieces: list[bytes] = []
        self._end: Delivered | NotBought | None = None
        self._news = asyncio.Event()

    def add(self, piece: bytes) -> None:
        """The next piece of an answer that is shown while it comes."""
        self._pieces.append(piece)
        self._stir()

    def end(self, end: Delivered | NotBought) -> None:
        """The whole answer, or why there is none. The first end counts."""
        self._end = self._end or end
        self._stir()

    def _stir(self) -> None:
        news, self._news = self._news, asyncio.Event()
        news.set()

    async def whole(self, request_id: str) -> Delivered:
        """Waits for the end, as it is told to this request: only the one that has it bought is told its price. Raises
        NotBought."""
        while self._end is None:
            await self._news.wait()
        if isinstance(self._end, NotBought):
            raise self._end
        return self._end if request_id == self.request_id else replace(self._end, credits=0, again=True)

    async def begun(self) -> None:
        """Waits for the first piece or the end. Raises NotBought where there is no answer at all."""
        while self._end is None and not self._pieces:
            await self._news.wait()
        if isinstance(self._end, NotBought) and not self._pieces:
            raise self._end

    async def pieces(self) -> AsyncIterator[bytes]:
        """The pieces from the first one on; those of an answer that was bought before are one. Raises NotBought."""
        shown = 0
        while True:
            news = self._news
            while shown < len(self._pieces):
                shown += 1
                yield self._pieces[shown - 1]
            if self._end is not None and shown == len(self._pieces):
                break
            if news is self._news:
                await news.wait()
        if not shown:
            yield (await self.whole(self.request_id)).body
        await self.whole(self.request_id)
