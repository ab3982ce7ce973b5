"""What should run, and what the keeper sees of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

_NAME = re.compile(r"[a-z0-9][a-z0-9@_.-]*")


@dataclass(frozen=True)
class Unit:
    """One process that should run.

    `name` is that of its row in the table `daemon` and of its log file, like `descriptions@0-7`. `argv` must become
    the daemon itself, not a wrapper that stays: heartbeats are matched by process id. `env` is the whole environment
    of the process. Units start by ascending `order` and stop by descending. A unit whose heartbeat is older than
    `silent_s` is killed, and so is one that beats but made no progress for `stuck_s`. Before its first heartbeat a
    process has `start_grace_s` more. Raises ValueError for a name that cannot name a file, and for an empty argv.
    """

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    order: int = 0
    silent_s: float = 90.0
    stuck_s: float = 180.0
    start_grace_s: float = 30.0
    expects_heartbeat: bool = True

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError(f"a unit cannot be called {self.name!r}")
        if not self.argv:
            raise ValueError(f"{self.name}: nothing to start")


@dataclass(frozen=True)
class Running:
    """A process of ours that lives. `since` is on the keeper's clock."""

    pid: int
    since: float


@dataclass(frozen=True)
class Exited:
    """A process of ours that ended at `at`, or (pid 0) could not be started. `how` is for a person."""

    pid: int
    how: str
    at: float


Process = Running | Exited


@dataclass(frozen=True)
class Heartbeat:
    """A row of the table `daemon`. Ages are seconds on the database's clock at the moment of reading."""

    unit: str
    host: str
    pid: int
    state: str
    status: str
    heartbeat_age_s: float
    progress_age_s: float
    memory_bytes: int
    stop_requested: bool


@dataclass(frozen=True)
class Observed:
    """One look at everything. A unit that this keeper has not started yet has no process.

    `heartbeats` is None when the database did not answer. `unreachable` names the shared servers that did not.
    """

    processes: Mapping[str, Process]
    heartbeats: Mapping[str, Heartbeat] | None
    unreachable: frozenset[str] = frozenset()

    def own_heartbeat(self, unit: Unit, process: Running, now: float) -> Heartbeat | None:
        """The heartbeat that `process` itself wrote; None for a predecessor's, even one that had the same pid."""
        beat = (self.heartbeats or {}).get(unit.name)
        if beat is None or beat.pid != process.pid or beat.heartbeat_age_s > now - process.since:
            return None
        return beat

    def stop_requested(self, unit: Unit) -> bool:
        """Whether the operator wants `unit` stopped, as far as is known."""
        beat = (self.heartbeats or {}).get(unit.name)
        return beat is not None and beat.stop_requested
