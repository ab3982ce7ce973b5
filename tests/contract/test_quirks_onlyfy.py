"""onlyfy: the advert's own page has the whole text, tokens are ids, and nothing says that a board is empty."""

from __future__ import annotations

import pytest

from daemons.sources import detect
from daemons.sources.onlyfy import Onlyfy
from lib.errors import Malformed
from lib.net.messages import Request, Response
from lib.posting.contract import Page, Posting
from tests.sim import Market
from tests.sim.direct import Direct, assert_true, listed
from tests.sim.playing import playing_only

CUT = '<script type="application/ld+json">{"@type": "JobPosting", "title": "Koch", "description": "Wir ..."}</script>'


def answer(request: Request, body: str) -> Response:
    return Response(request=request, url=request.url, status=200, headers={}, body=body.encode())


def read(body: str, cursor: str | None = None) -> Page:
    return Onlyfy().parse("acme", answer(Onlyfy().request("acme", cursor), body))


def detail(body: str) -> Posting:
    return Onlyfy().parse_detail("acme", answer(Onlyfy().detail_request("acme", "abcd1234", ""), body))


def rows(first: int, count: int) -> str:
    return "".join(
        f'<div class="row row-table"><strong class="job-title"><a href="/job/token{number}">Koch</a></strong></div>'
        for number in range(first, first + count)
    )


def test_a_full_page_has_another_after_it() -> None:
    assert [read(rows(1, count)).cursor for count in (1, 99, 100)] == [None, None, "2"]
    assert read(rows(101, 100), "2").cursor == "3"
    assert read("<div></div>", "3").cursor is None
    assert (read("", "3").rows, read("", "3").cursor) == ((), None)
    with pytest.raises(Malformed):
        read("<title>Anmelden</title><form></form>", "3")
    assert Onlyfy().request("acme", "2").params["display_length"] == "100"


@pytest.mark.parametrize("body", ["<h1>Recruiting, das passt</h1>", '<div class="row row-table">Titel</div>', "x", ""])
def test_a_page_without_rows_is_no_empty_board(body: str) -> None:
    with pytest.raises(Malformed):
        read(body)


async def test_an_unknown_host_is_no_empty_board(monkeypatch: pytest.MonkeyPatch) -> None:
    playing_only(monkeypatch, "onlyfy")
    with pytest.raises(Malformed):
        await listed(Direct(Market(4, companies=1, postings=3)), "onlyfy", "nobody")


def test_the_token_is_the_id_with_and_without_a_language() -> None:
    links = ("/job/abcd1234", "/de/job/abcd1234?from=list", "https://acme.onlyfy.jobs/job/abcd1234/")
    for link in links:
        (row,) = read(f'<div class="row-table"><a href="{link}">Koch</a></div>').rows
        assert (row.external_id, row.url) == ("abcd1234", "https://acme.onlyfy.jobs/job/abcd1234")


def test_the_whole_text_is_read_and_not_the_one_cut_short() -> None:
    row = detail(f"{CUT}<p class='text-element-body_text'>Wir suchen dich &amp; mehr</p>")
    assert (row.title, row.html) == ("Koch", "<p>Wir suchen dich &amp; mehr</p>")
    with pytest.raises(Malformed):
        detail(CUT)


@pytest.mark.parametrize(
    ("line", "place"),
    [
        ("Standort: Wien Zeitpunkt: ab sofort", "Wien"),
        ("Standort: Bad Ischl", "Bad Ischl"),
        ("Location: Graz Start date: now", "Graz"),
        ("Wir sind am Standort: schön", "schön"),
        ("Kein Ort", None),
    ],
)
def test_the_place_is_a_line_of_the_text(line: str, place: str | None) -> None:
    row = detail(f"<title>Koch</title><div class='text-element-body_text'>{line}</div>")
    assert row.places == ((place,) if place else ())


@pytest.mark.parametrize(
    "url",
    [
        "https://acme.onlyfy.jobs/de/job/abcd1234",
        "https://acme.jobbase.io/job/abcd1234",
        "https://acme.prescreenapp.io/",
    ],
)
def test_old_hosts_are_recognised(url: str) -> None:
    found = detect(url)
    assert found is not None
    assert (found[0].name, found[1]) == ("onlyfy", "acme")


async def test_a_market_is_read_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    playing_only(monkeypatch, "onlyfy")
    await assert_true(Direct(Market(4, companies=2, postings=180)), "onlyfy")
