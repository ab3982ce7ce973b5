"""Bundesagentur: a window of 10,000 rows, so that a large search is split until each part can be reached."""

from __future__ import annotations

import json
import math
from collections import Counter
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemons.sources import detect, source
from daemons.sources.bundesagentur import Bundesagentur
from daemons.sources.families.split_search import Walking, following
from lib.errors import Denied, Gone, Malformed, Refused
from lib.net.messages import Request, Response
from lib.posting.closing import Walked, complete
from lib.posting.contract import DetailSource, Page
from tests.sim import Market
from tests.sim.direct import Direct, assert_true, listed
from tests.sim.systems import SYSTEMS
from tests.sim.wire import Asked

TENANT = "de:koch:Berlin"
ALLOWED = frozenset({"berufsfeld", "wo", "befristung", "arbeitszeit"})


def read(body: Any, cursor: str | None = None) -> Page:
    request = source("bundesagentur").request(TENANT, cursor)
    return source("bundesagentur").parse(TENANT, answer(request, body))


def answer(request: Request, body: Any) -> Response:
    return Response(request=request, url=request.url, status=200, headers={}, body=json.dumps(body).encode())


class Agency:
    """A search with this many ads in each field and town; only the first 10,000 of any question are shown."""

    def __init__(self, fields: dict[tuple[str, str], int]) -> None:
        self.ads = [
            {"referenznummer": f"{number}-S", "stellenangebotsTitel": "Koch", "field": field, "town": town}
            for number, (field, town) in enumerate(pair for pair, count in fields.items() for _ in range(count))
        ]
        self.asked: list[dict[str, str]] = []

    def ask(self, request: Request) -> dict[str, Any]:
        query = dict(parse_qsl(urlsplit(request.url).query)) | dict(request.params)
        self.asked.append(query)
        page, size = int(query["page"]), int(query["size"])
        assert page * size <= 10_000, "400: this row cannot be reached"
        field = query.get("berufsfeld")
        town = query["wo"] if "umkreis" in query else None
        found = [ad for ad in self.ads if field in (None, ad["field"]) and town in (None, ad["town"])]
        shown = [
            {name: ad[name] for name in ("referenznummer", "stellenangebotsTitel")}
            for ad in found[(page - 1) * size : page * size]
        ]
        counts = {"berufsfeld": Counter(ad["field"] for ad in found), "arbeitsort": Counter(ad["town"] for ad in found)}
        facets = {name: {"counts": count, "maxCount": len(found)} for name, count in counts.items()}
        return {"maxErgebnisse": len(found), "ergebnisliste": shown, "facetten": facets}


def walk(agency: Agency) -> tuple[set[str], list[Page]]:
    reader, cursor = source("bundesagentur"), None
    pages: list[Page] = []
    while not pages or cursor is not None:
        request = reader.request(TENANT, cursor)
        pages.append(reader.parse(TENANT, answer(request, agency.ask(request))))
        cursor = pages[-1].cursor
    return {row.external_id for page in pages for row in page.rows}, pages


def whole(ids: set[str], pages: list[Page]) -> bool:
    totals = [page.total for page in pages if page.total is not None]
    reader = source("bundesagentur")
    walked = Walked(
        completeness=reader.completeness, ended=True, ids=len(ids), skipped=0, rejected=0, total=max(totals)
    )
    return complete(walked, reader.healthy)


def test_a_search_beyond_the_window_is_split_until_it_is_whole() -> None:
    agency = Agency({("Küche", "Berlin"): 8_000, ("Küche", "Potsdam"): 4_000, ("Pflege", "Berlin"): 250})
    ids, pages = walk(agency)
    assert len(ids) == 12_250
    assert whole(ids, pages)
    parts = {(query.get("berufsfeld"), query["wo"] if "umkreis" in query else None) for query in agency.asked}
    assert parts == {(None, None), ("Küche", None), ("Küche", "Berlin"), ("Küche", "Potsdam"), ("Pflege", None)}


def test_a_part_that_nothing_splits_leaves_the_search_unproven() -> None:
    agency = Agency({("Küche", "Berlin"): 10_500, ("Pflege", "Berlin"): 10})
    ids, pages = walk(agency)
    assert len(ids) == 10_010
    assert not whole(ids, pages)


def test_a_search_within_the_window_is_read_page_by_page() -> None:
    agency = Agency({("Küche", "Berlin"): 9_950, ("Pflege", "Berlin"): 50})
    ids, pages = walk(agency)
    assert (len(ids), len(pages)) == (10_000, 100)
    assert whole(ids, pages)


def test_the_whole_search_alone_says_how_many_there_are() -> None:
    part = Walking(1, ((("berufsfeld", "Küche"),),)).text()
    assert read({"maxErgebnisse": 3, "ergebnisliste": []}).total == 3
    assert read({"maxErgebnisse": 3, "ergebnisliste": []}, part).total is None


@given(
    counts=st.dictionaries(st.text(max_size=120), st.integers(1, 10**9), max_size=30),
    total=st.integers(0, 10**9),
    page=st.integers(1, 200),
    rows=st.integers(0, 100),
)
def test_every_place_of_a_walk_is_read_as_it_was_written(
    counts: dict[str, int], total: int, page: int, rows: int
) -> None:
    then = following(
        Walking(page, ((),)), total=total, rows=rows, window=10_000, page_size=100, facets={"berufsfeld": counts}
    )
    assert then is None or Walking.read(then.text(), allowed=ALLOWED) == then


@pytest.mark.parametrize(
    "cursor", ["", "x", "[]", "[0,[[]]]", "[1,[]]", '[1,[[["size","1"]]]]', "[true,[[]]]", "[1,2]"]
)
def test_no_other_cursor_gets_into_an_address(cursor: str) -> None:
    with pytest.raises(Malformed):
        source("bundesagentur").request(TENANT, cursor)


def test_hostile_facets_split_nothing_into_endless_parts() -> None:
    counts = {f"Feld {number}": 1 for number in range(5_000)}
    with pytest.raises(Malformed, match="parts"):
        read({"maxErgebnisse": 20_000, "ergebnisliste": [], "facetten": {"berufsfeld": {"counts": counts}}})
    odd: list[Any] = [None, [], {"berufsfeld": None}, {"berufsfeld": {"counts": [1]}}]
    odd += [{"berufsfeld": {"counts": {"a": "1", "b": None, "\x00": 9, "\ud800": 9}}}]
    for facets in odd:
        page = read({"maxErgebnisse": 20_000, "ergebnisliste": [], "facetten": facets})
        assert page.cursor is None


def test_a_missing_list_is_an_empty_one_only_beside_its_count() -> None:
    assert read({"maxErgebnisse": 0}).total == 0
    with pytest.raises(Malformed):
        read({})


def test_a_place_that_is_not_understood_is_no_empty_search() -> None:
    with pytest.raises(Malformed, match="place"):
        read({"maxErgebnisse": 0, "woOutput": {"suchmodus": "UNGUELTIG"}})


@pytest.mark.parametrize(
    ("url", "tenant"),
    [
        ("https://www.arbeitsagentur.de/jobsuche/suche?was=Koch&wo=Bad%20Aibling", "de:Koch:Bad Aibling"),
        ("https://www.arbeitsagentur.de/jobsuche/suche?wo=Berlin", "de::Berlin"),
        ("https://www.arbeitsagentur.de/jobsuche/suche", None),
        ("https://www.arbeitsagentur.de/jobsuche/jobdetail/10001-1-S", None),
        ("https://www.arbeitsagentur.de.evil.example/jobsuche/suche?wo=Berlin", None),
    ],
)
def test_searches_are_recognised(url: str, tenant: str | None) -> None:
    found = detect(url)
    assert (found and (found[0].name, found[1])) == (tenant and ("bundesagentur", tenant))


@pytest.mark.parametrize(
    "tenant", ["", "de", "de::", "fr:koch:", "de:koch", "de:a:b:c", "de:\x00:", "de:koch\n:", "acme"]
)
def test_nothing_else_is_a_search(tenant: str) -> None:
    with pytest.raises(Refused):
        source("bundesagentur").board_url(tenant)


def test_details_are_asked_by_their_encoded_number() -> None:
    reader = source("bundesagentur")
    assert isinstance(reader, DetailSource)
    assert reader.detail_request(TENANT, "10001-1002716922-S", "").url.endswith("/MTAwMDEtMTAwMjcxNjkyMi1T")


async def test_a_market_is_read_as_it_is() -> None:
    await assert_true(Direct(Market(3, companies=4, postings=300, systems=("bundesagentur",))), "bundesagentur")


async def test_a_market_beyond_the_window_is_read_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    for holder in (SYSTEMS["bundesagentur"], Bundesagentur):
        monkeypatch.setattr(holder, "window", 200)
    market = Market(3, companies=1, postings=450, systems=("bundesagentur",))
    rows, pages = await listed(Direct(market), "bundesagentur", market.boards[0].tenant)
    assert {row.external_id for row in rows} == {row["external_id"] for row in market.truth()}
    assert len(pages) > math.ceil(450 / 100)
    assert max(page.total or 0 for page in pages) == 450


async def test_a_detail_that_is_gone_and_a_question_without_key() -> None:
    client = Direct(Market(3, companies=1, postings=20, systems=("bundesagentur",)))
    reader = source("bundesagentur")
    assert isinstance(reader, DetailSource)
    with pytest.raises(Gone):
        await client.send(reader.detail_request(TENANT, "10001-0000000007-S", ""))
    with pytest.raises(Denied):
        await client.send(Request(url=reader.request(TENANT, None).url))
    beyond = Asked(
        "rest.arbeitsagentur.de", "/jobboerse/jobsuche-service/pc/v6/jobs",
        {"was": client.market.boards[0].tenant.split(":")[1], "page": "101", "size": "100"},
        headers={"x-api-key": "jobboerse-jobsuche"},
    )  # fmt: skip
    call = SYSTEMS["bundesagentur"].route(beyond)
    assert call is not None
    assert client.market.answer(SYSTEMS["bundesagentur"], call, "all").status == 400
