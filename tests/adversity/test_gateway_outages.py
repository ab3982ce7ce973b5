"""The gateway while its own servers go away: callers are told, and the books agree with the provider afterwards."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from lib.spend import books
from lib.spend.client import CachedOnly, Gateway
from lib.store.connections import Cache, Database
from lib.store.migrate import migrate
from tests.adversity.servers import Servers
from tests.integration.buying import Sums, buy, client, config_of, gateway, provider, sums
from tests.sim.hasdata import Provider
from tests.waiting import until

_CALLERS = 12


@dataclass
class _Shop:
    """A gateway on servers that may go away. `told`: what its callers were told so far."""

    servers: Servers
    database: Database
    cache: Cache
    provider: Provider
    caller: Gateway
    told: Counter[str] = field(default_factory=Counter)

    @asynccontextmanager
    async def callers(self) -> AsyncIterator[None]:
        """Many who buy all the time, with answers before the block and after it."""
        over = asyncio.Event()
        async with asyncio.timeout(90), asyncio.TaskGroup() as tasks:
            for number in range(_CALLERS):
                tasks.create_task(self._buy(f"c{number}", over))
            await self.answers()
            yield
            await self.answers()
            over.set()

    async def _buy(self, name: str, over: asyncio.Event) -> None:
        number = 0
        while not over.is_set():
            number += 1
            try:
                await buy(self.caller, f"{name}:{number}")
            except CachedOnly as error:
                self.told[error.why] += 1
            else:
                self.told["ok"] += 1

    async def answers(self, more: int = 20) -> None:
        """Waits for so many more answers."""
        enough = self.told["ok"] + more
        await until(lambda: self.told["ok"] >= enough, 45)

    async def settled(self) -> Sums:
        """The sums once every call has come to its end: after an outage some wait a while before they try again."""
        async with asyncio.timeout(45):
            while True:
                found = await sums(self.database)
                if not found.reserved:
                    return found
                await asyncio.sleep(0.1)


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[_Shop]:
    with Servers(tmp_path / "servers") as servers:
        await migrate(servers.dsn)
        async with (
            provider(latency_s=0.05) as playing,
            Database(servers.dsn) as database,
            Cache(servers.redis_url) as cache,
            gateway(database, cache, config_of(tmp_path, playing.url)) as url,
            client(url, patience_s=15) as caller,
        ):
            yield _Shop(servers, database, cache, playing, caller)


async def test_a_crash_of_postgresql_loses_no_credit_and_spends_none_twice(shop: _Shop) -> None:
    async with shop.callers():
        await asyncio.to_thread(shop.servers.restart_postgres)
        await shop.answers()
        await shop.servers.kill_backend()
    found = await shop.settled()
    assert set(shop.told) <= {"ok", "provider", "busy"}
    assert found.used == shop.provider.charged and found.reserved == 0 and found.reservations == found.ends
    assert shop.provider.most_at_once <= 15
    assert await books.verify(shop.database) == []


async def test_a_crash_of_redis_stops_nothing_and_spends_nothing_more(shop: _Shop) -> None:
    async with shop.callers():
        await shop.cache.client.flushall()
        await shop.answers()
        await asyncio.to_thread(shop.servers.restart_valkey)
    found = await shop.settled()
    assert found.used == shop.provider.charged == 5 * shop.told["ok"] and found.reserved == 0
    assert shop.provider.most_at_once <= 15 and shop.provider.turned_away == 0


async def test_without_redis_the_gateway_keeps_its_own_pace(database: Database, tmp_path: Path) -> None:
    async with (
        provider() as playing,
        Cache("redis://127.0.0.1:9/0") as nowhere,
        gateway(database, nowhere, config_of(tmp_path, playing.url)) as url,
        client(url, patience_s=20) as caller,
    ):
        async with asyncio.timeout(30):
            await asyncio.gather(*(buy(caller, f"{number}") for number in range(30)))
        assert playing.charged == 150 == (await sums(database)).used
