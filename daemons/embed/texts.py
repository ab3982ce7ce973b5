"""Full-text vectors, which cost a hundred times more than a title's: discover broadly, enrich narrowly.

One encoder serves two callers: jobs of the stream (postings that came up in a match) and the follower that fills in
the rest at its own pace. They take turns by small batches, so a job waits for one batch at most.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

import anyio
import anyio.to_thread
import asyncpg
import numpy as np
from pgvector import HalfVector

from lib.match.encoder import TextEncoder
from lib.store.changes import Follower, Prepared
from lib.store.connections import Connection, Database
from sql import statements

_SQL = statements("embed")
TURN_ROWS = 8


@dataclass(frozen=True)
class FullVector:
    """A posting's text as the encoder sees it, with the hash of the text."""

    posting_id: int
    vector: HalfVector
    text_hash: bytes


class TextVectors:
    """Makes and writes full-text vectors. `load` gives the encoder, at the first text; `model` is its name."""

    def __init__(
        self, database: Database, model: str, load: Callable[[], TextEncoder], turned: Callable[[], None]
    ) -> None:
        self.model = model
        self._database = database
        self._load = load
        self._turned = turned
        self._encoder: TextEncoder | None = None
        self._turn = anyio.Lock()

    async def make(self, posting_ids: Sequence[int]) -> list[FullVector]:
        """Vectors of those of these postings that lack one."""
        rows = await self._database.fetch(_SQL.texts, list(posting_ids), self.model)
        made: list[FullVector] = []
        for start in range(0, len(rows), TURN_ROWS):
            async with self._turn:
                made += await anyio.to_thread.run_sync(self._embed, rows[start : start + TURN_ROWS])
            self._turned()
        return made

    async def write(self, connection: Connection, items: Sequence[FullVector]) -> None:
        """Writes vectors. Replaying changes nothing."""
        await connection.execute(
            _SQL.write_full_vectors, [item.posting_id for item in items], [item.vector for item in items],
            [item.text_hash for item in items], self.model,
        )  # fmt: skip

    async def settle(self, posting_ids: Sequence[int], search_ids: Sequence[UUID]) -> int:
        """Gives all of these postings their vectors, commits, notes the searches as settled; how many were made."""
        made = await self.make(posting_ids)

        async def work(connection: Connection) -> None:
            if made:
                await self.write(connection, made)
            await connection.execute(_SQL.settle_searches, list(search_ids))

        await self._database.transaction(work)
        return len(made)

    async def pending(self, older_s: float, limit: int) -> list[tuple[UUID, list[int]]]:
        """Recent searches whose results still lack vectors, oldest first."""
        rows = await self._database.fetch(_SQL.pending_searches, older_s, limit)
        return [(row["id"], row["posting_ids"]) for row in rows]

    def _embed(self, rows: Sequence[asyncpg.Record]) -> list[FullVector]:
        if self._encoder is None:
            self._encoder = self._load()
        vectors = self._encoder.encode_passages([f"{row['title']}\n{row['description_text']}" for row in rows])
        return [
            FullVector(row["id"], HalfVector(vector), row["html_hash"])
            for row, vector in zip(rows, vectors.astype(np.float16), strict=True)
        ]


class TextFold:
    """Fills in the vectors of all other texts, in the order of the change log; another model walks it anew."""

    def __init__(self, vectors: TextVectors) -> None:
        self.follower = Follower(
            "fulltext", zlib.crc32(vectors.model.encode()) >> 1, after=("text",), batch_rows=TURN_ROWS
        )
        self._vectors = vectors

    async def prepare(self, posting_ids: Sequence[int]) -> Prepared[FullVector]:
        return Prepared(await self._vectors.make(posting_ids))

    async def write(self, connection: Connection, items: Sequence[FullVector]) -> None:
        await self._vectors.write(connection, items)
