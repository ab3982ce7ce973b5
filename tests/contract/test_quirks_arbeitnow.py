"""Arbeitnow: times in seconds, pages that are counted because the address of the next one changes, one feed for all."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from daemons.sources import detect, source
from lib.errors import Malformed, Refused
from lib.net.messages import Response
from lib.posting.contract import Page
from tests.sim import Market
from tests.sim.direct import Direct, assert_true, listed

NEXT = "https://www.arbeitnow.com/api/job-board-api?page=2&at=17"


def read(body: Any, cursor: str | None = None) -> Page:
    request = source("arbeitnow").request("all", cursor)
    answer = Response(request=request, url=request.url, status=200, headers={}, body=json.dumps(body).encode())
    return source("arbeitnow").parse("all", answer)


def job(**fields: Any) -> dict[str, Any]:
    return {"slug": "koch-1", "title": "Koch", "url": "https://www.arbeitnow.com/jobs/companies/a/koch-1"} | fields


def test_times_are_seconds_not_milliseconds() -> None:
    (row,) = read({"data": [job(created_at=1_786_660_000)], "links": {"next": None}}).rows
    assert row.posted_at == datetime(2026, 8, 13, 22, 26, 40, tzinfo=UTC)


@pytest.mark.parametrize(
    ("body", "cursor"),
    [
        ({"data": [job()], "links": {"next": NEXT}}, "8"),
        ({"data": [job()], "links": {"next": None}}, None),
        ({"data": [], "links": {"next": NEXT}}, None),
        ({"data": [job()]}, None),
    ],
)
def test_pages_are_counted(body: Any, cursor: str | None) -> None:
    assert read(body, "7").cursor == cursor


@pytest.mark.parametrize("body", [[], {}, {"data": None}, {"data": {}}])
def test_another_answer_is_no_empty_feed(body: Any) -> None:
    with pytest.raises(Malformed):
        read(body)


def test_there_is_one_feed() -> None:
    assert detect("https://www.arbeitnow.com/jobs/companies/acme/koch-1") == (source("arbeitnow"), "all")
    with pytest.raises(Refused):
        source("arbeitnow").request("acme", None)


async def test_a_market_is_read_as_it_is() -> None:
    market = Market(3, companies=1, postings=230, systems=("arbeitnow",))
    client = Direct(market)
    await assert_true(client, "arbeitnow")
    _, pages = await listed(client, "arbeitnow", "all")
    assert [len(page.rows) for page in pages] == [100, 100, 30]


def test_only_one_company_of_a_market_has_the_feed() -> None:
    boards = Market(3, companies=20, postings=200, systems=("arbeitnow", "lever")).boards
    assert [board.source for board in boards].count("arbeitnow") == 1
