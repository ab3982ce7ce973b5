"""Boards as rows: registered once, claimed by one crawler at a time, free again when that one dies."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import anyio
import pytest

from lib.posting import boards
from lib.posting.boards import BoardState, Finished
from lib.store.connections import Connection, Database

EVERY_S = 21_600
SESSION = "2026-11-21T04-30-tests"


async def add(database: Database, count: int) -> list[int]:
    await boards.add_many(database, [("lever", f"t{n}", None, f"https://b.example/{n}", EVERY_S) for n in range(count)])
    return [row["id"] for row in await database.fetch("SELECT id FROM board ORDER BY id")]


async def finish(database: Database, owner: str, board_id: int, state: BoardState = "active", **facts: Any) -> bool:
    end: dict[str, Any] = {
        "state": state, "next_in_s": 60.0, "at": datetime.now(UTC), "complete": True, "count": 3, "suspect_count": 0,
        "failures": 0, "error": None,
    }  # fmt: skip

    async def work(connection: Connection) -> bool:
        return await boards.finish(connection, owner, SESSION, board_id, Finished(**end | facts))

    return await database.transaction(work)


async def test_a_board_is_registered_once(database: Database) -> None:
    first, added = await boards.add(database, "lever", "acme", None, "https://jobs.lever.co/acme", EVERY_S)
    again, readded = await boards.add(database, "lever", "acme", "Acme", "https://jobs.lever.co/acme", EVERY_S)
    other, _ = await boards.add(database, "ashby", "acme", None, "https://jobs.ashbyhq.com/acme", EVERY_S)
    assert (first, added, readded) == (again, True, False)
    assert other != first
    listed = [(board.source, board.company, count) for board, count in await boards.list_all(database)]
    assert listed == [("ashby", None, 0), ("lever", "Acme", 0)]
    assert await boards.find(database, "lever:acme") == [first]
    assert await boards.find(database, "https://jobs.ashbyhq.com/acme") == [other]
    assert await boards.find(database, "acme") == [first, other]
    assert await boards.find(database, "nobody") == []


async def test_many_crawlers_claim_each_board_once(database: Database) -> None:
    ids = await add(database, 60)
    claimed: list[int] = []

    async def crawler(owner: str) -> None:
        mine: set[int] = set()
        while found := await boards.claim_due(database, owner, 4, mine):
            mine |= {board.id for board in found}
            claimed.extend(board.id for board in found)

    async with anyio.create_task_group() as tasks:
        for number in range(6):
            tasks.start_soon(crawler, f"crawler-{number}")
    assert sorted(claimed) == ids


async def test_the_longest_due_come_first_and_what_is_not_due_waits(database: Database) -> None:
    ids = await add(database, 4)
    for number, seconds in enumerate((-10, 60, -30, -20)):
        await database.execute(
            "UPDATE board SET next_due = now() + make_interval(secs => $2) WHERE id = $1", ids[number], float(seconds)
        )
    found = [board.id for board in await boards.claim_due(database, "me", 2, [])]
    assert sorted(found) == sorted([ids[2], ids[3]])
    assert [board.id for board in await boards.claim_due(database, "you", 9, [])] == [ids[0]]


@pytest.mark.parametrize(
    ("state", "claimed"), [("active", 1), ("suspect", 1), ("denied", 1), ("gone", 0), ("paused", 0)]
)
async def test_which_boards_are_crawled(database: Database, state: str, claimed: int) -> None:
    await add(database, 1)
    await database.execute("UPDATE board SET state = $1", state)
    assert len(await boards.claim_due(database, "me", 9, [])) == claimed


async def test_a_claim_lasts_while_its_crawler_lives(database: Database) -> None:
    (board_id,) = await add(database, 1)
    assert await boards.claim(database, "me", board_id)
    assert await boards.claim(database, "you", board_id) is None
    assert await boards.claim_due(database, "you", 9, []) == []
    await database.execute("UPDATE board SET claimed_until = now() + interval '1 second'")
    await boards.extend_claims(database, "you", [board_id])  # not theirs: nothing happens
    left = await database.fetchval("SELECT claimed_until - now() FROM board")
    assert left <= timedelta(seconds=1)
    await boards.extend_claims(database, "me", [board_id])
    left = await database.fetchval("SELECT claimed_until - now() FROM board")
    assert left > timedelta(seconds=boards.CLAIM_S - 5)


async def test_a_dead_crawlers_boards_are_free_when_its_claim_ran_out(database: Database) -> None:
    (board_id,) = await add(database, 1)
    assert await boards.claim(database, "dead", board_id)
    await database.execute("UPDATE board SET claimed_until = now() - interval '1 millisecond'")
    assert [board.id for board in await boards.claim_due(database, "heir", 9, [])] == [board_id]
    assert not await finish(database, "dead", board_id)  # the zombie's end does not count
    assert await finish(database, "heir", board_id)
    assert await database.fetchval("SELECT claimed_by IS NULL AND claimed_until IS NULL FROM board")


async def test_an_end_may_come_twice_but_not_after_the_next_claim(database: Database) -> None:
    (board_id,) = await add(database, 1)
    assert await boards.claim(database, "me", board_id)
    at = datetime.now(UTC)
    assert await finish(database, "me", board_id, at=at)
    assert await finish(database, "me", board_id, at=at)
    assert not await finish(database, "me", board_id, at=at + timedelta(seconds=1))
    assert await boards.claim(database, "heir", board_id)
    assert not await finish(database, "me", board_id, at=at)


async def test_a_restarted_crawler_goes_on_with_its_own_boards_at_once(database: Database) -> None:
    (board_id,) = await add(database, 1)
    assert await boards.claim_due(database, "me", 9, [])
    assert await boards.claim_due(database, "me", 9, [board_id]) == []  # in hand
    assert [board.id for board in await boards.claim_due(database, "me", 9, [])] == [board_id]


async def test_whoever_lost_a_claim_cannot_hold_it(database: Database) -> None:
    (board_id,) = await add(database, 1)
    await boards.claim(database, "me", board_id)

    async def held(owner: str) -> bool:
        async def work(connection: Connection) -> bool:
            return await boards.still_claimed(connection, owner, board_id)

        return await database.transaction(work)

    assert await held("me")
    assert not await held("you")
    await database.execute("UPDATE board SET claimed_until = now()")
    assert not await held("me")


async def test_an_end_without_a_whole_list_keeps_what_was_known(database: Database) -> None:
    (board_id,) = await add(database, 1)
    await boards.claim(database, "me", board_id)
    await finish(database, "me", board_id, count=41)
    known = await database.fetchrow("SELECT last_complete_at, last_count FROM board")
    await boards.claim(database, "me", board_id)
    await finish(database, "me", board_id, "denied", complete=False, count=None, failures=2, error="Denied: 403")
    row = await database.fetchrow("SELECT * FROM board")
    assert known is not None
    assert row is not None
    assert (row["last_complete_at"], row["last_count"]) == tuple(known)
    assert (row["state"], row["failures"], row["last_error"]) == ("denied", 2, "Denied: 403")
    assert row["last_crawled_at"] > row["last_complete_at"]


async def test_what_each_source_brings(database: Database) -> None:
    rows = [("lever", name, None, "https://jobs.lever.co/x", 60) for name in ("a", "b", "c")]
    await boards.add_many(database, rows)
    await database.execute("UPDATE board SET last_crawled_at = now(), last_count = 7 WHERE tenant <> 'c'")
    await database.execute("UPDATE board SET last_error = 'no answer' WHERE tenant = 'b'")
    (found,) = await boards.yields(database)
    assert (found.source, found.boards, found.failing, found.listed) == ("lever", 3, 1, 14)
    assert found.last_run is not None
    assert found.last_complete is None
