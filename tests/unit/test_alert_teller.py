"""The one keeper that tells: what it does while others, PostgreSQL or Telegram are not as they should be."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import anyio
import asyncpg
import msgspec
import pytest
from structlog.testing import capture_logs

from keeper.alerts import ledger as ledgers
from keeper.alerts import tables
from keeper.alerts.cases import Book, Case
from keeper.alerts.commands import Answer, Asked, Desk
from keeper.alerts.dispatch import Rejected
from keeper.alerts.ledger import LEASE, Ledger
from keeper.alerts.level import Report
from keeper.alerts.listener import Listener
from keeper.alerts.masking import Mask
from keeper.alerts.spool import Spool, Spooled
from keeper.alerts.telegram import Heard, Said, Telegram, Unheard
from keeper.alerts.teller import Teller
from keeper.incident import Incident, Kind
from lib.life.config import Config
from lib.store.connections import Database, Link
from lib.store.leases import Lease

TOKEN = "123456789:AAE-notAReal_token0123456789abcdefgh"
CONFIG = Config(dsn="postgresql://u@127.0.0.1:1/x", host="w1", telegram_token=TOKEN, telegram_chats=("-1",))
THEIRS = Incident(key="oom: crawl@0", kind=Kind.OOM, title="crawl@0 was killed", since=100.0, host="w2")


def case(**changes: Any) -> Case:
    return replace(Case(id="a" * 32, incident=THEIRS, hosts=("w2",), opened_at=100.0), **changes)


async def nothing(*_: object) -> None:
    """Of a table that nobody can read."""


class Wall:
    """A clock that is set by hand."""

    now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def wall() -> Wall:
    return Wall()


def alone(folder: Path, wall: Wall, *cases: Case) -> Ledger:
    """A keeper that told the alerts before PostgreSQL went away, and was started anew since."""
    book = Book().with_rows(*cases)
    Spool(folder).write(Spooled(3, wall.now - 10.0, 0.0, book))
    away = Database(CONFIG.dsn)
    return Ledger(away, "w1", Spool(folder), patience_s=0.01, wall=wall)


async def test_while_postgresql_is_away_others_incidents_stay_as_they_were(tmp_path: Path, wall: Wall) -> None:
    """Also over a restart of the keeper, and for longer than a silent keeper is believed."""
    ledger = alone(tmp_path, wall, case())
    teller = Teller(CONFIG, Database(CONFIG.dsn), tmp_path, places={}, ledger=ledger)
    await teller.look()
    assert ledger.lease == Lease(LEASE, "keeper@w1", 3)
    for wall.now in (1_020.0, 1_500.0, 1_600.0):
        await teller.look()
    (kept,) = ledger.book.cases.values()
    assert (kept.open, kept.missing_since) == (True, None)


async def test_what_the_tables_lack_is_not_forgotten(tmp_path: Path, wall: Wall) -> None:
    """They would have it open for ever."""
    ledger = alone(tmp_path, wall, case())
    await ledger.sync(())
    await ledger.put(case(closed_at=1_000.0))
    await ledger.keep(Book())
    assert ledger.book.cases[case().id].closed_at == 1_000.0


async def test_who_takes_the_lease_begins_also_when_postgresql_is_slow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def slow(*_: object) -> Book:
        await anyio.sleep(0.1)
        return Book()

    async def taken(*_: object) -> Lease:
        return Lease(LEASE, "keeper@w1", 1)

    async def no_reports(*_: object) -> tuple[list[Report], float]:
        return [], 0.0

    monkeypatch.setattr(tables, "write_reports", nothing)
    monkeypatch.setattr(tables, "load_book", slow)
    monkeypatch.setattr(tables, "load_reports", no_reports)
    monkeypatch.setattr(ledgers, "acquire", taken)
    ledger = Ledger(Database(CONFIG.dsn), "w1", Spool(tmp_path), patience_s=0.02)
    await ledger.sync(())
    assert ledger.lease is not None
    assert ledger.online


def test_an_incident_of_a_kind_that_only_newer_keepers_know_is_told() -> None:
    newer = msgspec.to_builtins(THEIRS) | {"kind": "sunspots", "whatever": 1}
    assert msgspec.convert(newer, Incident).title == THEIRS.title


async def test_a_database_without_room_is_waited_for() -> None:
    async def no_wait(_: float) -> None:
        await anyio.lowlevel.checkpoint()

    tries = iter([asyncpg.DiskFullError("no space left on device"), None])

    async def attempt() -> str:
        if (error := next(tries)) is not None:
            raise error
        return "done"

    database = Database(CONFIG.dsn, link=Link("postgresql", sleep=no_wait))
    assert await database._persist(attempt) == "done"


class _Odd:
    """A library that trips over what it is answered."""

    def __getattr__(self, name: str) -> Callable[..., Awaitable[None]]:
        async def trip(*_: object, **__: object) -> None:
            raise KeyError("message_id")

        return trip


async def test_an_answer_that_the_library_cannot_read_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    telegram = Telegram(TOKEN, "http://127.0.0.1:1")
    monkeypatch.setattr(telegram, "_open", _Odd)
    with pytest.raises(Unheard, match="cannot be read"):
        await telegram.hear(None)
    with pytest.raises(Unheard, match="cannot be read"):
        await telegram.name()
    assert isinstance(await telegram.send(-1, "text", None), Rejected)


class Wire:
    """Telegram as the listener hears it: `answers` one after another, then the lease is gone."""

    bot_id = 1

    def __init__(self, ledger: Ledger, *answers: Heard | Unheard) -> None:
        self._ledger = ledger
        self._answers = list(answers)

    async def name(self) -> str:
        return "vakanz_bot"

    async def hear(self, next_update: int | None) -> Heard:
        answer = self._answers.pop(0)
        if not self._answers:
            self._ledger.lease = None
        if isinstance(answer, Unheard):
            raise answer
        return answer


async def listened(
    folder: Path, wall: Wall, monkeypatch: pytest.MonkeyPatch, *answers: Heard | Unheard
) -> tuple[list[Asked], Sequence[Any]]:
    """What the desk was asked, and what was logged."""
    asked: list[Asked] = []

    async def follow(one: Asked, cases: Sequence[Case]) -> Answer | None:
        asked.append(one)
        return None

    monkeypatch.setattr(tables, "load_offset", nothing)
    monkeypatch.setattr(tables, "save_offset", nothing)
    monkeypatch.setattr("keeper.alerts.listener.reconnect_delays", lambda rng: iter([0.0] * 9))
    ledger = alone(folder, wall)
    await ledger.sync(())
    with capture_logs() as logged:
        await Listener(
            cast(Telegram, Wire(ledger, *answers)), ledger, Database(CONFIG.dsn),
            cast(Desk, SimpleNamespace(follow=follow)), ("telegram:-1",), Mask(CONFIG),
            new_id=lambda: "1", rng=random.Random(1),
        ).listen()  # fmt: skip
    return asked, logged


async def test_a_command_of_any_signs_is_fit_for_the_tables(
    tmp_path: Path, wall: Wall, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = Said(-1, 7, wall.now, "ada\ud800\0", "/hold crawl@0 2h why\0\ud800", None)
    (asked,), _ = await listened(tmp_path, wall, monkeypatch, Heard(2, (said,), ()))
    assert asked.command.words[:2] == ("crawl@0", "2h")
    for text in (asked.who, *asked.command.words):
        assert "\0" not in text
        text.encode()


async def test_that_nothing_can_be_heard_is_said_once(
    tmp_path: Path, wall: Wall, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = Unheard(f"InvalidToken: {TOKEN} is refused")
    _, logged = await listened(tmp_path, wall, monkeypatch, refused, refused, Heard(None, (), ()))
    told = [line for line in logged if "heard" in line["event"]]
    assert [line["event"] for line in told] == ["commands cannot be heard", "commands are heard again"]
    assert TOKEN not in str(logged)
