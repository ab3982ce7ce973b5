"""Teamtailor: the number is the id, regions are no states, and a feed of several pages is not cut."""

from __future__ import annotations

import json
from typing import Any

import pytest

from daemons.sources import detect, source
from lib.errors import Gone, Malformed
from lib.net.messages import Response
from lib.posting.contract import Page, Posting
from tests.sim import Market
from tests.sim.direct import Direct, assert_true, listed
from tests.sim.playing import playing_only


def read(body: Any, cursor: str | None = None) -> Page:
    request = source("teamtailor").request("acme", cursor)
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    response = Response(request=request, url=request.url, status=200, headers={}, body=raw)
    return source("teamtailor").parse("acme", response)


def row(*places: Any, **fields: Any) -> Posting:
    item = {
        "title": "Koch",
        "url": "https://acme.teamtailor.com/jobs/7167985-koch",
        "_jobposting": {"jobLocation": places},
    }
    (only,) = read({"items": [item | fields]}).rows
    return only


def place(town: str | None, country: str | None) -> dict[str, Any]:
    return {"address": {"addressLocality": town, "addressCountry": country, "addressRegion": "Europe"}}


def test_the_id_is_the_number_in_the_address_and_survives_a_new_title() -> None:
    assert row(id="20fafb7d-f013").external_id == "7167985"
    assert row(id="other", url="https://karriere.acme.example/jobs/7167985-wirt").external_id == "7167985"
    identified = {"identifier": {"@type": "PropertyValue", "value": 7167985}}
    assert row(url=None, _jobposting=identified).external_id == "7167985"
    page = read({"items": [{"id": "20fafb7d-f013", "title": "Koch", "url": "https://acme.teamtailor.com/jobs"}]})
    assert (page.rows, len(page.rejected)) == ((), 1)


def test_places_have_no_regions_and_a_country_where_all_agree() -> None:
    posting = row(place("Zürich", "CH"), place("Bern", "CH"))
    assert (posting.places, posting.country) == (("Zürich, CH", "Bern, CH"), "CH")
    assert row(place("Zürich", "CH"), place("Wien", "AT")).country is None
    assert row(place(None, None), None, 7, {"address": "Bern"}).places == ()
    single = row(_jobposting={"jobLocation": place("Bern", "CH")})
    assert single.places == ("Bern, CH",)


def test_a_feed_of_several_pages_is_followed() -> None:
    page = read({"items": [], "next_url": "https://acme.teamtailor.com/jobs.json?page=2&per_page=100"})
    assert page.cursor == "page=2&per_page=100"
    request = source("teamtailor").request("acme", page.cursor)
    assert (request.url, dict(request.params)) == (
        "https://acme.teamtailor.com/jobs.json",
        {"page": "2", "per_page": "100"},
    )


@pytest.mark.parametrize("address", ["https://acme.teamtailor.com/more", "https://x.example/?q=<a>", 7, {}])
def test_a_next_page_that_cannot_be_asked_for_is_no_end(address: Any) -> None:
    with pytest.raises(Malformed):
        read({"items": [], "next_url": address})
    assert read({"items": [], "next_url": None}).cursor is None


@pytest.mark.parametrize("cursor", ["page=2&x=../..", "page", "https://x.example", "page=" + "9" * 50])
def test_only_numbers_get_into_an_address(cursor: str) -> None:
    with pytest.raises(Malformed):
        source("teamtailor").request("acme", cursor)


@pytest.mark.parametrize("body", [b"<html>Karriere</html>", b"{}", b'{"items": {}}', b"[]", b""])
def test_another_page_is_no_empty_board(body: bytes) -> None:
    with pytest.raises(Malformed):
        read(body)


@pytest.mark.parametrize(
    ("url", "tenant"),
    [
        ("https://acme.teamtailor.com/jobs/7167985-koch", "acme"),
        ("https://acme.na.teamtailor.com/de/jobs", "acme.na"),
        ("https://acme-1671530238.teamtailor.com", "acme-1671530238"),
        ("https://www.teamtailor.com/", None),
        ("https://api.teamtailor.com/v1/jobs", None),
        ("https://a.b.c.teamtailor.com/", None),
    ],
)
def test_boards_are_recognised(url: str, tenant: str | None) -> None:
    found = detect(url)
    assert (found and (found[0].name, found[1])) == (tenant and ("teamtailor", tenant))


async def test_a_market_is_read_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    playing_only(monkeypatch, "teamtailor")
    await assert_true(Direct(Market(3, companies=6, postings=120)), "teamtailor")


async def test_an_unknown_tenant_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    playing_only(monkeypatch, "teamtailor")
    with pytest.raises(Gone):
        await listed(Direct(Market(3, companies=2, postings=20)), "teamtailor", "nobody")
