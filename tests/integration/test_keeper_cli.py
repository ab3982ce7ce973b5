"""`vakanz keeper` as an operator types it."""

from __future__ import annotations

import asyncio
import json
import re

import asyncpg
import pytest
from click.testing import Result
from typer.testing import CliRunner

from keeper.cli import keeper_app
from lib.errors import VakanzError


@pytest.fixture
def fleet_dsn(dsn: str) -> str:
    """A database in which one daemon beat."""

    async def beat() -> None:
        connection = await asyncpg.connect(dsn)
        await connection.execute(
            "INSERT INTO daemon (unit, host, pid, version, started_at, heartbeat_at, progress_at, state, status,"
            " memory_bytes) VALUES ('crawl@0', 'w1', 4711, '0', now(), now() - interval '30 s',"
            " now() - interval '70 s', 'working', 'board [red]7[/red]', 64000000)"
        )
        await connection.close()

    asyncio.run(beat())
    return dsn


def keeper(dsn: str, redis_url: str, *arguments: str) -> Result:
    environment = {"VAKANZ_DSN": dsn, "VAKANZ_REDIS_URL": redis_url, "COLUMNS": "160"}
    return CliRunner().invoke(keeper_app, arguments, env=environment)


def test_status_is_a_table_for_a_person(fleet_dsn: str, redis_url: str) -> None:
    shown = keeper(fleet_dsn, redis_url, "status")
    assert shown.exit_code == 0, shown.output
    for part in ("crawl@0", "w1", "4711", "working", "64.0 MB", "board [red]7[/red]"):
        assert part in shown.output
    assert re.search(r"\b[345]\d s ago.*\b[789]\d s ago", shown.output)


def test_status_is_json_for_a_program(fleet_dsn: str, redis_url: str) -> None:
    (row,) = json.loads(keeper(fleet_dsn, redis_url, "status", "--json").stdout)
    assert 30 <= row.pop("heartbeat_age_s") < 60
    assert 70 <= row.pop("progress_age_s") < 100
    assert row.pop("heartbeat_at") > 1_700_000_000
    assert row == {
        "unit": "crawl@0", "host": "w1", "pid": 4711, "state": "working", "status": "board [red]7[/red]",
        "memory_bytes": 64_000_000, "stop_requested": False, "start_age_s": None,
    }  # fmt: skip


def test_a_stop_is_kept_and_taken_back(fleet_dsn: str, redis_url: str) -> None:
    assert keeper(fleet_dsn, redis_url, "stop", "crawl@0").exit_code == 0
    assert json.loads(keeper(fleet_dsn, redis_url, "status", "--json").stdout)[0]["stop_requested"]
    assert "stop requested" in keeper(fleet_dsn, redis_url, "status").output
    assert keeper(fleet_dsn, redis_url, "start", "crawl@0").exit_code == 0
    assert not json.loads(keeper(fleet_dsn, redis_url, "status", "--json").stdout)[0]["stop_requested"]


def test_a_start_is_remembered_with_its_age(fleet_dsn: str, redis_url: str) -> None:
    keeper(fleet_dsn, redis_url, "start", "crawl@0")
    (row,) = json.loads(keeper(fleet_dsn, redis_url, "status", "--json").stdout)
    assert 0 <= row["start_age_s"] < 30
    keeper(fleet_dsn, redis_url, "stop", "crawl@0")
    (row,) = json.loads(keeper(fleet_dsn, redis_url, "status", "--json").stdout)
    assert row["start_age_s"] is not None


def test_a_hold_says_who_and_why_and_is_taken_back(fleet_dsn: str, redis_url: str) -> None:
    held = keeper(fleet_dsn, redis_url, "hold", "crawl@0", "--for", "1h", "--why", "first  [red]look[/red]")
    assert held.exit_code == 0, held.output
    assert "crawl@0 is left alone until " in held.output
    for target in ("crawl@0", "crawl@*", "w1"):
        assert keeper(fleet_dsn, redis_url, "hold", target, "--for", "2h", "--why", "disk").exit_code == 0
    found = json.loads(keeper(fleet_dsn, redis_url, "holds", "--json").stdout)
    assert sorted(one["target"] for one in found) == ["crawl@*", "crawl@0", "w1"]  # the first one gave way
    assert {one["why"] for one in found} == {"disk"}
    assert all(one["held_by"] for one in found)
    shown = keeper(fleet_dsn, redis_url, "holds").output
    assert "crawl@*" in shown
    assert "disk" in shown
    for target in ("crawl@0", "crawl@*", "w1"):
        assert keeper(fleet_dsn, redis_url, "release", target).exit_code == 0
    assert json.loads(keeper(fleet_dsn, redis_url, "holds", "--json").stdout) == []
    again = keeper(fleet_dsn, redis_url, "release", "w1")
    assert "w1 is not held; nothing is" in str(again.exception)


@pytest.mark.parametrize(
    ("target", "time", "why", "said"),
    [
        ("nobody@0", "1h", "x", "no unit or host is called nobody@0"),
        ("nobody@*", "1h", "x", "no unit or host is called"),
        ("*", "1h", "x", "no unit or host is called"),
        ("crawl@0; drop", "1h", "x", "names no unit"),
        ("crawl@0", "soon", "x", "a time such as 30m"),
        ("crawl@0", "0s", "x", "a time such as 30m"),
        ("crawl@0", "31d", "x", "a time such as 30m"),
        ("crawl@0", "1h", " ", "--why"),
    ],
)
def test_a_hold_that_makes_no_sense_is_a_clear_error(
    fleet_dsn: str, redis_url: str, target: str, time: str, why: str, said: str
) -> None:
    result = keeper(fleet_dsn, redis_url, "hold", target, "--for", time, "--why", why)
    assert isinstance(result.exception, VakanzError)
    assert said in str(result.exception)


def test_an_unknown_unit_is_a_clear_error(fleet_dsn: str, redis_url: str) -> None:
    result = keeper(fleet_dsn, redis_url, "stop", "nobody@0")
    assert isinstance(result.exception, VakanzError)
    assert "no daemon is called nobody@0" in str(result.exception)
