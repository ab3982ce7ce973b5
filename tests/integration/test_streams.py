"""Streams and their workers: nothing lost, nothing kept, whoever dies."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import anyio
import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st
from redis.asyncio.connection import AbstractConnection

from lib.errors import Denied, Fenced, Gone, Malformed, RateLimited, Refused, Transient, VakanzError
from lib.store import letters
from lib.store.connections import Cache, Database
from lib.store.streams import Backlog, Job, Stream
from lib.store.workers import Dead, Later, Policy, disposition
from tests.integration.streaming import drained, working
from tests.waiting import until

NOW = datetime(2026, 11, 21, 4, 30, tzinfo=UTC)


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


async def test_many_are_published_at_once_all_or_none(stream: Stream, cache: Cache) -> None:
    await stream.publish_many({})
    assert not await cache.client.exists(stream.key)
    await stream.publish_many({f"job-{number}": {"n": number} for number in range(50)})
    read = await stream.read("worker", 100, 0.01)
    assert [entry.job() for entry in read] == [Job(f"job-{number}", {"n": number}, 0) for number in range(50)]
    for wrong in ({"": {}}, {"two\nlines": {}}, {"job": {"x": object()}}):
        with pytest.raises(Malformed):
            await stream.publish_many({"good": {}} | wrong)
    assert await stream.read("worker", 100, 0.01) == []


async def test_many_are_published_in_one_round_trip(stream: Stream, monkeypatch: pytest.MonkeyPatch) -> None:
    sent = 0
    send = AbstractConnection.send_packed_command

    async def counted(connection: AbstractConnection, *arguments: Any, **options: Any) -> None:
        nonlocal sent
        sent += 1
        await send(connection, *arguments, **options)

    await stream.backlog()
    monkeypatch.setattr(AbstractConnection, "send_packed_command", counted)
    await stream.publish_many({str(number): {} for number in range(50)})
    assert sent == 1


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
