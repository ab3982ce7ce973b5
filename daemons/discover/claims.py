"""Who buys what at this moment, what was bought lately, and who waits for it: in PostgreSQL, so that nothing is bought
twice however many ask, and whatever dies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import anyio

from daemons.discover.query import PROVIDERS, Provider
from lib.store.batches import Executor
from lib.store.connections import Database
from sql import statements

_SQL = statements("discover")
FRESH_S = 300.0  # the same query is not bought again for so long
REFRESH_DAYS = 7  # nor the same detail
LEASE_S = 20.0  # of a buyer that does not renew it
_RENEW_S = LEASE_S / 4


@dataclass(frozen=True)
class Seen:
    """What a query found: postings of ours, and what to ask for the page after it."""

    posting_ids: tuple[int, ...]
    next_page: str | None


@dataclass(frozen=True)
class Wanted:
    """A detail that is ours to fetch now. `round` names the request; the search that waited first pays for it."""

    posting_id: int
    round: int
    search_id: UUID
    account_id: int | None
    provider: Provider
    external_id: str
    title: str
    url: str
    board_id: int


@dataclass(frozen=True)
class Quiet:
    """A running search that told nothing for a while. `late`: it should have ended long ago; `detailed`: it waits for
    details; `dead`: its job was given up."""

    search_id: UUID
    late: bool
    detailed: bool
    dead: bool


@dataclass
class Claims:
    """The claims of one process, `owner`. `keep` renews what it works on at the moment."""

    database: Database
    owner: str
    _queries: set[bytes] = field(default_factory=set)
    _details: set[int] = field(default_factory=set)

    async def keep(self) -> None:
        """Shows without end that the owner lives."""
        while True:
            await anyio.sleep(_RENEW_S)
            if self._queries or self._details:
                await self.database.execute(
                    _SQL.renew, self.owner, LEASE_S, sorted(self._queries), sorted(self._details)
                )

    @contextmanager
    def buying(self, key: bytes) -> Iterator[None]:
        """Meanwhile, the claim of the query is renewed."""
        self._queries.add(key)
        try:
            yield
        finally:
            self._queries.discard(key)

    @contextmanager
    def fetching(self, posting_id: int) -> Iterator[None]:
        """Meanwhile, the claim of the detail is renewed."""
        self._details.add(posting_id)
        try:
            yield
        finally:
            self._details.discard(posting_id)

    async def query(self, key: bytes, search_id: UUID) -> UUID | None:
        """The search that the request is named after, when the query is ours to buy now; None while it is not."""
        named: UUID | None = await self.database.fetchval(
            _SQL.claim_query, key, search_id, self.owner, LEASE_S, FRESH_S
        )
        return named

    async def look(self, key: bytes) -> Seen | None:
        """What the query found, if it was bought lately."""
        row = await self.database.fetchrow(_SQL.look_query, key, FRESH_S)
        return None if row is None else Seen(tuple(row["posting_ids"]), row["next_page"])

    async def bought(self, key: bytes, at: datetime, seen: Seen) -> None:
        """Keeps what a query of ours found for those who ask the same."""
        await self.database.execute(_SQL.finish_query, key, self.owner, at, list(seen.posting_ids), seen.next_page)

    async def free_query(self, key: bytes) -> None:
        """Lets others begin it in their own name."""
        await self.database.execute(_SQL.free_query, key, self.owner)

    async def leave_query(self, key: bytes) -> None:
        """Lets others go on with it in the name that it has: it may have been bought."""
        await self.database.execute(_SQL.leave_query, key, self.owner)

    async def detail(self, posting_id: int) -> Wanted | None:
        """The detail, when it is ours to fetch; None where it came, nobody waits for it, or another one fetches it."""
        row = await self.database.fetchrow(_SQL.claim_detail, posting_id, self.owner, LEASE_S)
        if row is None:
            return None
        provider = next(one for one in PROVIDERS if one == row["source"])
        return Wanted(
            row["posting_id"], row["round"], row["search_id"], row["account_id"], provider, row["external_id"],
            row["title"], row["url"], row["board_id"],
        )  # fmt: skip

    async def free_detail(self, posting_id: int) -> None:
        """Lets others try."""
        await self.database.execute(_SQL.free_detail, posting_id, self.owner)


async def want_details(database: Database, search_id: UUID, posting_ids: Sequence[int], why: str | None) -> list[int]:
    """Those of these postings that have no text and may be bought: from now on the search waits for them.

    `why`: what the search could not have besides, if anything; told when it ends.
    """
    rows = await database.fetch(_SQL.want_details, search_id, list(posting_ids), REFRESH_DAYS, why)
    return [row["id"] for row in rows]


async def is_wanted(database: Database, posting_id: int) -> bool:
    """Whether a search still waits for this detail."""
    return bool(await database.fetchval(_SQL.is_wanted, posting_id))


async def settle_details(executor: Executor, outcomes: Mapping[int, str]) -> None:
    """What became of details: none of them is fetched again for REFRESH_DAYS."""
    ids = sorted(outcomes)
    await executor.execute(_SQL.settle_details, ids, [outcomes[one] for one in ids])


async def give_up(database: Database, search_id: UUID, why: str) -> None:
    """The search waits for no more details but those that are being fetched now."""
    await database.execute(_SQL.give_up, search_id, why)


async def waiting_for(database: Database, posting_ids: Sequence[int]) -> dict[UUID, bool]:
    """Running searches that wait for one of these postings -> whether nothing more is to come for them."""
    return {row["id"]: row["complete"] for row in await database.fetch(_SQL.waiting_searches, list(posting_ids))}


async def missing_details(database: Database, search_ids: Sequence[UUID]) -> list[int]:
    """What these searches still wait for and nobody fetches at the moment."""
    return [row["posting_id"] for row in await database.fetch(_SQL.missing_details, list(search_ids))]


async def count_details(database: Database, search_id: UUID) -> tuple[int, int]:
    """How many details a search waits for in all, and how many of them came."""
    row = await database.fetchrow(_SQL.details_of, search_id)
    return (row["wanted"], row["came"]) if row is not None else (0, 0)


async def spent(database: Database, search_id: UUID) -> int:
    """Credits of a search: what was settled for it."""
    return int(await database.fetchval(_SQL.spent, search_id))


async def running(database: Database, search_ids: Sequence[UUID]) -> set[UUID]:
    """Those of these searches that go on."""
    return {row["id"] for row in await database.fetch(_SQL.running, list(search_ids))}


async def forget_queries(database: Database) -> None:
    """Forgets queries of yesterday."""
    await database.execute(_SQL.forget_queries)


async def quiet_searches(database: Database, quiet_s: float, late_s: float) -> list[Quiet]:
    """Running searches that told nothing for `quiet_s`, oldest first."""
    rows = await database.fetch(_SQL.quiet_searches, quiet_s, late_s)
    return [Quiet(row["id"], row["late"], row["detailed"], row["dead"]) for row in rows]
