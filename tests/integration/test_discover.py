"""Live search, end to end: what a paying user's search buys, what they are told meanwhile, and that nothing is bought
twice."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import orjson
import pytest

from lib.store.connections import Cache, Database
from tests.integration.discovering import Room, room

OPEN = "SELECT count(*) FROM posting WHERE state IN ('discovered', 'described')"


@pytest.fixture
async def live(database: Database, cache: Cache, tmp_path: Path) -> AsyncIterator[Room]:
    """A small market with a provider and a gateway."""
    async with room(database, cache, tmp_path) as live:
        yield live


async def test_a_paid_search_tells_what_it_finds_and_pays_what_the_provider_charges(live: Room) -> None:
    async with live.daemon():
        search_id = await live.search(await live.account())
        search = await live.ended(search_id)
    told = await live.told(search_id)
    assert (search.live, search.live_why, search.profile) == ("done", None, None)
    assert told[-1].kind == "done" and [event.seq for event in told] == list(range(1, len(told) + 1))
    last = orjson.loads([event for event in told if event.kind == "matches"][-1].body)
    assert last["matches"] and "uchhalter" in last["matches"][0]["title"]
    assert search.credits_used == live.provider.charged == await live.settled() > 5
    described = await live.database.fetchval("SELECT count(*) FROM posting WHERE state = 'described'")
    assert described == await live.database.fetchval("SELECT count(*) FROM search_detail") > 0
