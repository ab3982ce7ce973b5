"""A small change log to follow, and a fold that counts: what it saw, at which revision, and how often."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import anyio

from lib.store.changes import Follower, Following, Poison, Prepared
from lib.store.connections import Connection, Database

_INSERT = """
INSERT INTO posting (board_id, external_id, state, content_hash, title, url, first_seen, last_seen)
SELECT $1, external_id, 'described', decode(md5(external_id), 'hex'), external_id, 'https://b.example/', now(), now()
  FROM unnest($2::text[]) AS external_id
RETURNING id
"""
_CHANGE = "UPDATE posting SET revision = revision + 1, changed_xid = pg_current_xact_id() WHERE id = ANY ($1::bigint[])"
_READABLE = """
SELECT coalesce(max(changed_xid) < pg_snapshot_xmin(pg_current_snapshot()), true) FROM posting
"""
_TALLY = """
INSERT INTO tally AS t SELECT *, 1 FROM unnest($1::bigint[], $2::int[])
ON CONFLICT (posting_id, revision) DO UPDATE SET times = t.times + 1
"""


@dataclass(frozen=True)
class Seen:
    """A posting at a revision."""

    posting_id: int
    revision: int


class Tally:
    """Counts in a table of its own and is not idempotent on purpose: a batch that is written twice shows.

    `poison`: postings that cannot be prepared; `unwritable`: those whose row PostgreSQL refuses.
    """

    def __init__(
        self,
        database: Database,
        follower: Follower | None = None,
        *,
        poison: Collection[int] = (),
        unwritable: Collection[int] = (),
    ) -> None:
        self.follower = follower or Follower("tally", 1)
        self.batches: list[list[int]] = []
        self._database = database
        self._poison = poison
        self._unwritable = unwritable

    async def prepare(self, posting_ids: Sequence[int]) -> Prepared[Seen]:
        self.batches.append(list(posting_ids))
        rows = await self._database.fetch(
            "SELECT id, revision FROM posting WHERE id = ANY ($1::bigint[]) ORDER BY id", list(posting_ids)
        )
        poison = [Poison(row["id"], "not today") for row in rows if row["id"] in self._poison]
        return Prepared([Seen(row["id"], row["revision"]) for row in rows if row["id"] not in self._poison], poison)

    async def write(self, connection: Connection, items: Sequence[Seen]) -> None:
        revisions = [item.revision for item in items]
        await connection.execute(_TALLY, [item.posting_id for item in items], revisions)
        for item in items:
            if item.posting_id in self._unwritable:
                await connection.execute("SELECT $1::text", "no\0text")


async def open_log(database: Database, postings: int = 0) -> int:
    """Makes the table that `Tally` writes, and a board with so many postings; the board's id."""
    await database.execute(
        "CREATE TABLE IF NOT EXISTS tally (posting_id bigint, revision int, times int,"
        " PRIMARY KEY (posting_id, revision))"
    )
    board: int = await database.fetchval(
        "INSERT INTO board (source, tenant, url) VALUES ('lever', gen_random_uuid()::text, 'u') RETURNING id"
    )
    if postings:
        await add(database, board, postings)
        await readable(database)
    return board


async def add(database: Database, board: int, count: int) -> list[int]:
    """So many new postings, in one transaction."""
    start = await database.fetchval("SELECT count(*) FROM posting WHERE board_id = $1", board)
    rows = await database.fetch(_INSERT, board, [f"p{start + number}" for number in range(count)])
    return [row["id"] for row in rows]


async def change(database: Database | Connection, ids: Collection[int]) -> None:
    """A new revision of these postings, with a new place in the change log."""
    await database.execute(_CHANGE, list(ids))


async def shard_ids(database: Database, shard: int) -> list[int]:
    """The postings of a shard in the order of the log."""
    rows = await database.fetch("SELECT id FROM posting WHERE shard = $1 ORDER BY changed_xid, id", shard)
    return [row["id"] for row in rows]


async def tallied(database: Database) -> dict[tuple[int, int], int]:
    """How often each (posting, revision) was written."""
    rows = await database.fetch("SELECT posting_id, revision, times FROM tally")
    return {(row["posting_id"], row["revision"]): row["times"] for row in rows}


def following(database: Database, fold: Tally, shard: int = 0, owner: str = "a") -> Following[Seen]:
    """The fold on one shard."""
    return Following(database, fold, shard, owner)


async def readable(database: Database, seconds: float = 30.0) -> None:
    """Waits until all changes are below the horizon, which any transaction of this server holds back, anyone's."""
    with anyio.fail_after(seconds):
        while not await database.fetchval(_READABLE):  # noqa: ASYNC110 - the horizon is the server's
            await anyio.sleep(0.02)


async def to_the_end(one: Following[Seen], rows: int = 50) -> int:
    """Steps until nothing is left, and says how many changes there were."""
    total = 0
    while True:
        done = await one.step(rows)
        if not done:
            await readable(one.database)
            done = await one.step(rows)
        if not done:
            return total
        total += done
