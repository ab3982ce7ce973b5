"""What systemd says of a unit, in the keeper's words. Pure.

Source   org.freedesktop.systemd1(5) for states and properties; systemd.exec(5), "Process Exit Codes", for results
Units    systemd counts microseconds on the clock that `time.monotonic` reads; 0 is never
"""

from __future__ import annotations

import signal
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from keeper.observed import Changing, Ending, Exited, Process, Running

PATTERN = "vakanz-*.service"
_PREFIX, _SUFFIX = "vakanz-", ".service"
_DUMPED = (2, 3)  # CLD_KILLED, CLD_DUMPED
_RESULTS = {
    "success": Ending.EXIT,
    "exit-code": Ending.EXIT,
    "signal": Ending.SIGNAL,
    "core-dump": Ending.SIGNAL,
    "watchdog": Ending.WATCHDOG,
    "oom-kill": Ending.OOM,
    "timeout": Ending.TIMEOUT,
    "start-limit-hit": Ending.EXIT,
}
ALWAYS = ("MainPID", "NRestarts", "ExecMainStartTimestampMonotonic", "ControlGroup")
AT_AN_END = ("Result", "ExecMainPID", "ExecMainCode", "ExecMainStatus", "ExecMainExitTimestampMonotonic")
OF_UNIT = ("ActiveEnterTimestampMonotonic", "InactiveEnterTimestampMonotonic")


def service_of(unit: str) -> str:
    """The systemd name of a unit of ours: descriptions@3 is vakanz-descriptions@3.service."""
    return f"{_PREFIX}{'keeper' if unit.startswith('keeper@') else unit}{_SUFFIX}"


def unit_of(service: str) -> str:
    """Our name of a systemd unit."""
    return service.removeprefix(_PREFIX).removesuffix(_SUFFIX)


@dataclass(frozen=True)
class State:
    """One unit as systemd has it. `facts`: the properties by name, as far as they were asked for."""

    load: str
    active: str
    sub: str
    busy: bool
    facts: Mapping[str, Any]

    @property
    def runs(self) -> bool:
        """Whether its main process works."""
        return self.active in ("active", "reloading", "refreshing") and not self.busy and self.number("MainPID") > 0

    @property
    def waits(self) -> bool:
        """Whether systemd is about to start it again by itself."""
        return self.sub.startswith("auto-restart")

    @property
    def over(self) -> bool:
        """Whether a run of it ended and no other one has begun."""
        if self.waits:
            return True
        ended = self.active == "failed" or (self.active == "inactive" and bool(ended_at(self)))
        return ended and not self.busy

    @property
    def stopped_cleanly(self) -> bool:
        """Whether it ended, and systemd holds nothing against it."""
        return self.active == "inactive" and self.facts.get("Result", "success") == "success"

    def number(self, name: str) -> int:
        """A property that is a number; 0 where it is missing."""
        value = self.facts.get(name, 0)
        return value if isinstance(value, int) else 0

    def seconds(self, name: str) -> float:
        """A timestamp on the keeper's clock; 0 is never."""
        return self.number(name) / 1_000_000


def process_of(state: State, end: Exited | None) -> Process | None:
    """What the keeper makes of it; None for a unit that was not active in this boot. `end`: of its last run."""
    restarts = state.number("NRestarts")
    if state.load == "masked":
        return Exited(0, "masked", state.seconds("InactiveEnterTimestampMonotonic"), Ending.STOPPED)
    if state.runs:
        return Running(state.number("MainPID"), state.seconds("ExecMainStartTimestampMonotonic"), restarts, end)
    if state.busy or state.active not in ("inactive", "failed"):
        return Changing(f"{state.active} ({state.sub})", restarts, end if state.waits else None)
    return end if state.over else None


def ended_at(state: State) -> float:
    """When the last run ended."""
    end, entered = state.seconds("ExecMainExitTimestampMonotonic"), state.seconds("InactiveEnterTimestampMonotonic")
    return end if state.waits else entered or end


def exited_of(state: State, *, killed_for_memory: bool = False) -> Exited:
    """How the last run ended, as systemd says it, or as evidence beyond its word does."""
    pid, at = state.number("ExecMainPID"), ended_at(state)
    if killed_for_memory:
        return Exited(pid, told("oom-kill", killed=True, status=0), at, Ending.OOM)
    if state.stopped_cleanly:
        return Exited(pid, "stopped", at, Ending.STOPPED)
    killed, status = state.number("ExecMainCode") in _DUMPED, state.number("ExecMainStatus")
    end = ending_of(str(state.facts.get("Result", "")), killed=killed, status=status, pid=pid, at=at)
    return replace(end, how=f"{end.how}; systemd gave up") if state.active == "failed" else end


def told(result: str, *, killed: bool, status: int) -> str:
    """A result of systemd's in words, with the status of the main process."""
    end = f"killed by {_signal(status)}" if killed else f"exit code {status}"
    match _RESULTS.get(result):
        case Ending.EXIT | Ending.SIGNAL:
            return f"start limit hit after {end}" if result == "start-limit-hit" else end
        case Ending.WATCHDOG:
            return f"watchdog: no progress, {end}"
        case Ending.OOM:
            return "killed for memory (oom-kill)"
        case Ending.TIMEOUT:
            return f"timeout, {end}"
    return f"could not start: {result or 'no reason given'}"


def ending_of(result: str, *, killed: bool, status: int, pid: int, at: float) -> Exited:
    """An end of which only the journal still tells."""
    return Exited(pid, told(result, killed=killed, status=status), at, _RESULTS.get(result, Ending.UNSTARTED))


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
