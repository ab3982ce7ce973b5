"""Servers that crash under a crawl and its followers: the work goes on, and ends as if nothing had happened."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import anyio
import anyio.to_thread
import pytest

from lib.errors import RateLimited
from lib.net.fetch import Fetcher
from lib.net.messages import Request
from lib.net.policy import FetchPolicy, HostLimits
from lib.store.connections import Cache, Connection, Database, Link
from lib.store.migrate import migrate
from lib.store.streams import Job, Stream
from lib.store.workers import Policy, consume
from tests.adversity.market import UNITS, main_job
from tests.adversity.servers import Servers
from tests.sim import Market, Rates, running
from tests.sim.market import FEW_SYSTEMS

_CRASHES = 3
_UNDONE = "SELECT count(*) FROM asked WHERE times = 0"
_QUICK = Policy(attempts=50, alive_s=2.0, block_s=0.05, first_retry_s=0.05, longest_retry_s=0.2)


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Servers]:
    with Servers(tmp_path / "servers") as servers:
        yield servers


async def test_postgres_crashes_under_a_crawl_and_its_followers(
    own: Servers, dsn: str, redis_url: str, tmp_path: Path
) -> None:
    def market() -> Market:
        return Market(
            seed=5,
            companies=8,
            postings=150,
            rates=Rates(new=0.2, edited=0.3, closed=0.1, reopened=0.5),
            systems=FEW_SYSTEMS,
        )

    rng = random.Random(2)
    async with main_job(market(), own.dsn, own.redis_url, tmp_path / "crashed") as job:
        for unit in UNITS:
            await job.daemons.start(unit)
        with anyio.fail_after(120):
            for crash in range(_CRASHES):
                await anyio.sleep(rng.uniform(0.3, 1.2))
                if crash % 2:
                    await own.kill_backend()
                else:
                    await anyio.to_thread.run_sync(own.restart_postgres)
                await job.until_finished()
                await job.next_day()
            await job.until_finished()
        crashed = await job.content()
        assert await job.database.fetch("SELECT queue, reason FROM dead_letter") == []
        for unit in UNITS:
            await job.daemons.kill(unit)  # fails for one that ended by itself: an outage ends no daemon

    async with main_job(market(), dsn, redis_url, tmp_path / "calm") as job:
        for unit in UNITS:
            await job.daemons.start(unit)
        await job.until_finished()
        for _ in range(_CRASHES):
            await job.next_day()
            await job.until_finished()
        calm = await job.content()

    assert crashed.keys() == calm.keys()
    for key, row in calm.items():
        assert crashed[key] == row, key


async def test_valkey_crashes_and_is_flushed_under_jobs_that_fetch(own: Servers) -> None:
    """PostgreSQL knows what was asked, so that flushed jobs are published again; limits hold without Valkey, too."""
    limits = HostLimits(rate_per_s=80.0, burst=4, concurrency=3)

    async def soon(_: float) -> None:
        await anyio.sleep(0.05)

    await migrate(own.dsn)
    market = Market(seed=3, companies=6, postings=120, systems=FEW_SYSTEMS)
    async with (
        running(market) as simulator,
        Database(own.dsn) as database,
        Cache(own.redis_url, link=Link("redis", sleep=soon)) as cache,
        Fetcher(FetchPolicy(contact="t@example.org", limits=limits, reroute=simulator.url), cache.client) as fetcher,
    ):
        await database.execute("CREATE TABLE asked (id text PRIMARY KEY, url text, times int NOT NULL DEFAULT 0)")
        urls = [f"https://boards-api.greenhouse.io/v1/boards/nobody/{number}" for number in range(250)]
        await database.execute(
            "INSERT INTO asked SELECT 'job-' || n, u FROM unnest($1::text[]) WITH ORDINALITY AS i (u, n)", urls
        )
        stream, stop = Stream(cache, "fetches"), anyio.Event()

        async def handle(job: Job) -> None:
            request = Request(url=job.payload["url"], documented_api=True, timeout_s=1.0)
            try:
                await fetcher.send(request)
            except RateLimited as limit:  # for as long as those may be at the host whom Valkey has forgotten
                await anyio.sleep((limit.retry_at - datetime.now(UTC)).total_seconds())
                raise
            except Exception as error:  # noqa: BLE001 - told below
                outcomes.append(type(error).__name__)

            async def work(connection: Connection) -> None:
                await connection.execute("UPDATE asked SET times = times + 1 WHERE id = $1", job.id)

            await database.transaction(work)

        async def publish() -> None:
            while not stop.is_set():
                for row in await database.fetch("SELECT id, url FROM asked WHERE times = 0"):
                    await stream.publish(row["id"], {"url": row["url"]})
                await anyio.sleep(1.0)

        async def work() -> None:
            await consume(stream, database, handle, stop, policy=_QUICK, rng=random.Random(1))

        outcomes: list[str] = []
        with anyio.fail_after(60):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(publish)
                tasks.start_soon(work)
                await anyio.sleep(0.4)
                await anyio.to_thread.run_sync(own.restart_valkey)
                await anyio.sleep(0.4)
                await cache.call(lambda client: client.flushall())
                await anyio.sleep(0.4)
                await anyio.to_thread.run_sync(own.restart_valkey)
                while await database.fetchval(_UNDONE):  # noqa: ASYNC110 - the truth is in PostgreSQL
                    await anyio.sleep(0.1)
                stop.set()
                tasks.cancel_scope.cancel()
        seen = simulator.traffic.hosts["boards-api.greenhouse.io"]
    assert outcomes == ["Gone"] * len(outcomes)
    assert len(outcomes) >= 250
    assert seen.concurrency <= 3
    assert seen.per_second <= 80 + 4 * (1 + 3)  # a burst at first, and one for each time that all was forgotten
