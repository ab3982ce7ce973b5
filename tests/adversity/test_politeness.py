"""Four crawlers at work together ask no host more often, nor for more at once, than one of them may alone."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import anyio
import pytest
import redis.asyncio as aioredis

from daemons.sources import detect
from lib.net.policy import HostLimits
from lib.posting import boards
from lib.store.connections import Database
from tests.bench.lab import environment
from tests.sim import Market, Simulator, running
from tests.waiting import until

_ROOT = Path(__file__).parents[2]
_CRAWLERS = 4
_RATE = 8
_CONCURRENCY = 2
_LATENCY_S = 0.2  # by its rate alone a host would have almost two under way, and four after a rest
_SYSTEMS = ("greenhouse", "ashby")  # one host for all boards of each
_BOARDS = 60


@asynccontextmanager
async def _crawlers(simulator: Simulator, dsn: str, redis_url: str, folder: Path) -> AsyncIterator[None]:
    """Four crawl daemons, each a process of its own."""
    settings = {
        "VAKANZ_DSN": dsn, "VAKANZ_REDIS_URL": redis_url, "VAKANZ_SIMULATOR": simulator.url, "VAKANZ_HOME": str(folder),
        "VAKANZ_DRAIN_S": "1", "VAKANZ_CRAWL_CONCURRENCY": "12",
    }  # fmt: skip
    async with AsyncExitStack() as stack:
        for number in range(_CRAWLERS):
            command = [sys.executable, "-m", "tests.adversity.polite", f"crawl@{number}", str(_RATE), str(_CONCURRENCY)]
            process = await stack.enter_async_context(
                await anyio.open_process(
                    command, cwd=_ROOT, env={**environment(), **settings}, stdout=None, stderr=None
                )
            )
            stack.callback(process.terminate)
        yield


@pytest.mark.parametrize("flushed", [False, True], ids=["undisturbed", "redis flushed"])
async def test_no_host_sees_more_than_its_limits(
    database: Database, dsn: str, redis_url: str, tmp_path: Path, flushed: bool
) -> None:
    market = Market(5, companies=_BOARDS, postings=4 * _BOARDS, systems=_SYSTEMS)
    async with running(market, latency_s=_LATENCY_S) as simulator:
        rows = [(one["source"], _tenant(one["url"]), None, one["url"], 86_400) for one in market.board_list()]
        await boards.add_many(database, rows)
        with anyio.fail_after(60):
            async with _crawlers(simulator, dsn, redis_url, tmp_path):
                asked = simulator.traffic.hosts
                await until(lambda: _asked(simulator, _BOARDS // 2))
                if flushed:
                    async with aioredis.Redis.from_url(redis_url) as client:
                        await client.flushdb()
                await until(lambda: database.fetchval("SELECT bool_and(last_crawled_at IS NOT NULL) FROM board"))
        assert sum(host.requests for host in asked.values()) == _BOARDS
        for name, host in asked.items():
            assert host.concurrency <= _CONCURRENCY, name
            # A full burst, then the rate; one more may come late by the way to the market.
            assert host.per_second <= HostLimits().burst + _RATE + 1, name
        assert await database.fetchval("SELECT count(DISTINCT claimed_by) FROM board") == 0


async def _asked(simulator: Simulator, requests: int) -> bool:
    return sum(host.requests for host in simulator.traffic.hosts.values()) >= requests


def _tenant(url: str) -> str:
    found = detect(url)
    assert found is not None
    return found[1]
