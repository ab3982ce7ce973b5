"""SuccessFactors: the feed is the list; where there is none, a sitemap and a search that loses rows."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from daemons.sources import detect, source
from daemons.sources.families.successfactors_pages import shown_day
from daemons.sources.successfactors import SuccessFactors
from lib.errors import Gone, Malformed
from lib.net.messages import Response
from lib.posting.closing import Walked, complete
from lib.posting.contract import Page, Posting
from tests.sim import Market, Rates
from tests.sim.direct import Direct, assert_true, listed
from tests.sim.playing import playing_only
from tests.sim.systems import SYSTEMS

READER = SuccessFactors()
FEED = '<rss version="2.0" xmlns:g="http://base.google.com/ns/1.0"><channel>{}</channel></rss>'


def read(body: str, cursor: str | None = None, status: int = 200) -> Page:
    request = READER.request("acme", cursor)
    response = Response(request=request, url=request.url, status=status, headers={}, body=body.encode())
    return READER.parse("acme", response)


def item(title: str = "Koch", place: str = "Ulm, DE", text: str = "", **more: str) -> Posting:
    fields = "".join(f"<g:{name}>{value}</g:{name}>" for name, value in more.items())
    link = "<link>https://acme.jobs2web.com/job/Ulm-Koch/1200300401/?feedId=1</link>"
    (row,) = read(
        FEED.format(
            f"<item><title>{title}</title><description><![CDATA[{text}]]></description>{link}"
            f"<g:location>{place}</g:location>{fields}</item>"
        )
    ).rows
    return row


def detail(body: str, url: str | None = None) -> Posting:
    request = READER.detail_request("acme", "12", "")
    response = Response(request=request, url=url or request.url, status=200, headers={}, body=body.encode())
    return READER.parse_detail("acme", response)


@pytest.fixture
def market(monkeypatch: pytest.MonkeyPatch) -> Market:
    playing_only(monkeypatch, "successfactors")
    return Market(seed=5, companies=9, postings=1_000, rates=Rates(closed=0.3))


def is_off(market: Market, number: int) -> bool:
    return market.boards[number].company.quirk < 0.35


async def test_the_market_is_read_as_it_is(market: Market) -> None:
    assert {is_off(market, number) for number in range(9)} == {True, False}, "with the feed and without"
    await assert_true(Direct(market), "successfactors")


async def test_the_feed_is_the_whole_board_in_one_answer(market: Market) -> None:
    client = Direct(market)
    tenants = [board.tenant for number, board in enumerate(market.boards) if not is_off(market, number)]
    for tenant in tenants:
        await listed(client, "successfactors", tenant)
    assert client.asked == [f"https://{tenant}.jobs2web.com/googlefeed.xml" for tenant in tenants]


@pytest.mark.parametrize(("body", "status"), [("<html>Switched off</html>", 200), ("", 404), ("gone", 410), ("", 200)])
def test_a_feed_that_is_switched_off_is_no_empty_board(body: str, status: int) -> None:
    assert read(body, status=status) == Page(rows=(), cursor="sitemap")


async def test_rows_that_the_search_loses_close_nothing(market: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages of the search repeat rows and lose others: against the sitemap's count, the list is not whole."""
    board = max((one for number, one in enumerate(market.boards) if is_off(market, number)), key=lambda b: len(b.keys))
    assert len(board.keys) > 50
    for lost, is_whole in ((0.0, True), (0.2, False)):
        monkeypatch.setattr(SYSTEMS["successfactors"], "lost", lost)
        market.advance()
        found, pages = await listed(Direct(market), "successfactors", board.tenant)
        assert max(page.total or 0 for page in pages) == len(board.keys)
        assert (len(found) == len(board.keys)) is is_whole
        assert is_complete(found, pages) is is_whole


def is_complete(found: list[Posting], pages: list[Page]) -> bool:
    """What the crawler concludes from these pages."""
    total = max(page.total or 0 for page in pages)
    walked = Walked(
        completeness=READER.completeness, ended=True, ids=len(found), skipped=0, rejected=0, total=total
    )  # fmt: skip
    return complete(walked, READER.healthy)


def test_a_title_ends_where_its_place_begins() -> None:
    assert item("Koch (m/w/d) (Ulm, DE)").title == "Koch (m/w/d)"
    assert item("Koch (m/w/d)").title == "Koch (m/w/d)"
    assert item("(Ulm, DE)").title == "(Ulm, DE)", "a title there must be"


def test_a_description_that_is_the_title_is_no_text() -> None:
    assert item("Koch", text="Koch").html is None
    assert item("Koch (Ulm, DE)", text="Koch").html is None
    assert item("Koch", text="&lt;p&gt;Text &amp;amp; mehr&lt;/p&gt;").html == "<p>Text &amp; mehr</p>"
    assert item("Koch", text="<p>1 &lt; 2</p>").html is not None


def test_an_internal_function_is_no_department() -> None:
    assert item(job_function="ATS_WEBFORM").department is None
    assert item(job_function="Technik").department == "Technik"


@pytest.mark.parametrize(
    ("place", "country"),
    [("Ulm, BW, DE, 89073", "DE"), ("Wien, AT", "AT"), ("Zug, CH +2 more…", "CH"), ("Wien", None), ("", None)],
)
def test_the_country_is_the_last_part_of_a_place(place: str, country: str | None) -> None:
    assert item(place=place).country == country


@pytest.mark.parametrize("text", ["Oct 5, 2026", "05.10.2026", "5.10.26", "Mon Oct 05 07:00:00 UTC 2026", "2026-10-05"])
def test_dates_as_pages_show_them(text: str) -> None:
    assert shown_day(text) == datetime(2026, 10, 5, tzinfo=UTC)


@pytest.mark.parametrize("text", ["", None, "gestern", "Foo 5, 2026", "Feb 30, 2026", "99.99.9999", "Oct 5, 0001"])
def test_dates_that_are_none(text: str | None) -> None:
    assert shown_day(text) is None


def test_a_withdrawn_posting_leads_elsewhere() -> None:
    with pytest.raises(Gone):
        detail("<html></html>", url="https://acme.jobs2web.com/search/")
    with pytest.raises(Malformed):
        detail("<html><h1>This job is not available</h1></html>")


async def test_a_posting_closed_since_the_list_was_read_is_gone(market: Market) -> None:
    client, board = Direct(market), market.boards[0]
    before = {row["external_id"] for row in market.truth("successfactors", board.tenant)}
    market.advance()
    [closed, *_] = before - {row["external_id"] for row in market.truth("successfactors", board.tenant)}
    response = await client.send(READER.detail_request(board.tenant, closed, ""))
    with pytest.raises(Gone):
        READER.parse_detail(board.tenant, response)


def test_a_page_cuts_places_off_so_the_list_keeps_them() -> None:
    page = '<div itemscope itemtype="http://schema.org/JobPosting"><b itemprop="title">Koch</b>{}{}</div>'
    place = '<i itemprop="jobLocation"><meta itemprop="addressLocality" content="Mün"></i>'
    row = detail(page.format(place, '<div itemprop="description"><p>Text</p></div>'))
    assert (row.title, row.places, row.html) == ("Koch", (), "<p>Text</p>")


@pytest.mark.parametrize("cursor", ["x", "search:", "search:1:2:3", "search:-1:2", "search:0:9999999"])
def test_a_cursor_that_is_none_is_refused(cursor: str) -> None:
    with pytest.raises(Malformed):
        READER.request("acme", cursor)


def test_addresses_of_postings_on_hosts_of_companies() -> None:
    for path in ("job/Ulm-Koch-%28mwd%29/1200300401/", "Acme/job/Ulm-Koch/1200300401", "googlefeed.xml"):
        assert detect(f"https://jobs.acme.com/{path}") == (source("successfactors"), "jobs.acme.com")
    for path in ("job/Koch", "job/Koch/12", "", "search/"):
        assert READER.detect(f"https://jobs.acme.com/{path}") is None
