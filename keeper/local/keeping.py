"""Keeps units as children of this process: `up` and `demo`."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import anyio
import anyio.to_thread

from keeper.history import Limits
from keeper.incident import Alerts, LoggedAlerts
from keeper.keeper import Keeper, keep
from keeper.local.processes import LocalProcesses
from keeper.observed import Heartbeat, Process, Unit
from keeper.probes import of_redis
from lib.store.connections import Database

_TAIL_BYTES = 64 << 10


async def run(
    units: Sequence[Unit],
    *,
    database: Database,
    redis_url: str,
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
    limits = limits or Limits()
    processes = LocalProcesses(logs, clock=clock)
    keeper = Keeper(
        units=units,
        backend=Children(processes, logs),
        database=database,
        alerts=alerts or LoggedAlerts(),
        limits=limits,
        probes={"redis": of_redis(redis_url)},
        clock=clock,
    )
    try:
        await keep(keeper, stop, every_s)
    finally:
        with anyio.CancelScope(shield=True):
            await processes.stop_all(drain_s)


class Children:
    """Child processes as the backend of a keeper."""

    def __init__(self, processes: LocalProcesses, logs: Path) -> None:
        self._processes = processes
        self._logs = logs

    async def observe(self, heartbeats: Mapping[str, Heartbeat] | None) -> Mapping[str, Process]:
        """Every unit that was ever started here, as it is now."""
        return self._processes.observe()

    async def start(self, unit: Unit) -> None:
        """Starts `unit`."""
        self._processes.start(unit)

    async def kill(self, unit: Unit) -> None:
        """SIGKILL to `unit` and all that it started."""
        self._processes.kill(unit)

    async def stop(self, unit: Unit) -> None:
        """A child is started again by nobody but us."""

    async def lines(self, unit: str, count: int) -> Sequence[str]:
        """The end of its log file."""
        return await anyio.to_thread.run_sync(_tail, self._logs / f"{unit}.log", count)


def _tail(path: Path, count: int) -> list[str]:
    try:
        with path.open("rb") as log:
            log.seek(max(0, path.stat().st_size - _TAIL_BYTES))
            return log.read(_TAIL_BYTES).decode(errors="replace").splitlines()[-count:]
    except FileNotFoundError:
        return []
