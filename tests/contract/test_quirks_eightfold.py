"""Eightfold: ten rows a page, two generations, and a domain that only the careers page tells."""

from __future__ import annotations

import json
from typing import Any

import pytest

from daemons.sources import detect, source
from daemons.sources.eightfold import Eightfold
from lib.errors import Gone, Malformed, Refused
from lib.net.messages import Response
from lib.posting.contract import Page, Posting
from tests.sim import Market, Rates
from tests.sim.direct import Direct, assert_true, listed
from tests.sim.playing import playing_only

READER = Eightfold()
OLDER, NEWER = "1:acme.com:0", "2:acme.com:0"


def read(body: bytes | dict[str, Any], cursor: str | None = None) -> Page:
    request = READER.request("acme", cursor)
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return READER.parse("acme", Response(request=request, url=request.url, status=200, headers={}, body=raw))


def rows(count: int, first: int = 1) -> list[dict[str, Any]]:
    return [{"id": number, "name": "Koch"} for number in range(first, first + count)]


def row(**fields: Any) -> Posting:
    (only,) = read({"positions": [rows(1)[0] | fields], "count": 1}, OLDER).rows
    return only


@pytest.fixture
def market(monkeypatch: pytest.MonkeyPatch) -> Market:
    playing_only(monkeypatch, "eightfold")
    return Market(seed=5, companies=6, postings=150, rates=Rates(closed=0.3))


async def test_the_market_is_read_as_it_is(market: Market) -> None:
    assert len({board.company.quirk < 0.4 for board in market.boards}) == 2, "both generations"
    await assert_true(Direct(market), "eightfold")


@pytest.mark.parametrize(
    ("page", "cursor"),
    [
        (b'<code id="pcsx-data">{&#34;domain&#34;: &#34;acme.com&#34;}</code>', NEWER),
        (b'<code id="smartApplyData">{"domain": "acme.com"}</code>', OLDER),
        (b'<script>window._EF_GROUP_ID = "acme.com";</script>', OLDER),
        (b"<code id=\"pcsx-data\">{broken</code><script>_EF_GROUP_ID='acme.com'</script>", OLDER),
    ],
)
def test_the_careers_page_tells_domain_and_generation(page: bytes, cursor: str) -> None:
    assert read(page) == Page(rows=(), cursor=cursor)


@pytest.mark.parametrize(
    "page",
    [
        b"<p>Talent Intelligence</p>",
        b'<code id="pcsx-data">{"domain": "a/../b"}</code>',
        b'<code id="pcsx-data">[]</code>',
        b"",
    ],
)
def test_a_page_without_a_domain_is_no_empty_board(page: bytes) -> None:
    with pytest.raises(Malformed):
        read(page)


async def test_an_unknown_board_is_not_taken_for_an_empty_one(market: Market) -> None:
    with pytest.raises(Malformed):
        await listed(Direct(market), "eightfold", "nobody")


def test_pages_have_ten_rows_until_the_count_is_reached() -> None:
    page = read({"data": {"positions": rows(10), "count": 12}}, NEWER)
    assert (page.total, page.cursor) == (12, "2:acme.com:10")
    assert read({"data": {"positions": rows(2, 11), "count": 12}}, page.cursor).cursor is None
    assert read({"data": {"positions": [], "count": 12}}, page.cursor).cursor is None
    request = READER.request("acme", page.cursor)
    assert request.url == "https://acme.eightfold.ai/api/pcsx/search"
    assert (request.params["domain"], request.params["start"]) == ("acme.com", "10")
    assert READER.request("acme", OLDER).url == "https://acme.eightfold.ai/api/apply/v2/jobs"


def test_somebody_elses_list_is_refused() -> None:
    with pytest.raises(Malformed, match=r"eightfold\.ai"):
        read({"domain": "eightfold.ai", "positions": rows(3), "count": 3}, OLDER)
    for closed in ({"message": "Not authorized for PCSX"}, {"data": None}, {"positions": None}):
        with pytest.raises(Malformed):
            read(closed, OLDER)


def test_times_are_seconds_and_remote_has_more_names() -> None:
    posted = row(t_create=1_785_801_600).posted_at
    assert posted is not None
    assert posted.isoformat() == "2026-08-04T00:00:00+00:00"
    assert row(work_location_option="remote_local").remote == "remote"
    assert row(work_location_option="flex_hybrid_v2").remote is None
    assert row(location="Ulm", locations=[]).places == ("Ulm",)
    assert row(location="Ulm", locations=["Ulm", "Jena"]).places == ("Ulm", "Jena")


async def test_details_come_from_the_page_or_from_the_api_where_the_domain_is_known(market: Market) -> None:
    client, board = Direct(market), market.boards[0]
    (first, *_), _ = await listed(client, "eightfold", board.tenant)
    known = f"{board.tenant}/{board.company.domain}"
    assert detect(READER.board_url(known)) == (source("eightfold"), known)
    texts = set()
    for tenant in (board.tenant, known):
        response = await client.send(READER.detail_request(tenant, first.external_id, first.url))
        detail = READER.parse_detail(tenant, response)
        assert (detail.external_id, detail.title) == (first.external_id, first.title)
        texts.add(detail.html)
    assert len(texts) == 1
    assert {path.rpartition("/")[0].partition(".ai")[2] for path in client.asked[-2:]} == {
        "/careers/job", "/api/apply/v2/jobs",
    }  # fmt: skip


async def test_a_position_closed_since_the_list_was_read_is_gone(market: Market) -> None:
    client, board = Direct(market), market.boards[0]
    before = {row["external_id"] for row in market.truth("eightfold", board.tenant)}
    market.advance()
    [closed, *_] = before - {row["external_id"] for row in market.truth("eightfold", board.tenant)}
    with pytest.raises(Gone):
        await client.send(READER.detail_request(board.tenant, closed, ""))


def test_a_host_of_the_companys_own_needs_its_domain_to_be_recognised() -> None:
    assert READER.detect("https://careers.acme.com/careers?domain=acme.com") == "careers.acme.com/acme.com"
    assert READER.detect("https://careers.acme.com/careers") is None
    assert READER.detect("https://www.eightfold.ai/careers") is None
    for tenant in ("acme/../x", "acme/", "127.0.0.1", "a b"):
        with pytest.raises(Refused):
            READER.request(tenant, None)
    with pytest.raises(Malformed):
        READER.request("acme", "3:acme.com:0")
