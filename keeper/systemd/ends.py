"""How a run of a unit ended, where systemd's own word is not enough."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterable
from pathlib import Path

from keeper.observed import Ending, Exited
from keeper.systemd.cgroups import oom_kills, slice_of
from keeper.systemd.journal import Journal, last_end, out_of_memory
from keeper.systemd.states import State, ending_of, exited_of, service_of

_ENTRIES = 30
_OURS_S = 30.0


class Ends:
    """Gathers evidence from the journal and from cgroup files. `clock` is the one that systemd's times are on."""

    def __init__(self, journal: Journal, cgroups: Path, clock: Callable[[], float]) -> None:
        self._journal = journal
        self._cgroups = cgroups
        self._clock = clock
        self._counts: dict[str, int] = {}
        self._fresh: frozenset[str] = frozenset()
        self._killed: dict[str, float] = {}

    def killed_by_us(self, unit: str) -> None:
        """The next SIGKILL of `unit` is ours."""
        self._killed[unit] = self._clock()

    def look(self, groups: Iterable[str]) -> None:
        """Notes in which slices somebody was killed for memory since the last look. `groups`: the units' own."""
        slices = {slice_of(group) for group in groups if group}
        counts = {group: oom_kills(group, self._cgroups) for group in slices}
        before = self._counts
        self._counts = {group: count for group, count in counts.items() if count is not None}
        self._fresh = frozenset(group for group, count in self._counts.items() if count > before.get(group, count))

    async def of(self, unit: str, state: State, group: str) -> Exited:
        """How the run that is over ended. `group`: the control group that it was in.

        A killing for memory may look like anybody's SIGKILL, and under OOMPolicy=stop like a clean stop.
        """
        by_kill = state.facts.get("Result") == "signal" and state.number("ExecMainStatus") == signal.SIGKILL
        suspicious = by_kill or state.stopped_cleanly
        if not suspicious or self._ours(unit):
            return exited_of(state)
        if by_kill and await self._by_kernel(state.number("ExecMainPID"), group):
            return exited_of(state, killed_for_memory=True)
        entries = await self._journal.entries(service_of(unit), _ENTRIES)
        return exited_of(state, killed_for_memory=out_of_memory(entries))

    async def told_by_journal(self, unit: str, pid: int, group: str) -> Exited:
        """How a run of the process `pid` ended that systemd has already followed up with another one."""
        at = self._clock()
        end = last_end(await self._journal.entries(service_of(unit), _ENTRIES))
        if end is None:
            return Exited(pid, "it ended, and the journal does not say how", at)
        result, killed, status = end
        found = ending_of(result, killed=killed, status=status, pid=pid, at=at)
        by_kill = found.ending is Ending.SIGNAL and status == signal.SIGKILL and not self._ours(unit)
        if by_kill and await self._by_kernel(pid, group):
            return ending_of("oom-kill", killed=killed, status=status, pid=pid, at=at)
        return found

    async def _by_kernel(self, pid: int, group: str) -> bool:
        return slice_of(group) in self._fresh or await self._journal.killed_for_memory(pid)

    def _ours(self, unit: str) -> bool:
        return self._clock() - self._killed.get(unit, float("-inf")) < _OURS_S
