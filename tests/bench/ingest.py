"""Ingest and re-crawl: from a fetched answer's bytes to committed rows, beside a replay of the same statements, a bare
COPY, and a Scrapy spider whose pipeline inserts item by item."""

from __future__ import annotations

import random
import statistics
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import anyio
import anyio.lowlevel
import asyncpg
import orjson

from daemons.crawl.crawler import Crawler
from daemons.crawl.walk import Fetch
from daemons.sources import source
from lib.life.config import Config
from lib.life.fetching import fetcher
from lib.posting import boards
from lib.store.blobs import Blobs
from lib.store.connections import Cache, Connection, Database
from sql import statements
from tests.bench.lab import REPOSITORY, SESSION, Lab, Saved, empty, environment, played_boards, register, simulator
from tests.bench.rows import Row, Target, in_turns, stopwatch

_POSTINGS = 3_000
_OWNER = "bench"
_CONNECTIONS = 10  # of a daemon's pool
_INGEST = statements("postings").ingest
_COLUMNS = (
    "external_id text, content_hash bytea, title text, company text, url text, apply_url text, places text, "
    "stated text, posted_at timestamptz, valid_through timestamptz, html text, html_hash bytea, raw_id bigint"
)


@dataclass
class _Script:
    """What a crawl of one board sent to PostgreSQL: statements with their arguments, in order."""

    steps: list[tuple[str, tuple[Any, ...]]] = field(default_factory=list)

    def rows(self) -> list[tuple[Any, ...]]:
        """The rows that its batches ingested."""
        ingested = [arguments for statement, arguments in self.steps if statement == _INGEST]
        return [row for arguments in ingested for row in zip(*arguments[4:], strict=True)]


@dataclass(frozen=True)
class _Market:
    """A market whose lists were saved, and a database that knows its boards but no posting."""

    lab: Lab
    template: str
    config: Config
    boards: int
    saved: Saved


async def measure(lab: Lab) -> list[Row]:
    """Rows `ingest`, `re-crawl` and `ingest over HTTP`."""
    count = lab.count(_POSTINGS)
    with simulator(count) as url:
        played = await played_boards(url)
        async with lab.template(partial(register, played=played)) as template:
            config = lab.config(lab.servers.dsn, url)
            market = _Market(lab, template, config, len(played), await Saved.lists(config, played))
            return [*await _ingest(market, count), await _over_http(market, count)]


async def _ingest(market: _Market, count: int) -> list[Row]:
    scripts = await _recorded(market)
    again: list[float] = []

    async def ours() -> float:
        async with market.lab.clone(market.template) as dsn, _Crawls(market, dsn, market.saved) as crawls:
            with stopwatch() as first:
                seen = await crawls.all()
            with stopwatch() as second:
                await crawls.all()
            again.append(seen / second.seconds)
            return seen / first.seconds

    figures, bounds, copies = await in_turns(
        market.lab.rounds, ours, partial(_replayed, market, scripts), partial(_copied, market, scripts)
    )
    n = f"{count:,} postings on {market.boards} boards, {market.config.crawl_concurrency} at a time"
    return [
        Row.of_rounds(
            figures, bounds, name="ingest of new postings", unit="postings/s", n=n, target=Target(">=", 0.5),
            bound="replay of its own SQL",
            beside={"bare COPY into an unindexed table": statistics.median(copies),
                    "ratio to that COPY": statistics.median(figures) / statistics.median(copies)},
        ),
        Row.of_rounds(
            again, figures, name="re-crawl of unchanged boards", unit="postings/s", n=n, target=Target(">=", 5.0),
            bound="ingest",
        ),
    ]  # fmt: skip


async def _over_http(market: _Market, count: int) -> Row:
    async def ours() -> float:
        async with AsyncExitStack() as stack:
            dsn = await stack.enter_async_context(market.lab.clone(market.template))
            cache = await stack.enter_async_context(Cache(market.config.redis_url))
            client = await stack.enter_async_context(fetcher(market.config, cache))
            crawls = await stack.enter_async_context(_Crawls(market, dsn, client))
            with stopwatch() as watch:
                seen = await crawls.all()
            return seen / watch.seconds

    async def scrapy() -> float:
        async with market.lab.clone(market.template) as dsn:
            command = [sys.executable, "-m", "tests.bench.spider", market.config.simulator, dsn]
            done = await anyio.run_process(command, cwd=REPOSITORY, env=environment(), stderr=None)
            said = orjson.loads(done.stdout.splitlines()[-1])
            if said["items"] != count:
                raise RuntimeError(f"Scrapy stored {said['items']} of {count} postings")
            return float(said["items"] / said["seconds"])

    figures, bounds = await in_turns(market.lab.rounds, ours, scrapy)
    return Row.of_rounds(
        figures, bounds, name="ingest over HTTP", unit="postings/s", target=Target(">=", 5.0),
        bound="Scrapy, one INSERT per item", n=f"{count:,} postings on {market.boards} boards, one process each",
    )  # fmt: skip


class _Crawls:
    """Crawls all boards of a database as the daemon does."""

    def __init__(self, market: _Market, dsn: str, fetch: Fetch, connections: int = _CONNECTIONS) -> None:
        self._slots = anyio.CapacityLimiter(market.config.crawl_concurrency)
        self._blobs = market.lab.folder / "blobs"
        self._connections = connections
        self.boards = range(1, market.boards + 1)
        self.database = Database(dsn, size=connections)
        self._crawler = Crawler(
            self.database, fetch, Blobs(self._blobs.as_uri()), SESSION, _OWNER, random.Random(1)
        )  # fmt: skip

    async def __aenter__(self) -> _Crawls:
        await self.database.__aenter__()
        async with anyio.create_task_group() as tasks:  # a daemon's connections are open already
            for _ in range(self._connections):
                tasks.start_soon(self.database.fetchval, "SELECT pg_sleep(0.1)")
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.database.__aexit__(None, None, None)
        empty(self._blobs)

    async def one(self, board_id: int) -> int:
        """Crawls one board and returns how many postings it lists."""
        board = await boards.claim(self.database, _OWNER, board_id)
        assert board is not None  # nobody else is here
        outcome = await self._crawler.crawl(source(board.source), board)
        if outcome.error is not None:
            raise RuntimeError(f"{board.tenant}: {outcome.error}")
        return outcome.seen

    async def all(self) -> int:
        """Crawls all boards, some at a time, and returns how many postings they list."""
        seen: list[int] = []

        async def crawl(board_id: int) -> None:
            async with self._slots:
                seen.append(await self.one(board_id))

        async with anyio.create_task_group() as tasks:
            for board_id in self.boards:
                tasks.start_soon(crawl, board_id)
        return sum(seen)


async def _recorded(market: _Market) -> list[_Script]:
    """What crawling sends to PostgreSQL, board by board, taken down in a crawl that is not timed."""
    scripts: list[_Script] = []

    def log(query: Any) -> None:
        if query.query != reset:
            scripts[-1].steps.append((query.query, tuple(query.args)))

    async def listen(connection: Connection) -> str:
        connection.add_query_logger(log)
        return str(connection.get_reset_query())

    async with market.lab.clone(market.template) as dsn, _Crawls(market, dsn, market.saved, connections=1) as crawls:
        scripts.append(_Script())
        reset = ""
        reset = await crawls.database.transaction(listen)
        await anyio.lowlevel.checkpoint()
        scripts.clear()
        for board_id in crawls.boards:
            scripts.append(_Script())
            await crawls.one(board_id)
            await anyio.lowlevel.checkpoint()  # the log's last entries are delivered by the event loop
    return scripts


async def _replayed(market: _Market, scripts: Sequence[_Script]) -> float:
    """Postings per second when nothing is done but to send the recorded statements."""
    waiting = list(reversed(scripts))

    async def work(connection: asyncpg.Connection[asyncpg.Record]) -> None:
        while waiting:
            for statement, arguments in waiting.pop().steps:
                if arguments:
                    await connection.fetch(statement, *arguments)
                else:
                    await connection.execute(statement)

    rows = sum(len(script.rows()) for script in scripts)
    async with market.lab.clone(market.template) as dsn:
        connections = [await asyncpg.connect(dsn) for _ in range(_CONNECTIONS)]
        with stopwatch() as watch:
            async with anyio.create_task_group() as tasks:
                for connection in connections:
                    tasks.start_soon(work, connection)
        stored = await connections[0].fetchval("SELECT count(*) FROM posting")
        for connection in connections:
            await connection.close()
    if stored != rows:
        raise RuntimeError(f"the replay stored {stored} of {rows} postings")
    return rows / watch.seconds


async def _copied(market: _Market, scripts: Sequence[_Script]) -> float:
    """Postings per second when the same rows are copied into a table without any index."""
    rows = [row for script in scripts for row in script.rows()]
    async with market.lab.clone(market.template) as dsn:
        connection = await asyncpg.connect(dsn)
        await connection.execute(f"CREATE TABLE bare ({_COLUMNS})")
        with stopwatch() as watch:
            await connection.copy_records_to_table("bare", records=rows)
        await connection.close()
    return len(rows) / watch.seconds
