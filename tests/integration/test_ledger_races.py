"""Many reserve at once, answers are lost and callers go away: nothing is given twice, nothing is left behind."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from typing import Any

import asyncpg

from lib.spend.budget import Full, NotGranted, Spent
from lib.store.connections import Database
from tests.integration.spending import Clock, account, ask, ledger, sums


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


async def test_a_share_is_kept_by_many_at_once(database: Database) -> None:
    payer = await account(database)
    await account(database, "another")
    books_of = ledger(database, Clock(), floor=12, burst=1.0, monthly=12)
    tries = (books_of.reserve(ask(payer, credits=1, places=100)) for _ in range(60))
    results = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(not isinstance(one, Exception) for one in results) == 12
    assert all(isinstance(one, NotGranted) for one in results if isinstance(one, Exception))


async def test_the_same_is_reserved_once_at_a_time(database: Database) -> None:
    payer = await account(database)
    books_of = ledger(database, Clock())
    for same in ({"request_id": "same"}, {"record": "indeed:77"}):
        tries = (books_of.reserve(ask(payer, **same)) for _ in range(12))
        results = await asyncio.gather(*tries, return_exceptions=True)
        assert Counter(type(one).__name__ for one in results) == {"Reservation": 1, "Pending": 11}


async def test_places_of_a_provider_are_made_once_when_many_ask_it_first(dsn: str) -> None:
    async with Database(dsn, size=16) as database:
        gateways = [ledger(database, Clock()) for _ in range(2)]
        tries = (gateways[number % 2].reserve(ask(None, provider="new", places=6)) for number in range(40))
        results = await asyncio.gather(*tries, return_exceptions=True)
        assert Counter(type(one).__name__ for one in results) == {"Reservation": 6, "Full": 34}
        assert await sums(database) == (0, 30)


async def test_the_last_credits_are_given_once_to_many_at_once(dsn: str) -> None:
    async with Database(dsn, size=16) as database:
        clock = Clock()
        payers = [await account(database, f"account {number}") for number in range(24)]
        books_of = ledger(database, clock, monthly=7, burst=100.0)
        for _ in range(10):
            clock.go(days=31)
            await books_of.release((await books_of.reserve(ask(None))).id, "the month begins")
            tries = (books_of.reserve(ask(payer, credits=2, places=100)) for payer in payers)
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
