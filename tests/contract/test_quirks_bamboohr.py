"""BambooHR: who is sent to the vendor's own site has found no board; two kinds of places; details without an id."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from daemons.sources import detect, source
from lib.errors import Gone, Malformed
from lib.net.messages import Request, Response
from lib.posting.contract import DetailSource, Page, Posting
from tests.sim import Market
from tests.sim.direct import Direct, assert_true, listed
from tests.sim.playing import playing_only

NOWHERE = {"country": None, "state": None, "province": None, "city": None}


def read(body: Any, **answer: Any) -> Page:
    request = source("bamboohr").request("acme", None)
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    response = Response(request=request, url=request.url, status=200, headers={}, body=raw)
    return source("bamboohr").parse("acme", msgspec.structs.replace(response, **answer))


def row(**fields: Any) -> Posting:
    (only,) = read({"result": [{"id": "7", "jobOpeningName": "Koch"} | fields]}).rows
    return only


def read_detail(body: Any, **answer: Any) -> Posting:
    reader = source("bamboohr")
    assert isinstance(reader, DetailSource)
    request = reader.detail_request("acme", "7", "")
    response = Response(request=request, url=request.url, status=200, headers={}, body=json.dumps(body).encode())
    return reader.parse_detail("acme", msgspec.structs.replace(response, **answer))


@pytest.mark.parametrize("url", ["https://www.bamboohr.com/", "https://bamboohr.com/careers/list"])
def test_the_vendors_own_site_is_no_empty_board(url: str) -> None:
    with pytest.raises(Gone):
        read({"result": []}, url=url)
    with pytest.raises(Gone):
        read_detail({"result": {"jobOpening": {"jobOpeningName": "Koch"}}}, url=url)
    assert read({"result": [], "meta": {"totalCount": 0}}).total == 0


@pytest.mark.parametrize("body", [b"<html>Try it free</html>", b"{}", b'{"result": {}}', b"[]", b""])
def test_another_page_is_no_empty_board(body: bytes) -> None:
    with pytest.raises(Malformed):
        read(body)


def test_a_list_that_is_shorter_than_it_says_shows_so() -> None:
    page = read({"result": [{"id": "7", "jobOpeningName": "Koch"}], "meta": {"totalCount": 3}})
    assert (len(page.rows), page.total) == (1, 3)
    for total in (None, "3", -1, True):
        assert read({"result": [], "meta": {"totalCount": total}}).total is None


def test_places_are_offices_or_typed_in() -> None:
    office = row(location={"city": "Berlin", "state": "Berlin"}, atsLocation=NOWHERE)
    assert (office.places, office.country) == (("Berlin",), None)
    typed = NOWHERE | {"country": "Austria", "province": "Tirol", "city": "Innsbruck"}
    both = row(location={"city": None, "state": None}, atsLocation=typed)
    assert (both.places, both.country) == (("Innsbruck, Tirol, Austria",), "AT")
    assert row(location=None, atsLocation=NOWHERE).places == ()


@pytest.mark.parametrize(
    ("fields", "remote"),
    [
        ({"locationType": "0"}, "onsite"),
        ({"locationType": "1"}, "remote"),
        ({"locationType": 2}, "hybrid"),
        ({"locationType": "0", "isRemote": True}, "remote"),
        ({"locationType": None, "isRemote": 1}, "remote"),
        ({"locationType": "9", "isRemote": False}, None),
        ({"locationType": [], "isRemote": {}}, None),
    ],
)
def test_remote_comes_in_many_types(fields: dict[str, Any], remote: str | None) -> None:
    assert row(**fields).remote == remote


def test_a_details_id_is_the_one_that_was_asked_for() -> None:
    detail = read_detail({"result": {"jobOpening": {"jobOpeningName": "Koch", "description": "<p>Kochen</p>"}}})
    assert (detail.external_id, detail.html) == ("7", "<p>Kochen</p>")
    assert read_detail({"result": {"jobOpening": {"jobOpeningName": "Koch"}}}).html == ""
    saved = Request(url="saved:")
    shared = {"jobOpeningName": "Koch", "jobOpeningShareUrl": "https://acme.bamboohr.com/careers/8"}
    assert read_detail({"result": {"jobOpening": shared}}, request=saved, url="saved:").external_id == "8"
    assert read_detail({"result": {"jobOpening": shared}}).external_id == "7"
    for broken in ({}, {"result": None}, {"result": {"jobOpening": None}}, {"result": {"jobOpening": {}}}):
        with pytest.raises(Malformed):
            read_detail(broken)


def test_pay_is_free_text() -> None:
    opening = {"jobOpeningName": "Koch", "compensation": "EUR 2.800 - 3.200 / month"}
    pay = read_detail({"result": {"jobOpening": opening}}).salary
    assert pay is not None
    assert (pay.min, pay.max, pay.currency, pay.period) == (2_800, 3_200, "EUR", "month")
    assert read_detail({"result": {"jobOpening": opening | {"compensation": "Competitive"}}}).salary is None


@pytest.mark.parametrize(
    ("url", "tenant"),
    [
        ("https://acme.bamboohr.com/careers/86", "acme"),
        ("https://acme.bamboohr.com/jobs/embed2.php", "acme"),
        ("https://www.bamboohr.com/careers", None),
        ("https://acme.bamboohr.com.evil.example/", None),
    ],
)
def test_boards_are_recognised(url: str, tenant: str | None) -> None:
    found = detect(url)
    assert (found and (found[0].name, found[1])) == (tenant and ("bamboohr", tenant))


async def test_a_market_is_read_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    playing_only(monkeypatch, "bamboohr")
    await assert_true(Direct(Market(3, companies=6, postings=120)), "bamboohr")


async def test_an_unknown_tenant_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    playing_only(monkeypatch, "bamboohr")
    client = Direct(Market(3, companies=2, postings=20))
    with pytest.raises(Gone):
        await listed(client, "bamboohr", "nobody")
    assert client.asked[-1] == "https://www.bamboohr.com/"
