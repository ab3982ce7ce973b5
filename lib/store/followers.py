"""How far the followers are, for people and figures."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from lib.errors import VakanzError
from lib.store.connections import Connection, Database
from sql import statements

_SQL = statements("changes")
_REBASE_S = 24 * 3_600.0  # it writes every posting in one statement


class AtWork(VakanzError):
    """Followers run where none may."""


@dataclass(frozen=True, kw_only=True)
class Status:
    """One follower on one shard. `lag`: how many changes are still before it."""

    name: str
    shard: int
    version: int
    cursor_xid: int
    cursor_id: int
    epoch: int
    rows: int
    moved_at: datetime
    lag: int


async def status(database: Database) -> list[Status]:
    """Every follower and shard, by name and shard."""
    return [Status(**dict(row)) for row in await database.fetch(_SQL.follower_status)]


async def lags(database: Database) -> dict[str, int]:
    """Changes not yet worked through, per follower over all shards."""
    found: dict[str, int] = {}
    for one in await status(database):
        found[one.name] = found.get(one.name, 0) + one.lag
    return found


async def rebase(database: Database) -> None:
    """After a restore into another cluster, whose transaction ids start anew: everything changed now.

    Raises AtWork while a follower's lease is held: whoever has it would go on from a place that means nothing.
    """

    async def work(connection: Connection) -> None:
        owners = [row["owner"] for row in await connection.fetch(_SQL.followers_at_work)]
        if owners:
            raise AtWork(f"followers are at work, stop them first (systemctl stop vakanz.target): {', '.join(owners)}")
        await connection.execute(_SQL.rebase_followers, timeout=_REBASE_S)
        await connection.execute(_SQL.reset_followers)

    await database.transaction(work)
