"""A crawler over the simulated market and a real database, and what the two of them say about the postings."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import anyio
import asyncpg
import msgspec
import orjson

from daemons.crawl.crawler import Crawler, Outcome
from daemons.crawl.walk import Client, Fetch
from daemons.sources import detect, source
from lib.life.fetching import simulated_key
from lib.net.breaker import BreakerRules
from lib.net.fetch import Fetcher, Sink
from lib.net.messages import Request, Response
from lib.net.policy import FetchPolicy, HostLimits
from lib.net.validators import Validators
from lib.posting import boards
from lib.posting.boards import Board
from lib.store.blobs import Blobs
from lib.store.connections import Database
from tests.sim import Market, Simulator, running
from tests.sim.market import FEW_SYSTEMS
from tests.sim.systems import SYSTEMS

Key: TypeAlias = tuple[str, str, str]  # source, tenant, external id
OPEN = ("discovered", "described")
OWNER = "tests"
SESSION = "2026-11-21T04-30-tests"
_FREE = HostLimits(rate_per_s=None, concurrency=None)


class Unhurried(random.Random):
    """Chance that always picks the lower end: no delay is waited for."""

    def uniform(self, a: float, b: float) -> float:
        return a


class Impatient:
    """The real client with a shorter time limit, for hosts that never answer."""

    def __init__(self, fetcher: Fetcher, timeout_s: float) -> None:
        self._fetcher = fetcher
        self._timeout_s = timeout_s

    async def send(self, request: Request, *, validators: Validators | None = None) -> Response:
        return await self._fetcher.send(self._hurried(request), validators=validators)

    async def download(self, request: Request, sink: Sink, *, validators: Validators | None = None) -> Response:
        return await self._fetcher.download(self._hurried(request), sink, validators=validators)

    def _hurried(self, request: Request) -> Request:
        return msgspec.structs.replace(request, timeout_s=self._timeout_s)


class Altered:
    """The real client; `alter` changes the decoded JSON of every answer on its way."""

    def __init__(self, client: Fetch, alter: Callable[[Any], None]) -> None:
        self._client = client
        self._alter = alter

    async def send(self, request: Request, *, validators: Validators | None = None) -> Response:
        response = await self._client.send(request, validators=validators)
        if response.status == 304:
            return response
        body = orjson.loads(response.body)
        self._alter(body)
        return msgspec.structs.replace(response, body=orjson.dumps(body))


@dataclass
class Scene:
    """The market, the boards as registered, and a crawler for them."""

    sim: Simulator
    database: Database
    blobs: Blobs
    tenants: dict[tuple[str, str], str]  # (source, the market's name of a board) -> our name of it
    _moved: set[tuple[str, str]] = field(default_factory=set)

    @asynccontextmanager
    async def client(self, timeout_s: float = 30.0) -> AsyncIterator[Client]:
        """The real client, whose requests all go to the simulator."""
        # A host that failed is asked again at once: what breakers do is tested with the client.
        policy = FetchPolicy(
            contact="tests", limits=_FREE, reroute=self.sim.url, breaker=BreakerRules(failures=1_000_000)
        )
        async with Fetcher(policy, key_of=simulated_key) as fetcher:
            yield Impatient(fetcher, timeout_s)

    def crawler(self, client: Client, owner: str = OWNER) -> Crawler:
        return Crawler(self.database, client, self.blobs, SESSION, owner, Unhurried(1))

    async def crawl(
        self, only: Iterable[int] | None = None, *, timeout_s: float = 30.0, fresh: bool = False
    ) -> list[Outcome]:
        """Crawls these boards, or all that have not moved, due or not. `fresh`: as if never seen before."""
        ids = (
            list(only)
            if only is not None
            else [row["id"] for row in await self.database.fetch("SELECT id FROM board WHERE state <> 'moved'")]
        )
        outcomes: list[Outcome] = []
        slots = anyio.CapacityLimiter(6)
        if fresh:
            await self.database.execute("DELETE FROM board_validator")

        async def one(board_id: int) -> None:
            async with slots:
                board = await boards.claim(self.database, OWNER, board_id)
                assert board is not None
                outcomes.append(await crawler.crawl(source(board.source), board))

        async with self.client(timeout_s) as client, anyio.create_task_group() as tasks:
            crawler = self.crawler(client)
            for board_id in ids:
                tasks.start_soon(one, board_id)
        return outcomes

    def move(self, rng: random.Random, to: str) -> None:
        """Moves the board of a company, which has not moved before, to another system."""
        able = [
            board for board in self.sim.market.boards
            if board.source in FEW_SYSTEMS and board.source != to and board.keys
            and (board.source, board.tenant) not in self._moved
        ]  # fmt: skip
        board = self.sim.market.move(rng.choice(able), to)
        self._moved.add((board.source, board.tenant))
        self.tenants[board.source, board.tenant] = _tenant_of(SYSTEMS[to].board_url(board.tenant))

    async def board(self, board_id: int) -> Board:
        row = await self.database.fetchrow("SELECT * FROM board WHERE id = $1", board_id)
        assert row is not None
        return Board.of(row)

    async def board_of(self, name: str) -> Board:
        """The largest board of a source."""
        sizes = {self._tenant(one): one["open"] for one in self.sim.market.board_list() if one["source"] == name}
        rows = await self.database.fetch("SELECT * FROM board WHERE source = $1", name)
        return max(map(Board.of, rows), key=lambda board: sizes[board.tenant])

    async def rows(self) -> dict[Key, asyncpg.Record]:
        """All postings with their texts' hashes."""
        rows = await self.database.fetch(
            "SELECT b.source, b.tenant, p.*, t.html, t.html_hash, t.raw_response_id FROM posting p"
            " JOIN board b ON b.id = p.board_id JOIN posting_text t ON t.posting_id = p.id"
        )
        return {(row["source"], row["tenant"], row["external_id"]): row for row in rows}

    async def open_keys(self) -> set[Key]:
        return {key for key, row in (await self.rows()).items() if row["state"] in OPEN}

    async def history(self) -> dict[Key, list[asyncpg.Record]]:
        """The history of every posting, oldest first."""
        rows = await self.database.fetch(
            "SELECT b.source, b.tenant, p.external_id, h.* FROM posting_history h JOIN posting p ON p.id = h.posting_id"
            " JOIN board b ON b.id = p.board_id ORDER BY h.id"
        )
        found: dict[Key, list[asyncpg.Record]] = {}
        for row in rows:
            found.setdefault((row["source"], row["tenant"], row["external_id"]), []).append(row)
        return found

    def truth(self) -> dict[Key, dict[str, Any]]:
        """What is open in the market today."""
        return {(row["source"], self._tenant(row), row["external_id"]): row for row in self.sim.market.truth()}

    def every_key(self) -> dict[int, Key]:
        """All postings there ever were, by the market's index."""
        market = self.sim.market
        found: dict[int, Key] = {}
        for number, owner in enumerate(market._owner):
            board = market.boards[owner]
            external_id = SYSTEMS[board.source].external_id(market.posting(number))
            found[number] = (board.source, self.tenants[board.source, board.tenant], external_id)
        return found

    def _tenant(self, row: dict[str, Any]) -> str:
        return self.tenants[row["source"], row["tenant"]]


@asynccontextmanager
async def scene(database: Database, folder: Path, market: Market, *, validators: bool = True) -> AsyncIterator[Scene]:
    """The simulator with all its boards registered and nothing crawled."""
    async with running(market, validators=validators) as sim:
        tenants = {(one["source"], one["tenant"]): _tenant_of(one["url"]) for one in market.board_list()}
        rows = [
            (one["source"], tenants[one["source"], one["tenant"]], one["company"], one["url"], 21_600)
            for one in market.board_list()
        ]
        await boards.add_many(database, rows)
        await boards.open_session(database, SESSION, "tests", "0")
        yield Scene(sim, database, Blobs((folder / "blobs").as_uri()), tenants)


def _tenant_of(url: str) -> str:
    found = detect(url)
    assert found is not None
    return found[1]
