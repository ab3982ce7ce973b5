"""The systemd backend: the host's units as the keeper sees and moves them.

One call lists all units. Details are asked for where something changed, and of a few units at each look in turn, so
that a restart between two looks is noticed after a while even where nothing else tells.
"""

from __future__ import annotations

import signal
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog

from keeper.observed import Changing, Ending, Exited, Heartbeat, Process, Unit
from keeper.systemd.bus import BusAway, BusRefused, Listed, Systemd
from keeper.systemd.cgroups import ROOT
from keeper.systemd.ends import Ends
from keeper.systemd.journal import Journal, line_of
from keeper.systemd.states import (
    ALWAYS,
    AT_AN_END,
    OF_UNIT,
    PATTERN,
    State,
    ended_at,
    process_of,
    service_of,
    unit_of,
)

_TURNS = 12  # looks in which every unit has its turn


@dataclass(frozen=True)
class _Known:
    """A unit as it was when its details were asked for.

    `end`: how its last run ended, and `pid`, `group` those of the last process that worked.
    """

    listed: Listed
    state: State
    process: Process | None
    end: Exited | None
    pid: int
    group: str


class Units:
    """Vakanz' units on this host. `cgroups`: where control groups are; `host`: whose heartbeats are theirs."""

    def __init__(
        self, systemd: Systemd, journal: Journal, *, clock: Callable[[], float], cgroups: Path = ROOT, host: str = ""
    ) -> None:
        self._systemd = systemd
        self._journal = journal
        self._ends = Ends(journal, cgroups, clock)
        self._clock = clock
        self._host = host
        self._known: dict[str, _Known] = {}
        self._unstarted: dict[str, Exited] = {}
        self._moved: set[str] = set()
        self._turn = 0
        self._log = structlog.get_logger("systemd")

    async def observe(self, heartbeats: Mapping[str, Heartbeat] | None) -> Mapping[str, Process] | None:
        """Every unit that systemd has in memory; None while systemd does not answer."""
        try:
            listed = {unit_of(one.name): one for one in await self._systemd.list_units(PATTERN)}
            self._known = {name: known for name, known in self._known.items() if name in listed}
            self._ends.look(known.group for known in self._known.values())
            for name in self._due(listed, heartbeats or {}):
                self._known[name] = await self._look_at(name, listed[name])
        except BusAway:
            return None
        except BusRefused as error:
            self._log.error("systemd refuses to list units", reason=str(error))
            return None
        found = {name: known.process for name, known in self._known.items() if known.process is not None}
        self._unstarted = {name: end for name, end in self._unstarted.items() if _still(found.get(name), end)}
        return found | self._unstarted

    async def start(self, unit: Unit) -> None:
        """Starts `unit`, also one that systemd gave up."""
        known = self._known.get(unit.name)
        if known is not None and known.state.active == "failed":
            await self._do(unit.name, self._systemd.reset_failed(service_of(unit.name)))
        refused = await self._do(unit.name, self._systemd.start(service_of(unit.name)))
        if refused:
            self._unstarted[unit.name] = Exited(0, f"could not start: {refused}", self._clock(), Ending.UNSTARTED)

    async def kill(self, unit: Unit) -> None:
        """SIGKILL to all processes of `unit`; systemd starts it again."""
        self._ends.killed_by_us(unit.name)
        await self._do(unit.name, self._systemd.kill(service_of(unit.name), signal.SIGKILL))

    async def stop(self, unit: Unit) -> None:
        """Ends `unit`, and systemd's plan to start it again."""
        await self._do(unit.name, self._systemd.stop(service_of(unit.name)))

    async def restart(self, unit: str) -> str:
        """Drains and starts a unit, as an operator asks for it. Why that is not possible, or an empty text."""
        return await self._do(unit, self._systemd.restart(service_of(unit)))

    async def lines(self, unit: str, count: int) -> Sequence[str]:
        """The last lines of its journal."""
        return [line_of(entry) for entry in await self._journal.entries(service_of(unit), count)]

    async def _do(self, name: str, action: Awaitable[None]) -> str:
        self._moved.add(name)
        try:
            await action
        except (BusAway, BusRefused) as error:
            self._log.warning("systemd did not do it", unit=name, reason=str(error))
            return str(error)
        return ""

    def _due(self, listed: Mapping[str, Listed], heartbeats: Mapping[str, Heartbeat]) -> list[str]:
        """Whose details to ask for at this look."""
        names = sorted(listed)
        asked = set(names[self._turn % _TURNS :: _TURNS]) | self._moved
        self._turn += 1
        self._moved = set()
        return [
            name
            for name in names
            if name in asked
            or name not in self._known
            or self._known[name].listed != listed[name]
            or self._is_another(self._known[name].state, heartbeats.get(name))
        ]

    def _is_another(self, state: State, beat: Heartbeat | None) -> bool:
        """Whether a process beats that is not the one we know."""
        return beat is not None and beat.host == self._host and state.runs and beat.pid != state.number("MainPID")

    async def _look_at(self, name: str, listed: Listed) -> _Known:
        """Asks systemd about a unit, and where a run ended, who ended it."""
        at_an_end = listed.active != "active" or listed.busy
        facts = await self._systemd.properties(listed.path, "Service", ALWAYS + (AT_AN_END if at_an_end else ()))
        if at_an_end:
            facts |= await self._systemd.properties(listed.path, "Unit", OF_UNIT)
        state = State(listed.load, listed.active, listed.sub, listed.busy, facts)
        known = self._known.get(name)
        end = await self._end(name, state, known)
        group = str(facts.get("ControlGroup", "")) or (known.group if known is not None else "")
        pid = state.number("MainPID") or (known.pid if known is not None else 0)
        return _Known(listed, state, process_of(state, end), end, pid, group)

    async def _end(self, name: str, state: State, known: _Known | None) -> Exited | None:
        """How the last run ended; what was found out about it once stays."""
        before = known.end if known is not None else None
        if state.over:
            if before is not None and before.at == ended_at(state):
                return before
            return await self._ends.of(name, state, known.group if known is not None else "")
        if known is None or state.number("NRestarts") <= known.state.number("NRestarts"):
            return before
        if isinstance(known.process, Changing) and known.state.over:
            return before
        return await self._ends.told_by_journal(name, known.pid, known.group)


def _still(process: Process | None, unstarted: Exited) -> bool:
    """Whether a start that came to nothing is still the last word about a unit."""
    return process is None or (isinstance(process, Exited) and process.at <= unstarted.at)
