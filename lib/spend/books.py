"""The ledger's entries as an auditor reads them: do the sums agree with them, and what stands beside a statement."""

from __future__ import annotations

from datetime import datetime, timedelta

from lib.spend.budget import period_of
from lib.spend.statement import Entry
from lib.store.connections import Database
from sql import statements

_SQL = statements("credits")
_LONGEST_CALL = timedelta(days=1)


async def verify(database: Database) -> list[str]:
    """What does not agree with the entries, in words; nothing: sums, shares and open reservations are as they say."""
    return [row["problem"] for row in await database.fetch(_SQL.verify)]


async def load_entries(database: Database, provider: str, since: datetime, until: datetime) -> list[Entry]:
    """The ended calls to `provider` of all months that `since` to `until` touches, in the order of their ends."""
    rows = await database.fetch(_SQL.ended_calls, provider, period_of(since - _LONGEST_CALL), period_of(until))
    return [Entry(**row) for row in rows]
