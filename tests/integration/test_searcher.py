"""Searches: kept for a while, computed once, written down before they are answered, and nobody's but who asked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from lib.match.answer import Answer, Result
from lib.match.kept import KeptResults
from lib.match.live import Thresholds
from lib.match.matcher import Matcher
from lib.match.profile import Limits, Profile, UnusableProfile
from lib.match.recorder import Recorder, recording
from lib.match.searcher import MOST_IN_HAND, Asker, Searcher, TooMany
from lib.match.searches import events_after, load
from lib.store.connections import Cache, Database
from tests.integration.open_market import encoders, fill

KOCH = Profile(text="Koch", limits=Limits(countries=("DE",)))
FREE, PAYING = Asker(None, None, False), Asker(None, None, True)


class CountedMatcher(Matcher):
    """A matcher that counts, and can be held up."""

    def __init__(self, database: Database) -> None:
        super().__init__(database, encoders(), text_model="builtin", expire_days=45, min_score=20)
        self.matched = 0
        self.gate = asyncio.Event()
        self.gate.set()

    async def match(self, profile: Profile) -> Result:
        self.matched += 1
        await self.gate.wait()
        return await super().match(profile)


class Bench:
    """A searcher, and what it is made of."""

    def __init__(self, database: Database, cache: Cache, recorder: Recorder, **changes: Any) -> None:
        self.matcher = CountedMatcher(database)
        self.spent = False
        given: dict[str, Any] = {"gateway": True, "spent": self._spent, "thresholds": Thresholds(60, 100)} | changes
        kept = KeptResults(cache, given.pop("version", "1"), given.pop("keep_s", 300))
        self.searcher = Searcher(self.matcher, kept, recorder, given.pop("thresholds"), **given)

    async def _spent(self) -> bool:
        return self.spent

    async def search(self, profile: Profile = KOCH, asker: Asker = FREE) -> Answer:
        return await self.searcher.search(profile, asker)


@pytest.fixture
async def recorder(database: Database) -> AsyncIterator[Recorder]:
    async with recording(Recorder(database, 45)) as one:
        yield one


@pytest.fixture
async def bench(database: Database, cache: Cache, recorder: Recorder) -> Bench:
    await fill(database, 400)
    return Bench(database, cache, recorder)


def shown(answer: Answer) -> list[tuple[int, float]]:
    return [(match.id, match.score) for match in answer.matches]


async def test_the_same_profile_is_answered_from_what_is_kept(bench: Bench, database: Database) -> None:
    first, second = await bench.search(), await bench.search()
    assert (first.cached, second.cached, bench.matcher.matched) == (False, True, 1)
    assert (shown(first), first.found, first.candidates) == (shown(second), second.found, second.candidates)
    assert first.matches == second.matches
    assert first.id != second.id
    other = await bench.search(Profile(text="Koch", limits=Limits(countries=("AT",))))
    assert not other.cached
    rows = {row["id"]: row for row in await database.fetch("SELECT * FROM search_request")}
    assert set(rows) == {first.id, second.id, other.id}
    assert rows[second.id]["posting_ids"] == [match.id for match in second.matches]
    assert rows[second.id]["profile_hash"] == KOCH.digest()
    assert rows[second.id]["best_score"] == pytest.approx(second.matches[0].score)
    assert (rows[second.id]["found"], rows[second.id]["profile"]) == (second.found, None)


async def test_another_release_or_model_keeps_results_of_its_own(
    bench: Bench, database: Database, cache: Cache, recorder: Recorder
) -> None:
    await bench.search()
    assert not (await Bench(database, cache, recorder, version="2").search()).cached
    assert (await Bench(database, cache, recorder).search()).cached
    assert not (await Bench(database, cache, recorder, keep_s=0).search()).cached


async def test_equal_profiles_at_the_same_moment_are_computed_once(bench: Bench, database: Database) -> None:
    bench.matcher.gate.clear()
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(bench.search()) for _ in range(20)]
        await asyncio.sleep(0.05)
        tasks.append(group.create_task(bench.search(Profile(text="Buchhalter"))))
        await asyncio.sleep(0.05)
        bench.matcher.gate.set()
    assert bench.matcher.matched == 2
    assert len({task.result().id for task in tasks}) == 21
    assert await database.fetchval("SELECT count(*) FROM search_request") == 21


async def test_who_gives_up_does_not_take_the_result_from_the_others(bench: Bench, database: Database) -> None:
    bench.matcher.gate.clear()
    hasty, patient = asyncio.create_task(bench.search()), asyncio.create_task(bench.search())
    await asyncio.sleep(0.05)
    hasty.cancel()
    bench.matcher.gate.set()
    answer = await patient
    assert hasty.cancelled()
    assert [row["id"] for row in await database.fetch("SELECT id FROM search_request")] == [answer.id]


async def test_an_unusable_profile_is_refused_each_time(bench: Bench, database: Database) -> None:
    for _ in range(2):
        with pytest.raises(UnusableProfile):
            await bench.search(Profile(text="!"))
    assert await database.fetchval("SELECT count(*) FROM search_request") == 0


@pytest.mark.parametrize(
    "change",
    [
        "state = 'closed'",
        "last_seen = now() - interval '46 days'",
        "country_code = 'AT'",
        "country_code = NULL",
    ],
)
async def test_a_kept_result_shows_nothing_that_must_not_be_shown_any_more(
    bench: Bench, database: Database, change: str
) -> None:
    first = await bench.search()
    gone = first.matches[2].id
    await database.execute(f"UPDATE posting SET {change} WHERE id = $1", gone)
    again = await bench.search()
    assert gone not in [match.id for match in again.matches]
    assert not again.cached
    assert await database.fetchval("SELECT count(*) FROM search_request") == 2
    assert (await bench.search()).cached


@pytest.mark.parametrize(
    ("limits", "change"),
    [
        (Limits(languages=("de",)), "language = 'en'"),
        (Limits(remote=("remote", "hybrid")), "remote = 'onsite'"),
        (Limits(employment=("full_time",)), "employment = 'internship'"),
        (Limits(min_salary_eur=40_000), "salary_year_max_eur = 39999"),
    ],
)
async def test_every_hard_limit_holds_for_kept_results(
    bench: Bench, database: Database, limits: Limits, change: str
) -> None:
    profile = Profile(text="Pflegefachkraft", limits=limits)
    gone = (await bench.search(profile)).matches[0].id
    await database.execute(f"UPDATE posting SET {change} WHERE id = $1", gone)
    again = await bench.search(profile)
    assert again.matches
    assert gone not in [match.id for match in again.matches]


async def test_without_redis_everything_is_computed(bench: Bench, database: Database, recorder: Recorder) -> None:
    async with Cache("unix:///nowhere/valkey.sock") as gone:
        alone = Bench(database, gone, recorder)
        assert not (await alone.search()).cached
        assert not (await alone.search()).cached


@pytest.mark.parametrize("junk", [b"", b"nonsense", b"\x28\xb5\x2f\xfd\xff" + b"\xff" * 20, "wrong type"])
async def test_what_others_put_into_redis_is_no_result(bench: Bench, cache: Cache, junk: bytes | str) -> None:
    first = await bench.search()
    (key,) = await cache.client.keys("vakanz:match:*")
    assert 0 < await cache.client.ttl(key) <= 300
    assert await cache.client.strlen(key) < 20_000
    await cache.client.delete(key)
    if isinstance(junk, bytes):
        await cache.client.set(key, junk)
    else:
        await cache.client.rpush(key, junk)
    again = await bench.search()
    assert not again.cached
    assert shown(again) == shown(first)


async def test_a_paying_caller_with_too_few_matches_goes_on_live(bench: Bench, database: Database) -> None:
    odd = Profile(text="Glasbläser\x00 in Lauscha", title="Glasbläser")
    for _ in range(2):  # computed, then kept
        free, paying = await bench.search(odd), await bench.search(odd, PAYING)
        assert (free.live, free.live_why) == ("unavailable", "tier")
        assert (paying.live, paying.live_why) == ("running", None)
    assert paying.cached
    search = await load(database, paying.id)
    assert search is not None
    assert search.profile == Profile(text="Glasbläser in Lauscha", title="Glasbläser")
    (event,) = await events_after(database, {paying.id: 0})
    assert (event.seq, event.kind) == (1, "matches")
    assert str(paying.id) in event.body
    bench.spent = True
    assert (await bench.search(odd, PAYING)).live_why == "budget"


async def test_enough_matches_need_nothing_live(bench: Bench) -> None:
    assert (await bench.search(asker=PAYING)).live == "not_needed"


async def test_without_a_gateway_nobody_goes_on(
    bench: Bench, database: Database, cache: Cache, recorder: Recorder
) -> None:
    bench = Bench(database, cache, recorder, gateway=False)
    assert (await bench.search(Profile(text="Glasbläser"), PAYING)).live_why == "gateway"


async def test_one_row_that_cannot_be_written_costs_no_other_search(bench: Bench, database: Database) -> None:
    results = await asyncio.gather(
        *(bench.search(asker=Asker(None, key_id, False)) for key_id in (None, 987_654, None)), return_exceptions=True
    )
    assert [isinstance(one, Answer) for one in results] == [True, False, True]
    assert await database.fetchval("SELECT count(*) FROM search_request") == 2
    assert isinstance(await bench.search(), Answer)


async def test_more_than_can_be_answered_soon_are_turned_away(bench: Bench) -> None:
    bench.matcher.gate.clear()
    waiting = [asyncio.create_task(bench.search()) for _ in range(MOST_IN_HAND)]
    await asyncio.sleep(0.1)
    with pytest.raises(TooMany):
        await bench.search()
    bench.matcher.gate.set()
    await asyncio.gather(*waiting)
    assert (await bench.search()).matches


async def test_a_search_that_nobody_waits_for_any_more_is_not_written(database: Database) -> None:
    recorder = Recorder(database, 45)
    bench = Bench(database, Cache("unix:///nowhere/valkey.sock"), recorder)
    hasty = asyncio.create_task(bench.search(Profile(text="Glasbläser"), PAYING))
    await asyncio.wait({hasty}, timeout=0.5)
    hasty.cancel()
    async with recording(recorder):
        answer = await bench.search(Profile(text="Glasbläser"), PAYING)
    assert [row["id"] for row in await database.fetch("SELECT id FROM search_request")] == [answer.id]


def test_a_result_says_nothing_of_who_asked() -> None:
    assert not {"id", "account_id", "live", "credits_used"}.intersection(Result.__struct_fields__)
