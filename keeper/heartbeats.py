"""The table `daemon` as the keeper reads it."""

from __future__ import annotations

from keeper.observed import Heartbeat
from lib.store.connections import Database
from sql import statements

_SQL = statements("keeper")


async def load_heartbeats(database: Database) -> list[Heartbeat]:
    """Every daemon's last heartbeat, by unit. Waits while the database is away."""
    return [Heartbeat(**row) for row in await database.fetch(_SQL.load_daemons)]


async def ask_to_stop(database: Database, unit: str, stop: bool) -> bool:
    """Stops a daemon for as long as `stop` stays true. False when no such daemon ever beat."""
    return await database.fetchrow(_SQL.ask_to_stop, unit, stop) is not None
