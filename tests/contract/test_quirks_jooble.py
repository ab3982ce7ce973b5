"""Jooble: the key is a part of the address, the question is a body, a snippet is no text."""

from __future__ import annotations

import json
from typing import Any

import pytest

from daemons.crawl.metered import MeteredSource
from daemons.sources import detect, source
from lib.errors import Denied, Malformed
from lib.net.messages import Request, Response
from lib.posting.contract import DetailSource, Page
from tests.sim import Market
from tests.sim.direct import Direct, assert_true, listed

TENANT = "at:koch:Graz"


def read(body: Any, cursor: str | None = None) -> Page:
    request = source("jooble").request(TENANT, cursor)
    answer = Response(request=request, url=request.url, status=200, headers={}, body=json.dumps(body).encode())
    return source("jooble").parse(TENANT, answer)


def test_each_country_has_a_key_of_its_own_which_the_request_only_names() -> None:
    request = source("jooble").request(TENANT, "3")
    assert (request.url, request.secrets) == ("https://at.jooble.org/api/{jooble_key_at}", ("jooble_key_at",))
    assert request.method == "POST"
    assert json.loads(request.body or b"") == {
        "keywords": "koch", "location": "Graz", "page": "3", "ResultOnPage": "100",
    }  # fmt: skip


def test_a_snippet_is_no_text_and_an_update_no_first_publication() -> None:
    job = {"id": 7, "title": "Koch", "snippet": "...<b>Koch</b>...", "updated": "2026-08-01T00:00:00.0000000"}
    (row,) = read({"totalCount": 1, "jobs": [job]}).rows
    assert (row.html, row.posted_at) == (None, None)
    assert not isinstance(source("jooble"), DetailSource)


@pytest.mark.parametrize("number", [-1234567890123456789, 2**63, "-77"])
def test_numbers_of_either_sign_and_any_length_are_ids(number: Any) -> None:
    (row,) = read({"totalCount": 1, "jobs": [{"id": number, "title": "Koch"}]}).rows
    assert row.external_id == str(number)


def test_pages_end_with_one_without_rows() -> None:
    assert read({"totalCount": 41, "jobs": [{"id": 7, "title": "Koch"}]}, "2").cursor == "3"
    assert read({"totalCount": 41, "jobs": []}, "3").cursor is None
    assert read({"totalCount": 999, "jobs": [{"id": 7, "title": "Koch"}]}, "20").cursor is None


@pytest.mark.parametrize("body", [{}, {"jobs": []}, {"totalCount": -1, "jobs": []}, {"totalCount": 1, "jobs": {}}])
def test_another_answer_is_no_empty_search(body: Any) -> None:
    with pytest.raises(Malformed):
        read(body)


def test_it_is_metered_and_off_until_somebody_decides() -> None:
    reader = source("jooble")
    assert isinstance(reader, MeteredSource)
    assert reader.metered * 20 <= 500  # a free key's whole life
    assert reader.consent


def test_searches_are_recognised() -> None:
    assert detect("https://ch.jooble.org/SearchResult?rgns=Bern&ukw=Koch") == (source("jooble"), "ch:Koch:Bern")
    assert detect("https://jooble.org/SearchResult?ukw=Koch") is None
    assert detect("https://de.jooble.org/desc/7") is None


async def test_a_market_is_read_as_it_is() -> None:
    market = Market(3, companies=3, postings=180, systems=("jooble",))
    client = Direct(market)
    await assert_true(client, "jooble", details=0)
    truth = {row["external_id"]: row["salary"] for row in market.truth()}
    for board in market.boards:
        for found in (await listed(client, "jooble", board.tenant))[0]:
            assert found.salary is None or found.salary.min == truth[found.external_id]["min"]


async def test_nobody_is_answered_without_a_key() -> None:
    client = Direct(Market(3, companies=1, postings=20, systems=("jooble",)))
    with pytest.raises(Denied):
        await client.send(Request(url="https://de.jooble.org/api/", method="POST"))
