"""An empty follower: what the machinery of following costs, beside a bare loop of the two statements it is made of."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import asyncpg

from lib.life.domains import SHARDS
from lib.store.batches import BATCH_ROWS
from lib.store.changes import Follower, Following, Prepared
from lib.store.connections import Connection, Database
from sql import statements
from tests.bench.lab import Lab
from tests.bench.rows import Row, Target, in_turns, stopwatch

_POSTINGS = 20_000
_SQL = statements("changes")
_FILL = """
WITH bench AS (INSERT INTO board (source, tenant, url) VALUES ('bench', 'bench', 'https://bench.example') RETURNING id)
INSERT INTO posting (board_id, external_id, state, content_hash, title, url, first_seen, last_seen)
SELECT id, number, 'described', 'x', 'Title ' || number, 'https://bench.example/' || number, now(), now()
  FROM bench, generate_series(1, $1) AS number
"""


class _NothingToDo:
    """A fold that needs nothing of any posting."""

    def __init__(self, name: str) -> None:
        self.follower = Follower(name, 1)

    async def prepare(self, posting_ids: Sequence[int]) -> Prepared[Nothing]:
        return Prepared()

    async def write(self, connection: Connection, items: Sequence[Nothing]) -> None:
        raise AssertionError("there is nothing to write")


class Nothing:
    """What `_NothingToDo` never prepares."""

    posting_id: int


async def measure(lab: Lab) -> list[Row]:
    """The row `empty follower`."""
    count = lab.count(_POSTINGS)

    async def fill(database: Database) -> None:
        await database.execute(_FILL, count)
        await database.execute("VACUUM ANALYZE posting")

    async with lab.template(fill) as template, lab.clone(template) as dsn, Database(dsn) as database:
        connection = await asyncpg.connect(dsn)
        try:
            figures, bounds = await in_turns(lab.rounds, partial(_ours, database), partial(_bare, connection))
        finally:
            await connection.close()
    return [
        Row.of_rounds(
            figures, bounds, name="empty follower", unit="changes/s", target=Target(">=", 0.6),
            bound="bare loop of its two statements", n=f"{count:,} changes on {SHARDS} shards, {BATCH_ROWS} a batch",
        )
    ]  # fmt: skip


async def _ours(database: Database) -> float:
    await database.execute(_SQL.reset_followers)
    rows, seconds = 0, 0.0
    for shard in range(SHARDS):
        following = Following(database, _NothingToDo("ours"), shard, "bench")
        if not await following.join():
            raise RuntimeError("somebody else has the lease of this bench")
        with stopwatch() as watch:
            while moved := await following.step():
                rows += moved
        seconds += watch.seconds
        await following.leave()
    return rows / seconds


async def _bare(connection: asyncpg.Connection[asyncpg.Record]) -> float:
    await connection.execute("DELETE FROM follower WHERE name = 'bare'")
    rows, seconds = 0, 0.0
    for shard in range(SHARDS):
        await connection.execute("INSERT INTO follower (name, shard, version) VALUES ('bare', $1, 1)", shard)
        at = (0, 0)
        with stopwatch() as watch:
            while changes := await connection.fetch(_SQL.read_changes, shard, *at, BATCH_ROWS):
                to = (changes[-1]["xid"], changes[-1]["id"])
                async with connection.transaction():
                    if not await connection.fetchval(_SQL.move_cursor, "bare", shard, *at, *to, len(changes), 0):
                        raise RuntimeError("the cursor did not move")
                at = to
                rows += len(changes)
        seconds += watch.seconds
    return rows / seconds
