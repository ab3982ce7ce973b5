"""The ledger of credits: reserved, settled or released exactly once, and never one above the limit."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import asyncpg
import pytest
import redis

from lib.spend import books, office, purchases
from lib.spend.budget import Full, NotGranted, Pending, ShareSpent, Shut, Spent
from lib.spend.mirror import Figures, Mirror
from lib.store.connections import Cache, Database, Link
from tests.integration.spending import NOON, Clock, account, ask, ledger, sums


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


async def test_a_reservation_ends_once_whatever_races(database: Database) -> None:
    clock, payer = Clock(), await account(database)
    books_of = ledger(database, clock)
    for _ in range(5):
        reservation = await books_of.reserve(ask(payer))
        clock.go(seconds=61)
        ends = [books_of.settle(reservation.id, 2, "ok") for _ in range(4)]
        ends += [books_of.release(reservation.id, "failed") for _ in range(4)]
        ends += [books_of.sweep() for _ in range(3)]
        results = await asyncio.gather(*ends)
        assert sum(map(bool, results)) == 1
        await sums(database)


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


async def test_a_share_is_kept_by_many_at_once(database: Database) -> None:
    payer = await account(database)
    await account(database, "another")
    books_of = ledger(database, Clock(), floor=12, burst=1.0, monthly=12, in_flight=100)
    tries = (books_of.reserve(ask(payer, credits=1)) for _ in range(60))
    results = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(not isinstance(one, Exception) for one in results) == 12
    assert all(isinstance(one, NotGranted) for one in results if isinstance(one, Exception))


async def test_a_record_is_never_billed_to_an_account_twice(database: Database) -> None:
    clock = Clock(datetime(2026, 11, 1, tzinfo=UTC))
    one, other = await account(database, "one"), await account(database, "other")
    books_of = ledger(database, clock)

    async def buy(payer: int, **changes: Any) -> int | None:
        made = await books_of.reserve(ask(payer, credits=1, record="indeed:4f2a", **changes))
        assert await books_of.settle(made.id, 1, "ok", blob_key="blob")
        return made.account_id

    assert await buy(one, operation="indeed_job") == one
    for payer in (one, other):
        with pytest.raises(Pending):
            await buy(payer, operation="indeed_job")
    assert await buy(one, operation="web") is None, "another way to the same record"
    clock.go(days=7, seconds=1)
    assert await buy(one, operation="indeed_job") is None, "renewed by the house"
    clock.go(days=7, seconds=1)
    assert await buy(other, operation="indeed_job") == other
    status = await books_of.status()
    assert {(use.account_id, use.used) for use in status.accounts} == {(None, 2), (one, 1), (other, 1)}
    await sums(database)


async def test_a_record_whose_answer_was_lost_is_not_billed_again_either(database: Database) -> None:
    clock, payer = Clock(), await account(database)
    books_of = ledger(database, clock)
    await books_of.reserve(ask(payer, record="indeed:1"))
    clock.go(seconds=60)
    await books_of.sweep()
    again = await books_of.reserve(ask(payer, record="indeed:1"))
    assert again.account_id is None
    failed = await books_of.reserve(ask(payer, record="indeed:2"))
    await books_of.release(failed.id, "failed")
    assert (await books_of.reserve(ask(payer, record="indeed:2"))).account_id == payer


async def test_the_same_is_reserved_once_at_a_time(database: Database) -> None:
    payer = await account(database)
    books_of = ledger(database, Clock())
    for same in ({"request_id": "same"}, {"record": "indeed:77"}):
        tries = (books_of.reserve(ask(payer, **same)) for _ in range(12))
        results = await asyncio.gather(*tries, return_exceptions=True)
        assert Counter(type(one).__name__ for one in results) == {"Reservation": 1, "Pending": 11}


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
    assert status.in_flight == 1
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
async def test_books_that_were_touched_do_not_agree(database: Database, tampering: str, says: str) -> None:
    payer = await account(database)
    books_of = ledger(database, Clock())
    await books_of.settle((await books_of.reserve(ask(payer))).id, 5, "ok")
    await books_of.reserve(ask(payer))
    assert await books.verify(database) == []
    await database.execute(tampering)
    assert any(says in problem for problem in await books.verify(database))


class _Deaf(Database):
    """Every answer is lost once: each statement is done, and done again."""

    async def fetch(self, statement: str, *arguments: Any) -> Sequence[asyncpg.Record]:
        await super().fetch(statement, *arguments)
        return await super().fetch(statement, *arguments)


async def test_a_lost_answer_changes_nothing(dsn: str) -> None:
    async with Database(dsn) as database, _Deaf(dsn) as deaf:
        payer = await account(database)
        books_of = ledger(deaf, Clock())
        made = await books_of.reserve(ask(payer))
        assert await sums(database) == (0, 5)
        await books_of.settle(made.id, 4, "ok")
        assert await sums(database) == (4, 0)
        await books_of.release((await books_of.reserve(ask(payer))).id, "failed")
        assert await sums(database) == (4, 0)


async def test_who_goes_away_while_reserving_leaves_nothing_behind(database: Database, dsn: str) -> None:
    payer = await account(database)
    books_of = ledger(database, Clock())
    await books_of.reserve(ask(payer))
    blocker = await asyncpg.connect(dsn)
    await blocker.execute("BEGIN; SELECT FROM credit_budget FOR UPDATE")
    waiting = asyncio.create_task(books_of.reserve(ask(payer)))
    await asyncio.sleep(0.2)
    waiting.cancel()
    await asyncio.wait([waiting])
    await blocker.execute("COMMIT")
    await blocker.close()
    assert waiting.cancelled()
    assert await sums(database) == (0, 5)


async def test_the_last_credits_are_given_once_to_many_at_once(dsn: str) -> None:
    async with Database(dsn, size=16) as database:
        clock = Clock()
        payers = [await account(database, f"account {number}") for number in range(24)]
        books_of = ledger(database, clock, monthly=7, in_flight=100, burst=100.0)
        for _ in range(10):
            clock.go(days=31)
            await books_of.release((await books_of.reserve(ask(None))).id, "the month begins")
            tries = (books_of.reserve(ask(payer, credits=2)) for payer in payers)
            results = await asyncio.gather(*tries, return_exceptions=True)
            assert Counter(type(one).__name__ for one in results) == {"Reservation": 3, "Spent": 21}
        assert await sums(database) == (0, 60)


async def test_sixty_four_workers_spend_a_budget_of_a_thousand(dsn: str) -> None:
    """Costs are drawn up to the ceiling and calls fail; the budget is used up, and never exceeded."""
    async with Database(dsn, size=16) as database:
        payers = [await account(database, f"account {number}") for number in range(4)]
        gateways = [ledger(database, Clock(), burst=100.0) for _ in range(3)]
        in_flight, most, ended = 0, 0, 0

        async def work(number: int) -> None:
            nonlocal in_flight, most, ended
            rng = random.Random(number)
            books_of = gateways[number % 3]
            while True:
                cost = rng.choice([1, 5, 5])
                try:
                    made = await books_of.reserve(ask(rng.choice(payers), credits=cost))
                except Full:
                    await asyncio.sleep(rng.uniform(0, 0.05))
                    continue
                except Spent:
                    if cost == 1 and (await books_of.status()).used == 1_000:
                        return
                    await asyncio.sleep(rng.uniform(0, 0.05))
                    continue
                in_flight += 1
                most = max(most, in_flight)
                await asyncio.sleep(0)
                in_flight -= 1
                if rng.random() < 0.1:
                    assert await books_of.release(made.id, "failed")
                else:
                    assert await books_of.settle(made.id, rng.randint(1, cost), "ok")
                ended += 1

        async def watch() -> None:
            while True:
                row = await database.fetchrow(
                    "SELECT used + reserved AS taken, (SELECT count(*) FROM credit_open) AS open FROM credit_budget"
                )
                assert row is None or row["taken"] <= 1_000
                assert row is None or row["open"] <= 15
                await asyncio.sleep(0.02)

        watcher = asyncio.create_task(watch())
        await asyncio.gather(*(work(number) for number in range(64)))
        assert not watcher.done()
        watcher.cancel()
        assert most <= 15
        assert await sums(database) == (1_000, 0)
        assert ended > 300


async def test_the_mirror_is_made_anew_when_redis_lost_it(database: Database, cache: Cache, redis_url: str) -> None:
    clock, payer = Clock(), await account(database)
    books_of = ledger(database, clock)
    mirror = Mirror(database, cache, 1_000, clock)
    assert await mirror.figures() == Figures(1_000, 0, 0)
    await books_of.settle((await books_of.reserve(ask(payer))).id, 5, "ok")
    await books_of.reserve(ask(payer))
    assert (await mirror.figures()).left == 1_000, "as it was a moment ago"
    with redis.Redis.from_url(redis_url) as client:
        client.flushdb()
        assert await mirror.figures() == Figures(1_000, 5, 5)
        for key in client.keys("vakanz:credits:*"):
            assert 0 < client.ttl(key) <= 2
            client.set(key, b"\xff not ours")
    assert (await mirror.figures()).left == 990
    clock.go(days=11)
    assert (await mirror.figures()).left == 1_000, "another month"


async def test_without_redis_the_mirror_asks_postgresql(database: Database) -> None:
    clock = Clock()
    async with Cache("redis://127.0.0.1:1", link=Link("redis")) as away:
        mirror = Mirror(database, away, 5, clock)
        assert not await mirror.spent()
        await ledger(database, clock, monthly=5).reserve(ask(None))
        assert await mirror.spent()


async def test_old_answers_are_forgotten_and_records_are_not(database: Database) -> None:
    clock, payer = Clock(datetime.now(UTC) - timedelta(days=100)), await account(database)
    books_of = ledger(database, clock)
    for changes in ({"request_id": "old"}, {"request_id": "old record", "record": "indeed:1"}):
        await books_of.settle((await books_of.reserve(ask(payer, **changes))).id, 5, "ok", blob_key="blob")
    clock.now = datetime.now(UTC)
    await books_of.settle((await books_of.reserve(ask(payer, request_id="new"))).id, 5, "ok", blob_key="blob")
    assert await purchases.prune(database, timedelta(days=90)) == 1
    rows = await database.fetch("SELECT request_id FROM purchase ORDER BY 1")
    assert [row["request_id"] for row in rows] == ["new", "old record"]


async def test_credits_beyond_reason_are_a_mistake(database: Database) -> None:
    books_of = ledger(database, Clock())
    for changes in ({"credits": -1}, {"credits": 2**60}, {"lease_s": 0.0}):
        with pytest.raises(ValueError, match="lease ends in the future"):
            await books_of.reserve(ask(None, **changes))
    made = await books_of.reserve(ask(None))
    for charged in (-1, 2**60):
        with pytest.raises(ValueError, match="cannot be"):
            await books_of.settle(made.id, charged, "ok")
