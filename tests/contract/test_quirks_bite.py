"""B-ITE: the listing's script tells the key under which its postings are searched for."""

from __future__ import annotations

import json
from typing import Any

import pytest

from daemons.sources import detect, source
from lib.errors import Gone, Malformed, Refused
from lib.net.messages import Response
from lib.posting.contract import DetailSource, Page
from tests.sim import Market
from tests.sim.direct import Direct, assert_true, listed

TENANT = "acme:stellen"
KEY = "0123456789abcdef0123456789abcdef01234567"


def read(body: Any, cursor: str | None = None) -> Page:
    request = source("bite").request(TENANT, cursor)
    raw = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    return source("bite").parse(TENANT, Response(request=request, url=request.url, status=200, headers={}, body=raw))


@pytest.mark.parametrize(
    "script",
    [
        f'var X = "{KEY}", Y = Z.createClient({{key: X}});',
        f"createClient({{key: '{KEY}'}})",
        f'!function(){{var t="{KEY}";new e({{key:t}})}}()',
    ],
)
def test_the_script_leads_to_the_search(script: str) -> None:
    page = read(script)
    assert (page.rows, page.total, page.cursor) == ((), None, f"{KEY}:0")
    request = source("bite").request(TENANT, page.cursor)
    asked = json.loads(request.body or b"")
    assert (request.method, asked["key"], asked["page"]) == ("POST", KEY, {"num": 100, "offset": 0})


@pytest.mark.parametrize("script", ["", "var t='short'", "<html>Not found</html>"])
def test_a_script_without_a_key_is_no_empty_board(script: str) -> None:
    with pytest.raises(Malformed):
        read(script)


@pytest.mark.parametrize("cursor", ["", "x:0", f"{KEY}", f"{KEY}:-1", f"{KEY}:0:1", f'{KEY}":0'])
def test_no_other_cursor_gets_into_a_question(cursor: str) -> None:
    with pytest.raises(Malformed):
        source("bite").request(TENANT, cursor)


def test_pages_end_with_the_count() -> None:
    posting = {"url": f"https://jobs.b-ite.com/jobposting/{KEY}", "title": "Koch"}
    assert read({"jobPostings": [posting] * 100, "page": {"total": 201}}, f"{KEY}:100").cursor == f"{KEY}:200"
    assert read({"jobPostings": [posting], "page": {"total": 201}}, f"{KEY}:200").cursor is None
    assert read({"jobPostings": [], "page": {"total": 201}}, f"{KEY}:100").cursor is None
    with pytest.raises(Malformed):
        read({"jobPostings": []}, f"{KEY}:0")


def test_tenants_are_a_customer_and_a_listing() -> None:
    assert detect("https://cs-assets.b-ite.com/acme/jobs-api/stellen.min.js") == (source("bite"), TENANT)
    assert detect("https://cs-assets.b-ite.com/acme/jobs-api/stellen.js") == (source("bite"), TENANT)
    assert detect("https://static.b-ite.com/jobs-api/loader-v1/api-loader-v1.min.js") is None
    assert detect(f"https://jobs.b-ite.com/jobposting/{KEY}") is None
    for tenant in ("acme", "acme:", ":x", "a:b:c", "a/b:c"):
        with pytest.raises(Refused):
            source("bite").board_url(tenant)


async def test_a_market_is_read_as_it_is() -> None:
    await assert_true(Direct(Market(3, companies=3, postings=330, systems=("bite",))), "bite")


async def test_unknown_listings_and_closed_postings_are_gone() -> None:
    client = Direct(Market(3, companies=1, postings=30, systems=("bite",)))
    with pytest.raises(Gone):
        await listed(client, "bite", "nobody:stellen")
    reader = source("bite")
    assert isinstance(reader, DetailSource)
    with pytest.raises(Gone):
        await client.send(reader.detail_request(TENANT, KEY, ""))
