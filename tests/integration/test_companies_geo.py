"""The geo daemon over the simulated map: places are searched, sites visited once, boards registered, and it goes on."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import anyio
import pytest

from daemons.companies import actor, candidates, overpass, places
from daemons.companies.actor import search_one, serve, visit_some
from daemons.companies.squares import Square
from daemons.companies.visiting import Visit
from lib.life.actor import Life
from lib.life.config import Config
from lib.life.fetching import policy_of
from lib.net.breaker import BreakerRules
from lib.net.fetch import Fetcher
from lib.net.policy import FetchPolicy, HostLimits
from lib.store.connections import Cache, Database
from lib.text.gazetteer import Place
from tests.sim import Market, Simulator, running
from tests.sim.overpass import HOST, URL, Web
from tests.sim.places import CITIES
from tests.waiting import until

ALL = range(25)
_ROOT = Path(__file__).parents[2]
_FREE = HostLimits(rate_per_s=None, concurrency=None)
_STATES = {"Berlin": "16", "Hamburg": "04", "Wien": "09"}


@pytest.fixture
async def sim() -> AsyncIterator[Simulator]:
    async with running(Market(5, companies=60, postings=120)) as sim:
        yield sim


@pytest.fixture
def config(tmp_path: Path, sim: Simulator, dsn: str, redis_url: str) -> Config:
    return Config(home=tmp_path, dsn=dsn, redis_url=redis_url, host="here", simulator=sim.url, overpass=URL)


@asynccontextmanager
async def client(sim: Simulator) -> AsyncIterator[Fetcher]:
    policy = FetchPolicy(contact="tests", limits=_FREE, reroute=sim.url, breaker=BreakerRules(failures=1_000_000))
    async with Fetcher(policy) as fetch:
        yield fetch


def towns() -> list[Place]:
    """The market's cities, all said to be of one state but for those that are states."""
    states = {"DE": "02", "AT": "04", "CH": "ZH"}
    return [
        Place(
            city.name, city.country, _STATES.get(city.name, states[city.country]), city.latitude, city.longitude, 9_000
        )
        for city in CITIES
        if city.country in states
    ]


async def search_all(database: Database, fetch: Fetcher, config: Config, regions: range = ALL) -> int:
    searched = 0
    while await search_one(database, fetch, config, "tests", regions) is not None:
        searched += 1
    return searched


async def test_every_company_of_the_map_is_visited_once_and_its_board_registered(
    database: Database, sim: Simulator, config: Config
) -> None:
    web = sim.web
    assert web is not None
    await places.add_places(database, towns(), ALL)
    await places.add_places(database, towns(), ALL)
    async with client(sim) as fetch:
        assert await search_all(database, fetch, config) == len(towns())
        assert await search_all(database, fetch, config) == 0, "no place is due before 90 days are over"
        while await visit_some(database, fetch, config, ALL):
            pass
    ways = list(web.ways())
    sites = {row["host"]: row for row in await database.fetch("SELECT * FROM company_site")}
    assert sites.keys() == {host for host, _, _ in ways}
    boards = {(row["source"], row["tenant"]): row for row in await database.fetch("SELECT * FROM board")}
    found = 0
    for host, board, leads in ways:
        site = sites[host]
        if leads and site["state"] == "board":
            found += 1
            assert site["source"] == board.source, host
            assert boards[site["source"], site["tenant"]]["company"] == board.company.name
        elif not leads:
            assert site["state"] in ("denied", "nothing"), host
    leading = [board for _, board, leads in ways if leads]
    assert found == len(leading) > 30
    for host, _, _ in ways:
        asked = sim.traffic.hosts[f"www.{host}"]
        assert max(asked.paths.values()) == 1, (host, asked.paths)
    assert sim.traffic.hosts[HOST].concurrency == 1
    assert sim.traffic.hosts[HOST].paths == {"/api/interpreter": len(towns())}
    (agent,) = sim.traffic.hosts[HOST].agents
    assert "tests" in agent


async def test_no_site_is_visited_again_before_90_days_are_over(
    database: Database, sim: Simulator, config: Config
) -> None:
    await places.add_places(database, towns(), ALL)
    async with client(sim) as fetch:
        await search_all(database, fetch, config)
        first = await places.claim_sites(database, ALL, 1_000)
        assert first
        assert await visit_some(database, fetch, config, ALL) == 0, "a claim is a visit, whatever becomes of it"
        await database.execute("UPDATE company_site SET looked_at = now() - interval '89 days 23 hours'")
        assert await visit_some(database, fetch, config, ALL) == 0
        await database.execute(
            "UPDATE company_site SET looked_at = now() - interval '90 days 1 hour' WHERE host = $1", first[0].host
        )
        assert await visit_some(database, fetch, config, ALL) == 1


async def test_a_search_that_is_cut_goes_on_with_quarters_until_all_is_found(
    database: Database, sim: Simulator, config: Config
) -> None:
    sim.web = Web(sim.market, most=6)
    berlin = [place for place in towns() if place.name == "Berlin"]
    await places.add_places(database, berlin, ALL)
    async with client(sim) as fetch:
        searched = await search_all(database, fetch, config)
    assert searched > 4
    assert searched % 4 == 1, "a square and then quarters"
    await places.add_places(database, berlin, ALL)
    async with client(sim) as fetch:
        assert await search_all(database, fetch, config) == 0, "the whole square is not searched again"
    known = {row["host"] for row in await database.fetch("SELECT host FROM company_site")}
    around = Square.around(berlin[0]).edges
    near = {
        board.company.domain
        for board in sim.market.boards
        if around[0] < board.company.seat.latitude < around[2] and around[1] < board.company.seat.longitude < around[3]
    }
    assert known >= near
    assert len(near) > 3
    assert (
        await database.fetchval("SELECT count(*) FROM geo_place WHERE next_due = 'infinity' AND last_error <> ''") >= 1
    )


@pytest.mark.parametrize(
    ("kind", "least", "most"),
    [
        ("rate_limited", 1, 3_700),
        ("server_error", 3_500, 3_700),
        ("broken_json", 3_500, 3_700),
        ("forbidden", 3_500, 3_700),
    ],
)
async def test_a_map_server_that_is_away_is_left_alone(
    database: Database, sim: Simulator, config: Config, kind: str, least: float, most: float
) -> None:
    sim.misbehave(kind, host=HOST, times=1)
    await places.add_places(database, towns()[:1], ALL)
    async with client(sim) as fetch:
        assert await search_one(database, fetch, config, "tests", ALL) is not None
        assert await search_one(database, fetch, config, "tests", ALL) is None
    row = await database.fetchrow("SELECT *, extract(epoch FROM next_due - now()) AS wait FROM geo_place")
    assert row is not None
    assert least - 1 <= row["wait"] <= most
    assert row["last_error"]
    assert row["claimed_by"] is None


async def test_a_place_whose_searcher_died_is_searched_by_another(database: Database) -> None:
    await places.add_places(database, towns()[:1], ALL)
    assert await places.claim(database, "one", ALL) is not None
    assert await places.claim(database, "two", ALL) is None
    assert await places.claim(database, "one", ALL) is not None, "its own successor need not wait"
    await database.execute("UPDATE geo_place SET claimed_until = now() - interval '1 second'")
    search = await places.claim(database, "two", ALL)
    assert search is not None
    await places.finish(database, "one", search, next_in_s=1e6, sites=9, failures=0, error=None)
    assert await database.fetchval("SELECT sites FROM geo_place") == 0, "who was taken over writes nothing"


_CLAIMER = """
import sys, anyio
from daemons.companies import places
from lib.life.session import open_database

async def main(owner):
    async with open_database() as database:
        while (search := await places.claim(database, owner, range(25))) is not None:
            print("place", search.id, flush=True)
        while sites := await places.claim_sites(database, range(25), 8):
            for site in sites:
                print("site", site.host, flush=True)

anyio.run(main, sys.argv[1])
"""


async def test_processes_share_places_and_sites_and_none_is_taken_twice(
    database: Database, dsn: str, redis_url: str, tmp_path: Path
) -> None:
    await places.add_places(database, [Place(f"P{n}", "DE", "02", 48 + n / 50, 11, n) for n in range(60)], ALL)
    # A place that is claimed is its claimer's when it asks again; here it is done with, so that each is told once.
    await database.execute(
        "CREATE FUNCTION once() RETURNS trigger AS $$ BEGIN NEW.next_due = 'infinity'; RETURN NEW; "
        "END $$ LANGUAGE plpgsql"
    )
    await database.execute("CREATE TRIGGER once BEFORE UPDATE ON geo_place FOR EACH ROW EXECUTE FUNCTION once()")
    await database.execute(
        "INSERT INTO company_site (host, url, region, place_id) SELECT n || '.example', 'x', 1, "
        "(SELECT min(id) FROM geo_place) FROM generate_series(1, 200) n"
    )
    own = {name: value for name, value in os.environ.items() if not name.startswith("VAKANZ_")}
    own |= {"VAKANZ_DSN": dsn, "VAKANZ_REDIS_URL": redis_url, "VAKANZ_HOME": str(tmp_path)}
    told: list[str] = []

    async def claim(number: int) -> None:
        done = await anyio.run_process([sys.executable, "-c", _CLAIMER, f"p{number}"], env=own, cwd=_ROOT)
        told.extend(done.stdout.decode().splitlines())

    with anyio.fail_after(60):
        async with anyio.create_task_group() as tasks:
            for number in range(4):
                tasks.start_soon(claim, number)
    assert len(told) == len(set(told)) == 60 + 200


async def test_regions_are_searched_by_their_own_instances(database: Database, sim: Simulator, config: Config) -> None:
    await places.add_places(database, towns(), range(2, 3))
    names = [row["name"] for row in await database.fetch("SELECT name FROM geo_place")]
    assert names == ["Berlin"]
    async with client(sim) as fetch:
        assert await search_all(database, fetch, config, range(3, 25)) == 0
        assert await search_all(database, fetch, config, range(2, 3)) == 1
        assert await visit_some(database, fetch, config, range(3, 25)) == 0
        assert await visit_some(database, fetch, config, range(2, 3)) > 0
    (berlin,) = await places.counts(database)
    assert (berlin.region, berlin.places, berlin.searched) == (2, 1, 1)
    assert berlin.sites >= berlin.looked > 0


async def test_a_careers_page_without_a_known_system_becomes_a_board_of_its_own(
    database: Database, sim: Simulator, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def seen(fetch: object, url: str) -> Visit:
        return Visit("careers", "https://www.acme.example/unternehmen/karriere.html")

    monkeypatch.setattr(actor, "visit", seen)
    await places.add_places(database, towns()[:1], ALL)
    search = await places.claim(database, "tests", ALL)
    assert search is not None
    await places.add_sites(
        database, search, [overpass.Company("acme.example", "https://www.acme.example/", "Acme Labs")]
    )
    async with client(sim) as fetch:
        assert await visit_some(database, fetch, replace(config, guess_slugs=True), ALL) == 1
    row = await database.fetchrow("SELECT * FROM board")
    assert row is not None
    assert (row["source"], row["tenant"], row["company"]) == ("careers", "www.acme.example", "Acme Labs")
    assert row["url"] == "https://www.acme.example/unternehmen/karriere.html"
    guessed = await candidates.listed(database)
    assert ("personio", "acmelabs", "guess") in {(one.source, one.tenant, one.found_in) for one in guessed}


async def test_the_daemon_searches_and_visits_until_it_is_asked_to_stop(
    database: Database, cache: Cache, config: Config, sim: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(actor, "home_places", lambda: towns()[:3])
    monkeypatch.setattr(actor, "_REST_S", 0.01)
    life = Life("geo@0-24", config, database, cache)
    with anyio.fail_after(60):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(serve, life, ALL)
            await until(lambda: life.counters.get("places", 0) == 3 and life.counters.get("sites", 0) > 0)
            life.stop.set()
    assert await database.fetchval("SELECT count(*) FROM board") > 0


async def test_without_a_map_server_the_daemon_only_says_so(database: Database, cache: Cache, config: Config) -> None:
    life = Life("geo@0", replace(config, overpass=""), database, cache)
    with anyio.fail_after(60):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(serve, life, range(1))
            await until(lambda: life.state == "idle")
            life.stop.set()
    assert "VAKANZ_OVERPASS" in life.status
    assert await database.fetchval("SELECT count(*) FROM geo_place") == 0


def test_the_map_is_asked_slowly_by_all_servers_together(config: Config) -> None:
    policy = policy_of(replace(config, simulator="", contact="a@b.example"))
    limits = policy.limits_of(HOST)
    assert (limits.rate_per_s, limits.burst, limits.concurrency) == (0.1, 1, 1)
    assert policy.limits_of("www.acme.example") != limits
    assert timedelta(days=places.LOOK_AGAIN_DAYS) == timedelta(days=90)
