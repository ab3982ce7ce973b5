"""SuccessFactors' unified search: languages that are not published look empty, and walks over its pages lose rows."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest

from daemons.sources import detect, source
from daemons.sources.successfactors_csb import SuccessFactorsUnified
from lib.errors import Malformed
from lib.net.messages import Response
from lib.posting.contract import Page
from tests.sim import Market
from tests.sim.direct import Direct, assert_true, listed
from tests.sim.playing import playing_only
from tests.sim.systems import SYSTEMS

READER = SuccessFactorsUnified()


def at(*locales: str, walk: int = 0, page: int = 0, before: int = 0, total: int = 0) -> str:
    return json.dumps([locales, walk, page, before, total])


def read(body: Any, cursor: str | None) -> Page:
    request = READER.request("acme", cursor)
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return READER.parse("acme", Response(request=request, url=request.url, status=200, headers={}, body=raw))


def rows(count: int) -> list[dict[str, Any]]:
    return [{"response": {"id": str(number), "unifiedStandardTitle": "Koch"}} for number in range(1, count + 1)]


def asked(cursor: str | None) -> tuple[str, int]:
    query = orjson.loads(READER.request("acme", cursor).body or b"")
    return query["locale"], query["pageNumber"]


@pytest.fixture
def market(monkeypatch: pytest.MonkeyPatch) -> Market:
    playing_only(monkeypatch, "successfactors_csb")
    return Market(seed=5, companies=6, postings=200)


async def test_the_market_is_read_as_it_is(market: Market) -> None:
    await assert_true(Direct(market), "successfactors_csb")


def test_it_is_off_until_somebody_decides() -> None:
    assert source("successfactors_csb").consent
    assert source("successfactors").consent is None
    assert "/services/" not in source("successfactors").request("acme", None).url


async def test_only_published_languages_are_asked_for(market: Market) -> None:
    """Any other one is answered with 200 and no jobs, which looks like an empty board."""
    client = Direct(market)
    board = next(board for board in market.boards if board.languages == ("en",))
    request = READER.request(board.tenant, at("de_DE"))
    empty = READER.parse(board.tenant, await client.send(request))
    assert (empty.rows, empty.total) == ((), 0)
    found, _ = await listed(client, "successfactors_csb", board.tenant)
    assert len(found) == len(board.keys)


@pytest.mark.parametrize("page", [b"<html><p>Welcome</p></html>", b"", b'<a href="/search/?locale=x">'])
def test_a_page_that_names_no_language_is_no_empty_board(page: bytes) -> None:
    with pytest.raises(Malformed, match="language"):
        read(page, None)


async def test_a_second_walk_finds_most_of_what_the_first_one_lost(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is still missing then shows against the count, so that nothing is closed."""
    monkeypatch.setattr(SYSTEMS["successfactors_csb"], "lost", 0.15)
    board = max(market.boards, key=lambda board: len(board.keys))
    found, pages = await listed(Direct(market), "successfactors_csb", board.tenant)
    assert max(page.total or 0 for page in pages) == len(board.keys)
    once = {row.external_id for page in pages[: len(pages) // 2 + 1] for row in page.rows}
    assert len(once) < len(found) <= len(board.keys)


def test_each_language_is_walked_twice_then_the_next_one() -> None:
    first = read({"totalJobs": 12, "jobSearchResult": rows(10)}, at("de_DE", "en_US"))
    assert (first.total, asked(first.cursor)) == (12, ("de_DE", 1))
    second = read({"totalJobs": 12, "jobSearchResult": rows(2)}, first.cursor)
    assert asked(second.cursor) == ("de_DE", 0)
    third = read({"totalJobs": 12, "jobSearchResult": rows(10)}, second.cursor)
    fourth = read({"totalJobs": 12, "jobSearchResult": rows(2)}, third.cursor)
    assert asked(fourth.cursor) == ("en_US", 0)
    last = read({"totalJobs": 3, "jobSearchResult": rows(3)}, fourth.cursor)
    assert (last.total, last.cursor) == (15, None), "one page needs no second walk, and both lists count"
    assert {row.external_id for row in last.rows} == {"1-en_US", "2-en_US", "3-en_US"}


def test_an_empty_page_ends_a_walk_early() -> None:
    page = read({"totalJobs": 0, "jobSearchResult": []}, at("de_DE", page=2, walk=1, total=37))
    assert (page.total, page.cursor) == (37, None)


@pytest.mark.parametrize("body", [{}, {"error": {"code": "Error"}}, {"totalJobs": "3"}, {"totalJobs": 10**6}, []])
def test_a_refusal_is_no_empty_board(body: Any) -> None:
    with pytest.raises(Malformed):
        read(body, at("de_DE"))


def test_titles_and_slugs_come_unescaped() -> None:
    fields = {"id": 7, "unifiedStandardTitle": "Chef d&apos;&eacute;quipe", "unifiedUrlTitle": "Chef-d&apos;a/b?c#d"}
    (row,) = read({"totalJobs": 1, "jobSearchResult": [{"response": fields}]}, at("fr_FR")).rows
    assert row.title == "Chef d'équipe"
    assert row.url == "https://acme.jobs.hr.cloud.sap/job/Chef-d%27a-b%3Fc%23d/7-fr_FR"
    assert detect(row.url) == (source("successfactors_csb"), "acme")


@pytest.mark.parametrize("cursor", ["x", "[]", "[[]]", '[["de_DE"],"x"]', "[" * 5_000])
def test_a_cursor_that_is_none_is_refused(cursor: str) -> None:
    with pytest.raises(Malformed):
        READER.request("acme", cursor)
