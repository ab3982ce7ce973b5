"""What was bought, as long as it is worth keeping."""

from __future__ import annotations

from datetime import timedelta

from lib.store.connections import Database
from sql import statements

_SQL = statements("credits")


async def prune(database: Database, kept: timedelta) -> int:
    """Forgets answers that are older than `kept` and about no record, and says how many. Who paid for a record is known
    for ever, for nobody pays for one twice."""
    return len(await database.fetch(_SQL.prune_purchases, kept))
