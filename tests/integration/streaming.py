"""What tests of streams share: a quick policy, a worker, and patience."""

import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import anyio

from lib.store.connections import Database
from lib.store.streams import Backlog, Job, Stream
from lib.store.workers import Handler, Policy, consume

QUICK = Policy(attempts=3, alive_s=0.8, block_s=0.05, first_retry_s=0.01, longest_retry_s=0.05)


EMPTY = Backlog(0, 0, 0)


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


def raising(error: Exception) -> Handler:
    async def handler(_: Job) -> None:
        raise error

    return handler
