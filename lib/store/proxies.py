"""What went over each proxy, by day."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from lib.store.connections import Database
from sql import statements

_SQL = statements("proxies")


@dataclass(frozen=True)
class Spend:
    """`size`: bytes both ways."""

    requests: int = 0
    failures: int = 0
    size: int = 0


async def write_spend(database: Database, spender: str, totals: Mapping[tuple[str, date], Spend]) -> None:
    """Writes the totals of a process by proxy and day. Writing them again changes nothing."""
    await database.execute(
        _SQL.write_spend,
        spender,
        [proxy for proxy, _ in totals],
        [day for _, day in totals],
        [spend.requests for spend in totals.values()],
        [spend.failures for spend in totals.values()],
        [spend.size for spend in totals.values()],
    )


async def load_spend(database: Database, since: date) -> dict[str, Spend]:
    """What each proxy carried on `since` and later, by its name."""
    rows = await database.fetch(_SQL.load_spend, since)
    return {row["proxy"]: Spend(row["requests"], row["failures"], row["bytes"]) for row in rows}


async def merge_spend(database: Database, before: date) -> int:
    """Makes one row per proxy and day of what all processes wrote before a day, and says how many rows that are.

    Leave the last days alone: a process may still have to write their totals.
    """
    return len(await database.fetch(_SQL.merge_spend, before))
