"""Pinpoint: who is sent to the vendor's own site has found no board; hidden pay; requisitions are no postings."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from daemons.sources import detect, source
from lib.errors import Gone, Malformed
from lib.net.messages import Response
from lib.posting.contract import Page, Posting
from tests.sim import Market
from tests.sim.direct import Direct, assert_true, listed
from tests.sim.playing import playing_only


def read(body: Any, **answer: Any) -> Page:
    request = source("pinpoint").request("acme", None)
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    response = Response(request=request, url=request.url, status=200, headers={}, body=raw)
    return source("pinpoint").parse("acme", msgspec.structs.replace(response, **answer))


def row(**fields: Any) -> Posting:
    (only,) = read({"data": [{"id": "7", "title": "Koch"} | fields]}).rows
    return only


@pytest.mark.parametrize("url", ["https://www.pinpointhq.com/", "https://pinpointhq.com/postings.json"])
def test_the_vendors_own_site_is_no_empty_board(url: str) -> None:
    with pytest.raises(Gone):
        read({"data": []}, url=url)
    assert read({"data": []}).rows == ()


@pytest.mark.parametrize("body", [b"<html>Recruiting software</html>", b"{}", b'{"data": null}', b"[]", b""])
def test_another_page_is_no_empty_board(body: bytes) -> None:
    with pytest.raises(Malformed):
        read(body)


def test_pay_that_is_not_to_be_shown_is_not_read() -> None:
    pay = {
        "compensation_minimum": 60_000, "compensation_maximum": 70_000.0, "compensation_currency": "EUR",
        "compensation_frequency": "year",
    }  # fmt: skip
    assert row(**pay, compensation_visible=False).salary is None
    for shown in ({"compensation_visible": True}, {}):
        salary = row(**pay, **shown).salary
        assert salary is not None
        assert (salary.min, salary.max, salary.currency, salary.period) == (60_000, 70_000, "EUR", "year")


def test_an_id_comes_from_the_address_but_never_from_the_requisition() -> None:
    job = {"id": 900, "requisition_id": "REQ-1"}
    page = read({"data": [{"title": "Koch", "path": "/de/postings/abc-1", "job": job}, {"title": "Wirt", "job": job}]})
    assert [(one.external_id, one.url) for one in page.rows] == [
        ("abc-1", "https://acme.pinpointhq.com/de/postings/abc-1")
    ]
    assert len(page.rejected) == 1


def test_parts_stand_under_their_headings_and_empty_ones_nowhere() -> None:
    posting = row(
        description="<p>Wir kochen.</p>", key_responsibilities="<p>Kochen</p>", benefits="", benefits_header="Extras",
        key_responsibilities_header="Was Sie <tun>", skills_knowledge_expertise="<p>Können</p>",
    )  # fmt: skip
    assert posting.html == "<p>Wir kochen.</p>\n<h3>Was Sie &lt;tun&gt;</h3><p>Kochen</p>\n<p>Können</p>"
    assert row(description=None).html is None


def test_places_have_their_town() -> None:
    assert row(location={"name": "Schweiz", "city": "Bern", "province": "BE"}).places == ("Bern, Schweiz",)
    assert row(location={"name": "UK - London", "city": "London"}).places == ("UK - London",)
    assert row(location={"city": "Linz", "province": "OÖ"}).places == ("Linz, OÖ",)
    assert row(location=None).places == ()


def test_departments_are_objects_or_texts() -> None:
    assert row(job={"department": {"name": "Küche"}}).department == "Küche"
    assert row(job={"department": "Küche"}).department == "Küche"
    assert row(job={}, department={"name": "Küche"}).department == "Küche"
    assert row(job={"department": 7}, department=[]).department is None


@pytest.mark.parametrize(
    ("url", "tenant"),
    [
        ("https://acme.pinpointhq.com/de/postings/7f0c", "acme"),
        ("https://acme.pinpointhq.com/postings.json", "acme"),
        ("https://www.pinpointhq.com/", None),
        ("https://developers.pinpointhq.com/docs", None),
    ],
)
def test_boards_are_recognised(url: str, tenant: str | None) -> None:
    found = detect(url)
    assert (found and (found[0].name, found[1])) == (tenant and ("pinpoint", tenant))


async def test_a_market_is_read_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    playing_only(monkeypatch, "pinpoint")
    await assert_true(Direct(Market(3, companies=6, postings=120)), "pinpoint")


async def test_an_unknown_tenant_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    playing_only(monkeypatch, "pinpoint")
    client = Direct(Market(3, companies=2, postings=20))
    with pytest.raises(Gone):
        await listed(client, "pinpoint", "nobody")
    assert client.asked[-1] == "https://www.pinpointhq.com/"
