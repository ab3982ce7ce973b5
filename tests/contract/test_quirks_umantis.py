"""Umantis: the number of a table pages it, vacancies have no data for machines, foreign pages are no boards."""

from __future__ import annotations

import pytest

from daemons.sources import detect
from daemons.sources.umantis import Umantis
from lib.errors import Denied, Malformed, Refused
from lib.net.messages import Request, Response
from lib.posting.contract import Page
from tests.sim import Market
from tests.sim.direct import Direct, assert_true, described, listed
from tests.sim.playing import playing_only

NAVIGATION = """<table-navigation initial-data-string='{"TableNr":"1152481","TableTo":10}'></table-navigation>"""


def answer(request: Request, body: str) -> Response:
    return Response(request=request, url=request.url, status=200, headers={}, body=body.encode())


def read(body: str, cursor: str | None = None) -> Page:
    return Umantis().parse("2824", answer(Umantis().request("2824", cursor), body))


def table(first: int, count: int, navigation: str = NAVIGATION) -> str:
    rows = "".join(
        f'<tr><td><a class="HSTableLinkSubTitle" href="/Vacancies/{number}/Description/1?lang=ger">Koch</a></td></tr>'
        for number in range(first, first + count)
    )
    return f'<table class="tableaslist">{rows}</table>{navigation}'


def vacancy(title: str, body: str = "<h1>Koch</h1><p>Kochen</p>") -> str:
    return f"<html><head><title>{title}</title></head><body>{body}</body></html>"


def test_the_number_in_the_page_asks_for_the_next_one() -> None:
    first = read(table(1, 10))
    assert first.cursor == "1152481:2:1-1"
    request = Umantis().request("2824", first.cursor)
    assert request.url.partition("#")[0] == "https://recruitingapp-2824.umantis.com/Jobs/All"
    assert request.params == {"tc1152481": "p2"}
    assert read(table(11, 10), first.cursor).cursor == "1152481:3:11-1"


@pytest.mark.parametrize(
    "navigation",
    [NAVIGATION.replace('"', "&quot;").replace("'", '"'), '<a href="/Jobs/All?tc1152481=p2">2</a>'],
)
def test_the_number_is_found_in_every_spelling(navigation: str) -> None:
    assert read(table(1, 10, navigation)).cursor == "1152481:2:1-1"


def test_a_short_an_empty_or_a_repeated_page_is_the_last() -> None:
    assert read(table(11, 9), "1152481:2:1-1").cursor is None
    assert read(table(1, 0), "1152481:2:1-1").cursor is None
    again = read(table(1, 10), "1152481:2:1-1")
    assert (again.rows, again.cursor) == ((), None)
    assert read(table(1, 30, "")).cursor is None, "no navigation: the whole list is here"


async def test_lists_of_full_pages_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Past the end, one simulated customer repeats the last page, the other has an empty one."""
    playing_only(monkeypatch, "umantis")
    client = Direct(Market(4, companies=2, postings=60))
    for board in client.market.boards:
        while len(board.keys) % 10:
            board.keys.remove(min(board.keys))
        rows, pages = await listed(client, "umantis", board.tenant)
        assert len(rows) == len(board.keys) > 10
        assert pages[-1].rows == ()


def test_a_page_without_data_for_machines_is_read_as_people_do() -> None:
    body = (
        "<header>Logo</header><nav>Alle Stellen</nav><script>var x = 1;</script>"
        "<div><h1>Koch</h1><p>Kochen</p></div><form>Suche</form>"
        "<a href='/Vacancies/7/Application/CheckLogin/1?lang=ger'>Bewerben</a><footer>Impressum</footer>"
    )
    request = Umantis().detail_request("2824", "7-1", "")
    row = Umantis().parse_detail("2824", answer(request, vacancy("Koch | Service | Acme AG", body)))
    assert (row.external_id, row.title, row.company) == ("7-1", "Koch | Service", "Acme AG")
    assert row.apply_url == "https://recruitingapp-2824.umantis.com/Vacancies/7/Application/CheckLogin/1"
    assert row.html is not None
    assert "Kochen" in row.html
    assert not any(word in row.html for word in ("Logo", "Alle Stellen", "var x", "Suche", "Impressum"))


def test_the_segment_of_another_language_shows_nothing() -> None:
    request = Umantis().detail_request("2824", "7-9", "")
    for title in ("| Acme AG", " | Acme AG", "", "|"):
        with pytest.raises(Malformed):
            Umantis().parse_detail("2824", answer(request, vacancy(title)))


def test_the_segment_belongs_to_the_vacancy() -> None:
    link = '<a class="HSTableLinkSubTitle" href="/Vacancies/1048/Description/{}?lang=eng">Koch</a>'
    rows = read(f'<table class="table-as-list"><tr><td>{link.format(2)}</td></tr></table>').rows
    assert [(row.external_id, row.url.rpartition("/")[2]) for row in rows] == [("1048-2", "2")]


@pytest.mark.parametrize(
    "body",
    [
        "<html><body><h1>Umantis Talent Management</h1><a href='/demo'>Demo</a></body></html>",
        "<html><body><script>var globalUmantisParams = {};</script><div id='app'></div></body></html>",
        "x",
    ],
)
def test_the_vendors_page_and_a_list_made_by_a_script_are_no_empty_boards(body: str) -> None:
    with pytest.raises(Malformed):
        read(body)
    assert read('<table class="c-box c-table table-as-list"></table>').rows == ()


async def test_an_unknown_number_and_a_closed_vacancy_there(monkeypatch: pytest.MonkeyPatch) -> None:
    playing_only(monkeypatch, "umantis")
    client = Direct(Market(4, companies=1, postings=12))
    with pytest.raises(Malformed):
        await listed(client, "umantis", "99")
    board = client.market.boards[0]
    rows, _ = await listed(client, "umantis", board.tenant)
    board.keys.clear()
    with pytest.raises(Denied):
        await described(client, "umantis", board.tenant, rows[0])


@pytest.mark.parametrize(
    ("url", "tenant"),
    [
        ("https://recruitingapp-2824.umantis.com/Vacancies/1092/Description/1", "2824"),
        ("https://recruitingapp-5181.de.umantis.com/Jobs/All", "recruitingapp-5181.de.umantis.com"),
        ("https://acme.umantis.com/Jobs/All?lang=ger", "acme"),
        ("https://career.acme.ch/Vacancies/1048/Description/2", "career.acme.ch"),
        ("https://www.umantis.com/", None),
        ("https://career.acme.ch/Jobs/All", None),
    ],
)
def test_boards_are_recognised_wherever_they_are(url: str, tenant: str | None) -> None:
    found = detect(url)
    assert (found and (found[0].name, found[1])) == (tenant and ("umantis", tenant))


@pytest.mark.parametrize("cursor", ["x", "1:2", "1:2:3", "1:2:3-4#", "../1:2:3-4", "٣:2:3-4"])
def test_a_strange_cursor_gets_into_no_address(cursor: str) -> None:
    with pytest.raises((Malformed, Refused)):
        Umantis().request("2824", cursor)


async def test_a_market_is_read_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    playing_only(monkeypatch, "umantis")
    await assert_true(Direct(Market(4, companies=4, postings=80)), "umantis")
