"""Oracle Recruiting Cloud: no rows without expand, paging inside the finder, a count on the first page only."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import unquote

import pytest

from daemons.sources import detect, source
from daemons.sources.oracle_orc import OracleRecruiting
from lib.errors import Gone, Malformed
from lib.net.messages import Response
from lib.posting.contract import Page, Posting
from tests.sim import Market, Rates
from tests.sim.direct import Direct, assert_true, listed
from tests.sim.playing import playing_only

TENANT = "acme.fa.em2.oraclecloud.com/CX_1"
READER = OracleRecruiting()


def read(found: Any, cursor: str | None = None) -> Page:
    request = READER.request(TENANT, cursor)
    body = json.dumps({"items": [found]}).encode()
    return READER.parse(TENANT, Response(request=request, url=request.url, status=200, headers={}, body=body))


def rows(count: int) -> list[dict[str, str]]:
    return [{"Id": str(number), "Title": "Koch"} for number in range(count)]


def row(**fields: Any) -> Posting:
    (only,) = read({"TotalJobsCount": 1, "requisitionList": [rows(1)[0] | fields]}).rows
    return only


def detail(body: Any) -> Posting:
    request = READER.detail_request(TENANT, "1", "")
    raw = json.dumps(body).encode()
    return READER.parse_detail(TENANT, Response(request=request, url=request.url, status=200, headers={}, body=raw))


@pytest.fixture
def market(monkeypatch: pytest.MonkeyPatch) -> Market:
    playing_only(monkeypatch, "oracle_orc")
    return Market(seed=5, companies=4, postings=900, rates=Rates(closed=0.3))


async def test_the_market_is_read_as_it_is(market: Market) -> None:
    await assert_true(Direct(market), "oracle_orc")


def test_rows_are_expanded_and_paged_inside_the_finder() -> None:
    request = READER.request(TENANT, "200:441")
    assert "requisitionList.secondaryLocations" in request.params["expand"]
    finder = unquote(request.url.partition("finder=")[2])
    assert finder == "findReqs;siteNumber=CX_1,limit=200,offset=200,sortBy=POSTING_DATES_DESC"


def test_a_count_without_rows_is_no_empty_board() -> None:
    with pytest.raises(Malformed, match="expanded"):
        read({"TotalJobsCount": 2_273})
    with pytest.raises(Malformed):
        read({})
    assert read({"TotalJobsCount": 0, "requisitionList": []}).total == 0


async def test_the_simulated_server_has_no_rows_without_expand_either(market: Market) -> None:
    request = READER.request(market.boards[0].tenant, None)
    response = await Direct(market).send(type(request)(url=request.url, state=request.state))
    with pytest.raises(Malformed, match="expanded"):
        READER.parse(market.boards[0].tenant, response)


def test_the_count_of_the_first_page_holds_for_the_later_ones() -> None:
    first = read({"TotalJobsCount": 202, "requisitionList": rows(200)})
    assert (first.total, first.cursor) == (202, "200:202")
    last = read({"TotalJobsCount": 0, "requisitionList": rows(2)}, first.cursor)
    assert (last.total, last.cursor) == (202, None)


async def test_a_board_of_several_pages_is_whole(market: Market) -> None:
    board = max(market.boards, key=lambda board: len(board.keys))
    found, pages = await listed(Direct(market), "oracle_orc", board.tenant)
    assert len(found) == len(board.keys) > 200
    assert {page.total for page in pages} == {len(found)}


def test_nothing_is_asked_beyond_the_window_and_nothing_concluded_from_it() -> None:
    page = read({"TotalJobsCount": 0, "requisitionList": rows(200)}, "9800:12000")
    assert (page.total, page.cursor) == (12_000, None)
    assert read({"TotalJobsCount": 0, "requisitionList": []}, "400:441").cursor is None


@pytest.mark.parametrize("total", [-1, True, "3", 2.5, 10**12])
def test_a_count_that_is_none_fails_the_page(total: Any) -> None:
    with pytest.raises(Malformed):
        read({"TotalJobsCount": total, "requisitionList": rows(1)})


def test_the_country_is_said_where_all_places_agree() -> None:
    other = {"secondaryLocations": [{"Name": "Wels, Austria", "CountryCode": "AT"}], "PrimaryLocation": "Linz"}
    assert row(PrimaryLocationCountry="AT", **other).country == "AT"
    assert row(PrimaryLocationCountry="DE", **other).country is None
    assert row(**other).country is None, "nothing is said of the main place"
    assert row(**other).places == ("Linz", "Wels, Austria")


def test_the_workplace_is_said_by_a_code_or_by_its_name() -> None:
    assert row(WorkplaceTypeCode="ORA_ON_SITE", WorkplaceType="Am Standort").remote == "onsite"
    assert row(WorkplaceTypeCode=None, WorkplaceType="Hybrid").remote == "hybrid"
    assert row(WorkplaceTypeCode=None, WorkplaceType="").remote is None


def test_a_requisition_that_is_not_shown_any_more_is_gone() -> None:
    with pytest.raises(Gone):
        detail({"items": [], "count": 0})
    assert detail({"Id": "1", "Title": "Koch", "ExternalDescriptionStr": ""}).html == ""
    for broken in ({"items": None}, {"items": [None]}, {}, {"items": [{"Id": "1"}]}):
        with pytest.raises(Malformed):
            detail(broken)


async def test_a_requisition_closed_since_the_list_was_read_is_gone(market: Market) -> None:
    client, board = Direct(market), market.boards[0]
    before = {row["external_id"] for row in market.truth("oracle_orc", board.tenant)}
    market.advance()
    [closed, *_] = before - {row["external_id"] for row in market.truth("oracle_orc", board.tenant)}
    with pytest.raises(Gone):
        READER.parse_detail(board.tenant, await client.send(READER.detail_request(board.tenant, closed, "")))


async def test_a_login_page_is_no_empty_board(market: Market) -> None:
    with pytest.raises(Malformed):
        await listed(Direct(market), "oracle_orc", "nobody.fa.em2.oraclecloud.com/CX_1")


@pytest.mark.parametrize("cursor", ["", "x", "200", "200:x", "-1:2", "1:2;Id=3"])
def test_a_cursor_that_is_none_is_refused(cursor: str) -> None:
    with pytest.raises(Malformed):
        READER.request(TENANT, cursor or "x")


def test_addresses_of_a_site() -> None:
    for url in (
        "https://acme.fa.em2.oraclecloud.com/hcmUI/CandidateExperience/en/sites/CX_1/job/25587",
        "https://acme.fa.em2.oraclecloud.com/hcmUI/CandidateExperience/de/sites/CX_1/requisitions/preview/1",
    ):
        assert detect(url) == (source("oracle_orc"), TENANT)
    assert READER.detect("https://acme.fa.em2.oraclecloud.com/hcmUI/CandidateExperience/de/sites/CX 1") is None
