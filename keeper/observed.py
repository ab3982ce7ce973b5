"""What should run, and what the keeper sees of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

_NAME = re.compile(r"[a-z0-9][a-z0-9@:_.-]*")


@dataclass(frozen=True)
class Unit:
    """One process that should run.

    `name` is that of its row in the table `daemon` and of its log file, like `descriptions@0-7`. `argv` and `env` are
    for those that the keeper starts itself: the daemon's own, not a wrapper's that stays, for heartbeats are matched
    by process id; and the whole environment. Units start by ascending `order` and stop by descending. A unit whose
    heartbeat is older than `silent_s` is killed, and so is one that beats but made no progress for `stuck_s`. Before
    its first heartbeat a process has `start_grace_s` more. Raises ValueError for a name that cannot name a file.
    """

    name: str
    argv: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    order: int = 0
    silent_s: float = 90.0
    stuck_s: float = 180.0
    start_grace_s: float = 30.0
    expects_heartbeat: bool = True

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError(f"a unit cannot be called {self.name!r}")


class Ending(StrEnum):
    """How a run came to its end."""

    EXIT = "exit code"
    SIGNAL = "signal"
    WATCHDOG = "watchdog"
    OOM = "oom-kill"
    TIMEOUT = "timeout"
    UNSTARTED = "could not start"
    STOPPED = "stopped"  # somebody told the service manager to stop it


@dataclass(frozen=True)
class Exited:
    """A process that ended at `at` on the keeper's clock, or (pid 0) could not be started. `how` is for a person."""

    pid: int
    how: str
    at: float
    ending: Ending = Ending.EXIT


@dataclass(frozen=True)
class Running:
    """A process that lives, `since` on the keeper's clock.

    Where a service manager restarts units by itself, `restarts` counts that, and `before` is the run before this one.
    """

    pid: int
    since: float
    restarts: int | None = None
    before: Exited | None = None


@dataclass(frozen=True)
class Changing:
    """The service manager is at work on the unit, and is left alone. `restarts`, `before`: see `Running`."""

    what: str
    restarts: int | None = None
    before: Exited | None = None


Process = Running | Exited | Changing


@dataclass(frozen=True)
class Heartbeat:
    """A row of the table `daemon`. Ages are seconds at the moment of reading; `heartbeat_at` counts since 1970.

    `start_age_s`: since the operator last asked for a start, None where that never happened.
    """

    unit: str
    host: str
    pid: int
    state: str
    status: str
    heartbeat_at: float
    heartbeat_age_s: float
    progress_age_s: float
    memory_bytes: int
    stop_requested: bool
    start_age_s: float | None


@dataclass(frozen=True)
class Observed:
    """One look at everything.

    `processes`: None where the service manager did not answer; a unit that it does not know has no process.
    `heartbeats`: None where the database did not answer. `unreachable`: the shared causes of trouble, and why.
    `held`: units that an operator wants left alone. `host`: where this is, empty where heartbeats are of one host only.
    """

    processes: Mapping[str, Process] | None
    heartbeats: Mapping[str, Heartbeat] | None
    unreachable: Mapping[str, str] = field(default_factory=dict)
    held: frozenset[str] = frozenset()
    host: str = ""

    def process(self, unit: Unit) -> Process | None:
        """What is seen of the unit's process."""
        return (self.processes or {}).get(unit.name)

    def own_heartbeat(self, unit: Unit, process: Running, now: float) -> Heartbeat | None:
        """The heartbeat that `process` itself wrote; None for a predecessor's, even one that had the same pid."""
        beat = (self.heartbeats or {}).get(unit.name)
        if beat is None or beat.pid != process.pid or beat.heartbeat_age_s > now - process.since:
            return None
        return None if self._foreign(beat) else beat

    def beats_elsewhere(self, unit: Unit) -> bool:
        """Whether the row of `unit` is kept fresh from another host, so that it says nothing about our process."""
        beat = (self.heartbeats or {}).get(unit.name)
        return beat is not None and self._foreign(beat) and beat.heartbeat_age_s <= unit.silent_s

    def stop_requested(self, unit: Unit) -> bool:
        """Whether the operator wants `unit` stopped, as far as is known."""
        beat = (self.heartbeats or {}).get(unit.name)
        return beat is not None and beat.stop_requested

    def start_requested(self, unit: Unit, after: float, now: float) -> bool:
        """Whether the operator asked for a start later than `after`."""
        beat = (self.heartbeats or {}).get(unit.name)
        return beat is not None and beat.start_age_s is not None and now - beat.start_age_s > after

    def _foreign(self, beat: Heartbeat) -> bool:
        return bool(self.host) and beat.host != self.host
