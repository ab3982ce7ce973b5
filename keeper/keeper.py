"""The actor around `decide`: looks every second, acts, and says what changed."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

import anyio
import structlog

from keeper.decide import decide
from keeper.heartbeats import load_heartbeats
from keeper.history import Action, Close, History, Incident, Kill, Limits, Open, Start
from keeper.observed import Exited, Heartbeat, Observed, Process, Unit
from keeper.processes import LocalProcesses
from lib.store.connections import Cache, Database


class Alerts(Protocol):
    """Where incidents are told: once when one begins (`over` is false), once when it is over."""

    async def say(self, incident: Incident, *, over: bool) -> None: ...


class LoggedAlerts:
    """Incidents as log lines."""

    def __init__(self) -> None:
        self._log = structlog.get_logger("alerts")

    async def say(self, incident: Incident, *, over: bool) -> None:
        """One line, a warning when it begins."""
        if over:
            self._log.info("incident over", key=incident.key)
        else:
            self._log.warning("incident", key=incident.key, text=incident.text)


async def run(
    units: Sequence[Unit],
    *,
    database: Database,
    cache: Cache,
    logs: Path,
    stop: anyio.Event,
    alerts: Alerts | None = None,
    limits: Limits | None = None,
    every_s: float = 1.0,
    drain_s: float = 30.0,
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Keeps `units` running until `stop`, then ends them in reverse order, each order within `drain_s`.

    `drain_s` must exceed the time that a daemon itself takes to drain and clean up. Call it from a thread that lives
    as long as the process does: the kernel ends the units with it. Survives that PostgreSQL and Redis go away.
    However it ends, no unit is left. Raises ValueError when two units have one name.
    """
    if len({unit.name for unit in units}) < len(units):
        raise ValueError("two units have the same name")
    processes = LocalProcesses(logs, clock=clock)
    keeper = _Keeper(units, processes, database, cache, alerts or LoggedAlerts(), limits or Limits(), clock)
    try:
        while not stop.is_set():
            await keeper.look()
            with anyio.move_on_after(every_s):
                await stop.wait()
    finally:
        with anyio.CancelScope(shield=True):
            await processes.stop_all(drain_s)


class _Keeper:
    def __init__(
        self,
        units: Sequence[Unit],
        processes: LocalProcesses,
        database: Database,
        cache: Cache,
        alerts: Alerts,
        limits: Limits,
        clock: Callable[[], float],
    ) -> None:
        self._units = units
        self._processes = processes
        self._database = database
        self._cache = cache
        self._alerts = alerts
        self._limits = limits
        self._clock = clock
        self._history = History()
        self._before: Mapping[str, Process] = {}
        self._held: set[str] = set()
        self._log = structlog.get_logger("keeper")

    async def look(self) -> None:
        """Looks once and acts upon it."""
        observed = await self._observe()
        now = self._clock()
        self._say_changes(observed)
        history = self._history.seen(observed, self._units, now, self._limits)
        actions = decide(observed, self._units, history, now, self._limits)
        for action in actions:
            await self._act(action)
        self._history = history.done(actions, now)

    async def _observe(self) -> Observed:
        heartbeats: Mapping[str, Heartbeat] | None = None
        answers = False

        async def read() -> None:
            nonlocal heartbeats
            with anyio.move_on_after(self._limits.patience_s):
                heartbeats = {beat.unit: beat for beat in await load_heartbeats(self._database)}

        async def ping() -> None:
            nonlocal answers
            answers = await self._cache.ping(self._limits.patience_s)

        async with anyio.create_task_group() as probes:
            probes.start_soon(read)
            probes.start_soon(ping)
        silent = {"postgresql": heartbeats is None, "redis": not answers}
        unreachable = frozenset(server for server, is_silent in silent.items() if is_silent)
        return Observed(self._processes.observe(), heartbeats, unreachable)

    async def _act(self, action: Action) -> None:
        match action:
            case Start(unit, why):
                self._log.info("unit started", unit=unit.name, why=why)
                self._processes.start(unit)
            case Kill(unit, why):
                self._log.warning("unit killed", unit=unit.name, why=why)
                self._processes.kill(unit)
            case Open(incident):
                await self._alerts.say(incident, over=False)
            case Close(incident):
                await self._alerts.say(incident, over=True)

    def _say_changes(self, observed: Observed) -> None:
        for name, process in observed.processes.items():
            if isinstance(process, Exited) and process != self._before.get(name):
                self._log.warning("unit exited", unit=name, how=process.how)
        self._before = observed.processes
        if observed.heartbeats is not None:
            held = {unit.name for unit in self._units if observed.stop_requested(unit)}
            for name in sorted(held - self._held):
                self._log.info("unit is to stop", unit=name, why="the operator asked for it")
            self._held = held
