"""What an operator decides about credits; each decision is written down with its reason."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from lib.errors import VakanzError
from lib.store.connections import Database
from sql import statements

_SQL = statements("credits")


class NoRaise(VakanzError):
    """The new limit is not above the one that is in force."""


class NotShut(VakanzError):
    """There is no such operation that waits for an operator."""


@dataclass(frozen=True)
class Raised:
    """A period's limit before and after."""

    period: date
    before: int
    after: int


async def raise_to(
    database: Database, granted: int, who: str, why: str, *, monthly: int, now: datetime | None = None
) -> Raised:
    """Raises the limit of the period of `now` (None: PostgreSQL's time) to `granted`, and opens it again when it was
    closed. `monthly` is its limit where nobody has used it yet. Raises NoRaise."""
    await database.execute(_SQL.open_period, now, monthly)
    row = await database.fetchrow(_SQL.raise_to, now, granted, who, why)
    if row is None:
        raise NoRaise(f"{granted} is not above this month's limit; see `vakanz credits`")
    return Raised(row["period"], row["granted"], granted)


async def reopen(database: Database, provider: str, operation: str, who: str, why: str) -> None:
    """Lets an operation be bought again that cost more than its ceiling. Raises NotShut."""
    if await database.fetchrow(_SQL.reopen, provider, operation, who, why) is None:
        raise NotShut(f"{provider}/{operation} is not shut; see `vakanz credits`")
