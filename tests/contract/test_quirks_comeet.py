"""Comeet: the page says the token, the API gives the positions; the token gets into no posting and no error."""

from __future__ import annotations

import json
from typing import Any

import pytest

from daemons.sources import detect, source
from lib.errors import Gone, Malformed
from lib.net.messages import Response
from lib.posting.contract import Page, Posting
from tests.sim import Market
from tests.sim.direct import Direct, assert_true, listed
from tests.sim.playing import playing_only

TENANT = "acme/F6.003"
TOKEN = "6F36F36F31BD9DE96F31BD9"
INIT = f'<html><script>COMEET.init({{"token": "{TOKEN}", "company-uid": "F6.003"}})</script></html>'


def read(body: Any, cursor: str | None = None) -> Page:
    request = source("comeet").request(TENANT, cursor)
    raw = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    return source("comeet").parse(TENANT, Response(request=request, url=request.url, status=200, headers={}, body=raw))


def row(**fields: Any) -> Posting:
    (only,) = read([{"uid": "18.767", "name": "Koch"} | fields], f"token:{TOKEN}").rows
    return only


def test_the_page_says_the_token_that_the_list_is_asked_with() -> None:
    page = read(INIT)
    assert (page.rows, page.cursor) == ((), f"token:{TOKEN}")
    request = source("comeet").request(TENANT, page.cursor)
    assert request.url == "https://www.comeet.co/careers-api/2.0/company/F6.003/positions"
    assert dict(request.params) == {"token": TOKEN, "details": "true"}
    assert read([], page.cursor).cursor is None


def test_a_page_without_a_token_has_the_positions_itself() -> None:
    positions = [{"uid": "18.767", "name": "Arrays x[1]; schnell", "custom_fields": {"details": []}}]
    page = read(f"<html><script>\nCOMPANY_POSITIONS_DATA = {json.dumps(positions)};\nPOSITION_DATA = null;</script>")
    assert ([one.title for one in page.rows], page.cursor) == (["Arrays x[1]; schnell"], None)
    assert read("<html><script>COMPANY_POSITIONS_DATA = [];</script>").rows == ()


@pytest.mark.parametrize(
    "body",
    [
        "<html><body>No company here</body></html>",
        "<html><script>COMPANY_POSITIONS_DATA = [{</script>",
        "<html><script>COMPANY_POSITIONS_DATA = " + "[" * 100_000,
        "{}",
        "",
    ],
)
def test_a_page_with_neither_is_no_empty_board(body: str) -> None:
    with pytest.raises(Malformed) as caught:
        read(body)
    assert len(str(caught.value)) < 1_000


def test_a_page_in_the_place_of_the_list_does_not_begin_again() -> None:
    with pytest.raises(Malformed) as caught:
        read(INIT, f"token:{TOKEN}")
    assert TOKEN not in str(caught.value)


@pytest.mark.parametrize("cursor", ["token:", "token:../../x", "token:A&details=false", "page:2", "token:" + "A" * 500])
def test_only_what_can_be_a_token_gets_into_an_address(cursor: str) -> None:
    with pytest.raises(Malformed) as caught:
        source("comeet").request(TENANT, cursor)
    assert cursor not in str(caught.value)


def test_the_token_is_in_no_posting() -> None:
    posting = row(position_url=f"https://www.comeet.co/careers-api/2.0/company/F6.003/positions/18.767?token={TOKEN}")
    assert TOKEN not in str(posting)
    assert posting.url == "https://www.comeet.com/jobs/acme/F6.003/position/18.767"


def test_internal_positions_are_left_out_and_counted() -> None:
    page = read([{"uid": "1", "name": "Koch", "is_internal": True}, {"uid": "2", "name": "Wirt"}], f"token:{TOKEN}")
    assert ([one.external_id for one in page.rows], page.skipped) == (["2"], 1)


def test_parts_come_in_their_order_and_empty_ones_not_at_all() -> None:
    parts: list[Any] = [
        {"name": "Requirements", "value": "<p>Können</p>", "order": 3},
        {"name": "Responsibilities", "value": None, "order": 2},
        {"name": "Description", "value": "<p>Kochen</p>", "order": 1},
        None,
    ]
    assert row(details=parts).html == "<h3>Description</h3><p>Kochen</p>\n<h3>Requirements</h3><p>Können</p>"
    assert row(details=None).html is None


def test_a_change_is_no_publication_and_a_label_no_town() -> None:
    posting = row(
        time_updated="2026-08-12T02:36:49Z", location={"name": "Hauptsitz", "city": "Berlin", "country": "DE"}
    )
    assert (posting.posted_at, posting.places, posting.country) == (None, ("Berlin",), "DE")
    assert row(location={"name": "Hauptsitz", "city": None}).places == ("Hauptsitz",)
    assert row(location=None).places == ()


@pytest.mark.parametrize(
    ("url", "tenant"),
    [
        ("https://www.comeet.com/jobs/acme/F6.003/ingenieur/18.767", "acme/F6.003"),
        ("https://www.comeet.co/jobs/acme/F6.003", "acme/F6.003"),
        ("https://www.comeet.com/jobs/acme", None),
        ("https://www.comeet.com/jobs/acme/../F6.003", None),
        ("https://www.comeet.co/careers-api/2.0/company/F6.003/positions", None),
    ],
)
def test_boards_are_recognised(url: str, tenant: str | None) -> None:
    found = detect(url)
    assert (found and (found[0].name, found[1])) == (tenant and ("comeet", tenant))


async def test_a_market_is_read_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    playing_only(monkeypatch, "comeet")
    client = Direct(Market(3, companies=6, postings=120))
    await assert_true(client, "comeet")
    lists = [url for url in client.asked if "careers-api" in url]
    assert 0 < len(lists) < len(client.market.boards)


async def test_an_unknown_tenant_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    playing_only(monkeypatch, "comeet")
    with pytest.raises(Gone):
        await listed(Direct(Market(3, companies=2, postings=20)), "comeet", "nobody/F6.003")
