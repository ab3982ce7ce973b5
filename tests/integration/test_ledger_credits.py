"""The ledger of credits: what is reserved, settled and released, and never one above the limit."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from lib.spend import books, office
from lib.spend.budget import Full, ShareSpent, Shut, Spent
from lib.store.connections import Database
from tests.integration.spending import NOON, Clock, account, ask, ledger, sums, tamper


async def test_credits_are_reserved_and_settled(database: Database) -> None:
    clock, payer = Clock(), await account(database)
    books_of = ledger(database, clock)
    reservation = await books_of.reserve(ask(payer))
    assert (reservation.account_id, reservation.credits) == (payer, 5)
    assert reservation.lease_until == NOON + timedelta(seconds=60)
    assert await sums(database) == (0, 5)
    settled = await books_of.settle(reservation.id, 3, "ok")
    assert settled
    assert settled.above == 0
    assert await sums(database) == (3, 0)


async def test_the_budget_is_spent_to_the_last_credit_and_opens_with_the_month(database: Database) -> None:
    clock, payer = Clock(datetime(2026, 11, 30, 23, 0, tzinfo=UTC)), await account(database)
    books_of = ledger(database, clock, monthly=12)
    held = [await books_of.reserve(ask(payer)) for _ in range(2)]
    with pytest.raises(Spent) as refused:
        await books_of.reserve(ask(payer))
    assert refused.value.retry_after_s == 3_600
    held.append(await books_of.reserve(ask(payer, credits=2)))
    for one in held:
        await books_of.settle(one.id, one.credits, "ok")
    assert await sums(database) == (12, 0)
    with pytest.raises(Spent):
        await books_of.reserve(ask(payer, credits=1))
    clock.go(hours=1)
    await books_of.reserve(ask(payer))
    assert await sums(database) == (12, 5)


async def test_a_reservation_stays_with_its_period(database: Database) -> None:
    clock, payer = Clock(datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC)), await account(database)
    books_of = ledger(database, clock)
    late = await books_of.reserve(ask(payer))
    clock.go(seconds=2)
    early = await books_of.reserve(ask(payer, credits=1))
    await books_of.settle(late.id, 5, "ok")
    await books_of.settle(early.id, 1, "ok")
    rows = await database.fetch("SELECT period, used, reserved FROM credit_budget ORDER BY period")
    assert [tuple(row) for row in rows] == [(date(2026, 12, 1), 5, 0), (date(2027, 1, 1), 1, 0)]
    await sums(database)


async def test_a_month_may_turn_between_two_statements(dsn: str, database: Database) -> None:
    class Turning(Clock):
        def __call__(self) -> datetime:
            self.go(seconds=0.6)
            return self.now

    class Late(Database):
        async def fetch(self, statement: str, *arguments: Any) -> Sequence[asyncpg.Record]:
            if "credit_slot" in statement and arguments[1].month == 11:
                arguments = (arguments[0], arguments[1] + timedelta(seconds=1), *arguments[2:])
            return await super().fetch(statement, *arguments)

    async with Late(dsn) as late:
        made = await ledger(late, Turning(datetime(2026, 11, 30, 23, 59, 59, tzinfo=UTC))).reserve(ask(None))
    assert made.credits == 5
    assert await database.fetchval("SELECT period FROM credit_open") == date(2026, 12, 1)


async def test_places_in_flight_come_back_with_an_end_or_with_the_lease(database: Database) -> None:
    clock, payer = Clock(), await account(database)
    one, other = (ledger(database, clock) for _ in range(2))
    held = [await (one, other)[number % 2].reserve(ask(payer, lease_s=60.0 + number)) for number in range(15)]
    with pytest.raises(Full):
        await other.reserve(ask(payer))
    await one.release(held[3].id, "failed")
    again = await other.reserve(ask(payer))
    with pytest.raises(Full):
        await one.reserve(ask(payer))
    clock.go(seconds=60)
    for _ in range(2):  # the lease of the first has ended, and of the one that came later for as long
        await one.reserve(ask(payer))
    with pytest.raises(Full):
        await one.reserve(ask(payer))
    assert await one.sweep() == 2
    assert not await one.settle(again.id, 5, "late"), "it was presumed to have been charged"
    assert await sums(database) == (10, 15 * 5)


async def test_places_in_flight_are_kept_over_the_turn_of_the_month(database: Database) -> None:
    clock, payer = Clock(datetime(2026, 11, 30, 23, 59, 59, tzinfo=UTC)), await account(database)
    books_of = ledger(database, clock)
    for number in range(16):
        if number < 15:
            await books_of.reserve(ask(payer))
        clock.go(seconds=0.1)
    with pytest.raises(Full):
        await books_of.reserve(ask(payer))


async def test_slow_calls_of_one_provider_leave_another_its_places(database: Database) -> None:
    books_of = ledger(database, Clock())
    for places, provider in ((3, "llm"), (15, "hasdata"), (4, "llm")):
        with pytest.raises(Full, match=provider):
            for _ in range(places + 1):
                await books_of.reserve(ask(None, provider=provider, places=places))
    assert (await books_of.status()).in_flight == {"hasdata": 15, "llm": 4}
    assert await sums(database) == (0, 19 * 5), "the budget is one"


async def test_an_account_has_its_share_and_the_house_has_none(database: Database) -> None:
    clock = Clock(datetime(2026, 11, 30, 12, tzinfo=UTC))
    one, other = await account(database, "one"), await account(database, "other")
    books_of = ledger(database, clock, floor=10, burst=1.0, monthly=100)
    await books_of.settle((await books_of.reserve(ask(other))).id, 5, "ok")
    held = [await books_of.reserve(ask(one)) for _ in range(10)]
    with pytest.raises(ShareSpent) as refused:
        await books_of.reserve(ask(one))
    assert refused.value.retry_after_s == 12 * 3600
    await books_of.reserve(ask(other))
    await books_of.reserve(ask(None))
    await books_of.release(held[0].id, "failed")
    await books_of.reserve(ask(one))
    await sums(database)


async def test_accounts_whose_calls_cost_nothing_leave_others_their_share(database: Database) -> None:
    clock = Clock(datetime(2026, 11, 29, 12, tzinfo=UTC))
    one, *others = [await account(database, f"account {number}") for number in range(5)]
    books_of = ledger(database, clock, floor=1, burst=1.0, monthly=100)
    for other in others:
        await books_of.release((await books_of.reserve(ask(other, credits=1))).id, "failed")
    await books_of.reserve(ask(one, credits=50))
    with pytest.raises(ShareSpent):
        await books_of.reserve(ask(one, credits=1))


async def test_an_operation_that_costs_more_than_declared_is_shut_until_an_operator_looked(database: Database) -> None:
    payer = await account(database)
    books_of = ledger(database, Clock())
    first, second = await books_of.reserve(ask(payer)), await books_of.reserve(ask(payer))
    settled = await books_of.settle(first.id, 8, "ok")
    assert (settled.first, settled.above) == (True, 3)
    assert await sums(database) == (8, 5)
    with pytest.raises(Shut):
        await books_of.reserve(ask(payer))
    await books_of.reserve(ask(payer, operation="indeed_job"))
    await books_of.settle(second.id, 9, "ok")
    assert [(one.declared, one.charged) for one in (await books_of.status()).shut] == [(5, 8)]
    await office.reopen(database, "hasdata", "indeed_listing", "op@w1", "their price list has changed")
    await books_of.reserve(ask(payer))
    with pytest.raises(office.NotShut):
        await office.reopen(database, "hasdata", "indeed_listing", "op@w1", "again")
    row = await database.fetchrow("SELECT who, action, subject, details FROM admin_audit")
    assert row is not None
    assert tuple(row) == (
        "op@w1",
        "reopen operation",
        "hasdata/indeed_listing",
        {"declared": 5, "charged": 8, "why": "their price list has changed"},
    )


async def test_a_raise_opens_the_month_again(database: Database) -> None:
    payer = await account(database)
    clock = Clock()
    books_of = ledger(database, clock, monthly=5)
    await books_of.settle((await books_of.reserve(ask(payer))).id, 5, "ok")
    with pytest.raises(Spent):
        await books_of.reserve(ask(payer))
    assert (await books_of.status()).closed_at == NOON
    with pytest.raises(office.NoRaise):
        await office.raise_to(database, 5, "op@w1", "why not", monthly=5, now=NOON)
    raised = await office.raise_to(database, 10, "op@w1", "a fair week", monthly=5, now=NOON)
    assert (raised.before, raised.after) == (5, 10)
    assert (await books_of.status()).closed_at is None
    await books_of.reserve(ask(payer))
    details = await database.fetchval("SELECT details FROM admin_audit WHERE action = 'raise credits'")
    assert details == {"from": 5, "to": 10, "why": "a fair week"}


async def test_what_does_not_fit_beside_calls_in_flight_closes_nothing(database: Database) -> None:
    payer = await account(database)
    books_of = ledger(database, Clock(), monthly=9)
    made = await books_of.reserve(ask(payer))
    with pytest.raises(Spent):
        await books_of.reserve(ask(payer))
    await books_of.release(made.id, "failed")
    assert (await books_of.status()).closed_at is None
    await books_of.reserve(ask(payer))


async def test_status_says_who_uses_how_much_and_where_that_leads(database: Database) -> None:
    clock = Clock(datetime(2026, 11, 3, 12, tzinfo=UTC))
    one, other = await account(database, "one"), await account(database, "other")
    books_of = ledger(database, clock)
    assert (await books_of.status()).left == 1_000, "before the first call"
    await books_of.settle((await books_of.reserve(ask(one))).id, 5, "ok")
    clock.go(days=1)
    await books_of.settle((await books_of.reserve(ask(other))).id, 4, "ok")
    await books_of.settle((await books_of.reserve(ask(None, credits=1))).id, 1, "ok")
    await books_of.reserve(ask(other))
    status = await books_of.status()
    assert (status.granted, status.used, status.reserved, status.left) == (1_000, 10, 5, 985)
    assert status.in_flight == {"hasdata": 1}
    assert [(use.name, use.used, use.reserved) for use in status.accounts] == [
        ("other", 4, 5),
        ("one", 5, 0),
        (None, 1, 0),
    ]
    assert [(day.day.day, day.used) for day in status.days] == [(3, 5), (4, 5)]
    assert status.forecast == 10 + round(10 / 3.5 * 26.5)


@pytest.mark.parametrize(
    ("tampering", "says"),
    [
        ("UPDATE credit_budget SET used = used + 1", "2026-11: 6 used and 5 reserved, but 5 and 5 by its entries"),
        ("UPDATE credit_use SET reserved = 0", "0 reserved, but 5 and 5 by its entries"),
        ("DELETE FROM credit_open", "neither open nor ended"),
        ("DELETE FROM credit_entry WHERE kind = 'settle'", "0 and 10 by its entries"),
        ("DELETE FROM credit_entry WHERE kind = 'reserve'", "has ended, but was never made"),
        ("UPDATE credit_entry SET credits = 4 WHERE kind = 'settle'", "but 4 and 5 by its entries"),
    ],
)
async def test_books_that_were_touched_do_not_agree(dsn: str, database: Database, tampering: str, says: str) -> None:
    payer = await account(database)
    books_of = ledger(database, Clock())
    await books_of.settle((await books_of.reserve(ask(payer))).id, 5, "ok")
    await books_of.reserve(ask(payer))
    assert await books.verify(database) == []
    await tamper(dsn, tampering)
    assert any(says in problem for problem in await books.verify(database))


@pytest.mark.parametrize(
    "statement", ["UPDATE credit_entry SET credits = 0", "DELETE FROM credit_entry", "TRUNCATE credit_entry"]
)
async def test_entries_are_never_changed(database: Database, statement: str) -> None:
    await ledger(database, Clock()).reserve(ask(None))
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="credit_entry is append-only"):
        await database.execute(statement)
    assert await sums(database) == (0, 5)


async def test_credits_beyond_reason_are_a_mistake(database: Database) -> None:
    books_of = ledger(database, Clock())
    for changes in ({"credits": -1}, {"credits": 2**60}, {"lease_s": 0.0}):
        with pytest.raises(ValueError, match="lease ends in the future"):
            await books_of.reserve(ask(None, **changes))
    made = await books_of.reserve(ask(None))
    for charged in (-1, 2**60):
        with pytest.raises(ValueError, match="cannot be"):
            await books_of.settle(made.id, charged, "ok")
