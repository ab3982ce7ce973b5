"""The connection manager against real servers that go away."""

import asyncio
import random
import re
import uuid
from pathlib import Path

import anyio
import asyncpg
import pytest
import structlog
import uvloop

from lib.store.connections import Cache, Connection, Database, Link, lost_redis
from lib.store.embedded import embedded, remove


async def test_says_once_that_it_lost_and_once_that_it_regained() -> None:
    slept: list[float] = []
    told = 0

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    def waiting() -> None:
        nonlocal told
        told += 1

    answers = iter([ConnectionResetError(), ConnectionRefusedError(), OSError(), None])

    async def attempt() -> str:
        error = next(answers)
        if error is not None:
            raise error
        return "here"

    with structlog.testing.capture_logs() as logs:
        link = Link("postgresql", rng=random.Random(1), sleep=sleep, waiting=waiting)
        assert await link.call(attempt, lambda error: isinstance(error, OSError)) == "here"
    assert [entry["event"] for entry in logs] == ["server lost", "server regained"]
    assert [round(delay) for delay in slept] == [1, 2, 4]
    assert told == 6


async def test_other_errors_are_not_waited_for(database: Database) -> None:
    with pytest.raises(asyncpg.UndefinedTableError):
        await database.execute("SELECT * FROM nowhere")


async def test_values_that_cannot_be_sent_are_not_waited_for(database: Database) -> None:
    with anyio.fail_after(60), pytest.raises(asyncpg.DataError, match="int32"):
        await database.fetch("SELECT $1::int", 2**40)


async def test_json_and_transaction_ids_travel(database: Database) -> None:
    row = await database.fetchrow("SELECT $1::jsonb AS doc, pg_current_xact_id() AS xid", {"a": [1, "ä"]})
    assert row is not None
    assert row["doc"] == {"a": [1, "ä"]}
    assert isinstance(row["xid"], int)
    assert await database.fetchval("SELECT $1::xid8 < $2::xid8", 3, 10)


async def test_a_transaction_rolls_back_whole(database: Database) -> None:
    async def work(connection: Connection) -> None:
        await connection.execute("INSERT INTO company (key, name) VALUES ('a', 'A')")
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await database.transaction(work)
    assert await database.fetchval("SELECT count(*) FROM company") == 0


async def test_a_server_that_does_not_let_us_in_yet_is_waited_for(dsn: str, database: Database) -> None:
    role = f"late_{uuid.uuid4().hex[:12]}"

    async def made_meanwhile(_: float) -> None:
        await database.execute(f"CREATE ROLE {role} LOGIN")

    user = re.sub(r"//[^/@]*@", f"//{role}@", dsn)
    assert user != dsn
    try:
        async with Database(user, link=Link("postgresql", sleep=made_meanwhile)) as refused:
            assert await refused.fetchval("SELECT current_user") == role
    finally:
        await database.execute(f"DROP ROLE IF EXISTS {role}")


async def test_both_servers_may_restart(tmp_path: Path) -> None:
    async def at_once(_: float) -> None:
        await anyio.sleep(0.05)

    try:
        with embedded(tmp_path, durable=True) as first:
            database = Database(first.dsn, link=Link("postgresql", sleep=at_once))
            cache = Cache(first.redis_url, link=Link("redis", sleep=at_once))
            await database.execute("CREATE TABLE kept (n int)")
            await database.execute("INSERT INTO kept VALUES (7)")
            await cache.call(lambda client: client.set("kept", "7"))

        answers: list[object] = []
        answered = anyio.Event()

        async def ask() -> None:
            answers.append(await database.fetchval("SELECT n FROM kept"))
            answers.append(await cache.call(lambda client: client.get("kept")))
            answered.set()

        async with anyio.create_task_group() as tasks, database, cache:
            tasks.start_soon(ask)
            await anyio.sleep(0.3)
            assert answers == []
            assert not await database.ping()
            assert not await cache.ping()
            again = embedded(tmp_path)
            await anyio.to_thread.run_sync(again.__enter__)
            with anyio.fail_after(60):
                await answered.wait()
            await anyio.to_thread.run_sync(again.__exit__, None, None, None)
    finally:
        remove(tmp_path)
    assert answers == [7, b"7"]


def test_a_connection_that_closed_unnoticed_is_a_lost_server() -> None:
    """uvloop tells it by an error of its own, which asyncio does not know."""

    async def write_after_the_end() -> Exception:
        closed = asyncio.Event()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        _, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.transport.abort()
        asyncio.get_running_loop().call_later(0.05, closed.set)
        await closed.wait()
        with pytest.raises(RuntimeError) as caught:
            writer.writelines([b"PING"])
        server.close()
        return caught.value

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert lost_redis(runner.run(write_after_the_end()))
    assert not lost_redis(RuntimeError("a bug"))
