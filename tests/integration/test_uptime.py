"""Heartbeats lengthen spans in the statement that they are: what is kept of them, and for how long."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import anyio
import pytest
from typer.testing import CliRunner

from keeper.fleet.cli import fleet_app
from lib.life.actor import Life, run_actor
from lib.life.config import Config
from lib.life.uptime import fleet_uptime
from lib.store.connections import Database
from lib.store.spans import load_past, place, prune
from sql import statements

_SQL = statements("daemons")
DAY_S = 86_400.0


async def beat(
    database: Database, unit: str = "crawl@0", *, host: str = "w1", pid: int = 1, state: str = "working"
) -> bool:
    """A heartbeat as a daemon sends it."""
    started = datetime.now(UTC)
    arguments = (unit, host, pid, "1", started, 0.0, state, "", 1_000, {}, None)
    return bool(await database.fetchval(_SQL.beat, *arguments))


async def ago(database: Database, seconds: float) -> None:
    """All that happened did so much longer ago."""
    await database.execute(
        "UPDATE daemon_span SET began_at = began_at - make_interval(secs => $1),"
        " beat_at = beat_at - make_interval(secs => $1)",
        seconds,
    )


async def shape(database: Database) -> list[tuple[str, str, int, str]]:
    """Unit, host, pid and ending of every span, oldest first."""
    past = await load_past(database, DAY_S)
    spans = sorted(past.spans, key=lambda span: span.began)
    return [(span.unit, span.host, span.pid, span.ending) for span in spans]


async def test_beats_of_one_process_are_one_span(database: Database) -> None:
    for _ in range(3):
        await beat(database)
        await ago(database, 80)
    (span,) = (await load_past(database, DAY_S)).spans
    assert span.beat - span.began == pytest.approx(160, abs=10)


@pytest.mark.parametrize(
    ("silence_s", "successor"),
    [(100, {"pid": 1}), (1, {"pid": 2}), (1, {"host": "w2"}), (1, {"unit": "crawl@1"})],
    ids=["silent for too long", "another process", "another host", "another unit"],
)
async def test_a_new_span_begins(database: Database, silence_s: float, successor: dict[str, int | str]) -> None:
    await beat(database)
    await ago(database, silence_s)
    await beat(database, **successor)  # type: ignore[arg-type]
    assert len(await shape(database)) == 2


async def test_two_processes_under_one_name_keep_their_own_spans(database: Database) -> None:
    for _ in range(3):
        await beat(database, host="w1", pid=1)
        await ago(database, 10)
        await beat(database, host="w2", pid=2)
        await ago(database, 10)
    assert [(host, pid) for _, host, pid, _ in await shape(database)] == [("w1", 1), ("w2", 2)]


async def test_a_goodbye_says_who_wanted_it(database: Database) -> None:
    await beat(database)
    assert not await beat(database, state="stopped")
    await ago(database, 10)
    await beat(database, pid=2)
    await database.execute("UPDATE daemon SET stop_requested = true")
    assert await beat(database, pid=2, state="stopped")
    await ago(database, 10)
    await beat(database, pid=3)
    assert [ending for *_, ending in await shape(database)] == ["drained", "asked", ""]


async def test_a_beat_touches_no_index(database: Database) -> None:
    for _ in range(50):
        await beat(database)
    for _ in range(100):
        await database.execute("SELECT pg_stat_force_next_flush()")
        row = await database.fetchrow(
            "SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables WHERE relname = 'daemon_span'"
        )
        assert row is not None
        if row["n_tup_upd"] >= 49:
            break
        await anyio.sleep(0.05)
    assert row["n_tup_upd"] == row["n_tup_hot_upd"] == 49


async def test_a_daemon_leaves_one_span_that_says_goodbye(dsn: str, redis_url: str, tmp_path: Path) -> None:
    config = Config(home=tmp_path, dsn=dsn, redis_url=redis_url, host="w1")

    async def serve(life: Life) -> None:
        while not await life.database.fetchval("SELECT true FROM daemon_span"):
            await life.pause(0.02)
        life.stop.set()

    with anyio.fail_after(20):
        await run_actor("test@0", config, serve)
    async with Database(dsn) as database:
        ((unit, host, _, ending),) = await shape(database)
    assert (unit, host, ending) == ("test@0", "w1", "drained")


async def test_the_map_is_noted_as_it_changes(database: Database) -> None:
    async def standing() -> dict[str, bool]:
        past = await load_past(database, DAY_S)
        return {placement.unit: placement.until is None for placement in past.placements}

    await place(database, {"w1": ["crawl@0", "crawl@1"], "w2": []})
    await place(database, {"w1": ["crawl@0", "crawl@1"], "w2": []})
    assert await standing() == {"crawl@0": True, "crawl@1": True}
    await place(database, {"w1": ["crawl@0"], "w2": []})
    assert await standing() == {"crawl@0": True, "crawl@1": False}
    await place(database, {"w2": ["crawl@0", "crawl@1"]})
    assert await standing() == {"crawl@0": True, "crawl@1": True}
    assert await database.fetchval("SELECT count(*) FROM placement") == 4
    await place(database, {})
    assert not any((await standing()).values())


async def test_a_window_knows_what_came_before_it(database: Database) -> None:
    await beat(database)
    await ago(database, 3 * DAY_S)
    await beat(database, pid=2)
    await ago(database, 2 * DAY_S)
    await beat(database, unit="api@0")
    past = await load_past(database, DAY_S)
    assert [(span.unit, span.pid) for span in past.spans] == [("api@0", 1), ("crawl@0", 2)]
    found = {daemon.name: daemon for daemon in fleet_uptime(past, 1).daemons}
    assert found["crawl@0"].total.down_s == pytest.approx(DAY_S, abs=1)
    assert found["api@0"].total.down_s == 0


async def test_holds_are_known_also_when_they_are_over(database: Database) -> None:
    await database.execute(
        "INSERT INTO hold (target, held_by, why, since, until, released_at) VALUES"
        " ('w1', 'x', 'disks', now() - interval '5 h', now() + interval '1 h', now() - interval '2 h'),"
        " ('w2', 'x', 'disks', now() - interval '5 h', now() + interval '1 h', NULL),"
        " ('w3', 'x', 'disks', now() - interval '5 d', now() - interval '4 d', NULL)"
    )
    past = await load_past(database, DAY_S)
    found = {held.target: ((past.now - held.since) / 3600, (past.now - held.until) / 3600) for held in past.holds}
    assert found == {"w1": pytest.approx((5, 2)), "w2": pytest.approx((5, 0))}


async def test_what_is_long_over_is_forgotten(database: Database) -> None:
    await beat(database)
    await place(database, {"w1": ["crawl@0", "crawl@1"]})
    await place(database, {"w1": ["crawl@1"]})
    await ago(database, 10 * DAY_S)
    await database.execute("UPDATE placement SET removed_at = removed_at - interval '10 d'")
    await beat(database, pid=2)
    assert await prune(database, timedelta(days=11)) == 0
    assert await prune(database, timedelta(days=9)) == 1
    past = await load_past(database, 20 * DAY_S)
    assert [span.pid for span in past.spans] == [2]
    assert [placement.unit for placement in past.placements] == ["crawl@1"]


def test_uptime_as_an_operator_asks_for_it(dsn: str, redis_url: str) -> None:
    async def live() -> None:
        async with Database(dsn) as database:
            await beat(database, "api@0")
            await ago(database, DAY_S)
            await beat(database, "api@0", pid=2)

    asyncio.run(live())
    environment = {"VAKANZ_DSN": dsn, "VAKANZ_REDIS_URL": redis_url}
    shown = CliRunner().invoke(fleet_app, ["uptime", "--days", "2"], env=environment)
    assert shown.exit_code == 0, shown.output
    assert "api@0" in shown.stdout
    assert "serving" in shown.stdout
    assert "missed" in shown.stdout
    found = json.loads(CliRunner().invoke(fleet_app, ["uptime", "--days", "2", "--json"], env=environment).stdout)
    (daemon,) = found["daemons"]
    assert daemon["unit"] == "api@0"
    assert daemon["restarts"] == 1
    assert daemon["expected_s"] == pytest.approx(DAY_S, abs=60)
    assert daemon["share"] < 0.01
    assert len(found["serving"]["days"]) == 2
