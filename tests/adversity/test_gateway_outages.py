"""The gateway while its own servers go away: callers are told, and the books agree with the provider afterwards."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path

from lib.spend import books
from lib.spend.client import CachedOnly, Gateway
from lib.store.connections import Cache, Database
from lib.store.migrate import migrate
from tests.adversity.servers import Servers
from tests.integration.buying import LISTING, Sums, client, config_of, gateway, provider, sums, until

_CALLERS = 12


async def _buy(caller: Gateway, name: str, over: asyncio.Event, told: Counter[str]) -> None:
    number = 0
    while not over.is_set():
        number += 1
        try:
            await caller.call("hasdata", "indeed_listing", LISTING, account_id=None, request_id=f"{name}:{number}")
        except CachedOnly as error:
            told[error.why] += 1
        else:
            told["ok"] += 1


async def _answers(told: Counter[str], more: int) -> None:
    """Waits for so many more answers."""
    enough = told["ok"] + more
    await until(lambda: told["ok"] >= enough, 45)


async def _settled(database: Database) -> Sums:
    """The sums once every call has come to its end: after an outage some wait a while before they try again."""
    async with asyncio.timeout(45):
        while True:
            found = await sums(database)
            if not found.reserved:
                return found
            await asyncio.sleep(0.1)


async def test_a_crash_of_postgresql_loses_no_credit_and_spends_none_twice(tmp_path: Path) -> None:
    told: Counter[str] = Counter()
    over = asyncio.Event()
    with Servers(tmp_path / "servers") as servers:
        await migrate(servers.dsn)
        async with (
            provider(latency_s=0.05) as playing,
            Database(servers.dsn) as database,
            Cache(servers.redis_url) as cache,
            gateway(database, cache, config_of(tmp_path, playing.url)) as url,
            client(url, patience_s=15) as caller,
        ):
            async with asyncio.timeout(90), asyncio.TaskGroup() as tasks:
                for number in range(_CALLERS):
                    tasks.create_task(_buy(caller, f"c{number}", over, told))
                await _answers(told, 20)
                await asyncio.to_thread(servers.restart_postgres)
                await _answers(told, 20)
                await servers.kill_backend()
                await _answers(told, 20)
                over.set()
            found = await _settled(database)
            assert set(told) <= {"ok", "provider", "busy"}
            assert found.used == playing.charged and found.reserved == 0 and found.reservations == found.ends
            assert playing.most_at_once <= 15
            assert await books.verify(database) == []


async def test_a_crash_of_redis_stops_nothing_and_spends_nothing_more(tmp_path: Path) -> None:
    told: Counter[str] = Counter()
    over = asyncio.Event()
    with Servers(tmp_path / "servers") as servers:
        await migrate(servers.dsn)
        async with (
            provider(latency_s=0.05) as playing,
            Database(servers.dsn) as database,
            Cache(servers.redis_url) as cache,
            gateway(database, cache, config_of(tmp_path, playing.url)) as url,
            client(url, patience_s=15) as caller,
        ):
            async with asyncio.timeout(90), asyncio.TaskGroup() as tasks:
                for number in range(_CALLERS):
                    tasks.create_task(_buy(caller, f"c{number}", over, told))
                await _answers(told, 20)
                await cache.client.flushall()
                await _answers(told, 20)
                await asyncio.to_thread(servers.restart_valkey)
                await _answers(told, 20)
                over.set()
            found = await _settled(database)
            assert found.used == playing.charged == 5 * told["ok"] and found.reserved == 0
            assert playing.most_at_once <= 15 and playing.turned_away == 0


async def test_without_redis_the_gateway_keeps_its_own_pace(database: Database, tmp_path: Path) -> None:
    async with (
        provider() as playing,
        Cache("redis://127.0.0.1:9/0") as nowhere,
        gateway(database, nowhere, config_of(tmp_path, playing.url)) as url,
        client(url, patience_s=20) as caller,
    ):
        async with asyncio.timeout(30):
            await asyncio.gather(
                *(
                    caller.call("hasdata", "indeed_listing", LISTING, account_id=None, request_id=f"{number}")
                    for number in range(30)
                )
            )
        assert playing.charged == 150 == (await sums(database)).used
