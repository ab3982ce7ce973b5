"""The daily window: one server opens it, and boards come due within it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import anyio
import asyncpg
import pytest

from daemons.crawl.window import Closed, Opened, Taken, open_window
from lib.posting import boards
from lib.store.connections import Database

OPENS = datetime(2026, 11, 22, 3, 30, tzinfo=UTC)  # half past four in Berlin
CLOSES = OPENS + timedelta(hours=3)
NOW = OPENS + timedelta(seconds=20)


async def add_boards(database: Database, count: int, due: datetime) -> None:
    """Registers boards that were crawled the evening before."""
    rows: list[tuple[str, str, str | None, str, int]] = [
        ("greenhouse", f"b{number}", None, f"https://b.example/{number}", 21_600) for number in range(count)
    ]
    await boards.add_many(database, rows)
    await database.execute("UPDATE board SET next_due = $1, last_crawled_at = $2", due, OPENS - timedelta(hours=6))


async def test_of_two_servers_one_opens_it(database: Database) -> None:
    await add_boards(database, 10, CLOSES + timedelta(hours=1))
    found: list[Closed | Taken | Opened] = []

    async def serve(host: str) -> None:
        found.append(await open_window(database, host, NOW))

    async with anyio.create_task_group() as servers:
        for host in ("w1", "w2"):
            servers.start_soon(serve, host)
    assert sum(one == Opened(10, CLOSES) for one in found) == 1
    (taken,) = (one for one in found if isinstance(one, Taken))
    assert taken.by in ("w1", "w2")
    assert await database.fetchval("SELECT count(*) FROM schedule_run WHERE outcome = '10 boards brought forward'") == 1
    again = await open_window(database, taken.by, NOW + timedelta(minutes=5))
    assert isinstance(again, Taken) and again.done
    assert isinstance(await open_window(database, "w1", NOW + timedelta(days=1)), Opened)


async def test_a_morning_whose_opening_failed_is_open_to_the_next_server(database: Database) -> None:
    await add_boards(database, 10, CLOSES + timedelta(hours=1))
    await database.execute("ALTER TABLE board ADD CONSTRAINT no_room CHECK (next_due > '2026-11-22 06:30Z')")
    with pytest.raises(asyncpg.CheckViolationError):
        await open_window(database, "w1", NOW)
    await database.execute("ALTER TABLE board DROP CONSTRAINT no_room")
    assert await open_window(database, "w5", NOW) == Opened(10, CLOSES)


async def test_boards_are_spread_over_the_window(database: Database) -> None:
    await add_boards(database, 300, CLOSES + timedelta(hours=1))
    await open_window(database, "w1", NOW)
    rows = await database.fetch("SELECT next_due FROM board ORDER BY next_due")
    dues = [row["next_due"] for row in rows]
    assert dues[0] >= NOW and dues[-1] <= CLOSES
    for third in range(3):
        opens = NOW + (CLOSES - NOW) / 3 * third
        assert 95 <= sum(opens <= due < opens + (CLOSES - NOW) / 3 for due in dues) <= 105


async def test_a_server_that_comes_late_spreads_over_what_is_left(database: Database) -> None:
    await add_boards(database, 50, CLOSES + timedelta(hours=1))
    late = CLOSES - timedelta(minutes=30)
    assert await open_window(database, "w1", late) == Opened(50, CLOSES)
    assert await database.fetchval("SELECT min(next_due) FROM board") >= late


async def test_boards_are_left_alone_that_are_fresh_or_failing_or_due_before(database: Database) -> None:
    await add_boards(database, 5, CLOSES + timedelta(hours=1))
    await database.execute("UPDATE board SET last_crawled_at = $1 WHERE tenant = 'b0'", OPENS - timedelta(hours=1))
    await database.execute("UPDATE board SET failures = 2 WHERE tenant = 'b1'")
    await database.execute("UPDATE board SET state = 'denied' WHERE tenant = 'b2'")
    await database.execute("UPDATE board SET next_due = $1 WHERE tenant = 'b3'", OPENS)
    await database.execute("UPDATE board SET every_s = 7 * 86400 WHERE tenant = 'b4'")
    before = await database.fetch("SELECT id, next_due FROM board ORDER BY id")
    assert await open_window(database, "w1", NOW) == Opened(0, CLOSES)
    assert await database.fetch("SELECT id, next_due FROM board ORDER BY id") == before


async def test_at_noon_it_is_closed(database: Database) -> None:
    noon = OPENS + timedelta(hours=8)
    assert await open_window(database, "w1", noon) == Closed(OPENS + timedelta(days=1))
    assert await database.fetchval("SELECT count(*) FROM schedule_run") == 0
