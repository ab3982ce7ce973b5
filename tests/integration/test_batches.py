"""Batches: one transaction each, and a poison row costs itself only."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lib.store.batches import Executor, write_batch, write_rows
from lib.store.connections import Connection, Database

_GOOD = ("one", 1.0)
_POISON = [
    pytest.param(("nul\0byte", 1.0), id="NUL in a text"),
    pytest.param(("lone \ud800 surrogate", 1.0), id="lone surrogate"),
    pytest.param(("too big", 1e300), id="beyond a real"),
    pytest.param((None, 1.0), id="NULL where none may be"),
    pytest.param(("", 1.0), id="against a check"),
    pytest.param(("not a number", "x"), id="of another type"),
]


@pytest.fixture
async def table(database: Database) -> None:
    await database.execute("CREATE TABLE thing (name text NOT NULL CHECK (name <> ''), size real)")


async def write(executor: Executor, rows: Sequence[Any]) -> None:
    # Sent as doubles, so that PostgreSQL and not the client refuses what is no real.
    await executor.execute(
        "INSERT INTO thing SELECT n, s::real FROM unnest($1::text[], $2::float8[]) AS i (n, s)",
        [name for name, _ in rows],
        [size for _, size in rows],
    )


class Graveyard:
    """Buries in memory."""

    def __init__(self) -> None:
        self.rows: list[Any] = []
        self.reasons: list[str] = []

    async def bury(self, connection: Connection, row: Any, reason: str) -> None:
        self.rows.append(row)
        self.reasons.append(reason)


@pytest.mark.parametrize("poison", _POISON)
@pytest.mark.parametrize("place", [0, 24, 49])
@pytest.mark.parametrize("written", [write_batch, write_rows])
async def test_only_the_culprit_is_buried(
    database: Database, table: None, poison: Any, place: int, written: Callable[..., Awaitable[None]]
) -> None:
    rows: list[Any] = [(f"row {number}", float(number)) for number in range(50)]
    rows[place] = poison
    graves = Graveyard()
    await written(database, rows, write, bury=graves.bury)
    assert graves.rows == [poison]
    assert ":" in graves.reasons[0]
    kept = await database.fetch("SELECT name FROM thing")
    assert {row["name"] for row in kept} == {name for number, (name, _) in enumerate(rows) if number != place}


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(poisoned=st.sets(st.integers(0, 19)))
async def test_any_number_of_culprits_anywhere(database: Database, table: None, poisoned: set[int]) -> None:
    await database.execute("TRUNCATE thing")
    rows = [(f"row\0{number}" if number in poisoned else f"row {number}", 1.0) for number in range(20)]
    graves = Graveyard()
    await write_batch(database, rows, write, bury=graves.bury)
    assert graves.rows == [row for number, row in enumerate(rows) if number in poisoned]
    assert await database.fetchval("SELECT count(*) FROM thing") == 20 - len(poisoned)


async def test_what_begins_a_batch_commits_with_it(database: Database, table: None) -> None:
    async def begin(connection: Connection) -> bool:
        await connection.execute("INSERT INTO thing VALUES ('the beginning', 0)")
        return True

    graves = Graveyard()
    with pytest.raises(ValueError):
        await write_batch(database, [()], write, bury=graves.bury, begin=begin)
    assert await database.fetchval("SELECT count(*) FROM thing") == 0
    await write_batch(database, [_GOOD, ("\0", 1.0)], write, bury=graves.bury, begin=begin)
    assert await database.fetchval("SELECT count(*) FROM thing") == 2


async def test_a_batch_that_was_committed_before_is_not_written_again(database: Database, table: None) -> None:
    async def begin(connection: Connection) -> bool:
        return False

    await write_batch(database, [_GOOD, ("\0", 1.0)], write, bury=Graveyard().bury, begin=begin)
    assert await database.fetchval("SELECT count(*) FROM thing") == 0


async def test_errors_that_are_not_about_data_are_raised(database: Database) -> None:
    graves = Graveyard()
    with pytest.raises(asyncpg.UndefinedTableError):
        await write_batch(database, [_GOOD, _GOOD], write, bury=graves.bury)
    assert graves.rows == []
