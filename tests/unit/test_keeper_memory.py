"""What the keeper remembers, how long things must last before they are told, and ages that no clock's jump changes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from keeper.findings import findings
from keeper.heartbeats import Ages
from keeper.history import FLEET, History, Limits, Note, Past
from keeper.incident import Kind
from keeper.keeper import incidents
from keeper.marks import Finding, Mark, marked
from keeper.observed import Changing, Ending, Exited, Heartbeat, Observed, Process, Running, Unit
from keeper.state import State

UNIT = Unit("crawl@0")


def beat(at: float, age_s: float, quiet_s: float = 0.0) -> Heartbeat:
    return Heartbeat("crawl@0", "w1", 7, "working", "", at, age_s, age_s + quiet_s, 0, False, None)


def finding(key: str = "miss: crawl@0", after_s: float = 0.0, clear_s: float = 0.0, why: str = "") -> Finding:
    return Finding(key=key, kind=Kind.MISS, title="", units=("crawl@0",), why=why, after_s=after_s, clear_s=clear_s)


def test_a_jump_of_the_databases_clock_makes_nobody_silent_or_alive() -> None:
    ages = Ages()
    assert ages.of([beat(1_000, 4, quiet_s=2)], 50.0)["crawl@0"].heartbeat_age_s == 4
    seen = ages.of([beat(1_000, 3_609)], 55.0)["crawl@0"]  # an hour ahead
    assert (seen.heartbeat_age_s, seen.progress_age_s) == (9, 9)
    seen = ages.of([beat(4_605, 1, quiet_s=30)], 60.0)["crawl@0"]
    assert (seen.heartbeat_age_s, seen.progress_age_s) == (0, 30)
    assert ages.of([beat(4_605, -3_500)], 200.0)["crawl@0"].heartbeat_age_s == 140  # an hour back


def test_a_finding_is_told_when_it_lasted_and_over_when_it_was_gone_long_enough() -> None:
    marks: dict[str, Mark] = {}
    told = []
    bad = {*range(5), *range(10, 40), *range(45, 60)}
    for now in range(100):
        marks = marked(marks, [finding(after_s=8, clear_s=10)] if now in bad else [], now, 1_000.0 + now)
        told.append(any(mark.told for mark in marks.values()))
    assert [now for now in range(1, 100) if told[now] != told[now - 1]] == [18, 69]


def test_a_mark_keeps_its_beginning_and_gathers_its_children() -> None:
    marks = marked({}, [finding(why="exit code 1")], 5.0, 1_005.0)
    marks = marked(marks, [replace(finding(), units=("enrich@0",))], 9.0, 9_999.0)
    (mark,) = marks.values()
    assert (mark.first, mark.wall, mark.last) == (5.0, 1_005.0, 9.0)
    assert mark.finding.units == ("crawl@0", "enrich@0")
    assert mark.finding.why == "exit code 1"


def test_an_incident_says_what_was_done_since() -> None:
    notes = (Note(10.0, "started: long ago"), Note(130.0, "killed: no heartbeat for 91 s"))
    marks = marked({}, [finding()], 130.0, 86_400.0 + 3_600)
    (incident,) = incidents(History(units={"crawl@0": Past(notes=notes)}, marks=marks))
    assert incident.did == ("01:00:00Z killed: no heartbeat for 91 s",)
    assert incident.since == 86_400.0 + 3_600


def seen(history: History, process: Process, now: float) -> History:
    observed = Observed({"crawl@0": process}, {})
    return history.seen(observed, [UNIT], now, Limits())


def test_restarts_by_systemd_are_counted_by_what_its_count_grew() -> None:
    history = History()
    counts = [0, 0, 1, 1, 3, 0, 1]  # a start by hand begins the count anew
    restarts = []
    for now, count in enumerate(counts):
        history = seen(history, Running(7, 0.0, count), float(now))
        restarts.append(len(history.of(UNIT).restarts))
    assert restarts == [0, 0, 1, 1, 3, 3, 4]
    history = seen(History(), Running(7, 0.0, 12), 0.0)  # met in the middle of its life
    assert history.of(UNIT).restarts == ()
    later = seen(history, Running(7, 0.0, 13), 5.0)
    assert len(seen(later, Running(7, 0.0, 13), 606.0).of(UNIT).restarts) == 0


@pytest.mark.parametrize(
    ("process", "kind"),
    [
        (Running(7, 0.0, 0, Exited(6, "killed for memory", 990.0, Ending.OOM)), Kind.OOM),
        (Running(7, 0.0, 0, Exited(6, "watchdog", 990.0, Ending.WATCHDOG)), Kind.STUCK),
        (Running(7, 0.0, 0, Exited(6, "exit code 1", 990.0)), None),
        (Running(7, 0.0, 0, Exited(6, "killed for memory", 600.0, Ending.OOM)), None),
        (Exited(6, "exit code 1", 990.0), Kind.MISS),
        (Exited(6, "stopped", 990.0, Ending.STOPPED), None),
        (Changing("activating (start)", 0), Kind.MISS),
    ],
)
def test_what_a_person_is_told_of_a_unit(process: Process, kind: Kind | None) -> None:
    observed = Observed({"crawl@0": process}, {"crawl@0": beat(999, 1)}, host="w1")
    history = History().seen(observed, [UNIT], 1_000.0, FLEET)
    found = findings(observed, [UNIT], history, 1_000.0, FLEET)
    assert [one.kind for one in found] == ([] if kind is None else [kind])
    held = replace(observed, held=frozenset(["crawl@0"]))
    assert findings(held, [UNIT], history, 1_000.0, FLEET) == []


def test_a_drain_or_a_slow_start_is_waited_for_longer_than_a_unit_that_is_down() -> None:
    after_s = []
    for process in (Changing("deactivating (stop-sigterm)", 0), Exited(6, "exit code 1", 990.0)):
        observed = Observed({"crawl@0": process}, {}, host="w1")
        history = History().seen(observed, [UNIT], 1_000.0, FLEET)
        (found,) = findings(observed, [UNIT], history, 1_000.0, FLEET)
        after_s.append(found.after_s)
    assert after_s == [FLEET.change_s, FLEET.miss_s]


def test_servers_that_are_away_together_are_one_cause_with_the_units_that_fell() -> None:
    processes: dict[str, Process] = {"crawl@0": Exited(6, "exit code 1", 990.0)}
    for names, key in [
        (("redis",), "away: redis"),
        (("redis", "postgresql", "pgbouncer"), "away: postgresql"),
        (("redis", "postgresql", "dns"), "away: dns"),
        (("disk", "redis"), "disk: w1"),
        (("systemd",), "away: systemd on w1"),
    ]:
        observed = Observed(processes, {}, dict.fromkeys(names, "no answer"), host="w1")
        history = History().seen(observed, [UNIT], 1_000.0, FLEET)
        (found,) = findings(observed, [UNIT], history, 1_000.0, FLEET)
        assert found.key == key
        assert found.units == ("crawl@0",)
        assert found.host == ("w1" if names[0] in ("disk", "systemd") else "")


def test_one_word_of_a_unit_is_told_at_a_time() -> None:
    fault = Exited(6, "exit code 1", 990.0)
    history = History(units={"crawl@0": Past(restarts=(700.0, 800.0, 900.0))})
    observed = Observed({"crawl@0": fault}, {}, host="w1")
    history = history.seen(observed, [UNIT], 1_000.0, FLEET)
    (found,) = findings(observed, [UNIT], history, 1_000.0, FLEET)
    assert found.kind is Kind.FLAPPING
    history = replace(history, marks=marked({}, [found], 1_000.0, 0.0))
    (found,) = findings(observed, [UNIT], history, 1_001.0, FLEET)
    assert found.kind is Kind.FLAPPING


HISTORY = History(
    units={
        "crawl@0": Past(
            (1.0, 2.0), 3, 4711, 5, True, 6.0, Exited(7, "exit code 1", 8.0, Ending.WATCHDOG), (Note(9, "x"),)
        )
    },
    unreachable={"redis": 3.0},
    back_at=4.0,
    marks=marked({}, [finding()], 5.0, 6.0),
)


def test_memory_survives_a_restart_of_the_keeper(tmp_path: Path) -> None:
    State(tmp_path / "memory.json", "boot").save(HISTORY, 100.0)
    assert State(tmp_path / "memory.json", "boot").load(101.0) == HISTORY
    assert [path.name for path in tmp_path.iterdir()] == ["memory.json"]


def test_memory_of_another_boot_is_none(tmp_path: Path) -> None:
    State(tmp_path / "memory.json", "boot").save(HISTORY, 100.0)
    assert State(tmp_path / "memory.json", "later").load(101.0) == History()
    assert State(tmp_path / "memory.json", "boot").load(99.0) == History()
    assert State(tmp_path / "nothing.json", "boot").load(1.0) == History()


def test_restarts_that_nobody_watched_are_not_counted(tmp_path: Path) -> None:
    State(tmp_path / "memory.json", "boot").save(HISTORY, 100.0)
    past = State(tmp_path / "memory.json", "boot").load(1_000.0).of(UNIT)
    assert past.counted is None
    assert past.ran


@pytest.mark.parametrize(
    "text",
    [b"", b"{", b"\x00\xff", b'{"boot": 1}', b'{"boot": "boot", "at": 1, "history": []}', b"[" * 9_999,
     b'{"boot": "\xff", "at": 1, "history": {}}'],
)  # fmt: skip
def test_a_broken_memory_is_set_aside(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "memory.json"
    path.write_bytes(text)
    assert State(path, "boot").load(1.0) == History()
    assert (tmp_path / "memory.json.broken").read_bytes() == text
    State(path, "boot").save(HISTORY, 1.0)
    assert State(path, "boot").load(1.0) == HISTORY


def test_a_folder_that_cannot_be_written_costs_the_memory_only(tmp_path: Path) -> None:
    State(tmp_path / "nowhere" / "memory.json", "boot").save(HISTORY, 1.0)
