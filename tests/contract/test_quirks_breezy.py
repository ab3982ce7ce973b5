"""Breezy: who is sent to the vendor's own site has found no board; texts that are in the list or on the page."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from daemons.sources import detect, source
from lib.errors import Gone, Malformed
from lib.net.messages import Response
from lib.posting.contract import DetailSource, Page, Posting, fill_row
from tests.sim import Market
from tests.sim.direct import Direct, assert_true, listed
from tests.sim.playing import playing_only

PAGE = '<html><body><script type="application/ld+json">{node}</script></body></html>'


def read(body: Any, **answer: Any) -> Page:
    request = source("breezy").request("acme", None)
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    response = Response(request=request, url=request.url, status=200, headers={}, body=raw)
    return source("breezy").parse("acme", msgspec.structs.replace(response, **answer))


def row(**fields: Any) -> Posting:
    (only,) = read([{"id": "0a1b2c", "name": "Koch"} | fields]).rows
    return only


def read_detail(body: str, **answer: Any) -> Posting:
    reader = source("breezy")
    assert isinstance(reader, DetailSource)
    request = reader.detail_request("acme", "0a1b2c", "")
    response = Response(request=request, url=request.url, status=200, headers={}, body=body.encode())
    return reader.parse_detail("acme", msgspec.structs.replace(response, **answer))


@pytest.mark.parametrize("url", ["https://breezy.hr/", "https://www.breezy.hr/json"])
def test_the_vendors_own_site_is_no_empty_board(url: str) -> None:
    with pytest.raises(Gone):
        read([], url=url)
    with pytest.raises(Gone):
        read_detail(PAGE.format(node="{}"), url=url)
    assert read([]).rows == ()


@pytest.mark.parametrize("body", [b"<html>Hire easily</html>", b"{}", b'{"positions": []}', b"null", b""])
def test_another_page_is_no_empty_board(body: bytes) -> None:
    with pytest.raises(Malformed):
        read(body)


def test_a_text_that_is_not_in_the_list_is_on_the_page() -> None:
    assert row(description="<p>Kochen</p>").html == "<p>Kochen</p>"
    listed_row = row(description="", url="https://acme.breezy.hr/p/0a1b2c-koch", department="Küche")
    assert listed_row.html is None
    node = json.dumps({"@type": "JobPosting", "title": "Koch", "description": "<p>Kochen</p>"})
    detail = read_detail(PAGE.format(node=node), url="https://acme.breezy.hr/p/0a1b2c-koch")
    full = fill_row(listed_row, detail)
    assert (full.external_id, full.url, full.html) == (
        "0a1b2c",
        "https://acme.breezy.hr/p/0a1b2c-koch",
        "<p>Kochen</p>",
    )
    assert full.department == "Küche"
    with pytest.raises(Malformed):
        read_detail("<html><body><p>Kochen</p></body></html>")


def test_a_place_may_be_anything() -> None:
    main = {"name": "Berlin, DE", "country": {"id": "DE", "name": "Germany"}, "state": "Berlin", "is_remote": False}
    other = {"city": "Wien", "country": {"name": "Austria"}, "state": {"id": "9", "name": "Wien"}, "is_remote": True}
    posting = row(location=main, locations=[other, None, 7])
    assert (posting.places, posting.country, posting.remote) == (("Berlin, DE", "Wien"), "DE", None)
    assert (row(location=other).country, row(location=other).remote) == ("AT", "remote")
    assert row(location={"name": "Remote - DACH", "country": None}).remote == "remote"
    assert row(location="Berlin").places == ()


def test_pay_is_free_text() -> None:
    pay = row(salary="€60k - €70k / year").salary
    assert pay is not None
    assert (pay.min, pay.max, pay.currency, pay.period) == (60_000, 70_000, "EUR", "year")
    for nothing in ("", "Competitive", None, 7, "€20k / year or €30k / year"):
        assert row(salary=nothing).salary is None


@pytest.mark.parametrize(
    ("url", "tenant"),
    [
        ("https://acme.breezy.hr/p/0a1b2c-koch/apply", "acme"),
        ("https://acme-2.breezy.hr", "acme-2"),
        ("https://app.breezy.hr/signin", None),
        ("https://breezy.hr/acme", None),
    ],
)
def test_boards_are_recognised(url: str, tenant: str | None) -> None:
    found = detect(url)
    assert (found and (found[0].name, found[1])) == (tenant and ("breezy", tenant))


async def test_a_market_is_read_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    playing_only(monkeypatch, "breezy")
    await assert_true(Direct(Market(3, companies=6, postings=120)), "breezy")


async def test_an_unknown_tenant_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    playing_only(monkeypatch, "breezy")
    client = Direct(Market(3, companies=2, postings=20))
    with pytest.raises(Gone):
        await listed(client, "breezy", "nobody")
    assert client.asked[-1] == "https://breezy.hr/"
