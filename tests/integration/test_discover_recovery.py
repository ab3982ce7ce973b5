"""Live search goes on: whatever Redis loses, whoever gives up or dies, it ends, and nothing is bought twice."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import anyio
import anyio.abc
import pytest

from daemons.discover import claims
from lib.errors import Transient
from lib.store import letters
from lib.store.connections import Cache, Connection, Database
from lib.store.streams import Job, Stream
from tests.integration.discovering import Room, room
from tests.waiting import until


@pytest.fixture
async def live(database: Database, cache: Cache, tmp_path: Path) -> AsyncIterator[Room]:
    """A small market with a provider and a gateway."""
    async with room(database, cache, tmp_path) as live:
        yield live


async def test_what_redis_lost_is_found_in_postgresql(live: Room) -> None:
    lost = await live.search(await live.account(), publish=False)
    async with live.daemon() as works:
        assert await works.recovery.look(0) == 1
        assert (await live.ended(lost)).live == "done"
        assert await works.recovery.look(0) == 0


async def test_details_that_redis_lost_are_fetched_all_the_same(live: Room) -> None:
    search_id = await live.search(await live.account(), publish=False)
    async with live.parts() as works:
        await works.discovery.handle(Job(str(search_id), {}, 0))
    assert await live.cache.client.xlen("vakanz:stream:{details}") == 13
    await live.cache.client.flushdb()
    async with live.daemon() as works:
        assert await works.recovery.look(0) == 1
        search = await live.ended(search_id)
    assert search.live == "done" and search.credits_used == live.provider.charged == 18


async def test_details_that_are_being_fetched_are_not_published_again(live: Room) -> None:
    mine, theirs = [await live.search(await live.account(), publish=False) for _ in range(2)]
    async with live.parts() as works:
        for search_id in (mine, theirs):
            await works.discovery.handle(Job(str(search_id), {}, 0))
        await live.cache.client.flushdb()
        missing = await live.database.fetch("SELECT posting_id FROM detail_claim ORDER BY 1")
        alive, lapsed, *others = [row["posting_id"] for row in missing]
        for posting_id in (alive, lapsed):
            assert await works.claims.detail(posting_id) is not None
        await live.database.execute(
            "UPDATE detail_claim SET claimed_until = now() - interval '1 s' WHERE posting_id = $1", lapsed
        )
        assert await works.recovery.look(0) == 2
    published = [entry.job_id for entry in await Stream(live.cache, "details").read("worker", 100, 0.01)]
    assert published == [str(posting_id) for posting_id in (lapsed, *others)]  # once each, whoever waits


async def test_a_search_whose_job_was_given_up_ends_and_says_so(live: Room) -> None:
    search_id = await live.search(await live.account(), publish=False)

    async def bury(connection: Connection) -> None:
        await letters.bury(connection, "stream:discovery", str(search_id), None, {}, "poison")

    await live.database.transaction(bury)
    async with live.daemon() as works:
        await works.recovery.look(0)
        search = await live.ended(search_id)
    assert (search.live, search.live_why) == ("unavailable", "failed")
    assert (await live.told(search_id))[-1].kind == "done"


async def test_a_detail_whose_job_was_given_up_holds_up_no_search(live: Room) -> None:
    search_id = await live.search(await live.account(), publish=False)
    async with live.parts() as works:
        await works.discovery.handle(Job(str(search_id), {}, 0))
    (poison, *_) = await claims.missing_details(live.database, [search_id])

    async def bury(connection: Connection) -> None:
        await letters.bury(connection, "stream:details", str(poison), None, {}, "poison")
        await connection.execute(
            "UPDATE detail_claim SET claimed_by = 'x', claimed_until = 'infinity' WHERE posting_id = $1", poison
        )

    await live.database.transaction(bury)
    async with live.daemon():
        search = await live.ended(search_id)
    assert (search.live, search.credits_used) == ("done", 17)


async def test_what_an_outage_kept_from_being_written_is_taken_in_later_and_paid_once(live: Room) -> None:
    await live.database.execute(
        "CREATE FUNCTION lapse() RETURNS trigger LANGUAGE plpgsql AS"
        " 'BEGIN NEW.claimed_until := now(); RETURN NEW; END'"
    )
    await live.database.execute(
        "CREATE TRIGGER lapse BEFORE INSERT OR UPDATE ON board FOR EACH ROW EXECUTE FUNCTION lapse()"
    )
    search_id = await live.search(await live.account(), publish=False)
    async with live.parts() as works:
        with pytest.raises(Transient):
            await works.discovery.handle(Job(str(search_id), {}, 0))
        await live.database.execute("DROP TRIGGER lapse ON board")
        await works.discovery.handle(Job(str(search_id), {}, 1))
    assert await claims.missing_details(live.database, [search_id]) and live.provider.charged == 5


async def test_a_killed_daemon_has_bought_nothing_twice(live: Room, dsn: str, redis_url: str) -> None:
    live.provider.latency_s = 0.5
    killed = await started(live, dsn, redis_url)
    search_id = await live.search(await live.account())
    await until(lambda: live.provider.asked >= 5)
    killed.kill()
    await killed.wait()
    bought = live.provider.charged
    assert 5 <= bought < 18
    async with live.daemon("discover@1"):
        search = await live.ended(search_id)
    assert (search.live, search.live_why) == ("done", None)
    assert search.credits_used == live.provider.charged == await live.settled() == 18
    assert await live.database.fetchval("SELECT count(*) FROM posting WHERE state = 'described'") == 13


async def started(live: Room, dsn: str, redis_url: str) -> anyio.abc.Process:
    """A discover daemon in a process of its own, at work."""
    config = replace(live.config, dsn=dsn, redis_url=redis_url)
    process = await anyio.open_process(
        [sys.executable, "-m", "vakanz", "daemon", "discover@0"], env={**os.environ, **config.environment()},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    with anyio.fail_after(60):
        while await live.database.fetchval("SELECT state FROM daemon WHERE unit = 'discover@0'") != "working":
            assert process.returncode is None
            await anyio.sleep(0.1)
    return process
