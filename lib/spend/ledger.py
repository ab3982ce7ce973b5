"""The ledger of credits: reserve before a call, settle or release after it, exactly once whatever dies.

PostgreSQL is the truth. Every step is one statement, so a process that dies between two steps leaves nothing half done,
and holds up nobody.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TypeAlias
from uuid import UUID, uuid4

import anyio
import asyncpg

from lib.spend.budget import (
    LATELY,
    RENEWED,
    TOLD,
    Ask,
    Facts,
    Full,
    NotGranted,
    Pending,
    Rules,
    ShareSpent,
    Shut,
    Spent,
    fair_share,
    next_period,
    period_of,
    start_of,
)
from lib.spend.status import Status, load_status
from lib.store.connections import Database
from sql import statements

Clock: TypeAlias = Callable[[], datetime | None]

_SQL = statements("credits")
_UNPLACED = "unplaced"  # fewer places were ever made than the provider has
_SOON_S = 1.0
_SHUT_S = 900.0  # an operator has to come first
_SWEPT = 500
_LAST_WORD_S = 2.0
_MOST = 2**53


@dataclass(frozen=True)
class Reservation:
    """Credits that are set aside for one call until `lease_until`. `account_id`: who pays, None for the house."""

    id: UUID
    account_id: int | None
    credits: int
    lease_until: datetime


@dataclass(frozen=True)
class Settlement:
    """True for whoever ended the reservation, which one call does. `above`: credits it cost beyond its ceiling; then
    its operation is shut until an operator has looked."""

    first: bool
    above: int = 0

    def __bool__(self) -> bool:
        return self.first


class Ledger:
    """What is spent of a month's budget. Periods are UTC months; a reservation stays with the one it was made in.

    `clock` gives the time; None, or one that gives None, means PostgreSQL's, on which gateways agree whose own clocks
    differ.
    """

    def __init__(self, database: Database, clock: Clock | None = None, rules: Rules | None = None) -> None:
        self._database = database
        self._clock = clock or _of_postgresql
        self._rules = rules or Rules()

    async def reserve(self, ask: Ask) -> Reservation:
        """Sets credits aside, and a place among the calls to the provider.

        Raises Spent, ShareSpent, Full, Pending, Shut; ValueError for an ask that makes no sense.
        """
        if not 0 <= ask.credits <= _MOST or ask.lease_s <= 0:
            raise ValueError("credits of a call are not below 0, and its lease ends in the future")
        reservation = uuid4()  # known before the first try, so that a repeated one finds what the first has done
        try:
            row = await self._reserve(reservation, ask)
        except anyio.get_cancelled_exc_class():
            with anyio.move_on_after(_LAST_WORD_S, shield=True):
                await self.release(reservation, "cancelled")  # nobody will ever know of it
            raise
        if row["outcome"] in ("granted", "granted before"):
            return Reservation(reservation, row["account_id"], ask.credits, row["lease_until"])
        raise _refusal(row["outcome"], ask, row["at"])

    async def settle(
        self,
        reservation: UUID,
        credits: int,  # noqa: A002
        outcome: str,
        *,
        blob_key: str | None = None,
        provider_id: str | None = None,
    ) -> Settlement:
        """Ends a reservation with what the call really cost. True the first time only, whatever races.

        `blob_key`: where the answer is kept; it is then owned, in the same statement. `provider_id`: what the
        provider's answer calls the call, by which its statement is compared later. False also where the acknowledgement
        of our own first try was lost. Raises ValueError for credits below 0 or beyond reason.
        """
        if not 0 <= credits <= _MOST:
            raise ValueError(f"{credits} credits cannot be")
        rows = await self._end([reservation], credits, "settle", outcome, provider_id, blob_key)
        return Settlement(True, max(0, rows[0]["charged"] - rows[0]["reserved"])) if rows else Settlement(False)

    async def release(self, reservation: UUID, outcome: str) -> bool:
        """Ends a reservation of a call that cost nothing. True the first time only."""
        return bool(await self._end([reservation], 0, "release", outcome))

    async def sweep(self) -> int:
        """Settles reservations whose lease has ended at their full cost, for the provider may have charged it, as
        `presumed`. Returns how many."""
        overdue = await self._database.fetch(_SQL.overdue, self._clock(), _SWEPT)
        if not overdue:
            return 0
        return len(await self._end([row["reservation"] for row in overdue], None, "settle", "presumed"))

    async def status(self, now: datetime | None = None) -> Status:
        """The period of `now`, or of this ledger's time."""
        return await load_status(self._database, self._rules.monthly, now or self._clock())

    async def _end(
        self,
        reservations: Sequence[UUID],
        charged: int | None,
        kind: str,
        outcome: str,
        provider_id: str | None = None,
        blob_key: str | None = None,
    ) -> Sequence[asyncpg.Record]:
        return await self._database.fetch(
            _SQL.end_reservations, reservations, self._clock(), charged, kind, outcome, provider_id, blob_key,
            TOLD,
        )  # fmt: skip

    async def _reserve(self, reservation: UUID, ask: Ask) -> asyncpg.Record:
        while True:
            now = self._clock()
            day, facts = await self._facts(now)
            share = fair_share(facts, self._rules, day)
            with suppress(asyncpg.UniqueViolationError):  # somebody was first a moment ago, whom a second look sees
                row = await self._database.fetchrow(
                    _SQL.reserve, reservation, now, ask.account_id, ask.provider, ask.operation, ask.credits,
                    ask.request_id, ask.search_id, ask.record, ask.lease_s, ask.places,
                    share.today, share.month, RENEWED,
                )  # fmt: skip
                if row is not None and row["outcome"] == _UNPLACED:
                    await self._database.execute(_SQL.open_places, ask.provider, ask.places)
                elif row is not None:  # else the month has turned since
                    return row

    async def _facts(self, now: datetime | None) -> tuple[date, Facts]:
        """What shares depend on, and the day that is for. Makes the period's row when it is the first to look."""
        row = await self._database.fetchrow(_SQL.share_facts, now, LATELY.days)
        while row is None:
            await self._database.execute(_SQL.open_period, now, self._rules.monthly)
            row = await self._database.fetchrow(_SQL.share_facts, now, LATELY.days)
        facts = dict(row)
        return facts.pop("day"), Facts(**facts)


def _of_postgresql() -> None:
    return None


def _refusal(outcome: str, ask: Ask, now: datetime) -> NotGranted:
    """The reason as an error, with the time when asking again can help."""
    turn_s = (start_of(next_period(now)) - now).total_seconds()
    what = f"{ask.provider}/{ask.operation}"
    if outcome == "spent":
        return Spent(f"the budget of {period_of(now):%B %Y} has no room for {ask.credits} credits", turn_s)
    if outcome == "share":
        midnight_s = (start_of(now.date() + timedelta(days=1)) - now).total_seconds()
        return ShareSpent(f"account {ask.account_id} has used its share of the credits", midnight_s)
    if outcome == "full":
        return Full(f"as many calls to {ask.provider} are in flight as may be", _SOON_S)
    if outcome == "shut":
        return Shut(f"{what} cost more than declared; see `vakanz credits`", _SHUT_S)
    return Pending(f"{ask.request_id} is being bought, or was a moment ago", _SOON_S)
