"""What a list does not say and a detail does is kept: places and dates of postings on Workday."""

from __future__ import annotations

from pathlib import Path

import pytest

from daemons.descriptions.fold import DescriptionFold
from daemons.sources import SOURCES
from lib.store.connections import Database
from tests.integration.crawling import SESSION, Scene, Unhurried, scene
from tests.integration.following import SHARDS, catch_up
from tests.sim import Market, Rates
from tests.sim.playing import playing_only


async def describe(market: Scene) -> None:
    async with market.client(timeout_s=5.0) as client:
        fold = DescriptionFold(
            market.database, client, market.blobs, SOURCES, SESSION, 7, 4, Unhurried(1), lambda: None
        )  # fmt: skip
        await catch_up(market.database, fold, shards=SHARDS)


async def test_places_and_dates_of_details_are_kept(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    playing_only(monkeypatch, "workday")
    async with scene(database, tmp_path, Market(5, companies=3, postings=90, rates=Rates())) as market:
        await market.crawl()
        listed, truth = await market.rows(), market.truth()
        several = {key for key, row in truth.items() if len(row["cities"]) > 1}
        assert several == {key for key, row in listed.items() if not row["places"]}
        assert all(row["posted_at"] is None for row in listed.values())
        await describe(market)
        described = await market.rows()
        assert {key: row["places"] for key, row in described.items()} == {
            key: row["cities"] for key, row in truth.items()
        }
        assert all(row["posted_at"] for row in described.values())
        history = await market.history()
        assert all(history[key][-1]["changes"]["places"] == [[], truth[key]["cities"]] for key in several)
        await database.execute("UPDATE posting SET content_hash = 'old'")  # as if the list had changed
        await market.crawl(fresh=True)
        again = await market.rows()
        kept = ("places", "posted_at", "state", "stated")
        assert {key: [row[name] for name in kept] for key, row in again.items()} == {
            key: [row[name] for name in kept] for key, row in described.items()
        }
