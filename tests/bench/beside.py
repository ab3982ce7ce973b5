"""`python -m tests.bench.beside DSN`: all enrichers follow the change log as fast as they can, until stdin ends.

Prints how many changes they went through. They give way to the API as much as the slices of systemd make them.
"""

from __future__ import annotations

import os
import sys

import anyio
import uvloop

from daemons.enrich.actor import enrich_folds
from lib.life import logs
from lib.life.domains import SHARDS
from lib.store.changes import Following
from lib.store.connections import Database

_NICE = 7  # about the share of vakanz-follow.slice beside vakanz-serve.slice


async def main(dsn: str) -> None:
    """Goes through the log shard by shard, and from its beginning again at the end."""
    os.nice(_NICE)
    seen = 0

    async def follow(database: Database) -> None:
        nonlocal seen
        while True:
            for shard in range(SHARDS):
                for fold in enrich_folds(database):
                    following = Following(database, fold, shard, "bench")
                    if not await following.join():
                        raise RuntimeError("somebody else has the lease of this bench")
                    while moved := await following.step():
                        seen += moved
                    await following.leave()
            await database.execute("DELETE FROM follower")

    async with Database(dsn) as database, anyio.create_task_group() as tasks:
        tasks.start_soon(follow, database)
        await anyio.to_thread.run_sync(sys.stdin.read)
        tasks.cancel_scope.cancel()
    print(seen, flush=True)


if __name__ == "__main__":
    logs.configure("console", "error")
    uvloop.run(main(sys.argv[1]))
