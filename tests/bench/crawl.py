"""A crawl of 2,000 boards by the crawl daemon's own loop, beside a bare client that sends the same requests.

The bound fetches and forgets: the very requests that a crawl sent, as many at a time, from a process like the
crawler's. The simulated market and PostgreSQL share the machine's cores with both.
"""

from __future__ import annotations

import random
import statistics
from collections.abc import Sequence
from contextlib import AsyncExitStack
from functools import partial

import aiohttp
import anyio

from daemons.crawl.actor import serve
from daemons.crawl.crawler import Crawler
from daemons.crawl.groups import GROUPS
from daemons.sources import SOURCES, source
from lib.life.actor import Life
from lib.life.config import Config
from lib.life.fetching import simulated_key
from lib.net.fetch import Fetcher
from lib.net.policy import FetchPolicy, HostLimits
from lib.net.redirects import Hop
from lib.net.route import Direct, Opening
from lib.posting import boards
from lib.store.blobs import Blobs
from lib.store.connections import Cache, Database
from tests.bench.lab import SESSION, Lab, empty, played_boards, register, simulator
from tests.bench.rows import Row, Target, in_turns, stopwatch
from tests.sim.systems import SYSTEMS

_POSTINGS = 60_000
_POSTINGS_PER_BOARD = 30
_LATENCY_MS = 50.0


async def measure(lab: Lab) -> list[Row]:
    """A first crawl and one that finds nothing new, of a market as far away as real ones are, and of a near one.

    Without any distance the bound is how fast two Python processes can talk: about 0.1 ms a request, in which nothing
    can be read, kept and written. The figures are there, a target is not.
    """
    return [
        *await _measured(lab, _LATENCY_MS, Target("<=", 3), f"answers come after {_LATENCY_MS:.0f} ms"),
        *await _measured(lab, 0.0, None, "answers come at once"),
    ]


async def _measured(lab: Lab, latency_ms: float, target: Target | None, distance: str) -> list[Row]:
    count = lab.count(_POSTINGS)
    systems = sorted(SOURCES.keys() & SYSTEMS.keys())
    with simulator(count, latency_ms, companies=count // _POSTINGS_PER_BOARD, systems=systems) as url:
        config = lab.config(lab.servers.dsn, url)
        played = await played_boards(url)
        again: list[float] = []
        async with lab.template(partial(register, played=played)) as template:
            hops = await _recorded(lab, template, config)
            bare = partial(_bare, config, hops)
            figures, bounds = await in_turns(
                lab.rounds, partial(_ours, lab, config, template, len(played), count, again), bare
            )
    n = f"{len(played):,} boards, {count:,} postings, {len(hops):,} requests, {distance}"
    said = {"unit": "s", "n": n, "bound": "s for a bare aiohttp client", "target": target}
    return [
        Row.of_rounds(
            figures, bounds, name="first crawl of a market", beside={"postings/s": count / statistics.median(figures)},
            **said,
        ),
        Row.of_rounds(
            again, bounds, name="crawl of the same market again",
            beside={"postings/s": count / statistics.median(again)}, **said,
        ),
    ]  # fmt: skip


async def _ours(lab: Lab, config: Config, template: str, expected: int, postings: int, again: list[float]) -> float:
    """Seconds for all boards, which are all due at once; `again` gets those for the same lists a second time."""
    async with AsyncExitStack() as stack:
        dsn = await stack.enter_async_context(lab.clone(template))
        database = await stack.enter_async_context(Database(dsn))
        cache = await stack.enter_async_context(Cache(config.redis_url))
        first = await _served(config, database, cache, expected)
        stored = await database.fetchval("SELECT count(*) FROM posting WHERE closed_at IS NULL")
        if stored != postings:
            raise RuntimeError(f"{stored} of {postings} postings were stored")
        await database.execute("UPDATE board SET next_due = now()")
        again.append(await _served(config, database, cache, expected))
    empty(lab.folder / "home")
    return first


async def _served(config: Config, database: Database, cache: Cache, expected: int) -> float:
    life = Life("crawl@0-5", config, database, cache)
    with stopwatch() as watch:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(serve, life, GROUPS)
            while life.counters.get("boards", 0) < expected:  # noqa: ASYNC110 - the daemon tells nobody else
                await anyio.sleep(0.02)
            life.stop.set()
    return watch.seconds


class _Noting(Direct):
    """The usual way out; notes all that leaves by it."""

    def __init__(self, policy: FetchPolicy) -> None:
        super().__init__(policy)
        self.hops: list[Hop] = []

    def open(self, hop: Hop) -> Opening:
        self.hops.append(hop)
        return super().open(hop)


async def _recorded(lab: Lab, template: str, config: Config) -> list[Hop]:
    """Every request that a first crawl sends, in a crawl that is not timed: the market draws its answers in it."""
    policy = FetchPolicy(
        contact="bench", reroute=config.simulator, limits=HostLimits(rate_per_s=None, concurrency=None)
    )
    route = _Noting(policy)
    folder = lab.folder / "noted"
    async with (
        lab.clone(template) as dsn,
        Database(dsn) as database,
        Fetcher(policy, key_of=simulated_key, route=route) as client,
    ):
        crawler = Crawler(database, client, Blobs(folder.as_uri()), SESSION, "bench", random.Random(1))
        while due := await boards.claim_due(database, "bench", config.crawl_concurrency, []):
            async with anyio.create_task_group() as tasks:
                for board in due:
                    tasks.start_soon(crawler.crawl, source(board.source), board)
    empty(folder)
    return route.hops


async def _bare(config: Config, hops: Sequence[Hop]) -> float:
    waiting = list(reversed(hops))
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(config.simulator, connector=connector) as session:

        async def fetch() -> None:
            while waiting:
                hop = waiting.pop()
                headers = {**hop.headers, "Host": hop.url.host_port_subcomponent or hop.host}
                async with session.request(
                    hop.method, hop.url.relative(), headers=headers, data=hop.body, allow_redirects=False
                ) as answer:
                    await answer.read()

        with stopwatch() as watch:
            async with anyio.create_task_group() as tasks:
                for _ in range(config.crawl_concurrency):
                    tasks.start_soon(fetch)
    return watch.seconds
