"""Workable: a row for each place of a job, hidden places, and text only when it is asked for."""

from __future__ import annotations

import json
from typing import Any

import pytest

from daemons.sources import detect, source
from lib.errors import Gone, Malformed
from lib.net.messages import Response
from lib.posting.contract import Page
from tests.sim import Market
from tests.sim.direct import Direct, assert_true, listed
from tests.sim.playing import playing_only


def read(*jobs: dict[str, Any]) -> Page:
    request = source("workable").request("acme", None)
    body = json.dumps({"name": "Acme", "jobs": [{"title": "Koch", "shortcode": "AA"} | job for job in jobs]}).encode()
    return source("workable").parse(
        "acme", Response(request=request, url=request.url, status=200, headers={}, body=body)
    )


def place(country: str, code: str, city: str, *, hidden: bool = False) -> dict[str, Any]:
    where = {"country": country, "countryCode": code, "city": city, "region": None, "hidden": hidden}
    return {"country": country, "city": city, "locations": [where]}


@pytest.fixture
def market(monkeypatch: pytest.MonkeyPatch) -> Market:
    playing_only(monkeypatch, "workable")
    return Market(seed=5, companies=4, postings=150)


async def test_the_market_is_read_as_it_is(market: Market) -> None:
    await assert_true(Direct(market), "workable")


async def test_a_row_for_each_place_is_one_posting_of_several_places(market: Market) -> None:
    client, several = Direct(market), 0
    for board in market.boards:
        found, _ = await listed(client, "workable", board.tenant)
        truth = {row["external_id"]: row["cities"] for row in market.truth("workable", board.tenant)}
        assert len(found) == len(truth)
        for row in found:
            assert [name.partition(",")[0] for name in row.places] == truth[row.external_id]
            several += len(row.places) > 1
    assert several, "no posting of several places"


def test_places_of_one_job_are_joined_and_each_is_named_once() -> None:
    rows = [place("Germany", "DE", "Ulm"), place("Germany", "DE", "Jena"), place("Germany", "DE", "Ulm")]
    (row,) = read(*rows).rows
    assert (row.places, row.country) == (("Ulm, Germany", "Jena, Germany"), "DE")
    (row,) = read(place("Germany", "DE", "Ulm"), place("Austria", "AT", "Wels")).rows
    assert row.country is None, "two countries are not one"
    assert [row.external_id for row in read({}, {"shortcode": "BB"}, {}).rows] == ["AA", "BB"]


def test_the_row_with_text_is_the_one_that_counts() -> None:
    (row,) = read({"description": ""} | place("Germany", "DE", "Ulm"), {"description": "<p>Text</p>"}).rows
    assert row.html == "<p>Text</p>"
    assert row.places == ("Ulm, Germany",)


def test_a_hidden_place_is_left_at_its_country() -> None:
    (row,) = read(place("Poland", "PL", "Posen", hidden=True)).rows
    assert (row.places, row.country) == (("Poland",), "PL")


def test_the_text_has_to_be_asked_for(market: Market) -> None:
    assert source("workable").request("acme", None).params == {"details": "true"}


async def test_an_unknown_account_is_gone_and_an_empty_one_is_empty(market: Market) -> None:
    with pytest.raises(Gone):
        await listed(Direct(market), "workable", "nobody")
    assert read().rows == ()
    for broken in (b"{}", b"[]", b'{"jobs": null}', b"<html>"):
        request = source("workable").request("acme", None)
        with pytest.raises(Malformed):
            source("workable").parse(
                "acme", Response(request=request, url=request.url, status=200, headers={}, body=broken)
            )


@pytest.mark.parametrize(
    ("url", "tenant"),
    [
        ("https://apply.workable.com/acme-2/j/74172297A5/apply", "acme-2"),
        ("https://acme.workable.com/jobs/12", "acme"),
        ("https://apply.workable.com/api/v1/widget/accounts/acme?details=true", "acme"),
    ],
)
def test_addresses_of_an_account(url: str, tenant: str) -> None:
    assert detect(url) == (source("workable"), tenant)


@pytest.mark.parametrize(
    "url", ["https://apply.workable.com/j/74172297A5", "https://jobs.workable.com/view/x", "https://www.workable.com/"]
)
def test_addresses_that_name_no_account(url: str) -> None:
    assert source("workable").detect(url) is None
