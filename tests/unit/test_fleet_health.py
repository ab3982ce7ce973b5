"""What is wrong with a daemon, and when a server is well for long enough to go on with the next one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

import anyio
import pytest

from keeper.fleet.daemons import Daemon, ailment, expected
from keeper.fleet.health import Sign, Steadiness, settle, signs
from keeper.fleet.overview import COLUMNS, OpenIncident, Overview, others, rows
from keeper.holds import Hold
from lib.life.fleet import Fleet, Host

DAEMON = Daemon(
    unit="embed@3", host="w3", pid=7, version="2", state="idle", status="", memory_bytes=80_000_000,
    stop_requested=False, heartbeat_age_s=10.0, progress_age_s=12.0,
)  # fmt: skip
FLEET = Fleet({"w3": Host(name="w3", memory_bytes=1 << 33, cpus=4, units=("embed@3", "api@0"))})


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({}, None),
        ({"state": "working", "status": "embed on shard 3"}, None),
        ({"heartbeat_age_s": 45.0}, "silent for 45 s"),
        ({"heartbeat_age_s": 45.0, "stop_requested": True}, None),
        ({"host": "w5"}, "runs on w5"),
        ({"state": "starting"}, "is starting"),
        ({"state": "draining", "status": "finishing the batch in hand"}, "is draining: finishing the batch in hand"),
        ({"version": "1"}, "runs version 1, not 2"),
        ({"progress_age_s": 100.0}, "no progress for 100 s"),
    ],
)
def test_what_is_wrong_with_a_daemon(changed: Mapping[str, object], said: str | None) -> None:
    assert ailment(replace(DAEMON, **changed), "w3", "2") == said


def test_a_daemon_that_never_beat_is_not_well_and_any_version_will_do_where_none_is_asked_for() -> None:
    assert ailment(None, "w3") == "has never beaten"
    assert ailment(replace(DAEMON, version="1"), "w3") is None


def test_a_keeper_is_expected_on_every_host() -> None:
    assert expected(FLEET) == {"embed@3": "w3", "api@0": "w3", "keeper@w3": "w3"}


def test_an_api_that_beats_but_does_not_answer_is_not_well() -> None:
    daemons = {unit: replace(DAEMON, unit=unit) for unit in ("embed@3", "api@0")}
    found = signs(expected(FLEET), daemons, None, {"api@0": "answers 503"})
    assert {unit: sign.ailment for unit, sign in found.items()} == {
        "embed@3": None, "api@0": "answers 503", "keeper@w3": "has never beaten",
    }  # fmt: skip


def test_well_is_what_is_well_in_one_process_at_several_looks_in_a_row() -> None:
    steadiness = Steadiness(looks=3)
    looks = [(1, None), (1, None), (2, None), (2, "is starting"), (2, None), (2, None), (2, None)]
    pending = [bool(steadiness.see({"embed@3": Sign(pid, why)})) for pid, why in looks]
    assert pending == [True, True, True, True, True, True, False]


async def test_the_gate_opens_once_all_are_well_and_tells_who_is_not() -> None:
    async def crashing() -> Mapping[str, Sign]:
        nonlocal pid
        pid += 1
        return {"embed@3": Sign(7, None), "api@0": Sign(pid, None), "geo@0": Sign(None, "has never beaten")}

    pid = 0
    verdict = await settle(crashing, ("embed@3", "api@0", "geo@0"), 0.3, pause_s=0.01)
    assert verdict.reasons == {"api@0": "well, but not for long enough", "geo@0": "has never beaten"}

    async def well() -> Mapping[str, Sign]:
        return {"embed@3": Sign(7, None)}

    verdict = await settle(well, ("embed@3",), 30.0, pause_s=0.01)
    assert verdict.reasons == {}
    assert verdict.seconds < 30.0


async def test_the_gate_stays_closed_while_the_database_is_away() -> None:
    async def away() -> Mapping[str, Sign]:
        await anyio.sleep_forever()
        raise AssertionError

    verdict = await settle(away, ("embed@3",), 0.05)
    assert verdict.reasons == {"embed@3": "nobody knows: the database does not answer"}


def test_the_overview_puts_what_is_expected_beside_what_beats() -> None:
    now = datetime(2026, 11, 22, 4, 30, tzinfo=UTC)
    overview = Overview(
        FLEET,
        {
            "embed@3": DAEMON,
            "api@0": replace(DAEMON, unit="api@0", version="1", stop_requested=True, heartbeat_age_s=500.0),
            "geo@0": replace(DAEMON, unit="geo@0", host="w9"),
        },
        [Hold("embed@*", "mia", "model", now, now)],
        [OpenIncident(kind="miss", title="\x1b[2Jkeeper@w3 does not run", host="w3", acked_by="", age_s=120.0)],
    )
    document = overview.document()
    assert document["hosts"]["w3"] == {
        "expected": 3, "well": 2, "versions": ["2"], "memory_bytes": 80_000_000, "memory_there_bytes": 1 << 33,
        "last_heartbeat_s": 10.0, "ailing": {"keeper@w3": "has never beaten"}, "stopped": ["api@0"],
        "held": ["embed@3"],
    }  # fmt: skip
    assert document["strangers"] == {"geo@0": "w9"}
    (row,) = rows(document)
    assert len(row) == len(COLUMNS)
    assert row[5] == "keeper@w3 has never beaten; api@0 stopped by the operator"
    assert [other[0] for other in others(document)] == ["not on the map", "hold", "incident: miss"]
