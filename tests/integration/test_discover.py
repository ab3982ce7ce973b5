"""Live search, end to end: what a paying user's search buys, what they are told meanwhile, and that nothing is bought
twice."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import anyio
import msgspec
import orjson
import pytest

from daemons.discover import actor, claims
from daemons.discover.query import Query, plan
from daemons.embed.listings import ListingFold
from lib.match import searches
from lib.match.profile import Limits, Profile
from lib.posting import boards, writing
from lib.spend.client import BadCall
from lib.store.connections import Cache, Database
from lib.store.streams import Job
from tests.integration.discovering import BOOKS, Room, room, titles
from tests.integration.following import catch_up, enrich_folds
from tests.waiting import until

ELECTRICIAN = Profile(title="Elektriker", text="Ich bin Elektriker.")
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


async def test_two_who_ask_the_same_at_once_buy_it_once(live: Room) -> None:
    live.provider.latency_s = 0.2
    async with live.daemon("discover@0"), live.daemon("discover@1"):
        mine, theirs = [await live.search(await live.account()) for _ in range(2)]
        ended = [await live.ended(one) for one in (mine, theirs)]
    assert [one.live for one in ended] == ["done", "done"]
    lines = [line.path for line in live.provider.statement]
    assert lines.count("/scrape/indeed/listing") == 1
    assert len(lines) == 1 + await live.database.fetchval(OPEN)
    assert live.provider.most_at_once <= 15
    assert sum(one.credits_used for one in ended) == live.provider.charged == await live.settled()
    shown = [[match["id"] for match in await last_matches(live, one)] for one in (mine, theirs)]
    assert shown[0] == shown[1] != []


async def test_the_same_query_soon_after_buys_nothing(live: Room) -> None:
    async with live.daemon():
        first = await live.ended(await live.search(await live.account()))
        charged = live.provider.charged
        again = await live.search(await live.account())
        second = await live.ended(again)
        assert (second.live, second.credits_used, live.provider.charged) == ("done", 0, charged)
        assert await last_matches(live, again)
        await live.database.execute("UPDATE discovery_query SET bought_at = now() - interval '6 minutes'")
        third = await live.ended(await live.search(await live.account()))
    assert first.credits_used == charged and third.credits_used == 5
    assert await live.database.fetchval("SELECT count(*) FROM posting_history WHERE revision > 2") == 0


async def test_what_came_too_late_for_one_is_there_for_who_asks_next(
    live: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(actor, "_PATIENCE_S", 0.5)
    live.provider.latency_s = 1.0
    async with live.daemon():
        hasty = await live.ended(await live.search(await live.account()))
        assert (hasty.live, hasty.live_why) == ("unavailable", "busy")
        live.provider.latency_s = 0.0
        await until(lambda: live.provider.charged == 5)
        second = await live.ended(await live.search(await live.account()))
    assert sum("listing" in line.path for line in live.provider.statement) == 1
    assert live.provider.charged - 5 == second.credits_used > 0


async def test_who_takes_a_query_over_is_not_held_to_the_others_share(live: Room) -> None:
    spent, payer = await live.account(), await live.account()
    began = await live.search(spent, publish=False)
    (ask, *_) = plan(Query("buchhalter", "Deutschland", "DE"), 1)
    async with live.parts() as works:
        assert await works.claims.query(ask.key, began) == began
        await works.claims.leave_query(ask.key)
        assert await works.claims.query(ask.key, await live.search(payer, publish=False)) == began
        await works.claims.leave_query(ask.key)
    await live.database.execute("UPDATE account SET tier = 'free' WHERE id = $1", spent)
    async with live.daemon():
        search = await live.ended(await live.search(payer))
    assert search.live == "done" and search.credits_used == live.provider.charged > 0


async def test_a_detail_that_came_in_vain_is_not_bought_again_for_a_week(live: Room) -> None:
    for path in ("/scrape/indeed/job", "/scrape/web"):
        live.provider.misbehave("not_found", path=path, times=None)
    async with live.daemon():
        assert (await live.ended(await live.search(await live.account()))).credits_used == 5
        asked = live.provider.asked
        assert (await live.ended(await live.search(await live.account()))).credits_used == 0
        assert live.provider.asked == asked
        live.provider.behave()
        await live.database.execute("UPDATE detail_claim SET fetched_at = now() - interval '8 days'")
        third = await live.ended(await live.search(await live.account()))
    assert third.credits_used == await live.database.fetchval(OPEN)
    assert await live.database.fetchval("SELECT min(round) FROM detail_claim") == 2


async def test_a_language_is_known_before_the_text_is_bought(live: Room) -> None:
    german = msgspec.structs.replace(BOOKS, limits=Limits(languages=("de",)))
    async with live.daemon():
        search_id = await live.search(await live.account(), german)
        ended = await live.ended(search_id)
    matches = await last_matches(live, search_id)
    assert {match["language"] for match in matches} == {"de"}
    assert ended.credits_used == 5 + len(matches)  # and no text in another language


async def test_a_job_that_is_gone_stays_closed_while_lists_still_show_it(
    live: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page says so, which is not asked again for a week."""
    with monkeypatch.context() as gone:
        gone.setattr(live.provider.sites, "job", lambda *_: None)
        async with live.daemon():
            await live.ended(await live.search(await live.account()))
            assert await live.database.fetchval(OPEN) == 0
            await live.database.execute("DELETE FROM discovery_query")
            await live.ended(await live.search(await live.account()))
            assert await live.database.fetchval(OPEN) == 0
    await live.database.execute("DELETE FROM discovery_query")
    await live.database.execute("UPDATE detail_claim SET fetched_at = now() - interval '8 days'")
    async with live.daemon():
        await live.ended(await live.search(await live.account()))
    assert await live.database.fetchval(OPEN) > 0


async def test_a_job_that_another_board_has_is_known_and_not_bought(live: Room) -> None:
    async with live.daemon():
        await live.ended(await live.search(await live.account()))
        charged = live.provider.charged
    await live.database.execute("UPDATE board SET source = 'lever', tenant = 'twin', state = 'active'")
    await live.database.execute("DELETE FROM detail_claim")
    await live.database.execute("DELETE FROM discovery_query")
    async with live.daemon():
        again = await live.ended(await live.search(await live.account()))
    boards = await live.database.fetch(
        "SELECT b.source, count(p) FROM board b LEFT JOIN posting p ON p.board_id = b.id GROUP BY 1"
    )
    assert dict(boards) == {"lever": charged - 5, "indeed": 0}
    assert again.credits_used == 5 and again.live == "done"


async def test_a_page_stands_in_for_a_detail_that_the_provider_cannot_give(live: Room) -> None:
    live.provider.misbehave("bad_request", path="/scrape/indeed/job", times=3)
    live.provider.misbehave("server_error", path="/scrape/indeed/job", times=2)
    async with live.daemon():
        search = await live.ended(await live.search(await live.account()))
    outcomes = await live.database.fetch("SELECT outcome, count(*) FROM detail_claim GROUP BY 1")
    assert dict(outcomes) == {"described": search.credits_used - 5}
    assert sum(line.path == "/scrape/web" for line in live.provider.statement) == 5


async def test_a_listing_that_cannot_be_read_is_paid_once_and_the_other_provider_is_asked(
    live: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live.provider.sites, "indeed_list", lambda *_: {"jobs": 5})
    async with live.daemon():
        mine = await live.search(await live.account())
        first = await live.ended(mine)
        second = await live.ended(await live.search(await live.account()))
    sources = await live.database.fetch("SELECT DISTINCT source FROM board")
    assert [row["source"] for row in sources] == ["glassdoor"] and await last_matches(live, mine)
    assert first.live == "done" and first.credits_used == live.provider.charged and second.credits_used == 0


async def test_an_answer_that_was_paid_and_lost_costs_its_posting_one_credit_more(live: Room) -> None:
    live.provider.misbehave("bad_gateway", path="/scrape/indeed/job", times=2)
    async with live.daemon():
        search = await live.ended(await live.search(await live.account()))
    assert (search.live, search.live_why) == ("done", None)
    assert search.credits_used == live.provider.charged == 5 + 13 + 2
    assert await live.database.fetchval("SELECT count(*) FROM posting WHERE state = 'described'") == 13


async def test_a_provider_that_is_down_leaves_cached_results(live: Room) -> None:
    live.provider.misbehave("unavailable", times=None)
    async with live.daemon():
        search = await live.ended(await live.search(await live.account()))
        assert (search.live, search.live_why, search.credits_used) == ("unavailable", "provider", 0)
        live.provider.behave()


async def test_why_discovery_ended_early_is_told_when_the_details_are_there(
    database: Database, cache: Cache, tmp_path: Path
) -> None:
    async with room(database, cache, tmp_path, discovery_score=100.0, discovery_found=500) as live:
        live.provider.misbehave("bad_request", path="/scrape/glassdoor/listing", times=None)
        search_id = await live.search(await live.account(), publish=False)
        async with live.parts() as works:
            await works.discovery.handle(Job(str(search_id), {}, 0))
        running = await searches.load(database, search_id)
        assert running is not None
        assert (running.live, running.live_why) == ("running", "provider")
        async with live.daemon() as works:
            await works.recovery.look(0)
            search = await live.ended(search_id)
    assert (search.live, search.live_why) == ("done", "provider")
    assert search.credits_used > 10
    assert orjson.loads((await live.told(search_id))[-1].body)["why"] == "provider"


async def test_a_spent_budget_ends_a_search_with_what_was_bought(
    database: Database, cache: Cache, tmp_path: Path
) -> None:
    async with room(database, cache, tmp_path, credits_monthly=9) as live, live.daemon():
        mine = await live.search(await live.account())
        search = await live.ended(mine)
        assert (search.live, search.live_why, search.credits_used) == ("done", "budget", 9)
        assert live.provider.charged == await live.settled() == 9
        assert await last_matches(live, mine)
        other = await live.ended(await live.search(await live.account(), ELECTRICIAN))
        assert (other.live, other.live_why, other.credits_used) == ("unavailable", "budget", 0)


async def test_what_a_search_gives_up_while_it_is_told_is_why_it_ends(
    live: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted = claims.count_details

    async def given_up_meanwhile(database: Database, search_id: UUID) -> tuple[int, int]:
        await claims.give_up(database, search_id, "budget")
        return await counted(database, search_id)

    monkeypatch.setattr(claims, "count_details", given_up_meanwhile)
    search_id = await live.search(await live.account(), publish=False)
    async with live.parts() as works:
        await works.discovery.handle(Job(str(search_id), {}, 0))
        works.telling.nudge([search_id])
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(works.telling.run)
            search = await live.ended(search_id)
            tasks.cancel_scope.cancel()
    assert (search.live, search.live_why) == ("done", "budget")


async def test_no_text_is_bought_for_what_matches_too_little_to_be_shown(live: Room) -> None:
    other = await live.search(await live.account(), publish=False)
    search_id = await live.search(await live.account(), Profile(title="Glasbläser"), publish=False)
    async with live.parts() as works:
        for one in (other, search_id):
            await works.discovery.handle(Job(str(one), {}, 0))
    search = await live.ended(search_id)
    assert (search.live, search.live_why) == ("done", None)
    assert await claims.count_details(live.database, other) == (13, 0)
    assert await claims.count_details(live.database, search_id) == (0, 0)
    assert orjson.loads((await live.told(search_id))[-2].body)["candidates"] == 13


async def test_details_wait_for_places_that_others_take(database: Database, cache: Cache, tmp_path: Path) -> None:
    async with room(database, cache, tmp_path, credits_in_flight=2) as live:
        live.provider.latency_s = 0.1
        async with live.daemon("discover@0"), live.daemon("discover@1"):
            search = await live.ended(await live.search(await live.account()))
    assert (search.live, search.live_why, search.credits_used) == ("done", None, 18)
    assert live.provider.most_at_once <= 2


async def test_a_gateway_that_does_not_know_us_costs_no_posting_its_detail(live: Room) -> None:
    search_id = await live.search(await live.account(), publish=False)
    async with live.parts() as works:
        await works.discovery.handle(Job(str(search_id), {}, 0))
    (wanted, *_) = await claims.missing_details(live.database, [search_id])
    stranger = replace(live, config=replace(live.config, gateway_key="a-key-that-was-changed"))
    async with stranger.parts() as works:
        with anyio.fail_after(10), pytest.raises(BadCall):
            await works.enrichment.handle(Job(str(wanted), {}, 0))
    assert wanted in await claims.missing_details(live.database, [search_id])


async def test_followers_find_all_of_it_done(live: Room) -> None:
    async with live.daemon():
        await live.ended(await live.search(await live.account()))
    tables = ("posting", "posting_text", "posting_vector", "posting_full_vector")
    written = [await live.database.fetch(f"SELECT * FROM {table} ORDER BY 1") for table in tables]
    await catch_up(live.database, *enrich_folds(live.database), ListingFold(live.database, titles))
    assert [await live.database.fetch(f"SELECT * FROM {table} ORDER BY 1") for table in tables] == written


async def test_nothing_is_asked_for_a_place_that_no_provider_covers(live: Room) -> None:
    async with live.daemon():
        search = await live.ended(await live.search(await live.account(), Profile(title="Koch", location="Paris")))
    assert (search.live, search.live_why, live.provider.asked) == ("unavailable", "place", 0)


async def test_metered_boards_are_listed_never_crawled_and_their_postings_expire(live: Room) -> None:
    async with live.daemon():
        await live.ended(await live.search(await live.account()))
    ((board, open_postings),) = await boards.list_all(live.database)
    assert (board.source, board.tenant, board.state) == ("indeed", "DE", "metered") and open_postings > 0
    assert await boards.claim_due(live.database, "crawler", 10, ()) == []
    await live.database.execute("UPDATE posting SET last_seen = now() - interval '46 days'")
    await boards.open_session(live.database, "s", "test", "0")
    assert await writing.expire(live.database, datetime.now(UTC), "s", days=45, limit=100) == open_postings


async def last_matches(live: Room, search_id: UUID) -> list[dict[str, Any]]:
    """The matches that a search told last."""
    told = [event for event in await live.told(search_id) if event.kind == "matches"]
    matches: list[dict[str, Any]] = orjson.loads(told[-1].body)["matches"]
    return matches
