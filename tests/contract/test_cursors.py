"""Cursors are texts of ours that were stored: what no page wrote is refused, and leads nowhere else."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from daemons.sources import SOURCES, detect
from lib.errors import Malformed
from lib.net.messages import Request
from lib.posting.contract import Source
from tests.contract.test_sources import answer, samples
from tests.sim import Market, Rates
from tests.sim.direct import Direct, listed
from tests.sim.systems import SYSTEMS

HOSTILE = (
    "",
    " ",
    "\n",
    "1\n",
    "\n1",
    "x" * 10_240,
    "9" * 30,
    "\u0661",
    "\uff11",
    "\ud800",
    "\x00",
    "-1",
    "+1",
    "1.5",
    "1e5",
    "../../x",
    "?a=b",
    "&a=b",
    "#x",
    "%0a",
    "@evil.example/",
    "https://evil.example/",
    "{adzuna_app_key}",
    "null",
    "{}",
    '[["../x"],0,0,0,0]',
    '[["de_DE\\n"],0,0,0,0]',
    '[["de_DE"],0,-1,0,0]',
    "[1,[]]",
    '[1,[[["size","9"]]]]',
    "[999999999,[[]]]",
    "[-20,0,[],[]]",
    "token:",
    "token:abcdefgh\n",
    "token:../../secrets",
    "search:0:0\n",
    "sitemap\n",
    "en&x=y",
    "1:evil.example/x:0",
    "1:1\n",
    "1,2,",
    f"{'9' * 41}:0",
)

every_source = pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES.keys())
every_system = pytest.mark.parametrize("name", SYSTEMS)


def first(source: Source) -> tuple[str, Request]:
    tenant = next(golden["tenant"] for _, _, golden in samples(source))
    return tenant, source.request(tenant, None)


def written(source: Source) -> set[str]:
    """The cursors in the saved pages of a source."""
    pages = [(body, golden) for _, body, golden in samples(source) if "page" in golden]
    asked = [(golden, source.request(golden["tenant"], golden["cursor"]), body) for body, golden in pages]
    read = [source.parse(golden["tenant"], answer(request, body)).cursor for golden, request, body in asked]
    return {cursor for cursor in (*read, *(golden["cursor"] for _, golden in pages)) if cursor is not None}


@every_source
def test_what_no_page_wrote_is_malformed_or_begins_again(source: Source) -> None:
    tenant, beginning = first(source)
    for cursor in HOSTILE:
        try:
            request = source.request(tenant, cursor)
        except Malformed as error:
            assert len(str(error)) < 1_000
            continue
        assert request == beginning, repr(cursor[:80])


@every_source
def test_a_cursor_of_another_source_leads_to_no_other_host(source: Source) -> None:
    tenant, _ = first(source)
    own = {urlsplit(source.request(tenant, cursor).url).hostname for cursor in (None, *written(source))}
    for other in SOURCES.values():
        for cursor in written(other):
            try:
                request = source.request(tenant, cursor)
            except Malformed:
                continue
            assert urlsplit(request.url).hostname in own
            assert request == source.request(tenant, cursor)


@every_source
def test_what_a_page_wrote_is_taken(source: Source) -> None:
    tenants = {golden["tenant"] for _, _, golden in samples(source)}
    for cursor in written(source):
        assert all(source.request(tenant, cursor).url for tenant in tenants)


@every_system
async def test_three_hundred_postings_have_as_many_ids_and_keep_them(name: str) -> None:
    """Over a night of edits, too; and where a full page is the last one."""
    rates = Rates(new=0.05, closed=0.05, edited=0.3, reopened=0.0, touched=0.1)
    market = Market(5, companies=1, postings=300, systems=(name,), rates=rates)
    board, system = market.boards[0], SYSTEMS[name]
    found = detect(system.board_url(board.tenant))
    assert found is not None
    before: dict[int, str] = {}
    for _ in range(2):
        rows, _ = await listed(Direct(market), name, found[1])
        ids = {key: system.external_id(market.posting(key)) for key in board.keys}
        assert len(set(ids.values())) == len(board.keys)
        assert {row.external_id for row in rows} == set(ids.values())
        assert all(ids[key] == before[key] for key in ids.keys() & before.keys())
        before = ids
        market.advance()
