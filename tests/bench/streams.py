"""How long a stream job takes from being published to being in its handler's hands.

The bound is a bare XADD/XREADGROUP pair on the same server in the same run. Jobs come one at a time with a short pause
in between, so that figures are latencies and not queueing; bare and ours take turns, so that noise hits both.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from contextlib import suppress
from importlib.util import find_spec
from typing import Any

import anyio
import redis.asyncio as aioredis

from lib.store.connections import Cache, Database
from lib.store.streams import Job, Stream
from lib.store.workers import consume

_PAUSE_S = 0.002
_ROUNDS = 10
_WARM_UP = 20


async def measure(redis_url: str, dsn: str, jobs: int = 2000) -> dict[str, float]:
    """Medians in ms over `jobs`: `latency_p50_ms`, `bare_p50_ms` and their `ratio`; `arq_p50_ms` if arq is there.

    Uses the Redis database of `redis_url` and leaves it empty.
    """
    ours: list[float] = []
    bare: list[float] = []
    for _ in range(_ROUNDS):
        bare += await _bare(redis_url, jobs // _ROUNDS)
        ours += await _ours(redis_url, dsn, jobs // _ROUNDS)
    figures = {"latency_p50_ms": statistics.median(ours), "bare_p50_ms": statistics.median(bare)}
    figures["ratio"] = figures["latency_p50_ms"] / figures["bare_p50_ms"]
    if find_spec("arq") is not None:
        figures["arq_p50_ms"] = statistics.median(await _arq(redis_url, 20))
    async with aioredis.Redis.from_url(redis_url) as client:
        await client.flushdb()
    return figures


async def _bare(redis_url: str, jobs: int) -> list[float]:
    arrived: asyncio.Queue[float] = asyncio.Queue()

    async def read(client: aioredis.Redis) -> None:
        while True:
            if await client.xreadgroup("g", "c", {"bare": ">"}, count=15, block=500):
                arrived.put_nowait(time.perf_counter())

    async with aioredis.Redis.from_url(redis_url) as client:
        await client.delete("bare")
        await client.xgroup_create("bare", "g", id="0", mkstream=True)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(read, client)
            latencies = []
            for number in range(jobs + _WARM_UP):
                await anyio.sleep(_PAUSE_S)
                start = time.perf_counter()
                await client.xadd("bare", {"id": str(number), "payload": b"{}"})
                latencies.append((await arrived.get() - start) * 1000)
            tasks.cancel_scope.cancel()
    return latencies[_WARM_UP:]


async def _ours(redis_url: str, dsn: str, jobs: int) -> list[float]:
    arrived: asyncio.Queue[float] = asyncio.Queue()
    stop = anyio.Event()

    async def handler(_: Job) -> None:
        arrived.put_nowait(time.perf_counter())

    async with Cache(redis_url) as cache, Database(dsn) as database, anyio.create_task_group() as tasks:
        stream = Stream(cache, "bench")
        tasks.start_soon(consume, stream, database, handler, stop)
        latencies = []
        for number in range(jobs + _WARM_UP):
            await anyio.sleep(_PAUSE_S)
            start = time.perf_counter()
            await stream.publish(str(number), {})
            latencies.append((await arrived.get() - start) * 1000)
        stop.set()
    return latencies[_WARM_UP:]


async def _arq(redis_url: str, jobs: int) -> list[float]:
    """arq with its own defaults, which include polling every half second."""
    from arq import create_pool
    from arq.connections import RedisSettings
    from arq.worker import Worker, func

    arrived: asyncio.Queue[float] = asyncio.Queue()

    async def job(_: dict[Any, Any]) -> None:
        arrived.put_nowait(time.perf_counter())

    settings = RedisSettings.from_dsn(redis_url)
    pool = await create_pool(settings)
    worker = Worker([func(job, name="job")], redis_settings=settings, handle_signals=False)
    running = asyncio.create_task(worker.async_run())
    latencies = []
    for number in range(jobs):
        await anyio.sleep(0.05 + 0.037 * (number % 13))  # spread over the polling interval
        start = time.perf_counter()
        await pool.enqueue_job("job")
        latencies.append((await arrived.get() - start) * 1000)
    running.cancel()
    await asyncio.wait([running])
    with suppress(asyncio.CancelledError):  # its way to say that the last job was still being tidied up
        await worker.close()
    await pool.aclose()
    return latencies
