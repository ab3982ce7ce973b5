"""rexx: letters encoded twice, texts that say everything twice, pages that repeat, links that lead elsewhere."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from daemons.sources import detect
from daemons.sources.rexx import Rexx
from lib.errors import Gone, Malformed
from lib.net.messages import Request, Response
from lib.posting.contract import Page, Posting
from lib.text.html import html_to_text
from tests.sim import Market
from tests.sim.direct import Direct, assert_true, listed
from tests.sim.playing import playing_only


def answer(request: Request, body: str) -> Response:
    return Response(request=request, url=request.url, status=200, headers={}, body=body.encode())


def read(body: str, cursor: str | None = None) -> Page:
    return Rexx().parse("acme", answer(Rexx().request("acme", cursor), body))


def detail(**fields: Any) -> Posting:
    posting = {"@context": "http://schema.org", "@type": "JobPosting", "title": "Koch"} | fields
    body = f'<html><script type="application/ld+json">{json.dumps(posting)}</script></html>'
    return Rexx().parse_detail("acme", answer(Rexx().detail_request("acme", "7", ""), body))


def card(number: int, href: str = "/Koch-de-j{}.html") -> str:
    return f'<div class="joboffer_container"><a href="{href.format(number)}">Koch {number}</a></div>'


def cards(first: int, count: int) -> str:
    return "".join(map(card, range(first, first + count)))


def navigator(start: int | None) -> str:
    link = f'<a href="?start={start}&amp;sid=1">weiter</a>' if start else ""
    return f'<div id="joblist_navigator"><span class="nav_next">{link}</span></div>'


@pytest.mark.parametrize(
    ("encoded", "meant"),
    [
        ("Pr&uuml;fer &amp; Planer", "Prüfer & Planer"),
        ("Pr&Atilde;&frac14;fer", "Prüfer"),
        ("a&acirc;&#128;&#147;b", "a–b"),
        ("Stra&Atilde;&#159;e", "Straße"),
        ("&Auml;&Ouml;", "ÄÖ"),
        ("a&nbsp;&nbsp;b", "a b"),
        ("&lt;p&gt;", "<p>"),
    ],
)
def test_letters_are_what_was_written(encoded: str, meant: str) -> None:
    assert " ".join(html_to_text(detail(description=f"<p>{encoded}</p>").html or "").split()) == meant
    if "nbsp" not in encoded:
        assert detail(title=encoded).title == meant


def test_a_whole_block_of_entities_is_read() -> None:
    block = json.dumps({"@type": "JobPosting", "title": "Köchin"}).replace('"', "&quot;")
    body = f'<html><script type="application/ld+json">{block}</script></html>'
    request = Rexx().detail_request("acme", "7", "")
    assert Rexx().parse_detail("acme", answer(request, body)).title == "Köchin"


def test_what_the_description_says_already_is_not_said_twice() -> None:
    row = detail(
        description="<p>Wir</p><ul><li>Kochen</li></ul>",
        responsibilities="<ul><li>Kochen</li></ul>",
        qualifications=".",
        jobBenefits="<ul><li>Obst</li></ul>",
    )
    assert row.html is not None
    assert (row.html.count("Kochen"), row.html.count("Obst")) == (1, 1)


def test_links_lose_their_session_and_keep_their_host() -> None:
    body = card(7, "https://jobs.acme.de/Koch-de-j{}.html?sid=0123456789abcdef0123456789abcdef") + card(8)
    assert [(row.external_id, row.url) for row in read(body).rows] == [
        ("7", "https://jobs.acme.de/Koch-de-j7.html"),
        ("8", "https://acme-portal.rexx-systems.com/Koch-de-j8.html"),
    ]


def test_the_next_page_is_where_the_list_says() -> None:
    assert read(cards(1, 100) + navigator(100)).cursor == "100:1"
    assert read(cards(101, 4) + navigator(None), "100:1").cursor is None
    assert read(cards(1, 20) + navigator(None)).cursor is None
    assert read(cards(1, 20) + navigator(20), "100:1").cursor is None, "a link that leads back"


def test_a_skin_without_a_link_goes_on_after_a_full_page() -> None:
    assert [read(cards(1, count)).cursor for count in (19, 20, 50, 100)] == [None, "20:1", "50:1", "100:1"]
    counted = '<div id="joboffer_table_container" data-all-count="{}"></div>'
    assert read(cards(1, 20) + counted.format(20)).cursor is None
    assert read(cards(1, 13) + counted.format(26)).cursor == "13:1"


def test_a_page_that_comes_again_is_the_end() -> None:
    again = read(cards(1, 20), "20:1")
    assert (again.rows, again.cursor) == ((), None)


def test_no_end_of_a_table_is_no_date() -> None:
    table = (
        '<table id="joboffers"><tr><th><a href="?order[field]=stellenbezeichnung">x</a></th>'
        '<th><a href="?order[field]=valid_until">x</a></th></tr>'
        '<tr><td><a href="/A-de-j1.html">A</a></td><td>00.00.0000</td></tr>'
        '<tr><td><a href="/B-de-j2.html">B</a></td><td>31.12.2026</td></tr></table>'
    )
    assert [row.valid_through and f"{row.valid_through:%Y-%m-%d}" for row in read(table).rows] == [None, "2026-12-31"]


@pytest.mark.parametrize("body", ["<html><body><h1>rexx systems</h1></body></html>", "<p>Login</p>", "x"])
def test_another_page_is_no_empty_board(body: str) -> None:
    with pytest.raises(Malformed):
        read(body)
    assert read('<table id="joboffers"></table>').rows == ()


def test_a_posting_that_shows_the_list_is_gone() -> None:
    request = Rexx().detail_request("acme", "7", "")
    with pytest.raises(Gone):
        Rexx().parse_detail("acme", answer(request, cards(1, 3)))
    with pytest.raises(Malformed):
        Rexx().parse_detail("acme", answer(request, "<h1>Wartung</h1>"))


def test_rows_inside_rows_take_no_time() -> None:
    started = time.process_time()
    read('<div class="joboffer_container">' * 200 + cards(1, 20_000) + "</div>" * 200)
    assert time.process_time() - started < 10


@pytest.mark.parametrize(
    ("url", "tenant"),
    [
        ("https://icotek-portal.rexx-systems.com/stellenangebote.html", "icotek"),
        (
            "https://msig-portal.rexx-recruitment.com/Underwriter-de-j560.html?sid=1",
            "msig-portal.rexx-recruitment.com",
        ),
        ("https://jobs.acme.de/Koch-de-j402.html", "jobs.acme.de"),
        ("https://www.rexx-systems.com/", None),
        ("https://jobs.acme.de/stellenangebote.html", None),
    ],
)
def test_boards_are_recognised_wherever_they_are(url: str, tenant: str | None) -> None:
    found = detect(url)
    assert (found and (found[0].name, found[1])) == (tenant and ("rexx", tenant))


async def test_no_posting_is_lost_in_any_skin(monkeypatch: pytest.MonkeyPatch) -> None:
    playing_only(monkeypatch, "rexx")
    client = Direct(Market(4, companies=3, postings=150))
    for board in client.market.boards:
        rows, pages = await listed(client, "rexx", board.tenant)
        assert len(rows) == len(board.keys)
        assert len(pages) <= -(-len(rows) // 20) + 1


async def test_a_market_is_read_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    playing_only(monkeypatch, "rexx")
    await assert_true(Direct(Market(4, companies=6, postings=150)), "rexx")
