"""concludis: the root leads to the customer's view, the page says how many there are, rows are opened by a script."""

from __future__ import annotations

import pytest

from daemons.sources.concludis import Concludis
from lib.errors import Malformed
from lib.net.messages import Request, Response
from lib.posting.contract import Page
from tests.sim import Market
from tests.sim.direct import Direct, assert_true, listed
from tests.sim.playing import playing_only

VIEW = "a181a603769c1f98ad927e7367c7aa51"
LIST = f"https://acme.concludis.de/prj/lst/{VIEW}/GesamtlisteOffenePositionen.htm"


def answer(request: Request, body: str, url: str) -> Response:
    return Response(request=request, url=url, status=200, headers={}, body=body.encode())


def read(body: str, cursor: str | None = None, url: str = LIST) -> Page:
    return Concludis().parse("acme", answer(Concludis().request("acme", cursor), body, url))


def page(first: int, count: int, total: str) -> str:
    rows = "".join(
        f'<div id="line_{number}" onclick="cJobboard.openJob(\'https://acme.concludis.de/prj/shw/{number:032x}_0/'
        f'{number}/Koch.htm?b=0\');"><span class="headerlink stellenlink">Koch</span></div>'
        for number in range(first, first + count)
    )
    return f'<div class="stellensum">{total}</div><div class="stellen list">{rows}</div>'


def test_the_view_that_the_root_leads_to_is_paged() -> None:
    first = read(page(1, 25, "51 Stellen gefunden"))
    assert (first.total, first.cursor) == (51, f"{VIEW}:2")
    request = Concludis().request("acme", first.cursor)
    assert (request.url, request.params) == (LIST, {"page": "2"})
    assert read(page(26, 25, "51 Stellen gefunden"), first.cursor).cursor == f"{VIEW}:3"
    assert read(page(51, 1, "51 Stellen gefunden"), f"{VIEW}:3").cursor is None


def test_a_list_without_a_view_in_its_address_is_paged_where_it_is() -> None:
    first = read(page(1, 25, "30 Stellen gefunden"), url="https://acme.concludis.de/prj/lst/")
    assert first.cursor == ":2"
    assert Concludis().request("acme", first.cursor).url == "https://acme.concludis.de/prj/lst/"


@pytest.mark.parametrize("said", ["1 Stelle gefunden", "1 Stellen gefunden", "1 jobs found"])
def test_the_number_is_said_in_words(said: str) -> None:
    assert read(page(7, 1, said)).total == 1


@pytest.mark.parametrize(
    "body", ["<html><body><h1>concludis</h1></body></html>", page(1, 3, ""), page(1, 0, "Stellen"), "x"]
)
def test_a_page_that_does_not_say_how_many_is_no_empty_board(body: str) -> None:
    with pytest.raises(Malformed):
        read(body)
    empty = read(page(1, 0, "0 Stellen gefunden"))
    assert (empty.rows, empty.total, empty.cursor) == ((), 0, None)


def test_the_summary_may_say_where_and_how_long() -> None:
    row = page(7, 1, "1 Stellen gefunden").replace(
        "Koch</span>", 'Koch</span><span class="kurzb"><br/> Stellennummer 7 am Standort Baar CH-6340 - Teilzeit</span>'
    )
    (posting,) = read(row).rows
    assert (posting.places, posting.employment_type) == (("Baar CH-6340",), "Teilzeit")


def test_an_id_has_what_the_address_needs() -> None:
    (row,) = read(page(7, 1, "1 Stellen gefunden")).rows
    request = Concludis().detail_request("acme", row.external_id, row.url)
    assert request.url == row.url == f"https://acme.concludis.de/prj/shw/{7:032x}_0/7/Koch.htm"
    for strange in ("7", "7-x_0", f"7-{7:032x}_0/..", f"../{7:032x}_0"):
        with pytest.raises(Malformed):
            Concludis().detail_request("acme", strange, "")


def test_a_posting_that_leads_elsewhere_has_no_text_here() -> None:
    request = Concludis().detail_request("acme", f"7-{7:032x}_0", "")
    with pytest.raises(Malformed):
        Concludis().parse_detail("acme", answer(request, "<h1>Karriere</h1>", "https://jobs.acme.de/"))


async def test_a_market_is_read_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    playing_only(monkeypatch, "concludis")
    client = Direct(Market(4, companies=3, postings=120))
    await assert_true(client, "concludis")
    for board in client.market.boards:
        _, pages = await listed(client, "concludis", board.tenant)
        assert len(pages) == max(1, -(-len(board.keys) // 25))
