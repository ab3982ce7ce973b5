"""What was bought before, and answers again without a credit."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from lib.spend.budget import RENEWED, Ask
from lib.store.connections import Database
from sql import statements

_SQL = statements("credits")


@dataclass(frozen=True)
class Bought:
    """An answer that was paid for. `blob_key`: where its body is kept."""

    request_id: str
    blob_key: str
    credits: int
    bought_at: datetime


async def find(database: Database, ask: Ask, now: datetime | None = None) -> Bought | None:
    """What answers `ask` for nothing: the answer to the same request, however old, or what somebody bought of the same
    record in the last seven days. `now` None: PostgreSQL's time."""
    row = await database.fetchrow(
        _SQL.find_purchase, ask.request_id, ask.provider, ask.operation, ask.record, now, RENEWED
    )
    return None if row is None else Bought(**row)


async def prune(database: Database, kept: timedelta) -> int:
    """Forgets answers that are older than `kept` and about no record, and says how many. Who paid for a record is known
    for ever."""
    return len(await database.fetch(_SQL.prune_purchases, kept))
