"""Workers of streams that die, are cut off or take over: nothing lost, nothing done twice."""

import signal
import subprocess
import sys
from pathlib import Path

import anyio
import asyncpg
import pytest

from lib.errors import Gone
from lib.store import letters
from lib.store.connections import Cache, Database, Link
from lib.store.embedded import embedded, remove
from lib.store.migrate import migrate
from lib.store.streams import Backlog, Job, Stream
from lib.store.workers import consume
from tests.integration.streaming import QUICK, drained, raising, working
from tests.waiting import until


async def test_a_long_job_of_a_living_worker_is_nobody_elses(stream: Stream, database: Database) -> None:
    started: list[str] = []

    async def handler(job: Job) -> None:
        started.append(job.id)
        await anyio.sleep(3 * QUICK.alive_s)

    async with working(stream, database, handler), working(stream, database, handler):
        await stream.publish("1", {})
        await until(lambda: drained(stream))
    assert started == ["1"]


_DOOMED = """
import sys, anyio
from lib.store.connections import Cache, Database
from lib.store.streams import Stream
from lib.store.workers import Policy, consume

async def handler(job):
    print(job.id, flush=True)
    await anyio.sleep(60)

async def main():
    async with Cache(sys.argv[1]) as cache, Database(sys.argv[2]) as database:
        policy = Policy(attempts=3, alive_s=0.8, block_s=0.05)
        await consume(Stream(cache, "discover"), database, handler, anyio.Event(), policy=policy)

anyio.run(main)
"""


def doomed(redis_url: str, dsn: str, jobs: int) -> None:
    """A worker that takes `jobs` and is then killed."""
    process = subprocess.Popen([sys.executable, "-c", _DOOMED, redis_url, dsn], stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        for _ in range(jobs):
            assert process.stdout.readline()
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()


async def test_the_jobs_of_a_killed_worker_are_taken_over(
    stream: Stream, database: Database, cache: Cache, redis_url: str, dsn: str
) -> None:
    for number in range(5):
        await stream.publish(str(number), {"n": number})
    await anyio.to_thread.run_sync(doomed, redis_url, dsn, 5)
    assert (await stream.backlog()).working == 5
    done: list[Job] = []

    async def handler(job: Job) -> None:
        done.append(job)

    async with working(stream, database, handler):
        await until(lambda: drained(stream))

        async def forgotten() -> bool:
            return len(await cache.client.xinfo_consumers(stream.key, "workers")) == 1

        await until(forgotten)
    assert sorted(job.payload["n"] for job in done) == [0, 1, 2, 3, 4]
    assert {job.failures for job in done} == {1}


async def test_a_job_that_kills_its_workers_is_buried(
    stream: Stream, database: Database, redis_url: str, dsn: str
) -> None:
    await stream.publish("killer", {})
    for _ in range(3):
        await anyio.to_thread.run_sync(doomed, redis_url, dsn, 1)

    async with working(stream, database, raising(AssertionError("must not be called"))):
        await until(lambda: drained(stream))
    [letter] = await letters.list_letters(database)
    assert letter.reason == "given up after 3 attempts; the last worker died with it"


async def test_one_of_many_takes_a_job_over(stream: Stream, database: Database, redis_url: str, dsn: str) -> None:
    await stream.publish("1", {})
    await anyio.to_thread.run_sync(doomed, redis_url, dsn, 1)
    started: list[str] = []

    async def handler(job: Job) -> None:
        started.append(job.id)
        await anyio.sleep(2 * QUICK.alive_s)

    crowd = (working(stream, database, handler) for _ in range(3))
    async with next(crowd), next(crowd), next(crowd):
        await until(lambda: drained(stream))
    assert started == ["1"]


async def test_cancelled_it_hands_its_jobs_back_untried(stream: Stream, database: Database) -> None:
    await stream.publish("1", {"a": 1})
    async with anyio.create_task_group() as tasks:

        async def handler(_: Job) -> None:
            tasks.cancel_scope.cancel()
            await anyio.sleep(60)

        tasks.start_soon(consume, stream, database, handler, anyio.Event())
    assert await stream.backlog() == Backlog(0, 0, 1)
    done: list[Job] = []

    async def again(job: Job) -> None:
        done.append(job)

    async with working(stream, database, again):
        await until(lambda: drained(stream))
    assert done == [Job("1", {"a": 1}, 0)]


async def test_a_bug_of_its_own_ends_the_worker_loudly(stream: Stream, database: Database) -> None:
    await database.execute("DROP TABLE dead_letter")
    await stream.publish("1", {})
    with pytest.raises(ExceptionGroup) as caught:
        await consume(stream, database, raising(Gone("closed")), anyio.Event(), policy=QUICK)
    assert caught.group_contains(asyncpg.UndefinedTableError)
    assert await stream.backlog() == Backlog(0, 1, 0)


async def test_an_answer_that_got_lost_on_its_way(stream: Stream, database: Database, cache: Cache) -> None:
    """Redis gave us a job, the connection broke: it is pending as ours and we do not know it."""
    await stream.publish("lost", {})
    await stream.publish("known", {})
    known, lost = sorted(await stream.read("me", 5, 0.01), key=lambda entry: entry.job_id)
    assert [entry.job_id for entry in await stream.strayed("me", {known.id})] == ["lost"]
    assert await stream.strayed("me", {known.id, lost.id}) == []
    await stream.finish(lost)
    assert await stream.strayed("me", {known.id}) == []


async def test_who_has_no_heartbeat_takes_nothing(stream: Stream) -> None:
    await stream.publish("1", {})
    await stream.read("other", 5, 0.01)
    assert await stream.take_over("me", 5, 0.0) == []
    assert await stream.beat("me", 5, 1)
    assert [entry.job_id for entry in await stream.take_over("me", 5, 0.0)] == ["1"]


async def test_flushed_in_the_middle(stream: Stream, database: Database, cache: Cache) -> None:
    done: list[str] = []
    go_on = anyio.Event()

    async def handler(job: Job) -> None:
        if job.id == "before":
            await go_on.wait()
        done.append(job.id)

    async with working(stream, database, handler):
        await stream.publish("before", {})

        async def taken() -> bool:
            return (await stream.backlog()).working == 1

        await until(taken)
        await cache.client.flushdb()
        go_on.set()
        await stream.publish("after", {})

        async def both() -> bool:
            return len(done) == 2

        await until(both)
        await until(lambda: drained(stream))
    assert sorted(done) == ["after", "before"]


async def test_redis_restarts_under_load(tmp_path: Path, database: Database) -> None:
    """With its append-only file nothing is lost, although it is down for longer than a heartbeat lasts."""

    async def soon(_: float) -> None:
        await anyio.sleep(0.05)

    done: set[str] = set()

    async def handler(job: Job) -> None:
        await anyio.sleep(0.01)
        done.add(job.id)

    try:
        with embedded(tmp_path) as first:
            cache = Cache(first.redis_url, link=Link("redis", sleep=soon))
            stream = Stream(cache, "discover")
            published = 0
            enough = anyio.Event()

            async def publish() -> None:
                nonlocal published
                while not enough.is_set():
                    await stream.publish(str(published), {})
                    published += 1
                    await anyio.sleep(0.003)

            async with cache, working(stream, database, handler), anyio.create_task_group() as tasks:
                tasks.start_soon(publish)
                await anyio.sleep(0.3)
                await cache.client.shutdown(nosave=True)
                await anyio.sleep(1.2 * QUICK.alive_s)
                down = published
                with embedded(tmp_path):
                    await anyio.sleep(0.5)
                    enough.set()
                    await until(lambda: drained(stream))
        assert done == {str(number) for number in range(published)}
        assert published > down > 0
    finally:
        remove(tmp_path)


async def test_the_letter_waits_for_postgresql(tmp_path: Path, stream: Stream) -> None:
    """A job is removed from the stream only after its letter is committed."""

    async def soon(_: float) -> None:
        await anyio.sleep(0.05)

    try:
        with embedded(tmp_path) as servers:
            await migrate(servers.dsn)
        async with (
            Database(servers.dsn, link=Link("postgresql", sleep=soon)) as database,
            working(stream, database, raising(Gone("closed"))),
        ):
            await stream.publish("1", {})
            await anyio.sleep(0.4)
            assert await stream.backlog() == Backlog(0, 1, 0)
            with embedded(tmp_path):
                await until(lambda: drained(stream))
                assert len(await letters.list_letters(database)) == 1
    finally:
        remove(tmp_path)
