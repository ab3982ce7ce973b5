"""Streams and their workers: nothing lost, nothing kept, whoever dies."""

import random
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import anyio
import asyncpg
import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from lib.errors import Denied, Fenced, Gone, Malformed, RateLimited, Refused, Transient, VakanzError
from lib.store import letters
from lib.store.connections import Cache, Database, Link
from lib.store.embedded import embedded, remove
from lib.store.migrate import migrate
from lib.store.streams import Backlog, Job, Stream
from lib.store.workers import Dead, Handler, Later, Policy, consume, disposition

NOW = datetime(2026, 11, 21, 4, 30, tzinfo=UTC)
QUICK = Policy(attempts=3, alive_s=0.8, block_s=0.05, first_retry_s=0.01, longest_retry_s=0.05)
EMPTY = Backlog(0, 0, 0)


@pytest.fixture
def stream(cache: Cache) -> Stream:
    return Stream(cache, "discover")


async def until(condition: Callable[[], Awaitable[bool]], seconds: float = 60.0) -> None:
    with anyio.fail_after(seconds):
        while not await condition():  # noqa: ASYNC110 - the condition lives in Redis
            await anyio.sleep(0.02)


@asynccontextmanager
async def working(
    stream: Stream, database: Database, handler: Handler, policy: Policy = QUICK
) -> AsyncIterator[anyio.Event]:
    stop = anyio.Event()

    async def work() -> None:
        await consume(stream, database, handler, stop, policy=policy, rng=random.Random(7))

    with anyio.fail_after(120):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(work)
            yield stop
            stop.set()


async def drained(stream: Stream) -> bool:
    return await stream.backlog() == EMPTY


def _raising(error: Exception) -> Handler:
    async def handler(_: Job) -> None:
        raise error

    return handler


@pytest.mark.parametrize("kind", [Fenced, Gone, Malformed, Denied, Refused])
def test_hopeless_errors_end_at_once(kind: type[VakanzError]) -> None:
    assert disposition(kind("no"), 0, Policy(), NOW, random.Random(1)) == Dead(f"{kind.__name__}: no")


@pytest.mark.parametrize("error", [Transient("reset"), KeyError("bug"), OSError("disk")])
def test_other_errors_are_attempts(error: Exception) -> None:
    assert isinstance(disposition(error, 3, Policy(), NOW, random.Random(1)), Later)
    last = disposition(error, 4, Policy(), NOW, random.Random(1))
    assert isinstance(last, Dead)
    assert last.reason.startswith(f"given up after 5 attempts; {type(error).__name__}")


@given(failures=st.integers(0, 3), seed=st.integers())
def test_the_backoff_is_full_jitter_under_a_doubling_ceiling(failures: int, seed: int) -> None:
    policy = Policy(first_retry_s=2, longest_retry_s=8)
    verdict = disposition(Transient("x"), failures, policy, NOW, random.Random(seed))
    assert isinstance(verdict, Later)
    assert verdict.failures == failures + 1
    assert 0 <= verdict.delay_s <= [2, 4, 8, 8][failures]


@pytest.mark.parametrize(
    ("retry_at", "least", "most"),
    [
        (NOW + timedelta(minutes=5), 300, 301),
        (NOW - timedelta(days=1), 0, 1),
        (datetime.max.replace(tzinfo=UTC), 86_400, 86_401),
    ],
)
def test_a_wait_costs_no_attempt(retry_at: datetime, least: float, most: float) -> None:
    verdict = disposition(RateLimited("slow down", retry_at), 4, Policy(), NOW, random.Random(1))
    assert isinstance(verdict, Later)
    assert verdict.failures == 4
    assert least <= verdict.delay_s <= most


async def test_jobs_are_done_and_leave_nothing_behind(stream: Stream, database: Database, cache: Cache) -> None:
    got: dict[str, Any] = {}

    async def handler(job: Job) -> None:
        got[job.id] = job.payload

    async with working(stream, database, handler):
        for number in range(200):
            await stream.publish(f"job-{number}", {"n": number, "text": "ä\0\n\n"})
        await until(lambda: drained(stream))
    assert got == {f"job-{number}": {"n": number, "text": "ä\0\n\n"} for number in range(200)}
    assert await cache.client.keys("*") == [stream.key.encode()]
    assert await cache.client.xinfo_consumers(stream.key, "workers") == []


async def test_no_more_at_once_than_allowed(stream: Stream, database: Database) -> None:
    now = most = 0

    async def handler(_: Job) -> None:
        nonlocal now, most
        now += 1
        most = max(most, now)
        await anyio.sleep(0.02)
        now -= 1

    for number in range(20):
        await stream.publish(str(number), {})
    async with working(stream, database, handler, Policy(concurrency=4, block_s=0.05)):
        await until(lambda: drained(stream))
    assert most == 4


async def test_a_job_is_kept_until_its_handler_has_returned(stream: Stream, database: Database) -> None:
    finish = anyio.Event()

    async def handler(_: Job) -> None:
        await finish.wait()

    async with working(stream, database, handler) as stop:
        await stream.publish("1", {})

        async def held() -> bool:
            return await stream.backlog() == Backlog(0, 1, 0)

        await until(held)
        stop.set()
        await anyio.sleep(0.2)
        assert await held()  # asked to stop, it still finishes what it has in hand
        finish.set()
    assert await drained(stream)


async def test_retries_then_a_dead_letter(stream: Stream, database: Database) -> None:
    seen: list[int] = []

    async def handler(job: Job) -> None:
        seen.append(job.failures)
        raise ZeroDivisionError("bug")

    with structlog.testing.capture_logs() as logs:
        async with working(stream, database, handler):
            await stream.publish("1", {"q": "Koch"})
            await until(lambda: drained(stream))
    assert seen == [0, 1, 2]
    [letter] = await letters.list_letters(database)
    assert (letter.queue, letter.key, letter.payload) == ("stream:discover", "1", {"q": "Koch"})
    assert letter.reason == "given up after 3 attempts; ZeroDivisionError: bug"
    assert [entry["exc_info"] for entry in logs if "exc_info" in entry] == [True] * 3


async def test_a_hopeless_job_is_buried_at_once_and_its_neighbours_go_on(stream: Stream, database: Database) -> None:
    done: list[str] = []

    async def handler(job: Job) -> None:
        if job.id == "bad":
            raise Malformed("nonsense")
        done.append(job.id)

    async with working(stream, database, handler):
        for name in ("a", "bad", "b"):
            await stream.publish(name, {})
        await until(lambda: drained(stream))
    assert sorted(done) == ["a", "b"]
    [letter] = await letters.list_letters(database)
    assert (letter.key, letter.reason, letter.attempts) == ("bad", "Malformed: nonsense", 1)


async def test_a_wait_is_kept_without_costing_an_attempt(stream: Stream, database: Database) -> None:
    seen: list[int] = []

    async def handler(job: Job) -> None:
        seen.append(job.failures)
        if len(seen) <= 4:
            raise RateLimited("slow down", datetime.now(UTC) - timedelta(seconds=5))

    async with working(stream, database, handler):
        await stream.publish("1", {})
        await until(lambda: drained(stream))
    assert seen == [0, 0, 0, 0, 0]
    assert await letters.list_letters(database) == []


@pytest.mark.parametrize(
    "fields",
    [
        {"id": "x", "failures": "0", "payload": "not json"},
        {"id": "x", "failures": "0", "payload": "[1]"},
        {"id": b"\xff\xfe", "failures": "many", "payload": b"\xff\x00"},
        {"something": "else"},
        {"id": "x", "failures": "9" * 400, "payload": "[" * 3000},
    ],
)
async def test_what_is_no_job_is_set_aside(
    stream: Stream, database: Database, cache: Cache, fields: dict[Any, Any]
) -> None:
    done: list[str] = []

    async def handler(job: Job) -> None:
        done.append(job.id)

    async with working(stream, database, handler):
        await cache.client.xadd(stream.key, fields)
        await stream.publish("good", {})
        await until(lambda: drained(stream))
    assert done == ["good"]
    [letter] = await letters.list_letters(database)
    assert letter.reason.startswith("Malformed: the payload is")


@pytest.mark.parametrize(
    ("job_id", "payload"),
    [("", {}), ("a\nb", {}), ("\ud800", {}), ("1", {"a": "\ud800"}), ("1", {"a": 2**70}), ("1", {"a": object()})],
)
async def test_what_cannot_be_published(stream: Stream, job_id: str, payload: dict[str, Any]) -> None:
    with pytest.raises(Malformed):
        await stream.publish(job_id, payload)


@pytest.mark.parametrize("name", ["", "a:b", "{x}", "A", "x" * 61])
def test_a_streams_name_is_plain(cache: Cache, name: str) -> None:
    with pytest.raises(ValueError, match="name"):
        Stream(cache, name)


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

    async with working(stream, database, _raising(AssertionError("must not be called"))):
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
        await consume(stream, database, _raising(Gone("closed")), anyio.Event(), policy=QUICK)
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
        assert published > down > 10
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
            working(stream, database, _raising(Gone("closed"))),
        ):
            await stream.publish("1", {})
            await anyio.sleep(0.4)
            assert await stream.backlog() == Backlog(0, 1, 0)
            with embedded(tmp_path):
                await until(lambda: drained(stream))
                assert len(await letters.list_letters(database)) == 1
    finally:
        remove(tmp_path)
