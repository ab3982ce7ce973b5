"""Jobvite: "View All" is cut, so the search is read; who is unknown is sent to a page of the vendor's with 200."""

from __future__ import annotations

import msgspec
import pytest

from daemons.sources import detect, source
from lib.errors import Gone, Malformed
from lib.net.messages import Request, Response
from lib.posting.contract import DetailSource, Page, Posting, fill_row
from tests.sim import Market
from tests.sim.direct import Direct, assert_true, listed


def read(page: str, cursor: str | None = None, url: str | None = None) -> Page:
    request = source("jobvite").request("acme", cursor)
    answer = Response(request=request, url=url or request.url, status=200, headers={}, body=page.encode())
    return source("jobvite").parse("acme", answer)


def detail_of(page: str, url: str | None = None) -> Posting:
    reader = source("jobvite")
    assert isinstance(reader, DetailSource)
    request = reader.detail_request("acme", "oAbc12", "")
    answer = Response(request=request, url=url or request.url, status=200, headers={}, body=page.encode())
    return reader.parse_detail("acme", answer)


def row(place: str = "Berlin, Germany", link: str = "/acme/job/oAbc12") -> str:
    return f'<tr><td><a href="{link}">Koch</a></td><td class="jv-job-list-location">{place}</td></tr>'


def test_the_search_is_read_not_view_all() -> None:
    assert source("jobvite").request("acme", None).url == "https://jobs.jobvite.com/acme/search"
    assert source("jobvite").request("acme", "2").params["p"] == "2"


async def test_view_all_has_less_than_the_search() -> None:
    client = Direct(Market(3, companies=1, postings=230, systems=("jobvite",)))
    tenant, reader = client.market.boards[0].tenant, source("jobvite")
    rows, pages = await listed(client, "jobvite", tenant)
    assert (len(rows), len(pages), {page.total for page in pages}) == (230, 5, {230})
    all_of_it = await client.send(Request(url=f"https://jobs.jobvite.com/{tenant}/jobs"))
    cut = reader.parse(tenant, msgspec.structs.replace(all_of_it, request=reader.request(tenant, None)))
    assert 0 < len(cut.rows) < 230


def test_pages_end_where_no_next_one_is_offered() -> None:
    more = '<a class="jv-pagination-next" href="?p=1">Next</a>'
    assert read(f"<table>{row()}</table>{more}").cursor == "1"
    assert read(f"<table>{row()}</table>").cursor is None
    assert read(f'<div class="jv-page-body">No jobs</div>{more}').cursor is None


def test_the_counter_says_how_many_there_are() -> None:
    assert read(f'<table>{row()}</table><p class="jv-pagination-text">1-50 of 224</p>').total == 224
    assert read(f"<table>{row()}</table>").total is None


@pytest.mark.parametrize("place", ["2 Locations", "<div class='jv-meta'>\n 12 locations </div>"])
def test_a_number_of_places_is_no_place(place: str) -> None:
    assert read(f"<table>{row(place)}</table>").rows[0].places == ()
    assert read(f"<table>{row()}</table>").rows[0].places == ("Berlin, Germany",)


@pytest.mark.parametrize("link", ["/other/job/oAbc12", "/acme/jobs", "/acme/job/", "mailto:x@acme.example"])
def test_other_links_are_no_rows(link: str) -> None:
    assert [one.external_id for one in read(f"<table>{row()}{row(link=link)}</table>").rows] == ["oAbc12"]


def test_a_list_of_somebody_elses_postings_is_no_empty_board() -> None:
    with pytest.raises(Malformed):
        read(f'<div class="jv-page"><table>{row(link="/other/job/oAbc12")}</table></div>')


@pytest.mark.parametrize(
    "url",
    [
        "https://support.jobvite.com/job-seeker?invalid=1",
        "https://www.jobvite.com/",
        "https://jobs.jobvite.com/support?invalid=1",
        "https://jobs.jobvite.com/acme/jobs?error=404",
    ],
)
def test_the_vendors_page_is_no_empty_board(url: str) -> None:
    with pytest.raises(Gone):
        read('<div class="jv-page">Looking for a job?</div>', url=url)
    with pytest.raises(Gone):
        detail_of('<div class="jv-page">Looking for a job?</div>', url=url)


def test_another_page_is_no_empty_board() -> None:
    with pytest.raises(Malformed):
        read("<html><body>We moved</body></html>")
    with pytest.raises(Malformed):
        detail_of("<html><body>We moved</body></html>")


def test_a_detail_without_json_ld_is_read_from_the_page() -> None:
    detail = detail_of(
        '<h2 class="jv-header">Koch</h2><p class="jv-job-detail-meta">Küche<span></span>Graz, Austria</p>'
        '<div class="jv-job-detail-description"><!-- secret --><p>Kochen</p></div>'
    )
    assert (detail.title, detail.department, detail.places) == ("Koch", "Küche", ("Graz, Austria",))
    assert detail.html == "<p>Kochen</p>"
    (listed_row,) = read(f"<table>{row('2 Locations')}</table>").rows
    assert fill_row(listed_row, detail).places == ("Graz, Austria",)


@pytest.mark.parametrize(
    ("url", "tenant"),
    [
        ("https://jobs.jobvite.com/careers/acme/job/octxAfww", "acme"),
        ("https://jobs.jobvite.com/acme", "acme"),
        ("https://jobs.jobvite.com/careers", None),
        ("https://www.jobvite.com/acme", None),
    ],
)
def test_boards_are_recognised(url: str, tenant: str | None) -> None:
    found = detect(url)
    assert (found and (found[0].name, found[1])) == (tenant and ("jobvite", tenant))


async def test_a_market_is_read_as_it_is() -> None:
    await assert_true(Direct(Market(3, companies=4, postings=240, systems=("jobvite",))), "jobvite")


async def test_unknown_companies_and_closed_postings_are_gone() -> None:
    client = Direct(Market(3, companies=1, postings=30, systems=("jobvite",)))
    with pytest.raises(Gone):
        await listed(client, "jobvite", "nobody")
    reader, tenant = source("jobvite"), client.market.boards[0].tenant
    assert isinstance(reader, DetailSource)
    with pytest.raises(Gone):
        reader.parse_detail(tenant, await client.send(reader.detail_request(tenant, "o1", "")))
