"""Workday: 20 rows a page, a total on the first page only, nothing beyond the 2,000th row, places in the detail."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import orjson
import pytest

from daemons.sources import detect, source
from daemons.sources.workday import Workday
from lib.errors import Denied, Gone, Malformed, Refused
from lib.net.messages import Request, Response
from lib.posting.contract import Page, Posting
from tests.sim import Market, Rates
from tests.sim.direct import Direct, assert_true, described, listed
from tests.sim.playing import playing_only
from tests.sim.systems import SYSTEMS

TENANT = "acme.wd3/external"
READER = Workday()


def rows(count: int, first: int = 0) -> list[dict[str, str]]:
    return [{"title": f"Job {n}", "externalPath": f"/job/Ulm/Job_JR{n}"} for n in range(first, first + count)]


def read(body: dict[str, Any], cursor: str | None = None) -> Page:
    request = READER.request(TENANT, cursor)
    raw = json.dumps({"total": 0, "jobPostings": [], "facets": []} | body).encode()
    return READER.parse(TENANT, Response(request=request, url=request.url, status=200, headers={}, body=raw))


def row(**fields: Any) -> Posting:
    (only,) = read({"total": 1, "jobPostings": [rows(1)[0] | fields]}).rows
    return only


def detail(body: bytes, status: int = 200) -> Posting:
    request = READER.detail_request(TENANT, "JR1", f"{READER.board_url(TENANT)}/job/Ulm/Job_JR1")
    return READER.parse_detail(TENANT, Response(request=request, url=request.url, status=status, headers={}, body=body))


def query(cursor: str | None) -> Any:
    return orjson.loads(READER.request(TENANT, cursor).body or b"")


def facet(name: str, **counts: int) -> dict[str, Any]:
    return {"facetParameter": name, "values": [{"id": key, "count": count} for key, count in counts.items()]}


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> Market:
    playing_only(monkeypatch, "workday")
    return Market(seed=5, companies=4, postings=150, rates=Rates(closed=0.3))


def large(monkeypatch: pytest.MonkeyPatch, postings: int) -> tuple[Direct, str]:
    """One board of so many postings."""
    playing_only(monkeypatch, "workday")
    market = Market(seed=5, companies=1, postings=postings)
    return Direct(market), market.boards[0].tenant


async def test_the_market_is_read_as_it_is(small: Market) -> None:
    await assert_true(Direct(small), "workday")


@pytest.mark.parametrize(
    ("url", "tenant"),
    [
        ("https://acme.wd3.myworkdayjobs.com/de-DE/External/job/Ulm/Job_JR1", TENANT),
        ("https://acme.wd3.myworkdayjobs.com/EXTERNAL", TENANT),
        ("https://acme.wd3.myworkdayjobs.com/wday/cxs/Acme/External/jobs", TENANT),
        ("https://wd3.myworkdaysite.com/de-DE/recruiting/acme/External", TENANT),
        ("https://wd3.myworkdaysite.com/recruiting/acme/External/job/Ulm/Job_JR1", TENANT),
    ],
)
def test_a_site_has_one_name_whatever_its_case_and_host(url: str, tenant: str) -> None:
    assert detect(url) == (source("workday"), tenant)
    assert READER.detect("https://acme.wd3.myworkdayjobs.com/") is None


async def test_no_page_is_longer_than_twenty(small: Market) -> None:
    assert query(None) == {"appliedFacets": {}, "limit": 20, "offset": 0, "searchText": ""}
    tenant = small.boards[0].tenant
    request = READER.request(tenant, None)
    with pytest.raises(Refused, match="400"):
        await Direct(small).send(msgspec.structs.replace(request, body=(request.body or b"").replace(b"20", b"21")))
    with pytest.raises(Refused, match="400"):
        await Direct(small).send(msgspec.structs.replace(request, method="GET", body=None))


def test_the_total_of_the_first_page_holds_for_the_later_ones() -> None:
    first = read({"total": 45, "jobPostings": rows(20)})
    assert (first.total, query(first.cursor)["offset"]) == (45, 20)
    second = read({"total": 0, "jobPostings": rows(20, 20)}, first.cursor)
    assert second.total is None, "a later page's 0 says nothing"
    assert query(second.cursor)["offset"] == 40
    assert read({"total": 0, "jobPostings": rows(5, 40)}, second.cursor).cursor is None
    assert read({"total": 0, "jobPostings": []}, first.cursor).cursor is None, "an empty page ends it, too"


async def test_a_board_of_exactly_the_window_is_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    client, tenant = large(monkeypatch, 2_000)
    found, pages = await listed(client, "workday", tenant)
    assert (len(found), max(page.total or 0 for page in pages), len(pages)) == (2_000, 2_000, 100)


async def test_a_larger_board_is_read_in_parts_until_each_is_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    client, tenant = large(monkeypatch, 4_300)
    found, pages = await listed(client, "workday", tenant)
    truth = {row["external_id"] for row in client.market.truth()}
    assert {row.external_id for row in found} == truth
    assert max(page.total or 0 for page in pages) == len(truth) == 4_300
    assert len(pages) < 4_300 / 20 + 10, "hardly a page more than one list of that length would have"


async def test_without_facets_a_larger_board_is_not_taken_for_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the window the search starts over: nobody goes there, and nothing is concluded from the 2,000 rows."""
    monkeypatch.setattr(type(SYSTEMS["workday"]), "_facets", lambda *_: [])
    client, tenant = large(monkeypatch, 2_100)
    found, pages = await listed(client, "workday", tenant)
    assert (len(found), len(pages)) == (2_000, 100)
    assert all(page.total is None for page in pages)


def test_a_part_that_is_too_large_is_cut_by_another_facet() -> None:
    time, family = facet("timeType", aa=3_000), facet("jobFamily", a1=2_400, a2=600)
    place = {"facetParameter": "locationMainGroup", "values": [facet("locations", b1=1_700, b2=1_300)]}
    first = read({"total": 2_000, "jobPostings": rows(20), "facets": [family, time, facet("distance", c=3_000)]})
    assert first.total == 3_000
    assert query(first.cursor)["appliedFacets"] == {"jobFamily": ["a1"]}
    inner = [facet("jobFamily", a1=2_400), facet("timeType", aa=2_400), place]
    inner[2]["values"] = [facet("locations", b1=1_500, b2=900)]
    second = read({"total": 2_000, "jobPostings": rows(20), "facets": inner}, first.cursor)
    assert second.total is None, "a part's total is not the board's"
    assert query(second.cursor)["appliedFacets"] == {"jobFamily": ["a1"], "locations": ["b1"]}
    third = read({"total": 10, "jobPostings": rows(10)}, second.cursor)
    assert query(third.cursor)["appliedFacets"] == {"jobFamily": ["a1"], "locations": ["b2"]}
    fourth = read({"total": 10, "jobPostings": rows(10)}, third.cursor)
    assert query(fourth.cursor)["appliedFacets"] == {"jobFamily": ["a2"]}
    assert read({"total": 10, "jobPostings": rows(10)}, fourth.cursor).cursor is None


def test_a_facet_that_misses_postings_or_counts_them_twice_is_not_cut_by() -> None:
    facets = [facet("jobFamily", a1=900), facet("timeType", b1=1_500, b2=1_000), facet("locations", c1=9_000, c2=1)]
    page = read({"total": 2_000, "jobPostings": rows(20), "facets": [*facets, facet("locationCountry", d=2_500)]})
    assert page.total == 2_500
    assert query(page.cursor)["appliedFacets"] == {"timeType": ["b1"]}


@pytest.mark.parametrize("text", ["3 Locations", "12 Standorte", "6 Lieux"])
def test_a_number_of_places_is_no_place(text: str) -> None:
    assert row(locationsText=text).places == ()
    assert row(locationsText="Ulm").places == ("Ulm",)


async def test_places_and_date_come_from_the_detail(small: Market) -> None:
    client, several = Direct(small), 0
    for board in small.boards:
        found, _ = await listed(client, "workday", board.tenant)
        truth = {one["external_id"]: one for one in small.truth("workday", board.tenant)}
        for one in found:
            assert one.posted_at is None
            if not one.places:
                full = await described(client, "workday", board.tenant, one)
                assert list(full.places) == truth[one.external_id]["cities"]
                assert full.posted_at is not None
                several += 1
    assert several, "no posting of several places"


def test_a_workload_is_no_way_to_work() -> None:
    assert row(remoteType="80-100%").remote is None
    assert row(remoteType="Partially Remote").remote == "hybrid"


def test_only_s22_means_that_a_posting_is_withdrawn() -> None:
    with pytest.raises(Gone):
        detail(b'{"errorCode": "S22", "error": "permission denied"}', 403)
    for wall in (b'{"errorCode": "S99"}', b"<html>Access denied</html>", b""):
        with pytest.raises(Denied):
            detail(wall, 403)
    with pytest.raises(Gone):
        detail(b'{"jobPostingInfo": {"title": "Koch", "posted": false}}')
    with pytest.raises(Malformed):
        detail(b'{"jobPostingInfo": null}')


async def test_a_posting_withdrawn_since_the_list_was_read_is_gone(small: Market) -> None:
    client, board = Direct(small), small.boards[0]
    before, _ = await listed(client, "workday", board.tenant)
    small.advance()
    after, _ = await listed(client, "workday", board.tenant)
    still = {one.external_id for one in after}
    withdrawn = next(one for one in before if one.external_id not in still)
    response = await client.send(READER.detail_request(board.tenant, withdrawn.external_id, withdrawn.url))
    assert response.status == 403
    with pytest.raises(Gone):
        READER.parse_detail(board.tenant, response)


@pytest.mark.parametrize("path", ["../../admin", "Ulm/Job_JR1?x=1", "a/b/c", "", "Ulm/Job\n_JR1", "x" * 200])
def test_a_path_that_is_none_gets_into_no_address(path: str) -> None:
    with pytest.raises(Malformed):
        READER.detail_request(TENANT, path, "")
    for url in (f"{READER.board_url(TENANT)}/job/{path}", f"https://evil.example/external/job/{path}"):
        request = READER.detail_request(TENANT, "JR2", url)
        assert (request.url, request.assumed) == (
            "https://acme.wd3.myworkdayjobs.com/wday/cxs/acme/external/job/JR2", True
        )  # fmt: skip


def test_a_posting_keeps_its_id_when_its_title_and_place_change() -> None:
    paths = ("/job/Ulm/Koch_JR1-2", "/job/Neu-Ulm/Chefkoch--m-w-d-_JR1-2", "/job/Wien/Sous_Chef_JR1-2")
    found = [row(title="Koch", externalPath=path) for path in paths]
    assert {one.external_id for one in found} == {"JR1-2"}, "and a copy is another posting than its original"
    asked = [READER.detail_request(TENANT, one.external_id, one.url) for one in found]
    assert [one.url.partition("/external")[2] for one in asked] == list(paths)
    assert not any(one.assumed for one in asked)
    assert row(externalPath="/job/Ulm/Koch").external_id == "Ulm/Koch", "without a number, all of the path is the id"


@pytest.mark.parametrize("cursor", ["", "20", "[2000,1]", "[-1,1]", '["x"]', "[0,1,[[1,2]]]", "[0" * 10_000])
def test_a_cursor_that_is_none_is_refused(cursor: str) -> None:
    with pytest.raises(Malformed):
        READER.request(TENANT, cursor or "x")


def test_every_page_is_another_request() -> None:
    """Pages of one list are asked at one address: their bodies tell them apart."""
    asked: list[Request] = [READER.request(TENANT, cursor) for cursor in (None, "[20,45,[],[]]", "[40,45,[],[]]")]
    assert len({request.url for request in asked}) == 1
    assert len({request.body for request in asked}) == 3
