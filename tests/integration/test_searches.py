"""Searches that go on: what they tell is numbered without gaps, and they end once."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import anyio

from lib.match.answer import Answer
from lib.match.profile import Limits, Profile
from lib.match.searches import (
    Begun,
    Event,
    abandon,
    events_after,
    finish,
    forget_events,
    forget_searches,
    load,
    start,
    tell,
)
from lib.store.connections import Database

PROFILE = Profile(text="Köchin\x00 in Bern", title="Koch", skills=("Soßen\x00",), limits=Limits(countries=("CH",)))


def answer(**changes: Any) -> Answer:
    return Answer(**({"id": uuid.uuid4(), "candidates": 7, "found": 0, "took_ms": 1.5, "matches": ()} | changes))


async def running(database: Database) -> uuid.UUID:
    first = answer(live="running")
    await database.transaction(lambda connection: start(connection, [Begun(first, PROFILE, None, None)]))
    return first.id


async def told(database: Database, search: uuid.UUID, after: int = 0) -> list[Event]:
    return await events_after(database, {search: after})


async def say(database: Database, search: uuid.UUID, credits_used: int = 0) -> int:
    body = {"phase": "details", "found": 1, "done": 0, "to_do": 0, "credits_used": credits_used}
    return await database.transaction(lambda connection: tell(connection, search, "progress", body))


async def test_a_running_search_keeps_its_profile_until_it_is_done(database: Database) -> None:
    search = await running(database)
    found = await load(database, search)
    assert found is not None
    assert (found.live, found.candidates, found.events) == ("running", 7, 1)
    assert found.profile == Profile(text="Köchin in Bern", title="Koch", skills=("Soßen",), limits=PROFILE.limits)
    assert found.profile_hash == PROFILE.digest()
    ended = [
        await database.transaction(lambda connection: finish(connection, search, "done", None, 6)) for _ in range(2)
    ]
    assert ended == [True, False]
    found = await load(database, search)
    assert found is not None
    assert (found.live, found.profile, found.credits_used) == ("done", None, 6)
    assert [event.kind for event in await told(database, search)] == ["matches", "done"]


async def test_numbers_have_no_gaps_however_many_tell_at_once(database: Database) -> None:
    search = await running(database)

    async with anyio.create_task_group() as group:
        for number in range(20):
            group.start_soon(say, database, search, number)
    assert [event.seq for event in await told(database, search)] == list(range(1, 22))
    assert [event.seq for event in await told(database, search, 19)] == [20, 21]
    found = await load(database, search)
    assert found is not None
    assert found.credits_used == 19


async def test_a_search_that_is_done_or_unknown_hears_nothing_more(database: Database) -> None:
    search = await running(database)
    await database.transaction(lambda connection: finish(connection, search, "unavailable", "budget", 0))
    assert [await say(database, other) for other in (search, uuid.uuid4())] == [0, 0]
    assert len(await told(database, search)) == 2
    assert await load(database, uuid.uuid4()) is None


async def test_starting_twice_is_starting_once(database: Database) -> None:
    first = answer(live="running")
    for _ in range(2):
        await database.transaction(lambda connection: start(connection, [Begun(first, PROFILE, None, None)]))
    assert [event.seq for event in await told(database, first.id)] == [1]


async def age(database: Database, table: str, column: str, search: uuid.UUID, hours: float) -> None:
    await database.execute(
        f"UPDATE {table} SET at = now() - make_interval(secs => $2) WHERE {column} = $1", search, hours * 3_600.0
    )


async def test_a_search_that_nobody_works_on_is_given_up(database: Database) -> None:
    quiet, told_lately, young = [await running(database) for _ in range(3)]
    for search in (quiet, told_lately):
        await age(database, "search_request", "id", search, 1)
        await age(database, "search_event", "search_id", search, 1)
    await say(database, told_lately, 5)
    assert await abandon(database, 300) == 1
    assert await abandon(database, 300) == 0
    found = await load(database, quiet)
    assert found is not None
    assert (found.live, found.live_why, found.profile) == ("done", "abandoned", None)
    assert [event.kind for event in await told(database, quiet)] == ["matches", "done"]
    assert await say(database, quiet) == 0
    for search in (told_lately, young):
        still = await load(database, search)
        assert still is not None
        assert still.live == "running"


async def test_what_is_old_and_done_is_forgotten(database: Database) -> None:
    done, going = await running(database), await running(database)
    await database.transaction(lambda connection: finish(connection, done, "done", None, 0))
    for search in (done, going):
        await age(database, "search_request", "id", search, 30)
        await age(database, "search_event", "search_id", search, 30)
    before = datetime.now(UTC) - timedelta(hours=29)
    assert await forget_events(database, before) == 2
    assert await forget_events(database, before) == 0
    assert len(await told(database, going)) == 1
    assert await load(database, done) is not None
    assert await forget_searches(database, before) == 1
    assert await load(database, done) is None
    assert await load(database, going) is not None
