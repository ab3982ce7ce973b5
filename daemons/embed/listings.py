"""Listing vectors: the title as the static table sees it, with copies of what matches filter on.

Equal titles share one vector.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import anyio
import anyio.to_thread
import asyncpg
import numpy as np
from pgvector import HalfVector

from lib.match.encoder import TitleEncoder
from lib.match.facets import read_facets
from lib.store.changes import Follower, Prepared
from lib.store.connections import Connection, Database
from sql import statements

_SQL = statements("embed")
_LIMITED = ("country_code", "language", "remote", "employment", "salary_eur")
ENRICHERS = ("text", "place", "salary", "employment")


@dataclass(frozen=True)
class ListingVector:
    """What goes into a posting's vector row; `vector` is None for a posting that is not open.

    `facets`: country, language, remote, employment, a year's pay in EUR, level, skills as lines.
    """

    posting_id: int
    vector: HalfVector | None
    facets: tuple[Any, ...]


async def write_listings(connection: Connection, items: Sequence[ListingVector]) -> None:
    """Writes what is new of them, idempotently."""
    facets = [list(column) for column in zip(*(item.facets for item in items), strict=True)]
    await connection.execute(
        _SQL.write_listings, [item.posting_id for item in items], [item.vector for item in items], *facets
    )


class ListingFold:
    """Embeds the titles of changed postings, after the enrichers. `load` gives the encoder, at the first batch."""

    follower = Follower("embed", 3, after=ENRICHERS)

    def __init__(self, database: Database, load: Callable[[], TitleEncoder]) -> None:
        self._database = database
        self._load = load
        self._encoder: TitleEncoder | None = None
        self._turn = anyio.CapacityLimiter(1)  # shards share the encoder: it is loaded once, and used by one thread

    async def prepare(self, posting_ids: Sequence[int]) -> Prepared[ListingVector]:
        rows = await self._database.fetch(_SQL.titles, list(posting_ids))
        return Prepared(await anyio.to_thread.run_sync(self._embed, rows, limiter=self._turn))

    async def write(self, connection: Connection, items: Sequence[ListingVector]) -> None:
        await write_listings(connection, items)

    def _embed(self, rows: Sequence[asyncpg.Record]) -> list[ListingVector]:
        if self._encoder is None:
            self._encoder = self._load()
        vectors = self._encoder.encode([row["title"] for row in rows]).astype(np.float16)
        return [
            ListingVector(
                row["id"],
                HalfVector(vector) if row["open"] else None,
                (*(row[name] for name in _LIMITED), *_compared(row["title"], row["description_text"])),
            )
            for row, vector in zip(rows, vectors, strict=True)
        ]


def _compared(title: str, text: str | None) -> tuple[str | None, str | None]:
    """What a match compares: the level, and the skills as lines."""
    facets = read_facets(title, text)
    return facets.seniority, None if facets.skills is None else "\n".join(facets.skills)
