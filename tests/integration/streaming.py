"""What tests of streams share: a quick policy, and a worker."""

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio

from lib.store.connections import Database
from lib.store.streams import Backlog, Job, Stream
from lib.store.workers import Handler, Policy, consume

QUICK = Policy(attempts=3, alive_s=0.8, block_s=0.05, first_retry_s=0.01, longest_retry_s=0.05)


EMPTY = Backlog(0, 0, 0)


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
