"""A keeper looks at its neighbours in the database, and survives that it goes away."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from keeper.neighbours import Neighbours
from lib.life.fleet import Fleet, Host
from lib.store.connections import Database
from lib.store.spans import load_past
from sql import statements

_SQL = statements("daemons")
FLEET = Fleet(
    {
        name: Host(name=name, memory_bytes=1, cpus=1, units=units)
        for name, units in (("w1", ("crawl@0",)), ("w2", ("careers@0",)), ("w3", ()))
    }
)


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


async def beat(database: Database, unit: str, host: str, age_s: float = 0.0, clock_wrong_by: str = "0 s") -> None:
    """A heartbeat `age_s` ago, of a server whose own clock is wrong."""
    await database.fetchval(_SQL.beat, unit, host, 1, "1", datetime.now(UTC), 0.0, "idle", "", 1, {}, None)
    await database.execute(
        "UPDATE daemon SET heartbeat_at = now() - make_interval(secs => $2), started_at = now() + $3::text::interval"
        " WHERE unit = $1",
        unit, age_s, clock_wrong_by,
    )  # fmt: skip


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def fleet(database: Database) -> Database:
    """Three servers that beat; the clock of w2 is an hour ahead."""
    for host, units in (("w1", ("keeper@w1", "crawl@0")), ("w2", ("keeper@w2", "careers@0")), ("w3", ("keeper@w3",))):
        for unit in units:
            await beat(database, unit, host, clock_wrong_by="1 h" if host == "w2" else "0 s")
    return database


def neighbours(database: Database, clock: Clock, own: str = "w1", held: frozenset[str] = frozenset()) -> Neighbours:
    return Neighbours(database, own, lambda: FLEET, lambda: held, clock=clock, answer_s=1.0)


async def keys(watcher: Neighbours, clock: Clock, after_s: float = 100.0) -> list[str]:
    clock.now += after_s
    return [finding.key for finding in await watcher.look()]


async def test_a_silent_server_is_found_by_the_others_until_it_beats(fleet: Database, clock: Clock) -> None:
    watchers = [neighbours(fleet, clock, own) for own in ("w1", "w3")]
    for watcher in watchers:
        assert await keys(watcher, clock) == []
    for unit in ("keeper@w2", "careers@0"):
        await beat(fleet, unit, "w2", age_s=100)
    for watcher in watchers:
        assert await keys(watcher, clock) == ["host: w2"]
    await beat(fleet, "careers@0", "w2")
    for watcher in watchers:
        assert await keys(watcher, clock) == ["miss: keeper@w2"]
    await beat(fleet, "keeper@w2", "w2")
    for watcher in watchers:
        assert await keys(watcher, clock) == []


async def test_it_looks_now_and_then(fleet: Database, clock: Clock) -> None:
    watcher = neighbours(fleet, clock, "w1")
    await keys(watcher, clock)
    for unit in ("keeper@w2", "careers@0"):
        await beat(fleet, unit, "w2", age_s=100)
    await keys(watcher, clock, after_s=100)
    await beat(fleet, "keeper@w2", "w2")
    assert await keys(watcher, clock, after_s=1) == ["host: w2"]
    assert await keys(watcher, clock, after_s=10) == []


async def test_a_held_server_is_left_alone(fleet: Database, clock: Clock) -> None:
    watcher = neighbours(fleet, clock, held=frozenset({"w2"}))
    await keys(watcher, clock)
    for unit in ("keeper@w2", "careers@0"):
        await beat(fleet, unit, "w2", age_s=100)
    assert await keys(watcher, clock) == []


async def test_a_database_that_is_away_keeps_nobody_waiting(clock: Clock) -> None:
    async with Database("postgresql://nobody@127.0.0.1:1/none") as gone:
        watcher = Neighbours(gone, "w1", lambda: FLEET, frozenset, clock=clock, answer_s=0.1)
        assert await keys(watcher, clock) == []


async def test_the_map_is_noted_with_the_keepers(fleet: Database, clock: Clock) -> None:
    await neighbours(fleet, clock).note_map()
    placed = {placement.unit for placement in (await load_past(fleet, 60.0)).placements}
    assert placed == {"keeper@w1", "keeper@w2", "keeper@w3", "crawl@0", "careers@0"}
