"""Rippling: one row per place is one posting with all places, and a state is no country."""

from __future__ import annotations

import json
from typing import Any

import pytest

from daemons.sources import detect, source
from lib.errors import Gone, Malformed
from lib.net.messages import Response
from lib.posting.contract import DetailSource, Page, Posting, merge_rows
from tests.sim import Market
from tests.sim.direct import Direct, assert_true, listed
from tests.sim.playing import playing_only


def read(body: Any) -> Page:
    request = source("rippling").request("acme", None)
    raw = json.dumps(body).encode()
    return source("rippling").parse(
        "acme", Response(request=request, url=request.url, status=200, headers={}, body=raw)
    )


def read_detail(body: Any, external_id: str = "a-1") -> Posting:
    reader = source("rippling")
    assert isinstance(reader, DetailSource)
    request = reader.detail_request("acme", external_id, "")
    raw = json.dumps(body).encode()
    return reader.parse_detail("acme", Response(request=request, url=request.url, status=200, headers={}, body=raw))


def job(uuid: str, label: str | None, name: str = "Koch") -> dict[str, Any]:
    return {"uuid": uuid, "name": name, "workLocation": {"label": label, "id": label}}


def test_rows_of_one_id_are_one_posting_with_all_their_places() -> None:
    page = read([job("a-1", "Berlin, DE"), job("b-2", "Graz, AT"), job("a-1", "Wien, AT"), job("a-1", "Berlin, DE")])
    places = {row.external_id: row.places for row in page.rows}
    assert places == {"a-1": ("Berlin, DE", "Wien, AT"), "b-2": ("Graz, AT",)}
    assert merge_rows(page.rows) == list(page.rows)


def test_a_broken_row_costs_no_place_of_the_others() -> None:
    page = read([job("a-1", "Berlin"), {"uuid": "a-1", "name": None}, job("a-1", None), None, job("a-1", "Wien")])
    assert ([row.places for row in page.rows], len(page.rejected)) == ([("Berlin", "Wien")], 2)


def test_remote_is_said_by_a_label_of_any_row() -> None:
    page = read([job("a-1", "New York, NY"), job("a-1", "Remote (New Jersey, US)"), job("b-2", "Remote Street, US")])
    assert [row.remote for row in page.rows] == ["remote", None]


def test_the_end_of_a_label_is_no_country() -> None:
    (row,) = read([job("a-1", "Wilmington, DE")]).rows
    assert row.country is None


def test_the_older_shape_states_countries_and_a_total() -> None:
    place = {"name": "Bern", "countryCode": "CH", "workplaceType": "HYBRID"}
    page = read({"items": [{"id": "a-1", "name": "Koch", "locations": [place]}], "totalItems": 2})
    assert [(row.places, row.country, row.remote) for row in page.rows] == [(("Bern",), "CH", "hybrid")]
    assert page.total == 2
    mixed = {"items": [{"id": "a-1", "name": "Koch", "locations": [place, place | {"countryCode": "AT"}]}]}
    assert read(mixed).rows[0].country is None


def test_a_detail_has_words_pay_and_text() -> None:
    ranges = [
        {"rangeStart": 60_000, "rangeEnd": 80_000, "currency": "EUR", "frequency": "ANNUAL"},
        {"rangeStart": 50_000, "rangeEnd": 70_000, "currency": "EUR", "frequency": "ANNUAL"},
    ]
    kind = {"label": "SALARIED_FT", "id": "Salaried, full-time"}
    text = {"company": "<p>Acme</p>", "role": "<p>Kochen</p>"}
    row = read_detail({"name": "Koch", "employmentType": kind, "payRangeDetails": ranges, "description": text})
    assert (row.external_id, row.employment_type, row.html) == (
        "a-1",
        "Salaried, full-time",
        "<p>Kochen</p>\n<p>Acme</p>",
    )
    assert row.salary is not None
    assert (row.salary.min, row.salary.max, row.salary.period) == (50_000, 80_000, "year")
    other = [ranges[0], ranges[1] | {"currency": "CHF"}]
    assert read_detail({"name": "Koch", "payRangeDetails": other}).salary is None


def test_a_detail_without_text_is_empty_and_one_without_name_is_none() -> None:
    assert read_detail({"name": "Koch"}).html == ""
    with pytest.raises(Malformed):
        read_detail({"description": {"role": "<p>Kochen</p>"}})


@pytest.mark.parametrize("body", [{}, {"jobs": []}, {"items": None}, None, "[]"])
def test_another_answer_is_no_empty_board(body: Any) -> None:
    with pytest.raises(Malformed):
        read(body)
    assert read([]).rows == ()


@pytest.mark.parametrize(
    ("url", "tenant"),
    [
        ("https://ats.rippling.com/acme/jobs/2f0674e6-f01f-4ecd-b459-e947241c211f", "acme"),
        ("https://ats.us1.rippling.com/de-DE/acme-careers/jobs", "acme-careers"),
        ("https://api.rippling.com/platform/api/ats/v1/board/acme/jobs", "acme"),
        ("https://api.rippling.com/platform/api/users", None),
        ("https://www.rippling.com/acme/jobs", None),
    ],
)
def test_boards_are_recognised(url: str, tenant: str | None) -> None:
    found = detect(url)
    assert (found and (found[0].name, found[1])) == (tenant and ("rippling", tenant))


async def test_a_market_is_read_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    playing_only(monkeypatch, "rippling")
    client = Direct(Market(3, companies=6, postings=300))
    await assert_true(client, "rippling")
    for board in client.market.boards:
        rows, _ = await listed(client, "rippling", board.tenant)
        truth = {row["external_id"]: row for row in client.market.truth("rippling", board.tenant)}
        assert {row.external_id: len(row.places) for row in rows} == {
            external_id: len(row["cities"]) for external_id, row in truth.items()
        }


async def test_an_unknown_tenant_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    playing_only(monkeypatch, "rippling")
    with pytest.raises(Gone):
        await listed(Direct(Market(3, companies=2, postings=20)), "rippling", "nobody")
