"""A crawl whose connection to PostgreSQL is cut around every step writes what an undisturbed one writes."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import anyio
import pytest

from daemons.crawl.crawler import Crawler, Outcome
from daemons.sources import detect
from lib.net.fetch import Fetcher
from lib.net.policy import FetchPolicy, HostLimits
from lib.posting import boards
from lib.store.blobs import Blobs
from lib.store.connections import Database
from tests.adversity.proxy import Moment, Proxy, Trouble
from tests.adversity.test_cuts import Ladder, proxied, through
from tests.sim import Market, Rates, Simulator, running
from tests.sim.market import FEW_SYSTEMS

_RATES = Rates(new=0.3, edited=0.3, closed=0.1, reopened=0.5)
_MESSAGES = (b"BEGIN;", b"INSERT INTO posting AS", b"claimed_until > now()", b"COMMIT;")
_CONTENT = """
SELECT external_id, state, revision, content_hash, title, stated, html_hash,
       (SELECT jsonb_agg(jsonb_build_array(h.revision, h.changes) ORDER BY h.id)
          FROM posting_history h WHERE h.posting_id = p.id) AS history
  FROM posting p JOIN posting_text t ON t.posting_id = p.id ORDER BY external_id
"""


def _market() -> Market:
    return Market(seed=4, companies=1, postings=160, rates=_RATES, systems=FEW_SYSTEMS)


async def _crawl(simulator: Simulator, database: Database, blobs: Path, cut: Database) -> Outcome:
    """Crawls the market's only board once; what is asked for is written through `cut`."""
    (offered,) = simulator.world.board_list()
    found = detect(offered["url"])
    assert found is not None
    source, tenant = found
    board_id, _ = await boards.add(database, source.name, tenant, None, offered["url"], 86_400)
    board = await boards.claim(database, "crawler", board_id)
    assert board is not None
    await boards.open_session(database, "session", "here", "0")
    policy = FetchPolicy(
        contact="t@example.org", limits=HostLimits(rate_per_s=None, concurrency=None), reroute=simulator.url
    )
    async with Fetcher(policy) as fetcher:
        crawler = Crawler(cut, fetcher, Blobs(blobs.as_uri()), "session", "crawler", random.Random(1))
        return await crawler.crawl(source, board)


async def _content(database: Database) -> list[dict[str, Any]]:
    return [dict(row) for row in await database.fetch(_CONTENT)]


def _arm(proxy: Proxy, message: bytes, moment: Moment) -> None:
    proxy.trouble(*[Trouble(message, moment)] * 8)


@pytest.mark.parametrize("moment", ["before", "within", "after"])
@pytest.mark.parametrize("message", _MESSAGES, ids=bytes.decode)
async def test_a_crawl_is_cut(
    database: Database, other_database: Database, dsn: str, tmp_path: Path, message: bytes, moment: Moment
) -> None:
    async with running(_market()) as simulator, proxied(dsn) as proxy, through(proxy, dsn, Ladder()) as cut:
        with anyio.fail_after(45):
            for _ in range(3):
                if proxy.calm:
                    _arm(proxy, message, moment)
                assert (await _crawl(simulator, database, tmp_path, cut)).error is None
                simulator.advance()
    assert len(proxy.struck) >= 5
    async with running(_market()) as simulator:
        for _ in range(3):
            await _crawl(simulator, other_database, tmp_path, other_database)
            simulator.advance()
    assert await _content(database) == await _content(other_database)
    assert await database.fetchval("SELECT count(*) FROM dead_letter") == 0
    assert await database.fetchval("SELECT count(*) FROM posting") > 160
