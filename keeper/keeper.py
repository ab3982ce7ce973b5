"""The actor around `decide`: looks, acts, remembers, and reports what is wrong. It serves every backend."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Protocol

import anyio
import structlog

from keeper.decide import decide
from keeper.findings import findings
from keeper.heartbeats import Ages, load_heartbeats
from keeper.history import Action, History, Kill, Limits, Start, Stop
from keeper.holds import Hold, held, load_holds
from keeper.incident import Alerts, Incident
from keeper.marks import Finding, Mark, Watcher, marked
from keeper.observed import Exited, Heartbeat, Observed, Process, Unit
from keeper.probes import Probe, all_of
from lib.store.connections import Database

_LINES = 20


class Backend(Protocol):
    """What starts and ends processes: a service manager, or the keeper itself."""

    async def observe(self, heartbeats: Mapping[str, Heartbeat] | None) -> Mapping[str, Process] | None:
        """Every unit that it knows of, as it is now; None while it does not answer. `heartbeats` are hints."""

    async def start(self, unit: Unit) -> None:
        """Starts `unit`. One that cannot be started is seen as exited, with the reason."""

    async def kill(self, unit: Unit) -> None:
        """SIGKILL to `unit` and all that it started. Its exit is seen by `observe`."""

    async def stop(self, unit: Unit) -> None:
        """Ends `unit` in good order, and any plan to start it again."""

    async def lines(self, unit: str, count: int) -> Sequence[str]:
        """The last lines of its log."""


@dataclass(kw_only=True)
class Keeper:
    """Looks and acts. `probes`: shared causes besides the database, by name; `watchers`: who else finds what is wrong.

    `pooler`: the name of what stands between us and the database, where a probe asks the database itself.
    `units` may be replaced between two looks, and so may `history` before the first.
    """

    units: Sequence[Unit]
    backend: Backend
    database: Database
    alerts: Alerts
    limits: Limits
    probes: Mapping[str, Probe] = field(default_factory=dict)
    watchers: Sequence[Watcher] = ()
    host: str = ""
    pooler: str = "postgresql"
    clock: Callable[[], float] = time.monotonic
    wall: Callable[[], float] = time.time
    history: History = field(default_factory=History)

    def __post_init__(self) -> None:
        self._ages = Ages()
        self._before: Mapping[str, Process] = {}
        self._asked: set[str] = set()
        self._holds: Sequence[Hold] = ()
        self._log = structlog.get_logger("keeper")

    @property
    def held_targets(self) -> frozenset[str]:
        """What is held anywhere in the fleet, as last heard: units, patterns and hosts."""
        return frozenset(hold.target for hold in self._holds)

    async def look(self) -> None:
        """Looks once, acts upon it, and reports."""
        observed = await self._observe()
        found = await self._watch()
        now = self.clock()
        self._say_changes(observed)
        history = self.history.seen(observed, self.units, now, self.limits)
        found += findings(observed, self.units, history, now, self.limits)
        history = replace(history, marks=marked(history.marks, found, now, self.wall()))
        actions = decide(observed, self.units, history, now, self.limits)
        for action in actions:
            await self._act(action)
        self.history = await self._with_lines(history.done(actions, now))
        self.alerts.report(incidents(self.history))

    async def _watch(self) -> list[Finding]:
        """What the watchers find, who look side by side: each may wait for a server that is away."""
        found: list[Finding] = []

        async def ask(watcher: Watcher) -> None:
            found.extend(await watcher.look())

        async with anyio.create_task_group() as tasks:
            for watcher in self.watchers:
                tasks.start_soon(ask, watcher)
        return found

    async def _observe(self) -> Observed:
        heartbeats: Mapping[str, Heartbeat] | None = None

        async def read() -> str | None:
            nonlocal heartbeats
            rows = await load_heartbeats(self.database)
            self._holds = await load_holds(self.database)
            heartbeats = self._ages.of(rows, self.clock())
            return None

        unreachable = await all_of({self.pooler: read, **self.probes}, self.limits.patience_s)
        processes = await self.backend.observe(heartbeats)
        if processes is None:
            unreachable["systemd"] = "no answer"
        names = [unit.name for unit in self.units]
        return Observed(processes, heartbeats, unreachable, held(self._holds, names, self.host), self.host)

    async def _act(self, action: Action) -> None:
        match action:
            case Start(unit, why):
                self._log.info("unit started", unit=unit.name, why=why)
                await self.backend.start(unit)
            case Kill(unit, why):
                self._log.warning("unit killed", unit=unit.name, why=why)
                await self.backend.kill(unit)
            case Stop(unit, why):
                self._log.info("unit stopped", unit=unit.name, why=why)
                await self.backend.stop(unit)

    async def _with_lines(self, history: History) -> History:
        """Fetches the log of what is told from now on."""
        marks = dict(history.marks)
        for key, mark in marks.items():
            if mark.told and len(mark.finding.units) == 1 and not self.history.is_open(key):
                lines = await self.backend.lines(mark.finding.units[0], _LINES)
                marks[key] = replace(mark, lines=tuple(lines))
        return replace(history, marks=marks)

    def _say_changes(self, observed: Observed) -> None:
        for name, process in (observed.processes or {}).items():
            if isinstance(process, Exited) and process != self._before.get(name):
                self._log.warning("unit exited", unit=name, how=process.how)
        self._before = observed.processes or self._before
        if observed.heartbeats is not None:
            asked = {unit.name for unit in self.units if observed.stop_requested(unit)}
            for name in sorted(asked - self._asked):
                self._log.info("unit is to stop", unit=name, why="the operator asked for it")
            self._asked = asked


def incidents(history: History) -> list[Incident]:
    """What is open, with what was done about it since shortly before it was told."""
    return [_incident(mark, history) for mark in history.marks.values() if mark.told]


def _incident(mark: Mark, history: History) -> Incident:
    found = mark.finding
    notes = [
        (note.at, f"{name} {note.text}" if len(found.units) > 1 else note.text)
        for name in found.units
        if name in history.units
        for note in history.units[name].notes
        if note.at >= mark.first - 60
    ]
    return Incident(
        key=found.key, kind=found.kind, title=found.title, since=mark.wall, host=found.host, units=found.units,
        why=found.why, lines=mark.lines, facts=found.facts,
        did=tuple(f"{_hour(mark.wall + at - mark.first)} {text}" for at, text in sorted(notes)),
    )  # fmt: skip


def _hour(wall: float) -> str:
    return datetime.fromtimestamp(wall, UTC).strftime("%H:%M:%SZ")


async def keep(keeper: Keeper, stop: anyio.Event, every_s: float) -> None:
    """Looks every `every_s` until `stop`."""
    while not stop.is_set():
        await keeper.look()
        with anyio.move_on_after(every_s):
            await stop.wait()
