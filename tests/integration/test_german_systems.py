"""The systems that many German, Austrian and Swiss employers use, through the real crawler and its client.

Most of their lists are pages, some of them with state that travels in a cursor: what the client does to an address,
and what a walk keeps of it, shows only here.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from lib.posting.closing import CONFIRMATIONS
from lib.store.connections import Database
from lib.text.html import html_to_text
from tests.integration.crawling import scene
from tests.integration.test_descriptions import describe
from tests.sim import Market, Rates
from tests.sim.playing import playing_only

NAMES = ("concludis", "dvinci", "join", "onlyfy", "rexx", "softgarden", "umantis")


@pytest.mark.parametrize("name", NAMES)
async def test_ids_titles_and_texts_are_the_markets(
    name: str, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    playing_only(monkeypatch, name)
    async with scene(database, tmp_path, Market(4, companies=3, postings=60, rates=Rates(closed=0.1))) as market:
        outcomes = await market.crawl()
        assert [(one.error, one.complete, one.rejected) for one in outcomes] == [(None, True, 0)] * 3
        await describe(market)
        rows, truth = await market.rows(), market.truth()
        assert {key: row["title"] for key, row in rows.items()} == {key: row["title"] for key, row in truth.items()}
        assert {row["state"] for row in rows.values()} == {"described"}
        for row in rows.values():
            assert len(html_to_text(row["html"]).split()) > 150
        before = len(await market.history())
        await market.crawl()
        assert len(await market.history()) == before, "the same lists once more are no change"
        market.sim.advance()
        for _ in range(CONFIRMATIONS):
            await market.crawl(fresh=True)
        assert await market.open_keys() == market.truth().keys()
