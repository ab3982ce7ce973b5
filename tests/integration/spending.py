"""A ledger on a real database, with a clock that tests set."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg

from lib.spend import books
from lib.spend.budget import Ask, Rules
from lib.spend.ledger import Ledger
from lib.store.connections import Database

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


class Clock:
    """The time of a test."""

    def __init__(self, now: datetime = NOON) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def go(self, **how: float) -> None:
        """Lets time pass."""
        self.now += timedelta(**how)


_numbers = itertools.count()


def ask(account_id: int | None, **changes: Any) -> Ask:
    """A listing for five credits under a request id of its own."""
    usual: dict[str, Any] = {
        "account_id": account_id,
        "provider": "hasdata",
        "operation": "indeed_listing",
        "credits": 5,
        "request_id": f"request-{next(_numbers)}",
        "places": 15,
        "lease_s": 60.0,
    }
    return Ask(**usual | changes)


def ledger(database: Database, clock: Clock | None = None, **rules: Any) -> Ledger:
    """A ledger of a thousand credits, of which an account may have all."""
    return Ledger(database, clock, Rules(**{"monthly": 1_000, "floor": 1_000} | rules))


async def account(database: Database, name: str = "somebody") -> int:
    """A paid account's number."""
    number: int = await database.fetchval("INSERT INTO account (name, tier) VALUES ($1, 'paid') RETURNING id", name)
    return number


async def tamper(dsn: str, statements: str) -> None:
    """Changes the books past everything that guards them, as the database's owner can."""
    owner = await asyncpg.connect(dsn)
    await owner.execute(f"SET session_replication_role = replica; {statements}")
    await owner.close()


async def sums(database: Database) -> tuple[int, int]:
    """Used and reserved, of all periods; says so when the books do not agree."""
    assert await books.verify(database) == []
    row = await database.fetchrow("SELECT sum(used)::int AS used, sum(reserved)::int AS reserved FROM credit_budget")
    assert row is not None
    return row["used"], row["reserved"]
