"""What a person should know of the month's credits for paid providers: a share is used, or nothing is bought any more.

The ledger writes down which shares were reached, and when something no longer fitted. This only reads it, so that each
is one incident for as long as the month lasts, whichever keeper looks.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from keeper.incident import Kind
from keeper.marks import Finding
from lib.spend.budget import TOLD
from lib.store.connections import Database
from sql import statements

_SQL = statements("keeper")
_NEWS_S = 600.0  # longer than a keeper needs to start again while the database is away, or news were told twice
_CLEAR_S = 30.0


class Credits:
    """The month's budget, and operations that cost more than declared."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def ask(self) -> Sequence[Finding]:
        """One finding for each share that was reached this month, one while it is closed, one per shut operation."""
        found = []
        budget = await self._database.fetchrow(_SQL.credit_budget)
        if budget is not None and budget["granted"] > 0:
            found = of_budget(budget["period"], budget["granted"], budget["level"], closed=budget["closed"])
        rows = await self._database.fetch(_SQL.credit_shut)
        return [*found, *(of_operation(row["what"], row["declared"], row["charged"]) for row in rows)]


def of_budget(period: date, granted: int, level: int, *, closed: bool) -> list[Finding]:
    """The findings of a month. A raise ends that it is closed, and tells no share twice."""
    month, of_all = f"{period:%B %Y}", f"of {granted:,} credits"
    found = [
        Finding(
            key=f"{Kind.CREDITS}: {period:%Y-%m} {share} %",
            kind=Kind.CREDITS,
            title=f"{share} % of the credits of {month} are used",
            why=of_all,
            clear_s=_NEWS_S,
        )
        for share in TOLD
        if share <= level
    ]
    if closed:
        found.append(
            Finding(
                key=f"{Kind.SPENT}: {period:%Y-%m} {of_all}",
                kind=Kind.SPENT,
                title=f"the credits of {month} are spent; live search is closed until the month turns",
                why=of_all,
                clear_s=_CLEAR_S,
            )
        )
    return found


def of_operation(what: str, declared: int, charged: int) -> Finding:
    """The finding of an operation that is shut."""
    return Finding(
        key=f"{Kind.SPENT}: {what}",
        kind=Kind.SPENT,
        title=f"{what} costs more than declared, and is not called any more",
        why=f"{charged} credits instead of {declared} at most",
        clear_s=_CLEAR_S,
    )
