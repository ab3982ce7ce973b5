"""The keeper's decisions, as tables of situations."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from keeper.decide import decide
from keeper.findings import findings
from keeper.history import Action, History, Kill, Limits, Past, Start, Stop
from keeper.marks import marked
from keeper.observed import Changing, Ending, Exited, Heartbeat, Observed, Process, Running, Unit

NOW = 10_000.0
UNIT = Unit("crawl@0", ("crawl",))
QUIET = Unit("api", ("api",), expects_heartbeat=False)


def beat(
    age_s: float = 5.0,
    progress_s: float = 5.0,
    *,
    pid: int = 7,
    stop: bool = False,
    asked_s: float | None = None,
    host: str = "here",
) -> Heartbeat:
    return Heartbeat("crawl@0", host, pid, "working", "", NOW - age_s, age_s, progress_s, 0, stop, asked_s)


def running(for_s: float) -> Running:
    return Running(7, NOW - for_s)


def exited(before_s: float) -> Exited:
    return Exited(7, "exit code 1", NOW - before_s)


@dataclass(frozen=True)
class Case:
    what: str
    process: Process | None
    beat: Heartbeat | None = None
    unit: Unit = UNIT
    database: bool = True
    unreachable: tuple[str, ...] = ()
    held: bool = False
    history: History = field(default_factory=History)
    expected: str | None = None


def past(rung: int = 0, restarts: int = 0, asked: int | None = None, **more: Any) -> History:
    return History(units={"crawl@0": Past(tuple(NOW - 100 - n for n in range(restarts)), rung, asked, **more)})


def away(server: str, for_s: float) -> History:
    return History(unreachable={server: NOW - for_s})


def ended(ending: Ending, before_s: float = 500, how: str = "") -> Exited:
    return Exited(7, how or ending, NOW - before_s, ending)


CASES = [
    Case("never started", None, expected="start"),
    Case("never started, and the database is silent", None, database=False),
    Case("never started, needs no heartbeat, and the database is silent", None, unit=QUIET, database=False,
         expected="start"),
    Case("never started, the operator had stopped it", None, beat(500, stop=True)),
    Case("runs well", running(500), beat()),
    Case("beats every minute", running(500), beat(60, 60)),
    Case("silent for 90 s", running(500), beat(90.1), expected="kill: no heartbeat for 90 s"),
    Case("silent, and asked to stop", running(500), beat(91, stop=True), expected="kill: no heartbeat for 91 s"),
    Case("beats without progress", running(500), beat(5, 181), expected="kill: no progress for 181 s"),
    Case("slow, but moves", running(500), beat(5, 179)),
    Case("has its own limits", running(500), beat(11), unit=replace(UNIT, silent_s=10),
         expected="kill: no heartbeat for 11 s"),
    Case("needs no heartbeat", running(5_000), unit=QUIET),
    Case("is starting", running(119)),
    Case("never came to its first heartbeat", running(121), expected="kill: no heartbeat in the 121 s since its start"),
    Case("only its predecessor beat", running(60), beat(95, pid=6)),
    Case("its predecessor had the same pid", running(60), beat(95)),
    Case("the row's progress is its predecessor's", running(60), beat(2, 400)),
    Case("died just now", exited(0.9), beat()),
    Case("died a second ago", exited(1.0), beat(), expected="restart: exit code 1"),
    Case("died again, too early", exited(7.9), beat(), history=past(rung=3, restarts=2)),
    Case("died again", exited(8.0), beat(), history=past(rung=3, restarts=2), expected="restart: exit code 1"),
    Case("died a hundred times, too early", exited(29.9), beat(), history=past(rung=100)),
    Case("died a hundred times", exited(30.0), beat(), history=past(rung=100), expected="restart: exit code 1"),
    Case("flaps, too early", exited(16.0), beat(), history=past(rung=1, restarts=3)),
    Case("flaps", exited(30.0), beat(), history=past(rung=1, restarts=3), expected="restart: exit code 1"),
    Case("stopped by the operator", exited(500), beat(500, stop=True)),
    Case("the operator's stop was taken back", exited(500), beat(500), history=past(rung=5, asked=7), expected="start"),
    Case("died while the database is silent", exited(60), database=False, unreachable=("postgresql",)),
    Case("silent while the database is", running(500), database=False, unreachable=("postgresql",)),
    Case("silent while PostgreSQL is away", running(500), database=False, unreachable=("postgresql",),
         history=away("postgresql", 60)),
    Case("without progress while Redis is away", running(500), beat(2, 400), unreachable=("redis",),
         history=away("redis", 60)),
    Case("died while Redis is away", exited(60), beat(), unreachable=("redis",), history=away("redis", 60)),
    Case("needs no heartbeat, died while Redis is away", exited(60), unit=QUIET, unreachable=("redis",),
         history=away("redis", 60)),
    Case("silent, PostgreSQL is back for 89 s", running(500), beat(150), history=History(back_at=NOW - 89)),
    Case("silent, PostgreSQL is back for 91 s", running(500), beat(150), history=History(back_at=NOW - 91),
         expected="kill: no heartbeat for 150 s"),
    Case("died, PostgreSQL is just back", exited(60), beat(), history=History(back_at=NOW),
         expected="restart: exit code 1"),
    # Under systemd.
    Case("is being restarted by systemd", Changing("auto-restart", 3, exited(1)), beat(400, 400)),
    Case("is starting for long", Changing("start", 0), beat(400, 400)),
    Case("would be restarted by systemd, asked to stop", Changing("auto-restart", 1, exited(1)), beat(stop=True),
         expected="stop: the operator asked for it"),
    Case("is killed for memory, systemd gave up", ended(Ending.OOM), beat(500), expected="restart: oom-kill"),
    Case("is ended by the watchdog, systemd gave up", ended(Ending.WATCHDOG), beat(500), expected="restart: watchdog"),
    Case("start limit hit", ended(Ending.SIGNAL, how="killed by SIGSEGV"), beat(500),
         expected="restart: killed by SIGSEGV"),
    Case("start limit hit again, too early", ended(Ending.EXIT, 14), beat(500), history=past(rung=4)),
    Case("a start that came to nothing is tried again later", ended(Ending.EXIT, 500), beat(500),
         history=past(rung=2, started_at=NOW - 3)),
    Case("a start that came to nothing is tried again", ended(Ending.EXIT, 500), beat(500),
         history=past(rung=2, started_at=NOW - 5), expected="restart: exit code"),
    Case("stopped with systemctl", ended(Ending.STOPPED), beat(500)),
    Case("stopped with systemctl, and forgotten by systemd", None, beat(500), history=past(ran=True)),
    Case("stopped with systemctl, a start was asked for before", ended(Ending.STOPPED), beat(500, asked_s=600)),
    Case("stopped with systemctl, a start was asked for since", ended(Ending.STOPPED), beat(500, asked_s=3),
         expected="start"),
    Case("stopped with systemctl, forgotten, a start was asked for", None, beat(500, asked_s=3),
         history=past(ran=True), expected="start"),
    Case("stopped with systemctl, the start that was asked for came to nothing", ended(Ending.STOPPED),
         beat(500, asked_s=30), history=past(started_at=NOW - 29), expected="restart: stopped"),
    Case("failed, and systemctl reset-failed made it look clean", ended(Ending.STOPPED), beat(500),
         history=past(fault=ended(Ending.EXIT)), expected="restart: stopped"),
    Case("stopped by the control plane", ended(Ending.STOPPED), beat(500, stop=True)),
    Case("stopped by the control plane, that was taken back", ended(Ending.STOPPED), beat(500), history=past(asked=7),
         expected="start"),
    Case("failed, a start is asked for while the next try is far", ended(Ending.EXIT, 5), beat(500, asked_s=1),
         history=past(rung=9, restarts=5), expected="start"),
    Case("died while the disk is full", exited(60), beat(), unreachable=("disk",)),
    Case("died while names are not resolved", exited(60), beat(), unreachable=("dns",)),
    Case("silent here, beats from elsewhere", running(500), beat(3, 3, pid=9, host="w9")),
    Case("silent here, beat from elsewhere long ago", running(500), beat(300, 300, pid=7, host="w9"),
         expected="kill: no heartbeat in the 500 s since its start"),
    Case("never started, held", None, held=True),
    Case("silent, held", running(500), beat(400), held=True),
    Case("died, held", exited(60), beat(), held=True),
    Case("its own restarts are used up", exited(60), beat(), history=past(restarts=30)),
]  # fmt: skip


def spelt(action: Action) -> str:
    match action:
        case Start(_, why, restart):
            return f"restart: {why}" if restart else "start"
        case Kill(_, why):
            return f"kill: {why}"
        case Stop(_, why):
            return f"stop: {why}"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.what)
def test_one_unit(case: Case) -> None:
    heartbeats = None if not case.database else {} if case.beat is None else {"crawl@0": case.beat}
    processes = {} if case.process is None else {case.unit.name: case.process}
    unreachable = dict.fromkeys(case.unreachable, "no answer")
    held = frozenset([case.unit.name] if case.held else [])
    observed = Observed(processes, heartbeats, unreachable, held, host="here")
    actions = decide(observed, [case.unit], case.history, NOW, Limits())
    assert [spelt(action) for action in actions] == ([] if case.expected is None else [case.expected])


class World:
    """Plays a keeper on a clock of its own: processes live and die as the script says."""

    def __init__(self, units: list[Unit], limits: Limits | None = None) -> None:
        self.units = units
        self.limits = limits or Limits()
        self.now = 0.0
        self.history = History()
        self.processes: dict[str, Process] = {}
        self.unreachable: dict[str, str] = {}
        self.crashing: set[str] = set()
        self.said: list[tuple[float, str]] = []
        self.started: list[tuple[float, str]] = []

    def observed(self) -> Observed:
        if "postgresql" in self.unreachable:
            return Observed(dict(self.processes), None, self.unreachable)
        beats = {
            name: Heartbeat(name, "here", process.pid, "working", "", self.now, 0.0, 0.0, 0, False, None)
            for name, process in self.processes.items()
            if isinstance(process, Running)
        }
        return Observed(dict(self.processes), beats, self.unreachable)

    def run(self, seconds: float) -> None:
        end = self.now + seconds
        while self.now < end:
            self.now += 1.0
            for name in self.crashing:
                if isinstance(self.processes.get(name), Running):
                    self.processes[name] = Exited(1, "exit code 1", self.now)
            observed = self.observed()
            history = self.history.seen(observed, self.units, self.now, self.limits)
            found = findings(observed, self.units, history, self.now, self.limits)
            before = {key for key, mark in history.marks.items() if mark.told}
            history = replace(history, marks=marked(history.marks, found, self.now, self.now))
            after = {key for key, mark in history.marks.items() if mark.told}
            self.said += [(self.now, f"open {key}") for key in sorted(after - before)]
            self.said += [(self.now, f"close {key}") for key in sorted(before - after)]
            actions = decide(observed, self.units, history, self.now, self.limits)
            for action in actions:
                match action:
                    case Start(unit):
                        self.processes[unit.name] = Running(1, self.now)
                        self.started.append((self.now, unit.name))
                    case Kill(unit):
                        self.processes[unit.name] = Exited(1, "SIGKILL", self.now)
                    case Stop(unit):
                        raise AssertionError(unit)
            self.history = history.done(actions, self.now)

    def crash(self, *names: str) -> None:
        for name in names:
            self.processes[name] = Exited(1, "exit code 1", self.now)


def units(count: int) -> list[Unit]:
    return [Unit(f"u{n}", ("u",), order=n) for n in range(count)]


def test_all_start_at_once_in_their_order() -> None:
    world = World([Unit("second", ("s",), order=2), Unit("first", ("f",), order=1)])
    world.run(3)
    assert world.started == [(1.0, "first"), (1.0, "second")]
    assert world.said == []


def test_a_crash_loop_slows_down_is_told_once_and_goes_on_for_ever() -> None:
    world = World(units(1))
    world.crashing = {"u0"}
    world.run(400)
    times = [at for at, _ in world.started]
    gaps = [round(later - earlier) for earlier, later in zip(times, times[1:], strict=False)]
    assert gaps[:3] == [2, 3, 5]  # a second until it dies, then 1, 2, 4 s
    assert set(gaps[3:]) == {31}
    assert [text for _, text in world.said] == ["open flapping: u0"]


def test_a_flap_is_over_when_the_window_is_empty() -> None:
    world = World(units(1))
    world.crashing = {"u0"}
    world.run(40)
    world.crashing = set()
    world.run(700)
    (opened, first), (closed, second) = world.said
    assert (first, second) == ("open flapping: u0", "close flapping: u0")
    assert closed - world.started[-1][0] == pytest.approx(600, abs=1)
    world.crash("u0")
    world.run(3)
    assert world.started[-1][0] == closed + (world.now - 3 - closed) + 1  # as quick as at first


def test_an_operators_start_ends_a_flap() -> None:
    flapping = past(rung=3, restarts=3)
    after_s = {20.0: 0, 500.0: 3}  # asked for 20 s ago, and before all of the restarts
    for asked_s, left in after_s.items():
        observed = Observed({"crawl@0": running(5)}, {"crawl@0": beat(1, asked_s=asked_s)}, {}, host="here")
        assert len(flapping.seen(observed, [UNIT], NOW, Limits()).of(UNIT).restarts) == left


def test_what_happens_in_a_hold_is_not_told_after_it() -> None:
    """A broken release crashes its daemons until the rollout has turned them back, and holds the host meanwhile."""
    observed = Observed({"crawl@0": Running(7, NOW - 5, restarts=4)}, {"crawl@0": beat(1)}, {}, host="here")
    crashing = past(rung=3, restarts=1, counted=0)
    assert findings(observed, [UNIT], crashing.seen(observed, [UNIT], NOW, Limits()), NOW, Limits())
    held = replace(observed, held=frozenset({"crawl@0"}))
    after = crashing.seen(held, [UNIT], NOW, Limits()).seen(observed, [UNIT], NOW + 5, Limits())
    assert after.of(UNIT).restarts == ()
    assert not findings(observed, [UNIT], after, NOW + 5, Limits())


def test_health_brings_the_delays_back_to_the_first() -> None:
    world = World(units(1))
    world.run(1)
    world.crash("u0")
    world.run(10)
    world.crash("u0")
    world.run(1)
    assert isinstance(world.processes["u0"], Exited)  # the second delay is 2 s
    world.run(70)
    world.crash("u0")
    world.run(1)
    assert isinstance(world.processes["u0"], Running)


def test_an_outage_is_one_incident_and_restarts_nobody() -> None:
    world = World(units(5))
    world.run(100)
    before = list(world.started)
    world.unreachable = {"postgresql": "no answer"}
    world.run(10)
    world.crash("u3")
    world.run(590)
    assert world.started == before
    world.unreachable = {}
    world.run(5)
    assert [name for _, name in world.started[5:]] == ["u3"]
    assert [text for _, text in world.said] == ["open away: postgresql", "close away: postgresql"]


def test_a_server_that_is_cut_off_restarts_nobody_and_blames_nobody() -> None:
    """Others tell that it is silent; PostgreSQL and Redis are where they were."""
    world = World(units(5))
    world.run(100)
    before = list(world.started)
    world.unreachable = dict.fromkeys(("network", "postgresql", "redis"), "no answer")
    world.run(10)
    world.crash("u3")
    world.run(290)
    assert world.started == before
    world.unreachable = {}
    world.run(5)
    assert [name for _, name in world.started[5:]] == ["u3"]
    assert world.said == []


def test_a_short_silence_of_a_server_is_no_incident() -> None:
    world = World(units(2))
    world.run(100)
    for _ in range(20):
        world.unreachable = {"postgresql": "no answer"}
        world.run(2)
        world.unreachable = {}
        world.run(5)
    assert world.said == []
    assert world.history.back_at is None


def test_those_that_keep_failing_leave_restarts_to_those_that_fail_once() -> None:
    world = World(units(30), Limits(host_restarts=40))
    world.run(1)
    world.crashing = {f"u{n}" for n in range(10)}
    world.run(120)
    assert world.history.spent() == 30  # three each: half of the budget is used, so those that flap wait
    crashed_at = world.now
    world.crash("u25")
    world.run(2)
    assert (crashed_at + 1, "u25") in world.started
    assert [text for _, text in world.said].count("open budget") == 1


def test_the_budget_is_never_overspent_in_any_window() -> None:
    world = World(units(30), Limits(host_restarts=40))
    world.crashing = {unit.name for unit in world.units}
    world.run(2_000)
    restarts = [at for at, _ in world.started][30:]
    assert max(sum(at <= one < at + 600 for one in restarts) for at in restarts) <= 40
    assert [text for _, text in world.said].count("open budget") == 1


def test_a_unit_that_cannot_be_started_and_is_stopped_is_not_retried_each_second() -> None:
    history = History(units={"crawl@0": Past(rung=2, asked_pid=0)})
    history = history.done([Start(UNIT, "", restart=False)], NOW)
    observed = Observed({"crawl@0": Exited(0, "could not start", NOW)}, {})
    assert decide(observed, [UNIT], history, NOW + 1, Limits()) == []
