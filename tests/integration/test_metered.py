"""Metered sources keep to their grant however many crawlers there are, and sources that need a decision stay off."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from daemons.crawl.crawler import Crawler
from daemons.crawl.metered import Meter, MeteredSource, NotConsented, check_consent, metered, switched_on
from daemons.sources import SOURCES, source
from lib.errors import ConfigError, RateLimited
from lib.life.config import Config
from lib.net.fetch import Fetcher, Sink
from lib.net.messages import Request, Response
from lib.net.policy import FetchPolicy
from lib.net.validators import Validators
from lib.posting import boards
from lib.posting.contract import DetailSource
from lib.store.blobs import Blobs
from lib.store.connections import Database
from tests.integration.commands import vakanz
from tests.integration.crawling import OWNER, scene
from tests.sim import Market

ASKED = Request(url="https://api.adzuna.com/v1/api/jobs/de/search/1")


class Counting:
    """Answers everything and counts it."""

    def __init__(self) -> None:
        self.sent = 0

    async def send(self, request: Request, *, validators: Validators | None = None) -> Response:
        self.sent += 1
        await anyio.lowlevel.checkpoint()
        return Response(request=request, url=request.url, status=200, headers={}, body=b"{}")

    async def download(self, request: Request, sink: Sink, *, validators: Validators | None = None) -> Response:
        return await self.send(request)


async def test_crawlers_together_never_exceed_the_grant(dsn: str) -> None:
    client = Counting()
    refused: list[RateLimited] = []

    async def crawler() -> None:
        async with Database(dsn) as database:
            meter = Meter(client, database, "adzuna", 37)

            async def ask() -> None:
                try:
                    await meter.send(ASKED)
                except RateLimited as error:
                    refused.append(error)

            async with anyio.create_task_group() as requests:
                for _ in range(25):
                    requests.start_soon(ask)

    async with anyio.create_task_group() as crawlers:
        for _ in range(4):
            crawlers.start_soon(crawler)
    assert (client.sent, len(refused)) == (37, 63)


async def test_the_grant_is_each_sources_own_and_anew_each_day(database: Database) -> None:
    client = Counting()
    meter, other = Meter(client, database, "adzuna", 2), Meter(client, database, "jooble", 1)
    await meter.send(ASKED)
    await meter.download(ASKED, _nowhere)
    before = datetime.now(UTC)
    with pytest.raises(RateLimited, match="today's 2 requests to adzuna are used up") as limit:
        await meter.send(ASKED)
    assert timedelta(0) < limit.value.retry_at - before <= timedelta(days=1)
    assert limit.value.retry_at.time().isoformat() == "00:00:00"
    await other.send(ASKED)
    with pytest.raises(RateLimited):
        await Meter(client, database, "nothing", 0).send(ASKED)
    assert client.sent == 3
    await database.execute("UPDATE metered_request SET day = day - 1")
    await meter.send(ASKED)
    assert client.sent == 4


async def _nowhere(data: bytes) -> None:
    return None


async def test_a_board_waits_until_tomorrow_when_the_grant_is_used_up(database: Database, tmp_path: Path) -> None:
    market = Market(3, companies=1, postings=120, systems=("adzuna",))
    async with scene(database, tmp_path, market) as world, world.client() as client:
        board = await boards.claim(database, OWNER, (await world.board_of("adzuna")).id)
        assert board is not None
        config, reader = Config(metered_daily=2), source("adzuna")
        began = datetime.now(UTC)
        outcome = await metered(world.crawler(client), reader, config).crawl(reader, board)
        assert outcome.error is not None
        assert outcome.error.startswith("RateLimited: today's 2 requests to adzuna")
        after = await world.board(board.id)
        tomorrow = datetime.combine(began.date() + timedelta(days=1), datetime.min.time(), UTC)
        assert tomorrow <= after.next_due <= tomorrow + timedelta(seconds=30)
        assert (after.state, after.failures) == ("active", 0)
        assert sum(host.requests for host in world.sim.traffic.hosts.values()) == 2


async def test_only_metered_sources_are_metered_and_never_beyond_their_own_terms(database: Database) -> None:
    crawler = Crawler(database, Counting(), Blobs("file:///nowhere"), "s", "o", random.Random(1))
    adzuna, lever = source("adzuna"), source("lever")
    assert isinstance(adzuna, MeteredSource)
    assert metered(crawler, lever, Config()) is crawler
    assert metered(crawler, adzuna, Config(simulator="http://127.0.0.1:1")) is crawler
    for granted, daily in ((10, 10), (10_000, adzuna.metered)):
        meter = metered(crawler, adzuna, Config(metered_daily=granted)).fetcher
        assert isinstance(meter, Meter)
        assert (meter.source, meter.daily) == ("adzuna", daily)


def test_no_metered_source_has_details_as_only_lists_are_counted() -> None:
    metered_ones = [one for one in SOURCES.values() if isinstance(one, MeteredSource)]
    assert metered_ones
    assert not [one.name for one in metered_ones if isinstance(one, DetailSource)]


async def test_a_board_without_its_key_says_what_to_set(database: Database, tmp_path: Path) -> None:
    market = Market(3, companies=1, postings=20, systems=("jooble",))
    async with scene(database, tmp_path, market) as world:
        board = await boards.claim(database, OWNER, (await world.board_of("jooble")).id)
        assert board is not None
        async with Fetcher(FetchPolicy(contact="tests", reroute=world.sim.url)) as client:
            outcome = await world.crawler(client).crawl(source("jooble"), board)
        after = await world.board(board.id)
        assert after.state == "denied"
        assert f"set VAKANZ_SOURCE_KEYS=jooble_key_{board.tenant[:2]}=..." in (after.last_error or "")
        assert outcome.error == after.last_error
        assert after.next_due > datetime.now(UTC) + timedelta(hours=1)
        assert world.sim.traffic.hosts == {}


async def test_keys_are_in_no_row_and_no_blob(database: Database, tmp_path: Path) -> None:
    keys = {"adzuna_app_id": "app-0123456789", "adzuna_app_key": "c0ffee/c0ffee+c0ffee"}
    market = Market(3, companies=1, postings=60, systems=("adzuna",))
    async with scene(database, tmp_path, market) as world:
        board = await boards.claim(database, OWNER, (await world.board_of("adzuna")).id)
        assert board is not None
        async with Fetcher(FetchPolicy(contact="tests", reroute=world.sim.url), key_of=keys.get) as client:
            outcome = await world.crawler(client).crawl(source("adzuna"), board)
        assert (outcome.error, outcome.seen) == (None, 60)
        told = await _everything(database)
        told += "".join(path.read_text(errors="replace") for path in tmp_path.rglob("*") if path.is_file())
        for key in (*keys.values(), "c0ffee%2Fc0ffee%2Bc0ffee"):
            assert key not in told
        assert "{adzuna_app_key}" in told.replace("%7B", "{").replace("%7D", "}")


async def _everything(database: Database) -> str:
    tables = ("board", "board_validator", "raw_response", "posting", "posting_text", "posting_history", "dead_letter")
    return "".join([str(await database.fetchval(f"SELECT jsonb_agg(t) FROM {table} t")) for table in tables])


def test_sources_that_ask_for_consent_are_off_until_it_is_given() -> None:
    off = set(SOURCES) - set(switched_on(Config()))
    assert off >= {"adzuna", "bundesagentur", "jooble"}
    assert off == {name for name, one in SOURCES.items() if one.consent is not None}
    assert set(switched_on(Config(consented_sources=("adzuna", "jooble")))) == set(SOURCES) - off | {"adzuna", "jooble"}
    assert switched_on(Config(simulator="http://127.0.0.1:1")) == dict(SOURCES)


@pytest.mark.parametrize("name", ["lever", "adzunna", ""])
def test_consent_to_anything_else_is_a_problem_that_names_the_possible_ones(name: str) -> None:
    with pytest.raises(ConfigError, match=r"consented_sources: .*adzuna.*bundesagentur.*jooble"):
        switched_on(Config(consented_sources=("adzuna", name)))


def test_who_meets_a_source_that_is_off_is_told_why_and_what_to_set() -> None:
    reader = source("adzuna")
    with pytest.raises(NotConsented, match=r"attribution.*set VAKANZ_CONSENTED_SOURCES=jooble,adzuna$"):
        check_consent(Config(consented_sources=("jooble",)), reader)
    check_consent(Config(consented_sources=("adzuna",)), reader)
    check_consent(Config(), source("lever"))


async def test_boards_of_sources_that_are_off_are_not_claimed(database: Database) -> None:
    rows: list[Any] = [(name, "de:koch:", None, f"https://{name}.example/", 3_600) for name in ("adzuna", "lever")]
    await boards.add_many(database, rows)
    on = list(switched_on(Config()))
    assert [board.source for board in await boards.claim_due(database, "one", 9, [], on)] == ["lever"]
    everything = list(switched_on(replace(Config(), consented_sources=("adzuna",))))
    assert [board.source for board in await boards.claim_due(database, "two", 9, [], everything)] == ["adzuna"]


@pytest.fixture
def environment(environment: dict[str, str]) -> dict[str, str]:
    return environment | {"VAKANZ_CONTACT": "tests@vakanz.example"}


def test_the_command_line_says_why_a_board_is_not_crawled(environment: dict[str, str]) -> None:
    added = vakanz(environment, "board", "add", "https://www.adzuna.de/search?q=Koch&w=Berlin")
    assert added.returncode == 0
    assert "added: board 1, Adzuna, tenant de:Koch:Berlin" in added.stdout
    run = vakanz(environment, "crawl", "run", "1")
    assert run.returncode == 1
    for said in (added.stderr, run.stderr):
        assert "Adzuna is off: its terms ask for attribution" in said.replace("\n", " ")
        assert "VAKANZ_CONSENTED_SOURCES=adzuna" in said
    wrong = vakanz(environment | {"VAKANZ_CONSENTED_SOURCES": "adzunna"}, "crawl", "run", "1")
    assert wrong.returncode == 1
    assert "adzunna is none of those that ask for consent" in wrong.stderr
    keyless = vakanz(environment | {"VAKANZ_CONSENTED_SOURCES": "adzuna"}, "crawl", "run", "1")
    assert keyless.returncode == 1
    assert "VAKANZ_SOURCE_KEYS=adzuna_app_id=...,adzuna_app_key=..." in keyless.stdout
