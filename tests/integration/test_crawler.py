"""Crawls of the simulated market: what is new, edited, closed and reopened, and nothing else."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from lib.store.connections import Database
from tests.integration.crawling import Key, scene
from tests.sim import Market, Rates
from tests.sim.systems import SYSTEMS


def small_market(seed: int = 1) -> Market:
    """Two boards of each source."""
    return Market(seed, companies=10, postings=160)


async def test_a_first_crawl_has_every_posting_once(database: Database, tmp_path: Path) -> None:
    async with scene(database, tmp_path, small_market()) as market:
        outcomes = await market.crawl()
        rows, truth = await market.rows(), market.truth()
        assert {key[0] for key in rows} == set(SYSTEMS)
        assert rows.keys() == truth.keys()
        assert await database.fetchval("SELECT count(*) FROM posting") == len(truth)
        for key, row in rows.items():
            # Some are there in two languages: the address then names the other one.
            address, true_address = (url.partition("?language=")[0] for url in (row["url"], truth[key]["url"]))
            assert (row["title"], address) == (truth[key]["title"], true_address)
            assert row["state"] == ("discovered" if key[0] == "smartrecruiters" else "described")
            assert (row["html"] is None) == (row["state"] == "discovered")
            assert (row["revision"], row["closed_at"], row["reopened_at"]) == (1, None, None)
        history = await market.history()
        assert {key: len(changes) for key, changes in history.items()} == dict.fromkeys(truth, 1)
        assert [outcome for outcome in outcomes if not outcome.complete or outcome.error] == []
        assert sum(outcome.new for outcome in outcomes) == len(truth)


async def test_every_text_names_the_answer_that_brought_it(database: Database, tmp_path: Path) -> None:
    async with scene(database, tmp_path, small_market()) as market:
        await market.crawl()
        for row in (await market.rows()).values():
            raw = await database.fetchrow("SELECT * FROM raw_response WHERE id = $1", row["raw_response_id"])
            assert raw is not None
            assert raw["board_id"] == row["board_id"]
            assert row["external_id"].encode() in await market.blobs.get(raw["blob_key"])


@pytest.mark.parametrize("validators", [True, False], ids=["not modified", "same list again"])
async def test_an_unchanged_board_costs_no_revision(database: Database, tmp_path: Path, validators: bool) -> None:
    async with scene(database, tmp_path, small_market(), validators=validators) as market:
        await market.crawl()
        first = await market.rows()
        outcomes = await market.crawl()
        second = await market.rows()
        assert {outcome.new + outcome.changed + outcome.closed for outcome in outcomes} == {0}
        assert all(outcome.complete for outcome in outcomes)
        assert len(await market.history()) == len(first)
        for key, row in second.items():
            assert row["last_seen"] > first[key]["last_seen"]
            assert (row["revision"], row["changed_xid"]) == (1, first[key]["changed_xid"])
        statuses = {status for host in market.sim.traffic.hosts.values() for status in host.statuses}
        assert (304 in statuses) is validators


async def test_a_day_later_the_rows_say_what_happened(database: Database, tmp_path: Path) -> None:
    world = Market(3, companies=10, postings=300, rates=Rates(new=0.05, edited=0.05, closed=0.04, reopened=0.5))
    async with scene(database, tmp_path, world) as market:
        await market.crawl()
        before, began = await market.rows(), datetime.now(UTC)
        first_day = market.sim.advance()
        for _ in range(3):  # small boards close only what several lists confirm
            await market.crawl(fresh=True)
        after, history = await market.rows(), await market.history()
        keys = market.every_key()
        assert await market.open_keys() == market.truth().keys()
        for number in first_day.new:
            assert keys[number] not in before
            assert (after[keys[number]]["revision"], after[keys[number]]["reopened_at"]) == (1, None)
        for number in first_day.closed:
            row, (*_, last) = after[keys[number]], history[keys[number]]
            assert (row["state"], row["revision"]) == ("closed", 2)
            assert row["closed_at"] >= began
            assert row["changed_xid"] > before[keys[number]]["changed_xid"]
            assert last["changes"] == {"state": [before[keys[number]]["state"], "closed"]}
            assert (last["revision"], last["at"]) == (2, row["closed_at"])
        _assert_edits(first_day.edited, keys, before, after, history)
        quiet = set(before) - {keys[number] for number in (*first_day.closed, *first_day.edited)}
        assert {after[key]["revision"] for key in quiet} == {1}

        second_day = market.sim.advance()
        assert second_day.reopened
        for _ in range(3):
            await market.crawl(fresh=True)
        last_rows, last_history = await market.rows(), await market.history()
        assert await market.open_keys() == market.truth().keys()
        for number in second_day.reopened:
            row, (*_, last) = last_rows[keys[number]], last_history[keys[number]]
            assert row["closed_at"] is None
            assert row["reopened_at"] >= after[keys[number]]["closed_at"]
            assert row["first_seen"] == before[keys[number]]["first_seen"]
            assert last["changes"]["state"] == ["closed", row["state"]]


def _assert_edits(numbers: tuple[int, ...], keys: dict[int, Key], before, after, history) -> None:  # type: ignore[no-untyped-def]
    """Edits of pay and text; a list without texts shows neither."""
    seen = 0
    for number in numbers:
        key = keys[number]
        if key[0] == "smartrecruiters":
            continue
        row, (*_, last) = after[key], history[key]
        assert (row["revision"], last["revision"], len(history[key])) == (2, 2, 2)
        assert set(last["changes"]) <= {"text", "stated"}
        assert last["changes"]
        if "text" in last["changes"]:
            assert last["changes"]["text"] == [before[key]["html_hash"].hex(), row["html_hash"].hex()]
        if "stated" in last["changes"]:
            assert last["changes"]["stated"] == [before[key]["stated"], row["stated"]]
        seen += 1
    assert seen
