"""iCIMS: without `in_iframe=1` there is a shell that looks like an empty board; the length of pages is the tenant's."""

from __future__ import annotations

import time

import msgspec
import pytest

from daemons.sources import detect, source
from lib.errors import Gone, Malformed
from lib.net.messages import Request, Response
from lib.posting.contract import DetailSource, Page, Posting
from tests.sim import Market
from tests.sim.direct import Direct, assert_true, listed

TENANT = "careers-acme"
SHELL = '<html><body class="iCIMS_Outer"><iframe id="icims_content_iframe" src="?in_iframe=1"></iframe></body></html>'


def read(page: str, cursor: str | None = None) -> Page:
    request = source("icims").request(TENANT, cursor)
    return source("icims").parse(TENANT, answer(request, page))


def answer(request: Request, page: str) -> Response:
    return Response(request=request, url=request.url, status=200, headers={}, body=page.encode())


def card(place: str = "DE-Berlin", number: int = 7) -> str:
    return (
        f'<li class="iCIMS_JobCardItem"><span class="field-label">Job Locations</span><span>{place}</span>'
        f'<a class="iCIMS_Anchor" href="/jobs/{number}/koch/job"><h3>Koch</h3></a></li>'
    )


def detail_of(body: str, url: str | None = None) -> Posting:
    reader = source("icims")
    assert isinstance(reader, DetailSource)
    request = reader.detail_request(TENANT, "7", "")
    return reader.parse_detail(TENANT, msgspec.structs.replace(answer(request, body), url=url or request.url))


def test_list_and_details_are_asked_from_inside_the_frame() -> None:
    reader = source("icims")
    assert isinstance(reader, DetailSource)
    assert reader.request(TENANT, None).params["in_iframe"] == "1"
    assert reader.request(TENANT, "3").params == {"ss": "1", "in_iframe": "1", "pr": "3"}
    assert reader.detail_request(TENANT, "7", "").params == {"in_iframe": "1"}


def test_the_shell_is_no_empty_board() -> None:
    with pytest.raises(Malformed, match="shell"):
        read(SHELL)
    with pytest.raises(Malformed, match="shell"):
        detail_of(SHELL)


def test_another_page_is_no_empty_board() -> None:
    with pytest.raises(Malformed):
        read("<html><body>We moved</body></html>")
    empty = read('<div class="iCIMS_JobsTable">Sorry, no jobs were found that match your search criteria.</div>')
    assert (empty.rows, empty.cursor) == ((), None)


@pytest.mark.parametrize(("said", "asked", "cursor"), [(4, "0", "1"), (4, "2", "3"), (4, "3", None), (1, "0", None)])
def test_pages_are_counted_as_the_board_counts_them(said: int, asked: str, cursor: str | None) -> None:
    page = f'<h2 class="iCIMS_SubHeader_Jobs">Search Results Page {int(asked) + 1} of {said}</h2>{card()}'
    assert read(page, asked).cursor == cursor
    parted = f'{card()}<a class="selected"><span>Page</span> {int(asked) + 1} <span>of {said} , Current</span></a>'
    assert read(parted, asked).cursor == cursor


@pytest.mark.parametrize(
    ("place", "places", "country"),
    [
        ("DE-Berlin", ("Berlin",), "DE"),
        ("US-IL-Chicago", ("Chicago",), "US"),
        ("AT-9-Wien | DE-BY-M&uuml;nchen", ("Wien", "München"), "AT"),
        ("CH", (), "CH"),
        ("Remote", ("Remote",), None),
        ("DE-Garmisch-Partenkirchen", ("Garmisch-Partenkirchen",), "DE"),
    ],
)
def test_places_begin_with_their_country(place: str, places: tuple[str, ...], country: str | None) -> None:
    (row,) = read(card(place)).rows
    assert (row.places, row.country) == (places, country)


def test_a_posting_that_leads_elsewhere_is_gone() -> None:
    with pytest.raises(Gone):
        detail_of("<html></html>", url="https://careers-acme.icims.com/jobs/intro")
    with pytest.raises(Gone):
        detail_of("<html></html>", url="https://careers-acme.icims.com/jobs/8/other/job")


def test_a_page_of_one_card_takes_no_more_time_than_any_other() -> None:
    anchors = "".join(
        f'<a class="iCIMS_Anchor" href="/jobs/{number}/x/job"><h3>Koch</h3></a>' for number in range(8_000)
    )
    started = time.process_time()
    assert len(read(f'<div class="row">{anchors}</div>').rows) == 8_000
    assert time.process_time() - started < 10


@pytest.mark.parametrize(
    ("url", "tenant"),
    [
        ("https://careers-acme.icims.com/jobs/8214/data-engineer/job?in_iframe=1", "careers-acme"),
        ("https://jobs-acme.icims.com", "jobs-acme"),
        ("https://www.icims.com/jobs", None),
        ("https://a.b.icims.com/jobs", None),
        ("https://careers-acme.icims.com.evil.example/jobs", None),
    ],
)
def test_boards_are_recognised(url: str, tenant: str | None) -> None:
    found = detect(url)
    assert (found and (found[0].name, found[1])) == (tenant and ("icims", tenant))


async def test_a_market_is_read_as_it_is() -> None:
    client = Direct(Market(3, companies=4, postings=300, systems=("icims",)))
    await assert_true(client, "icims")
    lengths = {len((await listed(client, "icims", board.tenant))[1][0].rows) for board in client.market.boards}
    assert {20, 50} <= lengths


async def test_a_crawl_without_the_parameter_reads_nothing() -> None:
    client = Direct(Market(3, companies=1, postings=30, systems=("icims",)))
    tenant, reader = client.market.boards[0].tenant, source("icims")
    request = reader.request(tenant, None)
    bare = msgspec.structs.replace(request, params={"ss": "1", "pr": "0"})
    with pytest.raises(Malformed, match="shell"):
        reader.parse(tenant, await client.send(bare))


async def test_a_closed_posting_is_gone() -> None:
    client = Direct(Market(3, companies=1, postings=30, systems=("icims",)))
    reader = source("icims")
    assert isinstance(reader, DetailSource)
    with pytest.raises(Gone):
        await client.send(reader.detail_request(client.market.boards[0].tenant, "1", ""))
