"""Sources that are crawled through proxies only, and what that cost."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime
from pathlib import Path

import orjson
import pytest
import structlog
from typer.testing import CliRunner

from daemons.crawl.metered import switched_on
from daemons.crawl.moving import destination
from daemons.crawl.proxies import proxy_app
from daemons.sources import source
from lib.errors import ConfigError
from lib.life.config import Config, load
from lib.life.fetching import fetcher
from lib.life.proxying import Account
from lib.net.messages import Request
from lib.posting import boards
from lib.posting.boards import Board
from lib.store.connections import Cache, Database
from lib.store.proxies import Spend, load_spend, merge_spend
from tests.integration.crawling import OWNER, scene
from tests.integration.proxied import EXITS, PASSWORD, Ways
from tests.sim.market import Market
from tests.sim.proxy import Proxy, proxying


def config(simulator: str, *proxies: Proxy, sources: str = "lever") -> Config:
    return load(
        {
            "VAKANZ_SIMULATOR": simulator,
            "VAKANZ_PROXIED_SOURCES": sources,
            "VAKANZ_PROXIES": ",".join(proxy.url for proxy in proxies),
        }
    )


async def test_only_the_named_sources_go_by_proxy_and_what_it_costs_is_written(
    ways: Ways, database: Database, cache: Cache
) -> None:
    settings = config(ways.site.url("/"), *ways.proxies)
    async with fetcher(settings, cache, database) as client:
        request = Request(url="https://jobs.example/page", documented_api=True)
        await client.send(request.on_behalf_of("ashby"))
        await client.send(request.on_behalf_of("lever"))
    assert [caller in EXITS for caller in ways.site.callers] == [False, True]
    spent = await load_spend(database, datetime.now(UTC).date())
    assert sum(one.requests for one in spent.values()) == 2 and sum(one.failures for one in spent.values()) == 0
    assert set(spent) <= {proxy.name for proxy in ways.proxies}


async def test_a_board_that_may_have_moved_is_looked_for_by_proxy(ways: Ways, cache: Cache) -> None:
    board = Board(
        id=1, source="lever", tenant="acme", company=None, url="https://jobs.lever.co/acme", state="active",
        next_due=datetime.now(UTC), every_s=60, last_crawled_at=None, last_complete_at=None, last_count=None,
        suspect_count=0, failures=0, last_error=None,
    )  # fmt: skip
    async with fetcher(config(ways.site.url("/"), *ways.proxies), cache) as client:
        assert await destination(client, board, ["https://acme.example/"]) is None
    assert len(ways.site.callers) == 4 and set(ways.site.callers) <= set(EXITS)  # two pages, two robots.txt


async def test_totals_written_twice_count_once(database: Database) -> None:
    day = datetime.now(UTC).date()
    for spender, size in (("a", 10), ("b", 20)):
        account = Account(spender, lambda: day)
        account.spent("p:1", size, failed=False)
        await account.write(database)
        account.spent("p:1", size, failed=True)
        await account.write(database)
        await account.write(database)
    assert await load_spend(database, day) == {"p:1": Spend(4, 2, 60)}


async def test_days_that_are_over_become_one_row_each(database: Database) -> None:
    first, second = date(2026, 11, 1), date(2026, 11, 2)
    for spender in ("a", "b"):
        for day in (first, second):
            account = Account(spender, lambda day=day: day)  # type: ignore[misc]
            account.spent("p:1", 10, failed=True)
            await account.write(database)
    assert await merge_spend(database, second) == 1
    assert await merge_spend(database, second) == 0
    assert await load_spend(database, first) == {"p:1": Spend(4, 4, 40)}
    assert await database.fetchval("SELECT count(*) FROM proxy_spend") == 3


async def test_a_board_waits_while_no_proxy_can_be_used(database: Database, cache: Cache, tmp_path: Path) -> None:
    async with scene(database, tmp_path, Market(5, companies=60, postings=600)) as market:
        board = await market.board_of("lever")
        async with proxying("127.0.0.1") as transparent, fetcher(
            config(market.sim.url, transparent), cache, database
        ) as client:  # fmt: skip
            claimed = await boards.claim(database, OWNER, board.id)
            assert claimed is not None
            market.sim.traffic.reset()
            outcome = await market.crawler(client).crawl(source("lever"), claimed)
        assert outcome.error is not None and outcome.error.startswith("ProxyFailed: no proxy can be used")
        after = await market.board(board.id)
        assert (after.state, after.failures) == (board.state, 0)
        assert "api.lever.co" not in str(market.sim.traffic.as_object())


def test_a_misspelt_source_stops_the_start() -> None:
    with pytest.raises(ConfigError, match="proxied_sources: levr is no source"):
        switched_on(config("http://127.0.0.1:9", Proxy("127.0.0.11", port=9), sources="levr"))


async def test_the_commands_tell_what_works_and_what_it_cost(
    ways: Ways, dsn: str, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with proxying("127.0.0.1", user="us-er", password=PASSWORD) as transparent:
        settings = config(ways.site.url("/"), ways.proxies[0], transparent)
        environment = settings.environment() | {"VAKANZ_DSN": dsn, "VAKANZ_REDIS_URL": redis_url}
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        checked = await asyncio.to_thread(CliRunner().invoke, proxy_app, ["check", "--json"])
        listed = await asyncio.to_thread(CliRunner().invoke, proxy_app, ["list", "--json"])
    structlog.reset_defaults()
    good, bad = map(orjson.loads, checked.stdout.splitlines())
    assert checked.exit_code == 1
    assert (good["works"], good["exit"]) == (True, EXITS[0])
    assert (bad["works"], bad["reason"]) == (False, "it goes out from our own address 127.0.0.1")
    rows = [orjson.loads(line) for line in listed.stdout.splitlines()]
    assert [(row["proxy"], row["requests_month"], row["failures_today"]) for row in rows] == [
        (ways.proxies[0].name, 1, 0),
        (transparent.name, 1, 1),
    ]
    assert PASSWORD not in checked.output + listed.output
