"""softgarden: salaries of nothing, dates in two orders, lists with fewer cards than postings, two kinds of sites."""

from __future__ import annotations

import json
from typing import Any

import pytest

from daemons.sources import detect
from daemons.sources.softgarden import Softgarden
from lib.errors import Gone, Malformed, Refused
from lib.net.messages import Request, Response
from lib.posting.contract import Page, Posting
from tests.sim import Market
from tests.sim.direct import Direct, assert_true, listed
from tests.sim.playing import playing_only


def answer(request: Request, body: str) -> Response:
    return Response(request=request, url=request.url, status=200, headers={}, body=body.encode())


def classic(body: str, cursor: str | None = None) -> Page:
    return Softgarden().parse("io:acme", answer(Softgarden().request("io:acme", cursor), body))


def modern(feed: Any) -> Page:
    return Softgarden().parse("acme", answer(Softgarden().request("acme", None), json.dumps(feed)))


def job(**fields: Any) -> str:
    posting = {"@type": "JobPosting", "title": "Koch", "datePosted": "2026-08-01"} | fields
    return f'<html><script type="application/ld+json">{json.dumps(posting)}</script></html>'


def detail(**fields: Any) -> Posting:
    return Softgarden().parse_detail("io:acme", answer(Softgarden().detail_request("io:acme", "7", ""), job(**fields)))


def pay(low: Any, high: Any) -> dict[str, Any]:
    return {"baseSalary": {"currency": "EUR", "value": {"minValue": low, "maxValue": high, "unitText": "YEAR"}}}


@pytest.mark.parametrize(("low", "high"), [(0, 0), (0.0, 0.0), ("0", "0"), ("0.00", "0.00"), (0, None)])
def test_a_salary_of_nothing_is_not_stated(low: Any, high: Any) -> None:
    assert detail(**pay(low, high)).salary is None
    item = {"@type": "JobPosting", "title": "Koch", "identifier": 7} | pay(low, high)
    (row,) = modern({"dataFeedElement": [{"item": item}]}).rows
    assert row.salary is None


def test_a_real_salary_stays() -> None:
    stated = detail(**pay(40_000, 50_000)).salary
    assert stated is not None
    assert (stated.min, stated.max, stated.period) == (40_000, 50_000, "year")
    upto = detail(**pay(0, 50_000)).salary
    assert upto is not None
    assert (upto.min, upto.max) == (None, 50_000)


def card(number: int, date: str) -> str:
    title = f'<div class="matchValue title"><a href="../job/{number}/Koch?jobDbPVId=1">Koch</a></div>'
    return f'<div class="matchElement" id="job_id_{number}">{title}<div class="matchValue date">{date}</div></div>'


def test_cards_have_the_day_first_on_german_pages_and_the_month_first_on_english_ones() -> None:
    page = classic(card(1, "03.08.26") + card(2, "8/13/26") + card(3, "31.02.26") + card(4, "gestern"))
    assert [row.posted_at and f"{row.posted_at:%Y-%m-%d}" for row in page.rows] == [
        "2026-08-03",
        "2026-08-13",
        None,
        None,
    ]


def test_an_end_exactly_two_years_later_is_the_systems_own() -> None:
    assert detail(validThrough="2028-08-01").valid_through is None
    ended = detail(validThrough="2026-12-31").valid_through
    assert ended is not None
    assert f"{ended:%Y-%m-%d}" == "2026-12-31"


def test_postings_without_a_card_are_read_one_by_one() -> None:
    script = "<script>var complete_job_id_list = jobs_selected = [1, 2, 30, 4];</script>"
    page = classic(script + card(1, "") + card(4, ""))
    assert ([row.external_id for row in page.rows], page.total, page.cursor) == (["1", "4"], 4, "2,30")
    request = Softgarden().request("io:acme", page.cursor)
    assert request.url.partition("#")[0] == "https://acme.softgarden.io/job/2"
    second = classic(job(title="Wirt", description="<p>Text</p>"), page.cursor)
    assert second.cursor == "30"
    assert [(row.external_id, row.title, row.html) for row in second.rows] == [("2", "Wirt", "<p>Text</p>")]
    assert classic(job(), "30").cursor is None


async def test_no_posting_is_lost_where_the_simulator_leaves_out_cards(monkeypatch: pytest.MonkeyPatch) -> None:
    playing_only(monkeypatch, "softgarden")
    client = Direct(Market(4, companies=2, postings=50))
    board = next(board for board in client.market.boards if board.tenant.endswith("-io"))
    rows, pages = await listed(client, "softgarden", f"io:{board.tenant}")
    assert len(rows) == len(board.keys) == pages[0].total
    assert len(pages) > 1


@pytest.mark.parametrize(
    "body",
    ["<html><body><h1>Karriere</h1></body></html>", "<html><script>var jobs_selected = [];</script></html>", "x"],
)
def test_another_page_is_no_empty_board(body: str) -> None:
    with pytest.raises(Malformed):
        classic(body)
    with pytest.raises(Malformed):
        Softgarden().parse("acme", answer(Softgarden().request("acme", None), body))
    empty = classic("<script>var complete_job_id_list = jobs_selected = [];</script>")
    assert (empty.rows, empty.total, empty.cursor) == ((), 0, None)
    assert modern({"numberOfItems": 0, "dataFeedElement": []}).rows == ()


@pytest.mark.parametrize("tenant", ["nobody", "io:nobody-io"])
async def test_an_unknown_sub_domain_is_gone(tenant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    playing_only(monkeypatch, "softgarden")
    with pytest.raises(Gone):
        await listed(Direct(Market(4, companies=1, postings=3)), "softgarden", tenant)


@pytest.mark.parametrize(
    ("url", "tenant"),
    [
        ("https://acme.career.softgarden.de/jobs/54321/Pflegefachkraft-m-w-d-/", "acme"),
        ("https://acme.softgarden.io/de/vacancies", "io:acme"),
        ("https://acme.softgarden.io/job/45678901/Teamleiter?jobDbPVId=1", "io:acme"),
        ("https://karriere.acme.de/jobs.feed.json", "karriere.acme.de"),
        ("https://karriere.acme.de/job/45678901/Teamleiter?jobDbPVId=1&l=de", "io:karriere.acme.de"),
        ("https://www.softgarden.io/", None),
        ("https://karriere.acme.de/de/vacancies", None),
    ],
)
def test_both_kinds_of_sites_are_recognised(url: str, tenant: str | None) -> None:
    found = detect(url)
    assert (found and (found[0].name, found[1])) == (tenant and ("softgarden", tenant))


@pytest.mark.parametrize("tenant", ["", "io:", "a b", "io:io:acme", "../x", "acme/", "io:-acme", "a" * 70, "127.0.0.1"])
def test_what_cannot_be_a_tenant_gets_into_no_address(tenant: str) -> None:
    with pytest.raises(Refused):
        Softgarden().request(tenant, None)


async def test_a_market_is_read_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    playing_only(monkeypatch, "softgarden")
    await assert_true(Direct(Market(4, companies=4, postings=80)), "softgarden")
