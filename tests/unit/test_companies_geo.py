"""The map: regions, squares, what is asked and answered, what follows, how sites are visited, and guessed slugs."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daemons.companies import overpass
from daemons.companies.guesses import MOST, guess, slugs
from daemons.companies.overpass import MOST_ELEMENTS, Answer, Company
from daemons.companies.places import CLAIM_S
from daemons.companies.regions import REGIONS, region_of
from daemons.companies.searching import SEARCH_AGAIN, after
from daemons.companies.squares import SMALLEST_HALF_M, Square
from daemons.companies.visiting import MAX_PAGES, visit
from keeper.local.placement import units
from lib.errors import Denied, Gone, Malformed, RateLimited, SourceError, Transient
from lib.life.config import Config
from lib.net.messages import Request, Response
from lib.net.validators import Validators
from lib.text.gazetteer import HOME_COUNTRIES, Place
from lib.text.placenames import REGIONS as STATES

NOW = datetime(2026, 11, 21, 4, 30, tzinfo=UTC)
BERLIN = Place("Berlin", "DE", "16", 52.52437, 13.41053, 3_426_354)
SERVER = "https://overpass.example/api/interpreter"


def test_the_25_regions_hold_every_state_once() -> None:
    assert len(REGIONS) == 25
    assert len({region.name for region in REGIONS}) == 25
    states = [state for region in REGIONS for state in region.states]
    assert len(states) == len(set(states))
    known = {(country, code) for country in ("DE", "AT", "CH") for code in STATES[country]}
    assert set(states) == known | {("LI", "*")}
    assert {country for country, _ in states} == HOME_COUNTRIES
    assert region_of(BERLIN) == 2
    assert region_of(Place("Vaduz", "LI", "11", 47.1, 9.5, 5_000)) == 23
    assert region_of(Place("Paris", "FR", "11", 48.8, 2.3, 2_000_000)) is None


def test_squares_grow_with_places_and_have_edges_in_metres() -> None:
    village = Square.around(Place("Dorf", "DE", "02", 48.0, 11.0, 500))
    assert (village.half_m, Square.around(BERLIN).half_m) == (1_200, 11_106)
    south, west, north, east = village.edges
    assert (north - south) * 111_320 == pytest.approx(2_400, rel=0.01)
    assert (east - west) * 111_320 * 0.669 == pytest.approx(2_400, rel=0.01)


@given(
    lat=st.floats(45, 56), lon=st.floats(5, 18), half_m=st.integers(2 * SMALLEST_HALF_M, 12_000),
    x=st.floats(0, 1), y=st.floats(0, 1),
)  # fmt: skip
@settings(max_examples=200, deadline=None, derandomize=True)
def test_quarters_cover_their_square(lat: float, lon: float, half_m: int, x: float, y: float) -> None:
    square = Square(lat, lon, half_m)
    south, west, north, east = square.edges
    point = (south + (north - south) * y, west + (east - west) * x)
    assert len(square.quarters()) == 4

    def holds(part: Square) -> bool:
        edges = part.edges
        slack = 3e-5  # a metre or two of rounding
        return edges[0] - slack <= point[0] <= edges[2] + slack and edges[1] - slack <= point[1] <= edges[3] + slack

    assert any(holds(part) for part in square.quarters())
    assert Square(lat, lon, SMALLEST_HALF_M).quarters() == ()


def said(body: object, raw: bytes | None = None) -> Response:
    request = Request(url=SERVER)
    return Response(request=request, url=SERVER, status=200, headers={}, body=raw or orjson.dumps(body))


def element(**tags: object) -> dict[str, object]:
    return {"type": "node", "id": 1, "lat": 52.5, "lon": 13.4, "tags": tags}


def test_companies_are_read_once_per_site_from_all_tags_in_use() -> None:
    elements = [
        element(name="Acme GmbH", office="company", website="https://www.acme.de/de/start?x=1"),
        {"type": "way", "id": 2, "center": {"lat": 1, "lon": 2}, "tags": {"website": "acme.de", "name": "Acme Werk"}},
        element(**{"contact:website": "http://klinik.example.org", "operator": "Klinik"}),
        element(url="www.bäckerei-müller.de; https://zweite.example", name=" Bäckerei\x00 "),
        element(website="https://www.facebook.com/acme"),
        element(website="https://de-de.facebook.com/acme"),
        element(website="http://10.0.0.1/"),
        element(website="siehe Aushang"),
        element(website="javascript:alert(1)"),
        element(website="info@gmx.example"),
        element(website="mailto:info@gmx.example"),
        element(website="https://fb.me/acme"),
        element(website="https://printer.local/"),
        element(website="http://nas.fritz.lan:8080/"),
        element(website="https://192.168.0.1/"),
        element(website=5, name=7),
        {"type": "node", "id": 3},
        None,
        [],
    ]
    found = overpass.read(said({"elements": elements}))
    assert found == Answer(
        (
            Company("acme.de", "https://www.acme.de/", "Acme GmbH"),
            Company("klinik.example.org", "http://klinik.example.org/", "Klinik"),
            Company("xn--bckerei-mller-bfb28a.de", "https://www.xn--bckerei-mller-bfb28a.de/", "Bäckerei"),
            Company("zweite.example", "https://zweite.example/", "Bäckerei"),
        )
    )


def test_one_site_in_200_000_elements_is_one_company_and_takes_no_time() -> None:
    body = orjson.dumps({"elements": [element(website=f"HTTPS://WWW.acme.de/filiale/{n}") for n in range(200_000)]})
    started = time.process_time()
    assert overpass.read(said(None, body)).companies == (Company("acme.de", "https://www.acme.de/", None),)
    assert time.process_time() - started < 10


def test_an_answer_that_was_cut_says_why() -> None:
    remark = 'runtime error: Query timed out in "query" at line 1 after 61 seconds.'
    cut = overpass.read(said({"elements": [element(website="https://a.example")], "remark": remark}))
    assert (cut.cut, len(cut.companies)) == (remark, 1)
    assert overpass.read(said({"elements": [element()] * MOST_ELEMENTS})).cut == f"more than {MOST_ELEMENTS} elements"
    assert overpass.read(said({"elements": [], "remark": "The data is 4 minutes old."})).cut is None
    for broken in (b"<html>Error</html>", b"[]", b"{}", b'{"elements": {}}'):
        with pytest.raises(Malformed):
            overpass.read(said(None, broken))


@given(st.text(max_size=80) | st.from_regex(r"(https?://)?[^ ]{0,30}[.:/@\[\]]{1,3}[^ ]{0,20}"))
@settings(max_examples=200, deadline=None, derandomize=True)
def test_any_tag_is_a_site_or_none(text: str) -> None:
    found = overpass.site(text)
    if found is not None:
        host, url = found
        assert overpass.site(url) == found
        assert not host.startswith("www.")


def test_the_query_is_bounded_and_one_request() -> None:
    asked = overpass.request(SERVER, Square(52.52437, 13.41053, 1_000))
    assert asked.documented_api
    assert asked.params["data"].startswith("[out:json][timeout:60][maxsize:268435456][bbox:52.51539,13.39577,52.53335,")
    assert asked.params["data"].endswith(f"out tags center {MOST_ELEMENTS};")
    assert asked.timeout_s < CLAIM_S, "a search ends before another instance may take its place over"


WHOLE, CUT = Answer(()), Answer((), "runtime error: Query timed out")
LARGE, SMALL = Square(52.5, 13.4, 5_000), Square(52.5, 13.4, SMALLEST_HALF_M)


@pytest.mark.parametrize(
    ("outcome", "square", "failures", "kind", "next_in_s", "rest_s", "counted"),
    [
        (WHOLE, LARGE, 3, "done", SEARCH_AGAIN.total_seconds(), 0, 0),
        (CUT, LARGE, 0, "split", 0, 0, 0),
        (CUT, SMALL, 0, "later", 3_600, 0, 1),
        (Transient("504", 504), LARGE, 0, "later", 3_600, 0, 1),
        (Transient("504", 504), LARGE, 2, "later", 14_400, 0, 3),
        (Transient("reset"), LARGE, 500, "later", 7 * 86_400, 0, 501),
        (RateLimited("429", NOW + timedelta(seconds=90)), LARGE, 2, "later", 90, 90, 2),
        (RateLimited("429", NOW + timedelta(days=3)), LARGE, 0, "later", 3_600, 3_600, 0),
        (RateLimited("429", NOW - timedelta(days=3)), LARGE, 0, "later", 1, 1, 0),
        (Malformed("no elements"), LARGE, 1, "later", 7_200, 0, 2),
        (Denied("403"), LARGE, 0, "later", 3_600, 0, 1),
    ],
)
def test_what_follows_a_search(
    outcome: Answer | SourceError,
    square: Square,
    failures: int,
    kind: str,
    next_in_s: float,
    rest_s: float,
    counted: int,
) -> None:
    step = after(outcome, square, failures, NOW)
    assert (step.kind, step.next_in_s, step.rest_s, step.failures) == (kind, next_in_s, rest_s, counted)
    assert (step.reason is None) is (outcome is WHOLE)


class Sites:
    """Pages by address; an error is raised. `redirects`: where an address leads before its page is there."""

    def __init__(self, pages: Mapping[str, str | SourceError], redirects: Mapping[str, str] | None = None) -> None:
        self.pages, self.redirects = pages, redirects or {}
        self.asked: list[str] = []

    async def send(self, request: Request, *, validators: Validators | None = None) -> Response:
        self.asked.append(request.url)
        url = request.url
        if url in self.redirects:
            assert 302 in request.answers
            return Response(request=request, url=url, status=302, headers={"location": self.redirects[url]}, body=b"")
        page = self.pages.get(url, Gone("status 404"))
        if isinstance(page, SourceError):
            page.url = url
            raise page
        headers = {"content-type": "text/html; charset=utf-8"}
        return Response(request=request, url=url, status=200, headers=headers, body=page.encode())


FRONT, CAREERS = "https://acme.example/", "https://acme.example/karriere"
LINK = "<a href='/karriere'>Karriere</a>"
FRAME = "<iframe src='https://acme.jobs.personio.de/'></iframe>"


@pytest.mark.parametrize(
    ("pages", "redirects", "state", "careers_url", "asked"),
    [
        ({FRONT: f"<p>{FRAME}</p>"}, {}, "board", FRONT, 1),
        ({FRONT: LINK, CAREERS: f"<p>{FRAME}</p>"}, {}, "board", CAREERS, 2),
        ({FRONT: LINK}, {CAREERS: "https://jobs.lever.co/acme"}, "board", "https://jobs.lever.co/acme", 2),
        ({FRONT: LINK, CAREERS: "<p>Wir sind ein Team</p>"}, {}, "careers", CAREERS, 2),
        (
            {FRONT: LINK, CAREERS: "<a href='/karriere/stellenangebote'>Stellenangebote</a>",
             f"{CAREERS}/stellenangebote": f"<p>{FRAME}</p>"},
            {}, "board", f"{CAREERS}/stellenangebote", 3,
        ),
        ({FRONT: LINK, CAREERS: Denied("robots.txt")}, {}, "denied", None, 2),
        ({FRONT: LINK}, {}, "gone", None, 2),
        ({FRONT: "<p>Impressum</p>"}, {}, "nothing", None, 1),
        ({FRONT: Denied("robots.txt")}, {}, "denied", None, 1),
        ({FRONT: Transient("reset")}, {}, "unknown", None, 1),
        ({}, {}, "gone", None, 1),
    ],
)  # fmt: skip
async def test_visits(
    pages: Mapping[str, str | SourceError],
    redirects: Mapping[str, str],
    state: str,
    careers_url: str | None,
    asked: int,
) -> None:
    sites = Sites(pages, redirects)
    seen = await visit(sites, FRONT)
    assert (seen.state, seen.careers_url, len(sites.asked)) == (state, careers_url, asked)
    assert (seen.found is None) is (state != "board")


async def test_a_visit_is_short_however_many_links_a_site_has() -> None:
    links = "".join(f"<a href='/jobs/{n}'>Stellenangebote</a>" for n in range(50))
    sites = Sites({FRONT: links, **{f"https://acme.example/jobs/{n}": links for n in range(50)}})
    seen = await visit(sites, FRONT)
    assert seen.state == "careers"
    assert len(sites.asked) == len(set(sites.asked)) == MAX_PAGES


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Acme Labs GmbH & Co. KG", {"acmelabs", "acme-labs", "acme"}),
        ("Bäckerei Müller AG", {"baeckereimueller", "baeckerei-mueller", "backereimuller"}),
        ("1KOMMA5° GmbH", {"1komma5"}),
        ("The Quality Group", {"thequalitygroup", "the-quality-group", "quality"}),
        ("", set()),
        ("!!!", set()),
    ],
)
def test_slugs(name: str, expected: set[str]) -> None:
    assert expected <= set(slugs(name, 20))
    assert len(slugs(name)) <= MOST


@given(st.text(max_size=300))
@settings(max_examples=100, deadline=None, derandomize=True)
def test_any_name_gives_slugs_that_sources_take(name: str) -> None:
    assert all(slug.isascii() and 2 <= len(slug) <= 60 for slug in slugs(name))
    assert len(guess(name)) <= MOST * 9


def test_slugs_are_not_guessed_unless_somebody_says_so() -> None:
    assert Config().guess_slugs is False
    assert Config().overpass == ""


def test_one_machine_searches_the_map_only_where_a_server_of_maps_is_configured() -> None:
    assert "geo@0-24" not in {unit.name for unit in units(Config(), {})}
    (geo,) = (unit for unit in units(Config(overpass=SERVER), {}) if unit.name.startswith("geo"))
    assert (geo.name, geo.env["VAKANZ_OVERPASS"]) == ("geo@0-24", SERVER)
