"""The simulated systems speak their protocols: shapes, paging, unknown tenants, and what the truth says of them."""

from __future__ import annotations

import html
import re
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Any
from xml.etree import ElementTree

import aiohttp
import orjson
import pytest

from daemons.sources import SOURCES
from lib.errors import VakanzError
from tests.sim import Market, Rates, Simulator, running
from tests.sim.direct import response, routed
from tests.sim.market import FEW_SYSTEMS
from tests.sim.systems import SYSTEMS
from tests.sim.view import Board
from tests.sim.wire import System


class Client:
    """Asks the simulator as the product does: its address, the original host."""

    def __init__(self, simulator: Simulator, session: aiohttp.ClientSession) -> None:
        self.simulator = simulator
        self.session = session

    async def get(self, host: str, path: str, **headers: str) -> tuple[aiohttp.ClientResponse, bytes]:
        address, headers = self.simulator.url + path, {"Host": host, **headers}
        async with self.session.get(address, headers=headers, allow_redirects=False) as response:
            return response, await response.read()

    async def json(self, host: str, path: str) -> Any:
        response, body = await self.get(host, path)
        assert response.status == 200
        assert response.content_type == "application/json"
        return orjson.loads(body)

    def board(self, source: str, *, least: int = 3) -> Board:
        boards = self.simulator.market.boards
        return next(board for board in boards if board.source == source and len(board.keys) >= least)

    def truth(self, board: Board) -> dict[str, dict[str, Any]]:
        rows = self.simulator.market.truth(board.source, board.tenant)
        return {row["external_id"]: row for row in rows}


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    market = Market(seed=2, companies=20, postings=1_500, rates=Rates(0.02, 0.02, 0.2, 0.05, 0.1), systems=FEW_SYSTEMS)
    async with running(market) as simulator, aiohttp.ClientSession() as session:
        yield Client(simulator, session)


async def test_greenhouse_escapes_its_text_twice(client: Client) -> None:
    board = client.board("greenhouse")
    body = await client.json("boards-api.greenhouse.io", f"/v1/boards/{board.tenant}/jobs?content=true")
    truth = client.truth(board)
    assert body["meta"] == {"total": len(truth)}
    assert {str(job["id"]) for job in body["jobs"]} == truth.keys()
    for job in body["jobs"]:
        assert "<" not in job["content"]
        text = html.unescape(job["content"])
        assert text.startswith('<div class="content-intro">')
        assert job["title"] == truth[str(job["id"])]["title"]
        assert datetime.fromisoformat(job["first_published"]).utcoffset() is not None
        assert job["company_name"].strip() == board.company.name
    bare = await client.json("boards-api.greenhouse.io", f"/v1/boards/{board.tenant}/jobs")
    assert not {"content", "departments", "offices"} & bare["jobs"][0].keys()
    detail = await client.json(
        "boards-api.greenhouse.io", f"/v1/boards/{board.tenant}/jobs/{body['jobs'][0]['id']}?pay_transparency=true"
    )
    assert isinstance(detail["pay_input_ranges"], list)


async def test_greenhouse_moves_update_stamps_without_a_change(client: Client) -> None:
    market = client.simulator.market
    touched: list[int] = []
    while not touched:
        changes = client.simulator.advance()
        touched = [index for index in changes.touched if market.boards[index].source == "greenhouse"]
    board = market.boards[touched[0]]
    body = await client.json("boards-api.greenhouse.io", f"/v1/boards/{board.tenant}/jobs?content=true")
    assert all(datetime.fromisoformat(job["updated_at"]).date() >= market.start for job in body["jobs"])


async def test_lever_pages_by_skip_and_limit(client: Client) -> None:
    board = client.board("lever", least=10)
    host = "api.eu.lever.co" if board.tenant.endswith("-eu") else "api.lever.co"
    other = "api.lever.co" if host == "api.eu.lever.co" else "api.eu.lever.co"
    whole = await client.json(host, f"/v0/postings/{board.tenant}?mode=json")
    truth = client.truth(board)
    assert {row["id"] for row in whole} == truth.keys()
    paged: list[Any] = []
    while page := await client.json(host, f"/v0/postings/{board.tenant}?mode=json&skip={len(paged)}&limit=7"):
        assert len(page) <= 7
        paged += page
    assert paged == whole
    for row in whole:
        assert [part["text"] for part in row["lists"]]
        assert all("<ul" not in part["content"] and "<li>" in part["content"] for part in row["lists"])
        assert row["createdAt"] > 1_700_000_000_000
        assert row["applyUrl"] == row["hostedUrl"] + "/apply"
        assert row["hostedUrl"] == truth[row["id"]]["url"]
    assert await client.json(host, f"/v0/postings/{board.tenant}/{whole[0]['id']}?mode=json") == whole[0]
    response, _ = await client.get(other, f"/v0/postings/{board.tenant}?mode=json")
    assert response.status == 404
    response, _ = await client.get(host, f"/v0/postings/{board.tenant}")
    assert response.content_type == "text/html"


async def test_ashby_gives_one_document_with_compensation_when_asked(client: Client) -> None:
    board = client.board("ashby")
    path = f"/posting-api/job-board/{board.tenant}"
    body = await client.json("api.ashbyhq.com", f"{path}?includeCompensation=true")
    truth = client.truth(board)
    assert {job["id"] for job in body["jobs"]} == truth.keys()
    assert body["apiVersion"] == "1"
    for job in body["jobs"]:
        row, tiers = truth[job["id"]], job["compensation"]["compensationTiers"]
        assert job["address"]["postalAddress"]["addressCountry"] in ("Germany", "Austria", "Switzerland")
        assert re.fullmatch(r"[\d-]+T[\d:]+\.\d{3}\+00:00", job["publishedAt"])
        if tiers:
            component = tiers[0]["components"][0]
            assert (component["minValue"], component["maxValue"]) == (row["salary"]["min"], row["salary"]["max"])
    bare = await client.json("api.ashbyhq.com", path)
    assert "compensation" not in bare["jobs"][0]


async def test_ashby_keeps_closed_postings_unlisted_for_a_day(client: Client) -> None:
    client.simulator.advance()
    market = client.simulator.market
    boards = [b for b in market.boards if b.source == "ashby" and b.company.index % 2 and b.keys and b.closed_today]
    assert boards
    body = await client.json("api.ashbyhq.com", f"/posting-api/job-board/{boards[0].tenant}")
    unlisted = [job for job in body["jobs"] if not job["isListed"]]
    assert len(unlisted) == len(boards[0].closed_today)


async def test_personio_has_text_only_where_somebody_wrote_it(client: Client) -> None:
    board = client.board("personio", least=30)
    truth = client.truth(board)
    texts: dict[str, set[str]] = {}
    for language in ("de", "en", "fr"):
        response, body = await client.get(f"{board.tenant}.jobs.personio.de", f"/xml?language={language}")
        assert response.content_type == "text/xml"
        root = ElementTree.fromstring(body)
        assert root.tag == "workzag-jobs"
        assert {node.findtext("id") for node in root} == truth.keys()
        texts[language] = {node.findtext("id") or "" for node in root if node.findall("jobDescriptions/*")}
    assert texts["fr"] == set()
    assert texts["de"] | texts["en"] == truth.keys()
    assert texts["de"] & texts["en"], "some are translated"
    assert all(number in texts[row["language"]] for number, row in truth.items())


async def test_personio_repeats_ids_now_and_then(client: Client) -> None:
    repeated = 0
    for board in (board for board in client.simulator.market.boards if board.source == "personio"):
        _, body = await client.get(f"{board.tenant}.jobs.personio.de", "/xml")
        ids = [node.findtext("id") for node in ElementTree.fromstring(body)]
        repeated += len(ids) - len(set(ids))
    assert repeated > 0


async def test_smartrecruiters_lists_without_text_and_details_with_it(client: Client) -> None:
    host, board = "api.smartrecruiters.com", client.board("smartrecruiters", least=101)
    truth, path = client.truth(board), f"/v1/companies/{board.tenant.lower()}/postings"
    first = await client.json(host, f"{path}?limit=500")
    assert (first["limit"], first["offset"], first["totalFound"]) == (100, 0, len(truth))
    second = await client.json(host, f"{path}?limit=100&offset=100")
    rows = first["content"] + second["content"]
    assert {row["id"] for row in rows} == truth.keys()
    assert not any("jobAd" in row for row in rows)
    assert all(re.fullmatch(r"[\d-]+T[\d:]+\.\d{3}Z", row["releasedDate"]) for row in rows)
    detail = await client.json(host, f"{path}/{rows[0]['id']}")
    assert detail["active"] is True
    assert rows[0].items() <= detail.items()
    sections = detail["jobAd"]["sections"]
    assert list(sections) == ["companyDescription", "jobDescription", "qualifications", "additionalInformation"]
    assert all(section["title"] and "text" in section for section in sections.values())
    response, _ = await client.get(host, f"{path}/12345")
    assert response.status == 404


async def test_smartrecruiters_says_when_a_posting_is_no_longer_active(client: Client) -> None:
    host, board = "api.smartrecruiters.com", client.board("smartrecruiters", least=50)
    before = client.truth(board)
    client.simulator.advance()
    [gone, *_] = before.keys() - client.truth(board).keys()
    detail = await client.json(host, f"/v1/companies/{board.tenant}/postings/{gone}")
    assert detail["active"] is False
    client.simulator.advance()
    response, _ = await client.get(host, f"/v1/companies/{board.tenant}/postings/{gone}")
    assert response.status == 404 or gone in client.truth(board)


@pytest.mark.parametrize(
    ("host", "path"),
    [
        ("boards-api.greenhouse.io", "/v1/boards/nobody/jobs?content=true"),
        ("api.lever.co", "/v0/postings/nobody?mode=json"),
        ("api.eu.lever.co", "/v0/postings/nobody?mode=json"),
        ("api.ashbyhq.com", "/posting-api/job-board/nobody"),
        ("nobody.jobs.personio.de", "/xml?language=de"),
        ("careers.example", "/"),
        ("api.lever.co", "/v1/else"),
    ],
)
async def test_unknown_tenants_and_paths_are_404(client: Client, host: str, path: str) -> None:
    response, _ = await client.get(host, path)
    assert response.status == 404


async def test_an_unknown_smartrecruiters_company_looks_empty_until_its_page_is_asked(client: Client) -> None:
    body = await client.json("api.smartrecruiters.com", "/v1/companies/nobody/postings")
    assert body == {"offset": 0, "limit": 100, "totalFound": 0, "content": []}
    response, _ = await client.get("careers.smartrecruiters.com", "/nobody")
    assert (response.status, response.headers["Location"]) == (302, "https://jobs.smartrecruiters.com/")


async def test_every_board_and_posting_has_its_public_page(client: Client) -> None:
    for source in ("greenhouse", "lever", "ashby", "personio", "smartrecruiters"):
        board = client.board(source)
        urls = [row["url"] for row in client.truth(board).values() if board.company.domain not in row["url"]][:2]
        listed = next(row for row in client.simulator.market.board_list() if row["tenant"] == board.tenant)
        for url in (listed["url"], *urls):
            _, _, host, *path = url.split("/")
            response, body = await client.get(host, "/" + "/".join(path))
            assert response.status == 200, url
            assert response.content_type == "text/html"
            assert board.company.name.split()[0].encode() in body


async def test_robots_are_those_of_the_systems(client: Client) -> None:
    _, body = await client.get("api.smartrecruiters.com", "/robots.txt")
    assert b"Disallow: /" in body
    response, _ = await client.get("x.jobs.personio.de", "/robots.txt")
    assert response.status == 404


async def test_unchanged_boards_answer_304(client: Client) -> None:
    board = client.board("greenhouse")
    path = f"/v1/boards/{board.tenant}/jobs?content=true"
    response, _ = await client.get("boards-api.greenhouse.io", path)
    again, body = await client.get("boards-api.greenhouse.io", path, **{"If-None-Match": response.headers["ETag"]})
    assert (again.status, body) == (304, b"")


@pytest.fixture(scope="module")
def one_board_each() -> Market:
    return Market(companies=len(SYSTEMS), postings=10 * len(SYSTEMS))


@pytest.mark.parametrize("system", SYSTEMS.values(), ids=SYSTEMS.keys())
@pytest.mark.parametrize("tenant", ["", "\x00", "a" * 5_000, "..", "%"], ids=["", "NUL", "long", "..", "%"])
def test_strange_tenants_are_unknown(one_board_each: Market, system: System, tenant: str) -> None:
    board = next(board for board in one_board_each.boards if board.source == system.name)
    source = SOURCES[system.name]
    known = source.detect(system.board_url(board.tenant))
    assert known is not None
    request = source.request(known, None)
    _, call = routed(request, request.url, request.params)
    assert call is not None
    answer = one_board_each.answer(system, replace(call, tenant=tenant), "all")
    assert answer != one_board_each.answer(system, call, "all")
    with suppress(VakanzError):
        assert source.parse(known, response(request, request.url, answer)).rows == ()
