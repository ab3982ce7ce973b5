"""A keeper looks at its neighbours in the database, and survives that it goes away."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

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


UNITS = {"keeper@w1": "w1", "crawl@0": "w1", "keeper@w2": "w2", "careers@0": "w2", "keeper@w3": "w3"}


async def beat(database: Database, *without: str) -> None:
    """All beat but some. The clock of w2 is an hour ahead."""
    for unit, host in UNITS.items():
        if unit not in without:
            started = datetime.now(UTC) + timedelta(hours=host == "w2")
            await database.fetchval(_SQL.beat, unit, host, 1, "1", started, 0.0, "idle", "", 1, {}, None)


@pytest.fixture
def clock() -> Clock:
    return Clock()


def neighbours(database: Database, clock: Clock, own: str = "w1", held: frozenset[str] = frozenset()) -> Neighbours:
    return Neighbours(database, own, lambda: FLEET, lambda: held, clock=clock, answer_s=2.0)


async def keys(watcher: Neighbours) -> list[str]:
    return [finding.key for finding in await watcher.look()]


async def test_a_silent_server_is_found_by_the_others_until_it_beats(database: Database, clock: Clock) -> None:
    watchers = [neighbours(database, clock, own) for own in ("w1", "w3")]
    for silent, found in (
        ((), []),
        (("keeper@w2", "careers@0"), ["host: w2"]),
        (("keeper@w2",), ["miss: keeper@w2"]),
        ((), []),
    ):
        clock.now += 95
        await beat(database, *silent)
        assert [await keys(watcher) for watcher in watchers] == [found, found]


async def test_it_looks_now_and_then(database: Database, clock: Clock) -> None:
    watcher = neighbours(database, clock)
    for silent in ((), ("keeper@w2", "careers@0")):
        clock.now += 95
        await beat(database, *silent)
        await keys(watcher)
    await beat(database)
    clock.now += 1
    assert await keys(watcher) == ["host: w2"]
    clock.now += 10
    assert await keys(watcher) == []


async def test_a_held_server_is_left_alone(database: Database, clock: Clock) -> None:
    watcher = neighbours(database, clock, held=frozenset({"w2"}))
    for silent in ((), ("keeper@w2", "careers@0")):
        clock.now += 95
        await beat(database, *silent)
        assert await keys(watcher) == []


async def test_a_database_that_is_away_keeps_nobody_waiting(clock: Clock) -> None:
    async with Database("postgresql://nobody@127.0.0.1:1/none") as gone:
        watcher = Neighbours(gone, "w1", lambda: FLEET, frozenset, clock=clock, answer_s=0.1)
        assert await keys(watcher) == []


async def test_every_map_is_noted_with_its_keepers(database: Database, clock: Clock) -> None:
    fleet = Fleet({})
    watcher = Neighbours(database, "w1", lambda: fleet, frozenset, clock=clock)

    async def standing() -> set[str]:
        clock.now += 10
        await watcher.look()
        return {one.unit for one in (await load_past(database, 60.0)).placements if one.until is None}

    assert await standing() == set()
    fleet = FLEET
    assert await standing() == {"keeper@w1", "keeper@w2", "keeper@w3", "crawl@0", "careers@0"}
    fleet = Fleet({"w1": FLEET.hosts["w1"]})
    assert await standing() == {"keeper@w1", "crawl@0"}
    fleet = Fleet({})  # a map that cannot be read says nothing
    assert await standing() == {"keeper@w1", "crawl@0"}
