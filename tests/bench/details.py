"""Description shards: details fetched, kept, parsed and written, beside a bare client that only fetches the pages."""

from __future__ import annotations

import random
from contextlib import AsyncExitStack
from functools import partial

import aiohttp
import anyio

from daemons.crawl.crawler import Crawler
from daemons.descriptions.fold import DescriptionFold, Result
from daemons.sources import SOURCES, source
from lib.life.config import Config
from lib.life.domains import SHARDS
from lib.life.fetching import fetcher
from lib.posting import boards
from lib.posting.contract import DetailSource
from lib.store.blobs import Blobs
from lib.store.changes import Following
from lib.store.connections import Cache, Database
from tests.bench.lab import SESSION, Lab, Played, Saved, empty, played_boards, register, simulator
from tests.bench.rows import Row, Target, in_turns, stopwatch

_POSTINGS = 2_000
_LATENCY_MS = 50.0
_SYSTEMS = 5  # played in turn by the simulated market; one of them has details
_OPEN = """
SELECT b.tenant, p.external_id, p.url FROM posting p JOIN board b ON b.id = p.board_id WHERE p.state = 'discovered'
"""


async def measure(lab: Lab) -> list[Row]:
    """The row `description shards`, with a market as far away as real ones are, and once more on this machine.

    Without any distance the bound is how fast two Python processes can talk, which no work at all could be half of.
    """
    return [
        await _measured(lab, _LATENCY_MS, Target(">=", 0.5), f"answers come after {_LATENCY_MS:.0f} ms"),
        await _measured(lab, 0.0, None, "answers come at once"),
    ]


async def _measured(lab: Lab, latency_ms: float, target: Target | None, distance: str) -> Row:
    with simulator(lab.count(_POSTINGS) * _SYSTEMS, latency_ms) as url:
        config = lab.config(lab.servers.dsn, url)
        played = await played_boards(url, *(name for name, one in SOURCES.items() if isinstance(one, DetailSource)))
        saved = await Saved.lists(config, played)
        async with lab.template(partial(_list, lab, played, saved)) as template:
            async with lab.clone(template) as dsn, Database(dsn) as database:
                asked = [(row["tenant"], row["external_id"], row["url"]) for row in await database.fetch(_OPEN)]
            bare = partial(_bare, config, played[0].source, asked)
            await bare()  # the market draws each page once, and not on anybody's time
            figures, bounds = await in_turns(lab.rounds, partial(_ours, lab, config, template, len(asked)), bare)
    return Row.of_rounds(
        figures, bounds, name=f"description shards, {distance}", unit="details/s", target=target,
        bound="bare aiohttp client",
        n=f"{len(asked):,} details, {SHARDS} shards in one process, {config.detail_concurrency} at a time each",
    )  # fmt: skip


async def _list(lab: Lab, played: list[Played], saved: Saved, database: Database) -> None:
    """Crawls the lists, so that their postings wait for their details."""
    await register(database, played)
    blobs = Blobs((lab.folder / "listed").as_uri())
    crawler = Crawler(database, saved, blobs, SESSION, "bench", random.Random(1))
    for board in await boards.claim_due(database, "bench", len(played), []):
        await crawler.crawl(source(board.source), board)


async def _ours(lab: Lab, config: Config, template: str, expected: int) -> float:
    folder = lab.folder / "details"
    async with AsyncExitStack() as stack:
        dsn = await stack.enter_async_context(lab.clone(template))
        database = await stack.enter_async_context(Database(dsn))
        cache = await stack.enter_async_context(Cache(config.redis_url))
        client = await stack.enter_async_context(fetcher(config, cache))
        fold = DescriptionFold(
            database, client, Blobs(folder.as_uri()), SOURCES, SESSION, config.detail_refresh_days,
            config.detail_concurrency, random.Random(1), lambda: None,
        )  # fmt: skip
        followings = [Following(database, fold, shard, "bench") for shard in range(SHARDS)]
        for following in followings:
            await following.join()

        async def follow(following: Following[Result]) -> None:
            while await following.step():
                pass

        with stopwatch() as watch:
            async with anyio.create_task_group() as tasks:
                for following in followings:
                    tasks.start_soon(follow, following)
        described = await database.fetchval("SELECT count(*) FROM posting WHERE state = 'described'")
    empty(folder)
    if described != expected:
        raise RuntimeError(f"{described} of {expected} postings were described")
    return expected / watch.seconds


async def _bare(config: Config, name: str, asked: list[tuple[str, str, str]]) -> float:
    details = SOURCES[name]
    assert isinstance(details, DetailSource)
    requests = [details.detail_request(*one) for one in asked]
    waiting = list(reversed(requests))
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(config.simulator, connector=connector) as session:

        async def fetch() -> None:
            while waiting:
                request = waiting.pop()
                _, _, address = request.url.partition("://")
                host, _, path = address.partition("/")
                async with session.get(f"/{path}", params=request.params, headers={"Host": host}) as answer:
                    answer.raise_for_status()
                    await answer.read()

        with stopwatch() as watch:
            async with anyio.create_task_group() as tasks:
                for _ in range(SHARDS * config.detail_concurrency):
                    tasks.start_soon(fetch)
    return len(requests) / watch.seconds
