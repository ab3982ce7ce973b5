"""Hosts one enricher as a follower: facts in, its own columns out, with UPDATE only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import anyio
import anyio.to_thread
import asyncpg
import msgspec
import orjson

from daemons.enrich.contract import Enricher, Facts, Finding
from lib.posting.contract import Salary
from lib.store.changes import Follower, Poison, Prepared
from lib.store.connections import Connection, Database
from sql import statements

_SQL = statements("enrich")


@dataclass(frozen=True)
class Enriched:
    """What an enricher found about a posting."""

    posting_id: int
    finding: Finding


class EnrichFold:
    """`after`: the enrichers whose columns this one reads. `turn`: shared by all folds of a process, one token.

    Threads that compute at the same time get no more done under one interpreter lock, and keep the event loop waiting
    for it: with one per shard and enricher, a process did half as much in three times the processor time.
    """

    def __init__(
        self, database: Database, enricher: Enricher, after: tuple[str, ...], turn: anyio.CapacityLimiter
    ) -> None:
        self.follower = Follower(enricher.name, enricher.version, after)
        self._database = database
        self._enricher = enricher
        self._turn = turn
        self._write: str = getattr(_SQL, f"write_{enricher.name}")

    async def prepare(self, posting_ids: Sequence[int]) -> Prepared[Enriched]:
        rows = await self._database.fetch(_SQL.facts, list(posting_ids), not self.follower.after)
        return await anyio.to_thread.run_sync(self._enrich, rows, limiter=self._turn)

    async def write(self, connection: Connection, items: Sequence[Enriched]) -> None:
        columns = [[item.finding.values.get(name) for item in items] for name in self._enricher.fields]
        provenance = [orjson.dumps(msgspec.to_builtins(item.finding.provenance)).decode() for item in items]
        await connection.execute(
            self._write, [item.posting_id for item in items], list(self._enricher.fields), provenance, *columns
        )

    def _enrich(self, rows: Sequence[asyncpg.Record]) -> Prepared[Enriched]:
        items: list[Enriched] = []
        poison: list[Poison] = []
        for row in rows:
            try:
                items.append(Enriched(row["id"], self._enricher.enrich(facts(row))))
            except Exception as error:  # noqa: BLE001 - whatever a posting does to an enricher, its neighbours go on
                poison.append(Poison(row["id"], f"{type(error).__name__}: {error}"))
        return Prepared(items, poison)


def facts(row: asyncpg.Record) -> Facts:
    """The facts in a row of the statement `facts`."""
    stated = row["stated"]
    salary = stated.get("salary")
    return Facts(
        id=row["id"],
        title=row["title"],
        company=row["company"],
        html=row["html"],
        text=row["description_text"],
        places=tuple(row["places"]),
        country=stated.get("country"),
        remote=stated.get("remote"),
        employment_type=stated.get("employment_type"),
        language=stated.get("language"),
        teaser=stated.get("teaser"),
        salary=None if salary is None else msgspec.convert(salary, Salary),
        department=stated.get("department"),
    )
