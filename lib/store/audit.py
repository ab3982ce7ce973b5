"""The history of postings, sealed: one hash chain per shard, so that a row changed or removed later shows.

A chain proves that nothing in it was altered since it was sealed. Whoever can write the tables could still replace a
whole chain from some link on; that shows against a head (position and hash) that was noted elsewhere.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import asyncpg
import orjson

from lib.store.connections import Connection, Database
from sql import statements

_SQL = statements("audit")
_GENESIS = bytes(32)
_STRETCH = 1_000


@dataclass(frozen=True)
class Chain:
    """A shard's chain as it was found. `broken` says what is wrong at the first bad link, None when all hold."""

    shard: int
    links: int
    head: bytes
    broken: str | None


def link(before: bytes, posting_id: int, revision: int, at: Any, session: str, changes: Any) -> bytes:
    """The hash of a row of history after the hash `before`: SHA-256 over both, the row as sorted JSON."""
    row = orjson.dumps([posting_id, revision, at, session, changes], option=orjson.OPT_SORT_KEYS | orjson.OPT_UTC_Z)
    return hashlib.sha256(before + row).digest()


async def seal(database: Database, shard: int) -> int:
    """Appends up to 1,000 rows of history to the shard's chain and returns how many."""

    async def work(connection: Connection) -> int:
        await connection.execute(_SQL.lock_chain, shard)
        last = await connection.fetchrow(_SQL.last_seal, shard)
        position, head = (last["position"], last["hash"]) if last else (0, _GENESIS)
        rows = await connection.fetch(_SQL.unsealed, shard, _STRETCH)
        hashes = []
        for row in rows:
            head = link(head, *_sealed_values(row))
            hashes.append(head)
        positions = list(range(position + 1, position + 1 + len(rows)))
        await connection.execute(_SQL.add_seals, shard, positions, [row["id"] for row in rows], hashes)
        return len(rows)

    return await database.transaction(work)


async def verify(database: Database, shard: int) -> Chain:
    """Computes the shard's chain anew and compares it link by link, up to the first that does not hold."""
    head, links = _GENESIS, 0
    async for row in _chain(database, shard):
        place = f"link {row['position']} (history row {row['history_id']})"
        if row["position"] != links + 1:
            return Chain(shard, links, head, f"link {links + 1} is missing before {place}")
        if row["posting_id"] is None:
            return Chain(shard, links, head, f"{place}: the row was removed")
        expected = link(head, *_sealed_values(row))
        if expected != row["hash"]:
            return Chain(shard, links, head, f"{place}: the row of posting {row['posting_id']} was altered")
        head, links = expected, links + 1
    return Chain(shard, links, head, None)


async def unsealed(database: Database) -> int:
    """How many rows of history are not in a chain yet."""
    return int(await database.fetchval(_SQL.open_history))


async def _chain(database: Database, shard: int) -> AsyncIterator[asyncpg.Record]:
    position = 0
    while rows := await database.fetch(_SQL.chain, shard, position, _STRETCH):
        for row in rows:
            yield row
        position = rows[-1]["position"]


def _sealed_values(row: asyncpg.Record) -> tuple[int, int, Any, str, Any]:
    return row["posting_id"], row["revision"], row["at"], row["session"], row["changes"]
