"""What is told of the month's credits: each share once per month, over keepers' restarts and raises."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import anyio
import pytest

from keeper.alerts.teller import Teller
from keeper.credits import Credits, of_budget, of_operation
from keeper.history import History
from keeper.keeper import incidents
from keeper.marks import Finding, marked
from lib.spend import office
from lib.spend.budget import Spent
from lib.store.connections import Database
from tests.integration.alerting import CHAT, HASTE, Bench, bench
from tests.integration.spending import account, ask, ledger
from tests.waiting import until


class _Looking:
    """A keeper that begins to look at the credits every half a minute, and tells what it finds."""

    def __init__(self, database: Database, teller: Teller) -> None:
        self._credits = Credits(database)
        self._teller = teller
        self._history = History()
        self._now = 0.0

    async def look(self, times: int = 1) -> None:
        for _ in range(times):
            self._now += 31.0
            found = await self._credits.ask()
            self._history = replace(self._history, marks=marked(self._history.marks, found, self._now, self._now))
            self._teller.report(incidents(self._history))
            await anyio.sleep(0.1)  # for the teller to look, too


def _told(it: Bench) -> list[str]:
    """The first lines in the chat, without what belongs to the channel."""
    return [message.text.split("\n")[0] for message in it.telegram.in_chat(CHAT)]


async def _use(database: Database, payer: int, credits_: int) -> None:
    books_of = ledger(database, monthly=100)
    made = await books_of.reserve(ask(payer, credits=credits_))
    await books_of.settle(made.id, credits_, "ok")


async def test_each_share_is_told_once_a_month_over_restarts_and_raises(
    dsn: str, database: Database, tmp_path: Path
) -> None:
    payer = await account(database)
    async with bench(dsn, tmp_path) as it:
        async with it.teller() as teller:
            keeper = _Looking(database, teller)
            await _use(database, payer, 69)
            await keeper.look()
            await _use(database, payer, 1)
            await keeper.look(3)
            await until(lambda: any("70 %" in line for line in _told(it)))
            await it.settled(teller)
        async with it.teller() as teller:
            keeper = _Looking(database, teller)
            await _use(database, payer, 20)
            await keeper.look(3)
            await until(lambda: any("90 %" in line for line in _told(it)))
            await _use(database, payer, 10)
            with pytest.raises(Spent):
                await _use(database, payer, 1)
            await keeper.look()
            await until(lambda: any("are spent" in line for line in _told(it)))
            await office.raise_to(database, 200, "op@w1", "a fair week", monthly=100)
            await keeper.look(3)
            await until(lambda: any("over" in line for line in _told(it)))
            await _use(database, payer, 85)  # 70 and 90 % of the new limit as well
            await keeper.look(3)
            await anyio.sleep(2 * HASTE.calm_s)
            await it.settled(teller)
        lines = _told(it)
        for words in ("70 % of the credits", "90 % of the credits"):
            assert sum(words in line for line in lines) == 1, lines
        assert sum("are spent" in line for line in lines) == 2, "that it is closed, and that it is over"


async def test_an_operation_that_is_shut_is_told_until_it_is_reopened(database: Database) -> None:
    payer = await account(database)
    books_of = ledger(database)
    made = await books_of.reserve(ask(payer))
    await books_of.settle(made.id, 9, "ok")
    (found,) = await Credits(database).ask()
    assert found == of_operation("hasdata/indeed_listing", 5, 9)
    await office.reopen(database, "hasdata", "indeed_listing", "op@w1", "looked")
    assert await Credits(database).ask() == []


@pytest.mark.parametrize(
    ("level", "closed", "keys"),
    [
        (0, False, []),
        (70, False, ["credits: 2026-11 70 %"]),
        (90, False, ["credits: 2026-11 70 %", "credits: 2026-11 90 %"]),
        (90, True, ["credits: 2026-11 70 %", "credits: 2026-11 90 %", "spent: 2026-11 of 1,000 credits"]),
        (0, True, ["spent: 2026-11 of 1,000 credits"]),
    ],
)
def test_a_months_findings(level: int, closed: bool, keys: Sequence[str]) -> None:
    found: list[Finding] = of_budget(date(2026, 11, 1), 1_000, level, closed=closed)
    assert [one.key for one in found] == keys


async def test_who_wants_no_credits_hears_nothing(database: Database) -> None:
    with pytest.raises(Spent):
        await ledger(database, monthly=0).reserve(ask(None))
    assert await Credits(database).ask() == []
