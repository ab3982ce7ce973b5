"""Boards that misbehave: nothing is closed, nothing is lost, the board says what is wrong, and a good list heals it."""

from __future__ import annotations

import os
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from lib.posting import boards as board_rows
from lib.posting.closing import CONFIRMATIONS, PATIENCE
from lib.store.connections import Database
from tests.integration.crawling import Scene, scene
from tests.sim import Market
from tests.sim.market import FEW_SYSTEMS
from tests.sim.systems import SYSTEMS

SEED = int(os.environ.get("SEED", 7))
EVERY_S = 21_600
SOON = (3_500, 3_610)
USUAL = (0.94 * EVERY_S, 1.06 * EVERY_S)
BACKOFF = (90, 150)
WAITING = ("ashby", "personio", "xmlfeed")  # how long a host takes is the client's business: a few will do
TOTALS = ("greenhouse", "smartrecruiters")  # their lists say how many rows there should be


class Trouble(NamedTuple):
    """A misbehaviour, what the board then says, and in how many seconds it is asked again."""

    kind: str
    says: str
    due_s: tuple[float, float]
    state: str = "active"
    settings: dict[str, Any] = {}  # noqa: RUF012 - a default of a tuple, never changed
    sources: tuple[str, ...] = tuple(SYSTEMS)


# A page that is cut in the middle is read as far as it goes: its last row may say less than it did.
PAGES = ("concludis", "icims", "jobvite", "onlyfy", "refline", "rexx", "softgarden", "successfactors", "umantis")
CUT = (*PAGES, "workday")  # whose robots.txt ends with what it allows
TROUBLES = [
    Trouble("rate_limited", "RateLimited: ", (3_590, 3_620), settings={"retry_after_s": 3_600}),
    Trouble("rate_limited", "RateLimited: ", (3_590, 3_620), settings={"retry_after_s": 3_600, "as_date": True}),
    Trouble("server_error", "Transient: .*status 500", BACKOFF),
    Trouble("not_found", "status 404", SOON, state="suspect"),
    Trouble("forbidden", "Denied: .*status 403", USUAL, state="denied"),
    Trouble("half_body", "Transient: ", BACKOFF),
    Trouble("reset", "Transient: ", BACKOFF),
    Trouble("slow", "Transient: .*in time", BACKOFF, sources=WAITING),
    Trouble("hang", "Transient: .*in time", BACKOFF, sources=WAITING),
    Trouble(
        "empty", "only 0 rows where [0-9]+ postings were open", SOON, state="suspect",
        sources=tuple(name for name in SYSTEMS if name != "onlyfy"),
    ),
    Trouble("empty", "Malformed: ", BACKOFF, sources=("onlyfy",)),  # nobody knows how it shows that there is nothing
    Trouble("truncated", "not proven complete", USUAL, sources=TOTALS),
    Trouble("truncated", "only [0-9]+ rows where", SOON, state="suspect", sources=("lever", "ashby")),
    Trouble("wrong_total", "not proven complete", USUAL, sources=TOTALS),
    Trouble("private_redirect", "Refused: ", BACKOFF),
    Trouble("huge_body", "TooLarge: ", BACKOFF, sources=("ashby",)),
    Trouble("broken_json", "Malformed: ", BACKOFF, sources=tuple(name for name in SYSTEMS if name not in CUT)),
    Trouble("broken_json", "Malformed: |only [0-9]+ rows where|not proven|Disallowed: ", (50, 23_000), "", sources=CUT),
]  # fmt: skip


@pytest.fixture
async def market(database: Database, tmp_path: Path) -> AsyncIterator[Scene]:
    """One crawled board of each source."""
    async with scene(database, tmp_path, Market(5, companies=len(SYSTEMS), postings=12 * len(SYSTEMS))) as market:
        await market.crawl()
        yield market


@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda trouble: f"{trouble.kind}-{trouble.sources[0]}")
async def test_a_misbehaving_board_loses_nothing_and_heals(market: Scene, trouble: Trouble) -> None:
    before = await market.rows()
    boards = [await market.board_of(name) for name in trouble.sources]
    for name in trouble.sources:
        market.sim.misbehave(trouble.kind, source=name, times=None, **{"seconds": 60.0, **trouble.settings})
    began = datetime.now(UTC)
    timeout_s = 0.2 if trouble.kind in ("slow", "hang") else 10.0
    outcomes = await market.crawl([board.id for board in boards], timeout_s=timeout_s, fresh=True)

    after = await market.rows()
    assert {key: row["state"] for key, row in after.items()} == {key: row["state"] for key, row in before.items()}
    assert {row["revision"] for key, row in after.items() if key[0] not in PAGES} == {1}
    assert {outcome.closed for outcome in outcomes} == {0}
    for board in boards:
        now = await market.board(board.id)
        assert now.last_error is not None
        assert re.search(trouble.says, now.last_error), now.last_error
        assert trouble.state in (now.state, "")
        assert trouble.due_s[0] <= (now.next_due - began).total_seconds() <= trouble.due_s[1] + 10
        assert now.last_complete_at == board.last_complete_at
        assert now.last_count == board.last_count

    market.sim.behave()
    market.sim.advance()
    for _ in range(CONFIRMATIONS):
        await market.crawl(fresh=True)
    assert await market.open_keys() == market.truth().keys()
    for board in boards:
        healed = await market.board(board.id)
        assert (healed.state, healed.last_error, healed.failures, healed.suspect_count) == ("active", None, 0, 0)


async def test_bytes_that_are_no_utf8_cost_no_posting(market: Scene) -> None:
    for name in FEW_SYSTEMS:  # a page may be hit in the middle of an id
        market.sim.misbehave("broken_encoding", source=name, times=None)
    before = await market.open_keys()
    outcomes = await market.crawl(fresh=True)
    assert await market.open_keys() == before
    assert {outcome.rejected for outcome in outcomes} == {0}


async def test_a_host_that_asks_for_a_moment_gets_it(market: Scene) -> None:
    board = await market.board_of("greenhouse")
    fault = market.sim.misbehave("rate_limited", source="greenhouse", times=1, retry_after_s=1)
    (outcome,) = await market.crawl([board.id], fresh=True)
    assert fault.struck == 1
    assert (outcome.error, outcome.complete) == (None, True)


async def test_a_hiccup_is_asked_again_at_once(market: Scene) -> None:
    for kind in ("server_error", "half_body"):
        market.sim.misbehave(kind, source="smartrecruiters", times=1)
    (outcome,) = await market.crawl([(await market.board_of("smartrecruiters")).id], fresh=True)
    assert (outcome.error, outcome.complete) == (None, True)


async def test_failures_are_asked_again_later_and_later(market: Scene) -> None:
    board = await market.board_of("lever")
    market.sim.misbehave("server_error", source="lever", times=None)
    waits = []
    for _ in range(10):
        began = datetime.now(UTC)
        await market.crawl([board.id], fresh=True)
        waits.append(((await market.board(board.id)).next_due - began).total_seconds())
    assert [round(wait) for wait in waits] == sorted(round(wait) for wait in waits)
    assert waits[1] == pytest.approx(2 * waits[0], abs=5)
    assert waits[-1] == pytest.approx(0.8 * EVERY_S, abs=5)


@pytest.mark.parametrize(("kind", "lists"), [("empty", PATIENCE), ("not_found", CONFIRMATIONS)])
async def test_a_board_that_stays_empty_is_believed_and_stays_scheduled(market: Scene, kind: str, lists: int) -> None:
    """Where the missing postings' pages still show them, it takes longer to believe the list."""
    board = await market.board_of("ashby")
    held = {key for key in await market.open_keys() if key[0] == "ashby"}
    market.sim.misbehave(kind, source="ashby", times=None)
    for crawls in range(1, lists + 1):
        (outcome,) = await market.crawl([board.id], fresh=True)
        assert outcome.closed == (len(held) if crawls == lists else 0)
    for _ in range(5):
        await market.crawl([board.id], fresh=True)
    empty = await market.board(board.id)
    assert empty.state in ("active", "suspect")
    assert empty.last_count == 0
    market.sim.behave()
    (outcome,) = await market.crawl([board.id])
    assert (outcome.seen, outcome.changed, outcome.error) == (len(held), len(held), None)
    reopened = {key: row for key, row in (await market.rows()).items() if key[0] == "ashby"}
    assert reopened.keys() == held
    assert all(row["reopened_at"] and row["closed_at"] is None and row["revision"] == 3 for row in reopened.values())


async def test_an_interrupted_drop_must_be_confirmed_anew(market: Scene) -> None:
    board = await market.board_of("lever")
    for _ in range(CONFIRMATIONS - 1):
        market.sim.misbehave("truncated", source="lever", times=1)
        await market.crawl([board.id], fresh=True)
    assert (await market.board(board.id)).suspect_count == CONFIRMATIONS - 1
    await market.crawl([board.id])
    assert (await market.board(board.id)).suspect_count == 0
    market.sim.misbehave("truncated", source="lever", times=1)
    (outcome,) = await market.crawl([board.id], fresh=True)
    assert (outcome.suspect, outcome.closed) == (True, 0)


async def test_a_refused_board_is_asked_again_when_it_is_due(market: Scene, database: Database) -> None:
    board = await market.board_of("personio")
    market.sim.misbehave("forbidden", source="personio", times=1)
    await market.crawl([board.id], fresh=True)
    assert await board_rows.claim_due(database, "other", 10, []) == []
    await database.execute("UPDATE board SET next_due = now() WHERE id = $1", board.id)
    assert [one.id for one in await board_rows.claim_due(database, "other", 10, [])] == [board.id]
