"""Connections that are cut before, in and after every step of a transaction: the same rows, cursor and history."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import anyio
import pytest
import structlog

from lib.store import followers
from lib.store.connections import Cache, Connection, Database, Link
from tests.adversity.proxy import Proxy, Trouble
from tests.integration.change_log import Tally, change, following, open_log, shard_ids, tallied, to_the_end

_POINTS = [
    Trouble(message, moment)
    for message in (b"BEGIN;", b"posting WHERE id", b"INSERT INTO tally", b"UPDATE follower", b"COMMIT;")
    for moment in ("before", "within", "after")
]


def _name(trouble: Trouble) -> str:
    return f"{trouble.moment} {trouble.message.decode()}"


@asynccontextmanager
async def proxied(dsn: str) -> AsyncIterator[Proxy]:
    """A proxy before the server of `dsn`."""
    folder = parse_qs(urlsplit(dsn).query)["host"][0]
    async with Proxy(Path(folder) / ".s.PGSQL.5432") as proxy:
        yield proxy


class Ladder:
    """Sleeps for a moment and remembers for how long it was asked to."""

    def __init__(self) -> None:
        self.rungs: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.rungs.append(seconds)
        await anyio.sleep(0.005)

    def link(self, server: str = "postgresql") -> Link:
        return Link(server, rng=random.Random(1), sleep=self.sleep)


def through(proxy: Proxy, dsn: str, ladder: Ladder, patience_s: float = 60.0) -> Database:
    """The database of `dsn` as it is reached through the proxy. Statements are parsed anew, so that the proxy can
    recognise them by their text."""
    name = urlsplit(dsn).path.lstrip("/")
    address = f"postgresql://vakanz@{proxy.host}:{proxy.port}/{name}"
    return Database(address, pooled=True, size=4, link=ladder.link(), patience_s=patience_s)


@pytest.mark.parametrize("point", _POINTS, ids=_name)
async def test_a_follower_is_cut_in_every_batch(database: Database, dsn: str, point: Trouble) -> None:
    await open_log(database, 1_000)
    ids = await shard_ids(database, 0)
    ladder = Ladder()
    async with proxied(dsn) as proxy, through(proxy, dsn, ladder) as cut:
        one = following(cut, Tally(cut))
        assert await one.join()
        total = 0
        with anyio.fail_after(60):
            while total < len(ids):
                if proxy.calm:
                    proxy.trouble(point)
                total += await one.step(25)
    assert len(proxy.struck) >= len(ids) // 25
    assert len(ladder.rungs) >= len(proxy.struck)
    assert await tallied(database) == {(posting, 1): 1 for posting in ids}
    (status,) = await followers.status(database)
    assert (status.rows, status.lag) == (len(ids), 0)


@pytest.mark.parametrize("seed", range(4))
async def test_a_follower_is_cut_anywhere(database: Database, dsn: str, seed: int) -> None:
    """Cuts after any number of bytes, in either direction, while postings go on changing."""
    await open_log(database, 600)
    ids = await shard_ids(database, 0)
    rng, ladder = random.Random(seed), Ladder()
    async with proxied(dsn) as proxy, through(proxy, dsn, ladder) as cut:
        one = following(cut, Tally(cut))
        with anyio.fail_after(45):
            assert await one.join()
            batches = 0
            while batches < 25:
                if proxy.calm:
                    proxy.cut_after(rng.randrange(1, 9_000))
                await change(database, rng.sample(ids, 8))
                batches += await one.step(20) > 0
            await to_the_end(one)
    assert proxy.connections > 10
    last = {
        row["id"]: row["revision"] for row in await database.fetch("SELECT id, revision FROM posting WHERE shard = 0")
    }
    seen = await tallied(database)
    assert {posting: max(revision for one, revision in seen if one == posting) for posting in ids} == last
    assert set(seen.values()) == {1}


@pytest.mark.parametrize("message", [b"BEGIN;", b"INSERT INTO tally", b"COMMIT;"])
async def test_a_connection_that_falls_silent_is_given_up(database: Database, dsn: str, message: bytes) -> None:
    await open_log(database, 400)
    ids = await shard_ids(database, 0)
    ladder = Ladder()
    async with proxied(dsn) as proxy, through(proxy, dsn, ladder, patience_s=0.5) as cut:
        one = following(cut, Tally(cut))
        assert await one.join()
        proxy.trouble(Trouble(message, "before", hangs=True), Trouble(message, "after", hangs=True))
        with anyio.fail_after(60):
            await to_the_end(one)
    assert len(proxy.struck) == 2
    assert await tallied(database) == {(posting, 1): 1 for posting in ids}


async def test_a_server_that_refuses_is_tried_on_the_ladder(database: Database, dsn: str) -> None:
    ladder = Ladder()
    async with proxied(dsn) as proxy, through(proxy, dsn, ladder) as cut:
        with structlog.testing.capture_logs() as logs:
            assert await cut.fetchval("SELECT 1") == 1
            proxy.refusing = True
            proxy.cut()
            assert not await cut.ping()
            answers: list[int] = []

            async def ask() -> None:
                answers.append(await cut.fetchval("SELECT 2"))

            async with anyio.create_task_group() as tasks:
                tasks.start_soon(ask)
                with anyio.fail_after(60):
                    while len(ladder.rungs) < 8:  # noqa: ASYNC110 - the ladder climbs by itself
                        await anyio.sleep(0.01)
                proxy.refusing = False
            assert await cut.ping()
    assert answers == [2]
    assert [round(rung / 2.0**step) for step, rung in enumerate(ladder.rungs[:5])] == [1] * 5
    assert all(27 <= rung <= 33 for rung in ladder.rungs[5:8])
    assert [entry["event"] for entry in logs] == ["server lost", "server regained"]


async def test_a_migration_under_our_feet_is_no_error(database: Database, dsn: str) -> None:
    await database.execute("CREATE TABLE widened (a int)")
    async with Database(dsn, size=1) as daemon:
        for column in ("b", "c"):
            widths = await daemon.transaction(lambda connection: connection.fetch("SELECT * FROM widened"))
            assert widths == []
            await database.execute(f"ALTER TABLE widened ADD COLUMN {column} int")
            await database.execute("INSERT INTO widened (a) VALUES (1)")
            rows = await daemon.transaction(lambda connection: connection.fetch("SELECT * FROM widened"))
            assert column in rows[0].keys()  # noqa: SIM118 - a record is no dictionary
            await database.execute("TRUNCATE widened")


async def test_many_callers_survive_the_same_cut(database: Database, dsn: str) -> None:
    await database.execute("CREATE TABLE counted (n int PRIMARY KEY)")
    ladder = Ladder()
    async with proxied(dsn) as proxy, through(proxy, dsn, ladder) as cut:

        async def insert(number: int) -> None:
            async def work(connection: Connection) -> None:
                await connection.execute("INSERT INTO counted VALUES ($1) ON CONFLICT DO NOTHING", number)

            await cut.transaction(work)

        with anyio.fail_after(60):
            async with anyio.create_task_group() as tasks:
                for number in range(200):
                    tasks.start_soon(insert, number)
                for _ in range(10):
                    await anyio.sleep(0.01)
                    proxy.cut()
    assert await database.fetchval("SELECT count(*) FROM counted") == 200


async def test_one_outage_is_told_once_however_many_were_under_way() -> None:
    """Some attempts fail at once, some much later; one that had been answered before brings its result late."""
    gates = {name: anyio.Event() for name in ("fails late", "answered before")}
    link, failed = Ladder().link(), {"fails late"}

    async def attempt(name: str) -> None:
        if name in gates:
            gate = gates.pop(name)
            await gate.wait()
            if name == "fails late":
                raise ConnectionResetError
        elif name not in failed:
            failed.add(name)
            raise ConnectionResetError

    def is_lost(error: BaseException) -> bool:
        return isinstance(error, OSError)

    late, before = gates["fails late"], gates["answered before"]
    with structlog.testing.capture_logs() as logs, anyio.fail_after(60):
        async with anyio.create_task_group() as tasks:
            for name in ("fails late", "answered before"):
                tasks.start_soon(link.call, partial(attempt, name), is_lost)
            await anyio.wait_all_tasks_blocked()
            tasks.start_soon(link.call, partial(attempt, "fails first"), is_lost)
            await anyio.wait_all_tasks_blocked()
            before.set()
            await anyio.wait_all_tasks_blocked()
            assert not link.up
            await anyio.sleep(0.05)
            assert link.up
            late.set()
    assert [entry["event"] for entry in logs] == ["server lost", "server regained"]


@pytest.mark.parametrize("moment", ["before", "within", "after"])
async def test_redis_is_cut_around_a_command(redis_url: str, moment: str) -> None:
    parts = urlsplit(redis_url)
    ladder = Ladder()
    async with Proxy(Path(parts.path)) as proxy:
        address = f"redis://{proxy.host}:{proxy.port}/{parse_qs(parts.query)['db'][0]}"
        async with Cache(address, link=ladder.link("redis")) as cache:
            for number in range(5):
                proxy.trouble(Trouble(b"SADD", moment))  # type: ignore[arg-type]
                await cache.call(lambda client, number=number: client.sadd("kept", number))
            assert await cache.call(lambda client: client.scard("kept")) == 5
    assert len(proxy.struck) == 5
    assert len(ladder.rungs) == 5
