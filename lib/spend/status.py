"""Where a month's credits stand: what is used, by whom, and where that is heading."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime

from lib.spend.budget import forecast, period_of
from lib.store.connections import Database
from sql import statements

_SQL = statements("credits")
_SHOWN = 50


@dataclass(frozen=True)
class AccountUse:
    """One account's credits of the period. `account_id` and `name` None: the house."""

    account_id: int | None
    name: str | None
    used: int
    reserved: int


@dataclass(frozen=True)
class DayUse:
    """What was used on one day (UTC)."""

    day: date
    used: int


@dataclass(frozen=True)
class ShutOperation:
    """An operation that cost more than its ceiling, and waits for an operator."""

    provider: str
    operation: str
    declared: int
    charged: int
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Status:
    """A period at one moment. `left`: neither used nor reserved. `level`: the highest share in percent that was told.

    `in_flight`: calls by provider, those without one left out. `closed_at`: when something first no longer fitted.
    `forecast`: what will be used at the month's end. `accounts` are the fifty that use most.
    """

    period: date
    granted: int
    used: int
    reserved: int
    left: int
    in_flight: Mapping[str, int]
    level: int
    closed_at: datetime | None
    forecast: int
    accounts: list[AccountUse]
    days: list[DayUse]
    shut: list[ShutOperation]


async def load_status(database: Database, monthly: int, now: datetime | None = None) -> Status:
    """The period of `now`; None is PostgreSQL's time. `monthly` is what one will have that nobody has used yet."""
    now = now or await database.fetchval(_SQL.clock)
    period = period_of(now.astimezone(UTC))
    budget = await database.fetchrow(_SQL.status_budget, now)
    days = [DayUse(**row) for row in await database.fetch(_SQL.status_days, period)]
    accounts = [AccountUse(**row) for row in await database.fetch(_SQL.status_accounts, period, _SHOWN)]
    flights = await database.fetch(_SQL.status_flights, now)
    shut = [ShutOperation(**row) for row in await database.fetch(_SQL.status_shut)]
    granted, used, reserved = (budget["granted"], budget["used"], budget["reserved"]) if budget else (monthly, 0, 0)
    return Status(
        period=period,
        granted=granted,
        used=used,
        reserved=reserved,
        left=max(0, granted - used - reserved),
        in_flight={row["provider"]: row["calls"] for row in flights},
        level=budget["level"] if budget else 0,
        closed_at=budget["closed_at"] if budget else None,
        forecast=forecast(used, {one.day: one.used for one in days}, now.astimezone(UTC)),
        accounts=accounts,
        days=days,
        shut=shut,
    )


async def load_days(database: Database, account_id: int, now: datetime) -> list[DayUse]:
    """What one account used on each day of the month of `now` that it used anything on."""
    rows = await database.fetch(_SQL.account_days, account_id, period_of(now.astimezone(UTC)))
    return [DayUse(**row) for row in rows]
