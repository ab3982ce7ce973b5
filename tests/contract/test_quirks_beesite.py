"""beesite: the question is JSON in the address, counts come as numbers or as text, places as a list or as one."""

from __future__ import annotations

import json
from typing import Any

import pytest

from daemons.sources import detect, source
from lib.errors import Gone, Malformed
from lib.net.messages import Response
from lib.posting.contract import DetailSource, Page, Posting
from tests.sim import Market
from tests.sim.direct import Direct, assert_true, listed

TENANT = "acme-gjb"


def read(body: Any, cursor: str | None = None) -> Page:
    request = source("beesite").request(TENANT, cursor)
    answer = Response(request=request, url=request.url, status=200, headers={}, body=json.dumps(body).encode())
    return source("beesite").parse(TENANT, answer)


def result(*items: dict[str, Any], count: Any = 1, cursor: str | None = None) -> Page:
    return read({"SearchResult": {"SearchResultCountAll": count, "SearchResultItems": list(items)}}, cursor)


def item(**fields: Any) -> dict[str, Any]:
    return {"MatchedObjectId": "7", "MatchedObjectDescriptor": {"PositionTitle": "Koch"} | fields}


def row(**fields: Any) -> Posting:
    (only,) = result(item(**fields)).rows
    return only


def test_the_question_counts_from_one() -> None:
    for cursor, first in ((None, 1), ("201", 201)):
        asked = json.loads(source("beesite").request(TENANT, cursor).params["data"])["SearchParameters"]
        assert (asked["FirstItem"], asked["CountItem"]) == (first, 100)


@pytest.mark.parametrize("count", [201, "201"])
def test_counts_are_numbers_or_text(count: Any) -> None:
    page = result(*[item()] * 100, count=count, cursor="101")
    assert (page.total, page.cursor) == (201, "201")
    assert result(item(), count=count, cursor="201").cursor is None


@pytest.mark.parametrize("count", [None, "many", -1, True, 1.5, [], "9" * 40])
def test_a_list_without_a_count_is_not_understood(count: Any) -> None:
    with pytest.raises(Malformed):
        result(item(), count=count)


@pytest.mark.parametrize("body", [{}, {"SearchResult": None}, {"SearchResult": []}, []])
def test_another_answer_is_no_empty_board(body: Any) -> None:
    with pytest.raises(Malformed):
        read(body)


def test_places_are_a_list_or_one() -> None:
    one = {"CityName": "Zug", "CountryName": "Schweiz"}
    assert (row(PositionLocation=one).places, row(PositionLocation=one).country) == (("Zug",), "CH")
    assert row(PositionLocation=[{"CityName": "Linz"}, one]).places == ("Linz", "Zug")
    for odd in (None, "Zug", [None, 7], [{"CityName": 7}]):
        assert row(PositionLocation=odd).places == ()


def test_there_is_no_text() -> None:
    assert row().html is None
    assert not isinstance(source("beesite"), DetailSource)


def test_boards_are_recognised() -> None:
    found = source("beesite"), "mercedes-benz-beesite-production-gjb"
    assert detect(f"https://{found[1]}.app.beesite.de/search?data=%7B%7D") == found
    assert detect("https://app.beesite.de/") is None


async def test_a_market_is_read_as_it_is() -> None:
    await assert_true(Direct(Market(3, companies=4, postings=330, systems=("beesite",))), "beesite", details=0)


async def test_an_unknown_tenant_is_gone() -> None:
    client = Direct(Market(3, companies=1, postings=30, systems=("beesite",)))
    with pytest.raises(Gone):
        await listed(client, "beesite", "nobody")
