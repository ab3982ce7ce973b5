"""The ledger against a model: whatever dies, comes late or costs more than declared, and in whatever order."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import redis
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from lib.spend import books, office
from lib.spend.budget import NotGranted, Rules, period_of
from lib.spend.ledger import Ledger, Reservation
from lib.spend.mirror import Mirror
from lib.store.connections import Cache, Database, Link
from tests.integration.spending import Clock, account, ask, tamper

_GRANTED = 60
_PLACES = {"hasdata": 4, "llm": 2}
_LEASE_S = 60.0
_BEGIN = datetime(2026, 11, 30, 23, 0, tzinfo=UTC)
_CLEAN = """
TRUNCATE credit_budget, credit_entry, credit_open, credit_use, credit_shut, purchase, account CASCADE;
UPDATE credit_slot SET reservation = NULL, lease_until = '-infinity'"""


class _Cut(OSError):
    """The connection died here."""


class _CutDatabase(Database):
    """Loses connections on request: before the next statement of the ledger's, or with its answer."""

    cut = ""

    async def fetch(self, statement: str, *arguments: Any) -> Sequence[asyncpg.Record]:
        async def attempt() -> Sequence[asyncpg.Record]:
            cut, self.cut = self.cut, ""
            if cut == "before":
                raise _Cut
            rows = await super(_CutDatabase, self).fetch(statement, *arguments)
            if cut == "answer":
                raise _Cut
            return rows

        return await self.link.call(attempt, lambda error: isinstance(error, _Cut))


@dataclass
class _Call:
    """A call as its gateway knows it. `charged`: what the provider took, None while it was not asked."""

    reservation: Reservation
    period: datetime
    charged: int | None = None


class Spending(RuleBasedStateMachine):
    """Two gateways, three accounts, a provider that fails, is slow and now and then charges more than it said."""

    dsn = ""
    redis_url = ""
    loop: asyncio.AbstractEventLoop

    def run(self, work: Any) -> Any:
        return self.loop.run_until_complete(asyncio.wait_for(work, 30))

    @initialize()
    def start(self) -> None:
        self.clock = Clock(_BEGIN)
        link = Link("postgresql", rng=random.Random(1), sleep=lambda _: asyncio.sleep(0))
        self.database = _CutDatabase(self.dsn, link=link)
        self.cache = Cache(self.redis_url)
        self.mirror = Mirror(self.database, self.cache, _GRANTED, self.clock)
        self.calls: list[_Call] = []
        self.ended: dict[UUID, int] = {}
        self.above = 0
        self.run(self._start())

    async def _start(self) -> None:
        await tamper(self.dsn, _CLEAN)
        self.payers = [await account(self.database, f"account {number}") for number in range(2)] + [None]
        rules = Rules(monthly=_GRANTED, floor=40, burst=2.0)
        self.gateways = [Ledger(self.database, self.clock, rules) for _ in range(2)]

    @rule(
        gateway=st.integers(0, 1),
        payer=st.integers(0, 2),
        provider=st.sampled_from(sorted(_PLACES)),
        ceiling=st.integers(1, 9),
        record=st.sampled_from([None, None, "indeed:1", "indeed:2"]),
        cut=st.sampled_from(["", "", "before", "answer"]),
    )
    def reserve(self, gateway: int, payer: int, provider: str, ceiling: int, record: str | None, cut: str) -> None:
        self.database.cut = cut
        self.run(self._reserve(gateway, payer, ceiling, provider, record))

    @rule(payers=st.lists(st.integers(0, 2), min_size=2, max_size=8), ceiling=st.integers(1, 9))
    def reserve_at_once(self, payers: list[int], ceiling: int) -> None:
        async def all_of_them() -> None:
            await asyncio.gather(*(self._reserve(number % 2, payer, ceiling) for number, payer in enumerate(payers)))

        self.run(all_of_them())

    async def _reserve(
        self, gateway: int, payer: int, ceiling: int, provider: str = "hasdata", record: str | None = None
    ) -> None:
        wanted = ask(
            self.payers[payer], credits=ceiling, record=record, lease_s=_LEASE_S, operation=f"up to {ceiling}",
            provider=provider, places=_PLACES[provider],
        )  # fmt: skip
        try:
            made = await self.gateways[gateway].reserve(wanted)
        except NotGranted as refusal:
            assert refusal.retry_after_s > 0
            return
        assert made.credits == ceiling
        self.calls.append(_Call(made, self.clock.now))

    @precondition(lambda self: self.calls)
    @rule(pick=st.integers(0), share=st.floats(0, 1), above=st.sampled_from([0] * 9 + [4]))
    def provider_answers(self, pick: int, share: float, above: int) -> None:
        call = self.calls[pick % len(self.calls)]
        if call.charged is None:
            call.charged = call.reservation.credits + above if above else round(share * call.reservation.credits)

    @precondition(lambda self: self.calls)
    @rule(pick=st.integers(0), gateway=st.integers(0, 1), cut=st.sampled_from(["", "before", "answer"]))
    def end(self, pick: int, gateway: int, cut: str) -> None:
        """The gateway hears the answer, or gives up; it may do so again, and long after the lease has ended."""
        call = self.calls[pick % len(self.calls)]
        ledger, reservation = self.gateways[gateway], call.reservation
        self.database.cut = cut
        if call.charged is None:
            first = self.run(ledger.release(reservation.id, "failed"))
        else:
            first = self.run(ledger.settle(reservation.id, call.charged, "ok", blob_key="blob"))
        assert not (first and reservation.id in self.ended)
        self._note(call, call.charged or 0)

    @precondition(lambda self: self.calls)
    @rule(pick=st.integers(0), rivals=st.integers(2, 5))
    def end_at_once(self, pick: int, rivals: int) -> None:
        call = self.calls[pick % len(self.calls)]
        charged = min(call.charged or 0, call.reservation.credits)

        async def all_of_them() -> list[Any]:
            ends = (self.gateways[one % 2].settle(call.reservation.id, charged, "ok") for one in range(rivals))
            return await asyncio.gather(*ends)

        assert sum(map(bool, self.run(all_of_them()))) == (call.reservation.id not in self.ended)
        self._note(call, charged)

    def _note(self, call: _Call, charged: int) -> None:
        if call.reservation.id not in self.ended:
            self.ended[call.reservation.id] = charged
            self.above += max(0, charged - call.reservation.credits)

    @rule(gateway=st.integers(0, 1))
    def gateway_dies(self, gateway: int) -> None:
        """It forgets its calls, which only the sweep will end."""
        self.calls = [call for number, call in enumerate(self.calls) if number % 2 != gateway]

    @rule(seconds=st.sampled_from([1, 20, 61, 1_800, 86_400]))
    def time_passes(self, seconds: int) -> None:
        self.clock.go(seconds=seconds)

    @rule(cut=st.sampled_from(["", "answer"]))
    def sweep(self, cut: str) -> None:
        overdue = self.run(self._overdue())
        self.database.cut = cut
        self.run(self.gateways[0].sweep())
        for reservation, reserved in overdue.items():
            assert reservation not in self.ended
            self.ended[reservation] = reserved
        assert not self.run(self._overdue())

    async def _overdue(self) -> dict[UUID, int]:
        rows = await self.database.fetch("SELECT * FROM credit_open WHERE lease_until <= $1", self.clock.now)
        return {row["reservation"]: row["credits"] for row in rows}

    @rule()
    def redis_is_flushed(self) -> None:
        with redis.Redis.from_url(self.redis_url) as client:
            client.flushdb()
        figures = self.run(self.mirror.figures())
        row = self.run(
            self.database.fetchrow(
                "SELECT granted, used, reserved FROM credit_budget WHERE period = $1", period_of(self.clock.now)
            )
        )
        assert (figures.granted, figures.used, figures.reserved) == (tuple(row) if row else (_GRANTED, 0, 0))

    @rule()
    def operator_looks(self) -> None:
        for shut in self.run(self.gateways[0].status()).shut:
            self.run(office.reopen(self.database, shut.provider, shut.operation, "op", "looked"))

    @invariant()
    def nothing_is_beyond_the_limit(self) -> None:
        """Used and reserved stay within what was granted, but for what providers took beyond their own ceilings."""
        rows = self.run(self.database.fetch("SELECT used + reserved AS taken, granted, level FROM credit_budget"))
        assert sum(max(0, row["taken"] - row["granted"]) for row in rows) <= self.above
        flights = "SELECT provider, count(*) AS calls FROM credit_open WHERE lease_until > $1 GROUP BY provider"
        for row in self.run(self.database.fetch(flights, self.clock.now)):
            assert row["calls"] <= _PLACES[row["provider"]]

    @invariant()
    def the_books_agree(self) -> None:
        assert self.run(books.verify(self.database)) == []
        rows = self.run(self.database.fetch("SELECT reservation, credits FROM credit_entry WHERE kind <> 'reserve'"))
        assert {row["reservation"]: row["credits"] for row in rows} == self.ended
        assert len(rows) == len(self.ended)

    @invariant()
    def no_account_pays_twice_for_a_record(self) -> None:
        twice = """SELECT FROM credit_entry WHERE kind = 'settle' AND credits > 0 AND account_id IS NOT NULL
                      AND record IS NOT NULL GROUP BY account_id, record HAVING count(*) > 1"""
        assert not self.run(self.database.fetch(twice))

    def teardown(self) -> None:
        """Once all leases have ended every reservation has its one end."""
        self.clock.now += timedelta(seconds=2 * _LEASE_S)
        self.run(self.gateways[1].sweep())
        open_ones = """SELECT count(*) FILTER (WHERE kind = 'reserve'), count(*) FILTER (WHERE kind <> 'reserve'),
                              (SELECT count(*) FROM credit_open) FROM credit_entry"""
        made, ended, left = self.run(self.database.fetchrow(open_ones))
        self.run(self._close())
        assert (made, left) == (ended, 0)

    async def _close(self) -> None:
        await self.cache.__aexit__(None, None, None)
        await self.database.__aexit__(None, None, None)


def test_no_order_of_events_spends_too_much_or_twice(dsn: str, redis_url: str) -> None:
    with asyncio.Runner() as runner:
        Spending.dsn, Spending.redis_url, Spending.loop = dsn, redis_url, runner.get_loop()
        run_state_machine_as_test(  # type: ignore[no-untyped-call]
            Spending,
            settings=settings(
                max_examples=15,
                stateful_step_count=40,
                deadline=None,
                suppress_health_check=list(HealthCheck),
                derandomize=True,
            ),
        )
