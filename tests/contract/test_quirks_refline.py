"""Refline: unknown tenants get the vendor's page with 200, unknown ads a page without a title."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from daemons.sources import detect, source
from lib.errors import Gone, Malformed, Refused
from lib.net.messages import Response
from lib.posting.contract import DetailSource, Page, Posting
from tests.sim import Market
from tests.sim.direct import Direct, assert_true, listed


def read(page: str) -> Page:
    request = source("refline").request("673276", None)
    answer = Response(request=request, url=request.url, status=200, headers={}, body=page.encode())
    return source("refline").parse("673276", answer)


def detail_of(page: str) -> Posting:
    reader = source("refline")
    assert isinstance(reader, DetailSource)
    request = reader.detail_request("673276", "2176-1", "")
    answer = Response(request=request, url=request.url, status=200, headers={}, body=page.encode())
    return reader.parse_detail("673276", answer)


def row(link: str = "/673276/2176/pub/1", **cells: str) -> str:
    rest = "".join(f'<td class="{name}">{text}</td>' for name, text in cells.items())
    return f'<table><tr><td class="position"><a href="{link}">Koch</a></td>{rest}</tr></table>'


def test_the_vendors_page_is_no_empty_board() -> None:
    with pytest.raises(Malformed):
        read("<html><title>Refline - Applicant Tracking System</title><body><h1>Refline</h1></body></html>")


@pytest.mark.parametrize(("said", "total"), [("Es liegen keine Angebote vor.", 0), ("Es liegen 0 Angebote vor.", 0)])
def test_a_stated_nothing_is_an_empty_board(said: str, total: int) -> None:
    assert (read(f"<p>{said}</p>").rows, read(f"<p>{said}</p>").total) == ((), total)


@pytest.mark.parametrize(
    ("said", "total"), [("Es liegen 23 Angebote vor.", 23), ("Es liegt 1 Angebot vor.", 1), ("", None)]
)
def test_the_count_is_read_where_it_is_printed(said: str, total: int | None) -> None:
    assert read(f"<p>{said}</p>{row()}").total == total


def test_the_whole_list_is_asked_for() -> None:
    assert source("refline").request("673276", None).params == {"form.buttons.listAll": "1"}


def test_cells_are_named_by_their_class() -> None:
    (koch,) = read(row(workplace="Chur", published="14.09.2026", workload="80-100 %", operationArea="Küche")).rows
    assert (koch.places, koch.employment_type, koch.department) == (("Chur",), "80-100 %", "Küche")
    assert koch.posted_at == datetime(2026, 9, 14, tzinfo=UTC)


@pytest.mark.parametrize("link", ["/792841/2176/pub/1", "/673276/2176", "https://example.org/", "/673276/x/pub/1"])
def test_links_to_other_things_are_no_rows(link: str) -> None:
    assert [one.title for one in read(row() + row(link).replace("Koch", "Kellner")).rows] == ["Koch"]
    with pytest.raises(Malformed):
        read(row(link))


def test_an_ad_without_title_is_gone_and_one_without_json_ld_not_understood() -> None:
    with pytest.raises(Gone):
        detail_of("<html><head><title> </title></head><body></body></html>")
    with pytest.raises(Malformed):
        detail_of("<html><head><title>Koch</title></head><body></body></html>")


@pytest.mark.parametrize("external_id", ["2176", "2176-", "../1", "2176-1-1", ""])
def test_nothing_else_is_the_number_of_an_ad(external_id: str) -> None:
    reader = source("refline")
    assert isinstance(reader, DetailSource)
    with pytest.raises(Malformed):
        reader.detail_request("673276", external_id, "")


def test_tenants_are_six_digits_on_one_host() -> None:
    assert detect("https://apply.refline.ch/673276/2176/pub/1/index.html") == (source("refline"), "673276")
    assert detect("https://apply.refline.ch/67327/search.html") is None
    assert detect("https://m.refline.ch/673276/search.html") is None
    with pytest.raises(Refused):
        source("refline").request("acme", None)


async def test_a_market_is_read_as_it_is() -> None:
    await assert_true(Direct(Market(3, companies=4, postings=200, systems=("refline",))), "refline")


async def test_unknown_tenants_and_ads() -> None:
    client = Direct(Market(3, companies=1, postings=30, systems=("refline",)))
    with pytest.raises(Malformed):
        await listed(client, "refline", "000001")
    reader, tenant = source("refline"), client.market.boards[0].tenant
    assert isinstance(reader, DetailSource)
    with pytest.raises(Gone):
        reader.parse_detail(tenant, await client.send(reader.detail_request(tenant, "7-1", "")))
