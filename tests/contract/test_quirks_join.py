"""JOIN: five a page and not one more, a last page that comes again and again, cents, placeholders for the unknown."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

import pytest

from daemons.sources import source
from daemons.sources.join import Join
from lib.errors import Gone, Malformed, Refused
from lib.net.messages import Request, Response
from lib.posting.contract import Page, Posting
from tests.sim import Market
from tests.sim.direct import Direct, assert_true, listed
from tests.sim.playing import playing_only

COMPANY = {"id": 4321, "name": "Acme", "domain": "acme"}


def answer(request: Request, body: str) -> Response:
    return Response(request=request, url=request.url, status=200, headers={}, body=body.encode())


def page(props: Any) -> str:
    return (
        f'<html><body><script id="__NEXT_DATA__">{json.dumps({"props": {"pageProps": props}})}</script></body></html>'
    )


def read(props: Any) -> Page:
    return Join().parse("acme", answer(Join().request("acme", None), page(props)))


def read_api(jobs: Any, cursor: str) -> Page:
    return Join().parse("acme", answer(Join().request("acme", cursor), json.dumps(jobs)))


def detail(**fields: Any) -> Posting:
    job = {"idParam": "15-koch", "title": "Koch", "status": "ONLINE"} | fields
    request = Join().detail_request("acme", "15", "")
    return Join().parse_detail("acme", answer(request, page({"initialState": {"job": job}})))


def jobs(*numbers: int, **paging: int) -> dict[str, Any]:
    items = [{"id": number, "idParam": f"{number}-koch", "title": "Koch"} for number in numbers]
    return {"items": items, "pagination": paging}


def test_no_more_than_five_are_asked_for() -> None:
    first = read({"initialState": {"company": COMPANY, "jobs": jobs(1, 2, 3, 4, 5, page=1, pageCount=3, rowCount=13)}})
    assert (first.cursor, first.total) == ("4321:2", 13)
    request = Join().request("acme", first.cursor)
    assert request.url == "https://join.com/api/public/companies/4321/jobs"
    assert (request.params["page"], request.params["pageSize"]) == ("2", "5")


async def test_a_page_of_more_than_five_is_refused_as_there(monkeypatch: pytest.MonkeyPatch) -> None:
    playing_only(monkeypatch, "join")
    client = Direct(Market(3, companies=2, postings=40))
    _, pages = await listed(client, "join", client.market.boards[0].tenant)
    api = next(asked for asked in client.asked if "/api/" in asked)
    with pytest.raises(Refused, match="422"):
        await client.send(Request(url=api, params={"page": "1", "pageSize": "6"}))
    assert {len(page.rows) for page in pages[:-1]} == {5}


def test_the_last_page_is_the_last() -> None:
    assert read_api(jobs(11, 12, 13, page=3, pageCount=3, rowCount=13), "4321:3").cursor is None
    assert read_api(jobs(1, page=1, totalPages=2, total=6), "4321:1").cursor == "4321:2"


def test_a_repeated_last_page_is_not_read_once_more() -> None:
    """The list became shorter on the way: the page asked for is past the end, and shows the last one again."""
    again = read_api(jobs(6, 7, page=2, pageCount=2, rowCount=7), "4321:3")
    assert (again.rows, again.cursor, again.total) == ((), None, 7)


async def test_pages_past_the_end_repeat_the_last_one_there_and_are_not_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    playing_only(monkeypatch, "join")
    client = Direct(Market(3, companies=2, postings=40))
    board = client.market.boards[0]
    rows, pages = await listed(client, "join", board.tenant)
    assert len(rows) == len(board.keys) == pages[0].total
    assert len(pages) == -(-len(rows) // 5)
    api = next(urlsplit(asked).path.split("/")[4] for asked in client.asked if "/api/" in asked)
    past = await client.send(source("join").request(board.tenant, f"{api}:{len(pages) + 3}"))
    assert json.loads(past.body)["items"]
    assert source("join").parse(board.tenant, past).rows == ()


def test_salaries_are_cents() -> None:
    bounds = {"salaryAmountFrom": {"currency": "EUR", "amount": 5_500_000}, "salaryAmountTo": {"amount": 7_000_050}}
    pay = detail(**bounds, salaryFrequency="PER_YEAR").salary
    assert pay is not None
    assert (pay.min, pay.max, pay.currency, pay.period) == (55_000, 70_000.5, "EUR", "year")
    assert detail(**bounds, salaryFrequency="PER_YEAR", settings={"showSalary": False}).salary is None
    assert detail(salaryAmountFrom={"currency": "EUR", "amount": 0}).salary is None
    for absurd in (10**400, "x", None, -5, [], {}):
        assert detail(salaryAmountFrom={"currency": "EUR", "amount": absurd}).salary is None


@pytest.mark.parametrize(
    "props",
    [
        {"statusCode": 404},
        {"statusCode": 410},
        {"initialState": {"company": {"id": 233, "domain": "join"}, "jobs": jobs(page=1, pageCount=1, rowCount=0)}},
    ],
)
def test_an_unknown_company_is_gone_and_not_empty(props: Any) -> None:
    with pytest.raises(Gone):
        read(props)


@pytest.mark.parametrize(
    "props",
    [
        {"initialState": {"company": COMPANY | {"domain": "other"}, "jobs": jobs(page=1, pageCount=1, rowCount=0)}},
        {"initialState": {"jobs": jobs(page=1, pageCount=1, rowCount=0)}},
        {"initialState": {"company": COMPANY}},
        {"initialState": {"company": COMPANY, "jobs": {"items": []}}},
        {},
        None,
    ],
)
def test_a_page_that_is_not_the_companys_is_no_empty_board(props: Any) -> None:
    with pytest.raises(Malformed):
        read(props)
    empty = read({"initialState": {"company": COMPANY, "jobs": jobs(page=1, pageCount=1, rowCount=0)}})
    assert (empty.rows, empty.total) == ((), 0)


@pytest.mark.parametrize("tenant", ["abc", "xyz"])
async def test_the_simulator_shows_the_unknown_in_both_ways(tenant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    playing_only(monkeypatch, "join")
    client = Direct(Market(3, companies=1, postings=3))
    with pytest.raises(Gone):
        await listed(client, "join", tenant)


def test_the_id_is_the_number_in_the_address() -> None:
    row = detail(id=999)
    assert (row.external_id, row.url) == ("15", "https://join.com/companies/acme/15-koch")
    with pytest.raises(Malformed):
        detail(idParam="koch")


def test_only_what_is_online_is_open() -> None:
    with pytest.raises(Gone):
        detail(status="OFFLINE")
    with pytest.raises(Gone):
        request = Join().detail_request("acme", "15", "")
        Join().parse_detail("acme", answer(request, page({"statusCode": 410})))


@pytest.mark.parametrize(
    ("markdown", "html"),
    [
        ("## Aufgaben\n\n* Planen", "<h2>Aufgaben</h2>\n<ul>\n<li>Planen</li>\n</ul>"),
        ("Für Kolleg*innen und Kund*innen", "<p>Für Kolleg*innen und Kund*innen</p>"),
        ("a < b <script>", "<p>a &lt; b &lt;script&gt;</p>"),
        ("<p>schon <b>Markup</b></p>", "<p>schon <b>Markup</b></p>"),
    ],
)
def test_texts_are_markdown(markdown: str, html: str) -> None:
    assert detail(tasks=markdown).html == html


def test_a_posting_without_text_is_described_all_the_same() -> None:
    assert detail().html == ""
    assert detail(schemaDescription="<p>Text</p>").html == "<p>Text</p>"


@pytest.mark.parametrize("cursor", ["x", "1:2:3", "4321:", "../1:2", "4321:٣"])
def test_a_strange_cursor_gets_into_no_address(cursor: str) -> None:
    with pytest.raises(Malformed):
        Join().request("acme", cursor)


async def test_a_market_is_read_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    playing_only(monkeypatch, "join")
    await assert_true(Direct(Market(4, companies=5, postings=90)), "join")
