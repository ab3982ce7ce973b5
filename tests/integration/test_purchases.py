"""What was bought: billed to an account once, kept as long as its answer is of use."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lib.spend import purchases
from lib.spend.budget import Pending
from lib.store.connections import Database
from tests.integration.spending import Clock, account, ask, ledger, sums


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
