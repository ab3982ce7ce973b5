"""Upkeep: what no list showed for 45 days expires, chores run once, and what is stuck moves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from daemons.embed.listings import ENRICHERS
from daemons.upkeep.actor import CHORES, serve
from lib.life.actor import Life
from lib.life.config import Config
from lib.posting import writing
from lib.store.connections import Cache, Connection, Database
from tests.integration.crawling import OPEN, SESSION, Scene, scene
from tests.integration.following import catch_up, do_chore, enrich_folds
from tests.sim import Market
from tests.sim.market import FEW_SYSTEMS
from tests.waiting import until


@pytest.fixture
async def market(database: Database, tmp_path: Path) -> AsyncIterator[Scene]:
    async with scene(database, tmp_path, Market(1, companies=5, postings=60, systems=FEW_SYSTEMS)) as market:
        await market.crawl()
        yield market


@pytest.fixture
def life(database: Database, cache: Cache, dsn: str, redis_url: str, tmp_path: Path) -> Life:
    return Life("upkeep@0", Config(home=tmp_path, dsn=dsn, redis_url=redis_url, host="here"), database, cache)


async def age(database: Database, days: float, count: int) -> list[int]:
    """The first postings were last seen so long ago."""
    rows = await database.fetch(
        "UPDATE posting SET last_seen = now() - make_interval(secs => $1) WHERE id IN"
        " (SELECT id FROM posting ORDER BY id LIMIT $2) RETURNING id",
        days * 86_400.0, count,
    )  # fmt: skip
    return sorted(row["id"] for row in rows)


async def test_what_no_list_showed_for_45_days_expires(market: Scene, database: Database, life: Life) -> None:
    await catch_up(database, *enrich_folds(database))
    await age(database, 44.9, 30)
    assert await do_chore("expire", life, SESSION) == "0 expired"
    old = await age(database, 45.1, 20)
    before = {row["id"]: row for row in (await market.rows()).values()}
    began = datetime.now(UTC)
    assert await do_chore("expire", life, SESSION) == "20 expired"
    rows = {row["id"]: row for row in (await market.rows()).values()}
    history = {changes[-1]["posting_id"]: changes[-1] for changes in (await market.history()).values()}
    assert sorted(key for key, row in rows.items() if row["state"] not in OPEN) == old
    for posting_id in old:
        row, was = rows[posting_id], before[posting_id]
        assert (row["state"], row["revision"]) == ("expired", was["revision"] + 1)
        assert row["closed_at"] >= began
        assert row["changed_xid"] > was["changed_xid"]
        assert history[posting_id]["changes"] == {"state": [was["state"], "expired"]}
        assert history[posting_id]["session"] == SESSION
    assert await catch_up(database, *enrich_folds(database)) == 20 * len(ENRICHERS)  # everybody hears of it
    assert await do_chore("expire", life, SESSION) == "0 expired"


async def test_more_than_a_batch_expires_in_one_chore(
    market: Scene, database: Database, life: Life, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("daemons.upkeep.actor._EXPIRE_ROWS", 7)
    await age(database, 50, 60)
    assert await do_chore("expire", life, SESSION) == "60 expired"


async def test_an_expired_posting_opens_again_although_its_board_did_not_change(
    market: Scene, database: Database, life: Life
) -> None:
    await age(database, 50, 60)
    await do_chore("expire", life, SESSION)
    assert await market.open_keys() == set()
    await market.crawl()  # lists that would be answered with "not modified"
    assert await market.open_keys() == market.truth().keys()
    assert all(row["reopened_at"] for row in (await market.rows()).values())


async def test_a_retry_is_dropped_with_its_posting(market: Scene, database: Database, life: Life) -> None:
    rows = sorted((await market.rows()).values(), key=lambda row: row["id"])
    await database.execute(
        "INSERT INTO detail_retry (posting_id, attempts, retry_at, reason)"
        " SELECT unnest($1::bigint[]), 2, now() - interval '5 hours', 'for a test'",
        [row["id"] for row in rows[:4]],
    )

    async def close(connection: Connection) -> None:
        await writing.close_by_id(connection, SESSION, datetime.now(UTC), [rows[0]["id"]])

    await database.transaction(close)  # has its retry removed at once
    await database.execute("UPDATE posting SET state = 'expired' WHERE id = $1", rows[1]["id"])
    places = {row["id"]: row["changed_xid"] for row in (await market.rows()).values()}
    assert await do_chore("retry_details", life, SESSION) == "2 retried"
    moved = {row["id"] for row in (await market.rows()).values() if row["changed_xid"] != places[row["id"]]}
    assert moved == {rows[2]["id"], rows[3]["id"]}
    left = await database.fetch("SELECT posting_id, attempts, retry_at > now() AS later FROM detail_retry ORDER BY 1")
    assert [tuple(row) for row in left] == [(rows[2]["id"], 2, True), (rows[3]["id"], 2, True)]
    assert await do_chore("retry_details", life, SESSION) == "0 retried"  # not before its shard had its time


async def test_each_slot_of_a_chore_runs_once_on_two_servers(
    market: Scene, database: Database, cache: Cache, dsn: str, redis_url: str, tmp_path: Path
) -> None:
    config = {host: Config(home=tmp_path, dsn=dsn, redis_url=redis_url, host=host) for host in ("north", "south")}
    lives = [Life("upkeep@0", config[host], database, cache) for host in config]
    await age(database, 50, 12)
    tasks = [asyncio.create_task(serve(life)) for life in lives]
    await until(lambda: all(life.state == "idle" for life in lives))
    for life in lives:
        life.stop.set()
    await asyncio.gather(*tasks)
    runs = await database.fetch("SELECT job, due, finished_at, outcome FROM schedule_run ORDER BY job, due")
    done = {chore.job: sum(life.counters.get(chore.job, 0) for life in lives) for chore in CHORES}
    for chore in CHORES:
        mine = [run for run in runs if run["job"] == chore.job]
        assert len(mine) == done[chore.job] >= 1
        assert all(run["finished_at"] and run["due"].timestamp() % chore.every.total_seconds() == 0 for run in mine)
    assert [run["outcome"] for run in runs if run["job"] == "expire" and run["outcome"] != "0 expired"] == [
        "12 expired"
    ]
    assert await database.fetchval("SELECT count(*) FROM posting WHERE state = 'expired' AND revision = 2") == 12


async def test_old_slots_are_forgotten(market: Scene, database: Database, life: Life) -> None:
    now = datetime.now(UTC)
    for days in (1, 29, 31, 400):
        due = now - timedelta(days=days)
        await database.execute("INSERT INTO schedule_run (job, due, claimed_by) VALUES ('x', $1, 'y')", due)
    assert await do_chore("prune_schedules", life, SESSION) == "2 slots forgotten"
