"""From the Common Crawl index to boards: scan, check, export, register, on a real database and a simulated market."""

from __future__ import annotations

import csv
import io
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest
from aiohttp import web

from daemons.companies import candidates
from daemons.companies.captures import COLLECTIONS
from daemons.companies.checking import check, check_all, judged
from daemons.companies.index_cli import write_csv
from daemons.companies.looking import look
from daemons.companies.scanning import Scanner, table_of
from daemons.sources import SOURCES
from lib.errors import Malformed
from lib.net.breaker import BreakerRules
from lib.net.fetch import Fetcher
from lib.net.messages import Request, Response
from lib.net.policy import FetchPolicy, HostLimits
from lib.net.validators import Validators
from lib.posting.contract import Page
from lib.store.connections import Database
from tests.integration.index_parts import write_part
from tests.sim import Market, Simulator, running
from tests.sim.overpass import way_of
from tests.sim.serving import serving

_FREE = HostLimits(rate_per_s=None, concurrency=None)
_RULES = BreakerRules(failures=1_000_000)
NAMES = ("greenhouse", "lever", "ashby", "personio", "smartrecruiters")


@pytest.fixture
async def sim() -> AsyncIterator[Simulator]:
    async with running(Market(3, companies=150, postings=600)) as sim:
        yield sim


def client(url: str) -> Fetcher:
    return Fetcher(FetchPolicy(contact="tests", limits=_FREE, reroute=url, breaker=_RULES))


def scanner(database: Database, folder: Path, fetch: Fetcher | None = None) -> Scanner:
    return Scanner(database, fetch, folder / "index", random.Random(1), table_of(NAMES))


async def test_boards_of_a_market_are_found_in_a_part_checked_and_registered(
    database: Database, sim: Simulator, tmp_path: Path
) -> None:
    offered = [one for one in sim.market.board_list() if one["source"] in NAMES]
    captures: list[tuple[str, str | None]] = [(one["url"], None) for one in offered]
    captures += [(f"{one['url'].rstrip('/')}?x={n}", None) for one in offered for n in range(3)]
    captures += [("https://boards.greenhouse.io/nobody-here", None), ("https://www.acme.example/", None)]
    part = str(write_part(tmp_path / "part.parquet", captures))

    done = await scanner(database, tmp_path).scan(part)
    assert (done.rows, done.matched, done.broken) == (len(captures), len(captures) - 1, 0)
    assert done.tenants == done.new == len(offered) + 1
    again = await scanner(database, tmp_path).scan(part)
    assert (again.tenants, again.new) == (done.tenants, 0)
    held = await candidates.scanned(database, [part, "other"], scanner(database, tmp_path).domains)
    assert held == {part}
    assert await candidates.scanned(database, [part], "other domains") == set()

    async with client(sim.url) as fetch:
        seen: list[int] = []
        first = await check_all(database, fetch, NAMES, 7, lambda: seen.append(1))
        assert sum(first.values()) == len(seen) == 7
        rest = await check_all(database, fetch, NAMES, 1_000, lambda: seen.append(1))
    assert sum(rest.values()) == len(offered) + 1 - 7, "a check goes on where it was stopped"
    rows = {(row.source, row.tenant): row for row in await candidates.listed(database)}
    assert rows["greenhouse", "nobody-here"].state == "gone"
    for one in offered:
        row = rows[one["source"], SOURCES[one["source"]].detect(one["url"]) or ""]
        assert (row.state, row.postings) == (("live", one["open"]) if one["open"] else ("empty", 0)), one
        assert row.times == 4, "four captures, scanned twice and counted once"

    live = sum(1 for one in offered if one["open"])
    assert await candidates.register(database) == live
    assert await candidates.register(database) == 0
    assert await database.fetchval("SELECT count(*) FROM board WHERE next_due <= now()") == live
    assert await candidates.count_to_check(database, NAMES) == 0

    text = io.StringIO()
    write_csv(text, await candidates.listed(database, "registered"))
    written = list(csv.DictReader(io.StringIO(text.getvalue())))
    assert len(written) == live
    assert {(row["source"], row["tenant"]) for row in written} <= rows.keys()
    assert all(row["board_url"].startswith("https://") and row["found_in"] == part for row in written)


async def test_two_processes_at_one_part_count_it_once(database: Database) -> None:
    rows = [("lever", f"t{n}", "x", 3) for n in range(50)]

    async def scanned() -> None:
        await candidates.add_part(database, ("part", "d"), (150, 150), rows)

    async with anyio.create_task_group() as tasks:
        for _ in range(4):
            tasks.start_soon(scanned)
    assert {row.times for row in await candidates.listed(database)} == {3}
    assert len(await candidates.listed(database)) == 50


async def test_a_fetched_part_that_is_broken_is_not_kept(database: Database, tmp_path: Path) -> None:
    class Broken:
        async def send(self, request: Request, *, validators: Validators | None = None) -> Response:
            return Response(request=request, url=request.url, status=200, headers={}, body=b"PAR1" + bytes(400))

    scan = Scanner(database, Broken(), tmp_path, random.Random(1), table_of(NAMES))
    with pytest.raises(Malformed):
        await scan.scan("https://data.commoncrawl.org/part-0.parquet")
    assert list(tmp_path.iterdir()) == []
    assert await candidates.listed(database) == []


def test_a_list_that_only_says_that_it_has_postings_is_not_live() -> None:
    assert judged(Page(rows=(), total=7)).state == "unknown"
    assert judged(Page(rows=(), total=0)).state == "empty"
    assert judged(Page(rows=())).state == "empty"


async def test_one_request_tells_live_empty_gone_and_unknown_apart(sim: Simulator) -> None:
    board = next(one for one in sim.market.board_list() if one["source"] == "lever" and one["open"])
    lever, tenant = SOURCES["lever"], SOURCES["lever"].detect(board["url"]) or ""
    async with client(sim.url) as fetch:
        assert (await check(fetch, lever, tenant)).postings == board["open"]
        assert (await check(fetch, lever, "nobody-at-all")).state == "gone"
        assert (await check(fetch, SOURCES["smartrecruiters"], "NobodyAtAll")).state == "empty"
        for kind in ("server_error", "forbidden", "broken_json", "half_body"):
            sim.misbehave(kind, source="lever", times=1)
            verdict = await check(fetch, lever, tenant)
            assert (verdict.state, verdict.postings) == ("unknown", None), kind
            assert verdict.reason
        sim.misbehave("empty", source="lever", times=1)
        assert (await check(fetch, lever, tenant)).state == "empty"
        sim.misbehave("rate_limited", source="lever", times=1)
        assert (await check(fetch, lever, tenant)).state == "unknown"
    assert sim.traffic.hosts["api.lever.co"].requests <= 2 + 4 + 2


async def test_a_candidate_that_gave_no_answer_is_asked_again_tomorrow_and_not_for_ever(
    database: Database, sim: Simulator
) -> None:
    await candidates.add(database, "test", [("lever", "acme", "https://jobs.lever.co/acme", 1)])
    sim.misbehave("server_error", source="lever", times=100)
    async with client(sim.url) as fetch:
        for attempt in range(1, candidates.MAX_ATTEMPTS + 1):
            assert await check_all(database, fetch, ["lever"], 10, lambda: None) == {"unknown": 1}, attempt
            assert await check_all(database, fetch, ["lever"], 10, lambda: None) == {}
            await database.execute("UPDATE board_candidate SET checked_at = now() - interval '25 hours'")
        assert await check_all(database, fetch, ["lever"], 10, lambda: None) == {}
        assert await check_all(database, fetch, ["ashby"], 10, lambda: None) == {}


async def test_spellings_of_one_tenant_are_one_candidate(database: Database) -> None:
    assert await candidates.add(database, "a", [("lever", "Acme", "x", 1), ("lever", "other", "x", 1)]) == 2
    assert await candidates.add(database, "b", [("lever", "ACME", "x", 5), ("ashby", "acme", "x", 1)]) == 1
    rows = {(row.source, row.tenant): row.times for row in await candidates.listed(database)}
    assert rows == {("ashby", "acme"): 1, ("lever", "Acme"): 6, ("lever", "other"): 1}
    assert await candidates.add(database, "c", []) == 0


@asynccontextmanager
async def index_server(pages: dict[str, list[str]]) -> AsyncIterator[tuple[str, list[str]]]:
    """index.commoncrawl.org as it answers: `pages` of captures by domain, 404 with a message where there are none."""
    asked: list[str] = []

    async def handle(request: web.Request) -> web.Response:
        asked.append(f"{request.headers['Host']}{request.path_qs}")
        if request.path == "/collinfo.json":
            return web.json_response([{"id": "CC-MAIN-2026-21"}, {"id": "CC-MAIN-2026-25"}])
        if request.path != "/CC-MAIN-2026-25-index":
            return web.Response(status=404, text="no such crawl")
        found = pages.get(request.query["url"].removeprefix("*."), [])
        if not found:
            return web.json_response({"message": f"No Captures found for: {request.query['url']}"}, status=404)
        if "showNumPages" in request.query:
            return web.json_response({"pages": len(found), "pageSize": 5, "blocks": 21})
        if int(request.query["page"]) >= len(found):
            return web.json_response({"message": "Page invalid"}, status=400)
        return web.Response(text=found[int(request.query["page"])], content_type="text/x-ndjson")

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handle)
    async with serving(app) as url:
        yield url, asked


async def test_the_newest_crawl_is_read_page_by_page_through_the_index_api(database: Database, tmp_path: Path) -> None:
    line = '{"urlkey": "x", "timestamp": "20260618", "url": "https://%s", "status": "200"}\n'
    pages = {
        "greenhouse.io": [line % "boards.greenhouse.io/one/jobs/1", line % "boards.greenhouse.io/two" + "broken\n"],
        "ashbyhq.com": [line % "jobs.ashbyhq.com/three"],
    }
    async with index_server(pages) as (url, asked), client(url) as fetch:
        scan = scanner(database, tmp_path, fetch)
        parts = await scan.parts("latest")
        assert len(parts) == 3
        done = [await scan.scan(part) for part in parts]
        assert asked[0].endswith("/collinfo.json")
        assert COLLECTIONS.endswith(asked[0].partition("/")[2])
        assert not any("robots" in one for one in asked)
    assert sorted((one.rows, one.broken, one.new) for one in done) == [(1, 0, 1), (1, 0, 1), (2, 1, 1)]
    assert {row.tenant for row in await candidates.listed(database)} == {"one", "two", "three"}


async def test_looking_behind_a_page_follows_it_to_its_board(sim: Simulator) -> None:
    web = sim.web
    assert web is not None
    async with client(sim.url) as fetch:
        for host, board, _ in web.ways():
            if way_of(board).__name__ == "_redirect":
                looked = await look(fetch, f"https://www.{host}/karriere")
                assert looked.best is not None
                assert (looked.best.source, looked.best.how) == (board.source, "redirect")
