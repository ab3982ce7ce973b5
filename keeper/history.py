"""What the keeper remembers from one look to the next. Pure: it learns by returning a new memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from keeper.observed import Exited, Observed, Running, Unit


@dataclass(frozen=True)
class Limits:
    """The keeper's patience, in seconds unless named otherwise."""

    restart_delays_s: tuple[float, ...] = (1.0, 2.0, 4.0, 8.0, 16.0, 30.0)  # the last one for ever after
    health_s: float = 60.0  # proven health after which the delays start anew
    window_s: float = 600.0  # in which restarts are counted
    flap_restarts: int = 3  # of one unit within the window
    host_restarts: int = 60  # of all units within the window; flapping units may take half of them
    patience_s: float = 2.0  # with the servers, at each look
    away_s: float = 3.0  # a server that does not answer for so long is away, not merely slow
    back_grace_s: float = 90.0  # after it is back, until silence counts again


@dataclass(frozen=True)
class Incident:
    """Something that a person should know, told once when it begins and once when it is over."""

    key: str
    text: str


@dataclass(frozen=True)
class Start:
    """Start `unit`. `restart`: it ran before and nobody asked it to stop."""

    unit: Unit
    why: str
    restart: bool


@dataclass(frozen=True)
class Kill:
    """Kill `unit`; its exit is then seen, and starts it again after its delay."""

    unit: Unit
    why: str


@dataclass(frozen=True)
class Open:
    """`incident` begins."""

    incident: Incident


@dataclass(frozen=True)
class Close:
    """`incident` is over."""

    incident: Incident


Action = Start | Kill | Open | Close


@dataclass(frozen=True)
class Past:
    """What is remembered of one unit: its restarts in the window, the next rung of the ladder of delays, and the
    process that ended because the operator asked for it."""

    restarts: tuple[float, ...] = ()
    rung: int = 0
    asked_pid: int | None = None


@dataclass(frozen=True)
class History:
    """What is remembered of all. `unreachable`: server -> since when; `back_at`: when the last outage ended."""

    units: Mapping[str, Past] = field(default_factory=dict)
    unreachable: Mapping[str, float] = field(default_factory=dict)
    back_at: float | None = None
    incidents: Mapping[str, Incident] = field(default_factory=dict)

    def of(self, unit: Unit) -> Past:
        """The past of `unit`, a blank one at first."""
        return self.units.get(unit.name, Past())

    def away(self, now: float, limits: Limits) -> list[str]:
        """The servers that have been unreachable for long enough to be called away."""
        return sorted(server for server, since in self.unreachable.items() if now - since >= limits.away_s)

    def spent(self) -> int:
        """Restarts of all units in the window."""
        return sum(len(past.restarts) for past in self.units.values())

    def seen(self, observed: Observed, expected: Sequence[Unit], now: float, limits: Limits) -> History:
        """After a look: old restarts fall out, health brings the delays back to the first, outages begin and end."""
        ended = any(server not in observed.unreachable for server in self.away(now, limits))
        return replace(
            self,
            units={unit.name: _seen(unit, self.of(unit), observed, now, limits) for unit in expected},
            unreachable={server: self.unreachable.get(server, now) for server in observed.unreachable},
            back_at=now if ended else self.back_at,
        )

    def done(self, actions: Sequence[Action], now: float) -> History:
        """After acting: restarts are counted, incidents are open or closed."""
        units, incidents = dict(self.units), dict(self.incidents)
        for action in actions:
            match action:
                case Start(unit, _, restart=True):
                    past = self.of(unit)
                    units[unit.name] = Past((*past.restarts, now), past.rung + 1)
                case Start(unit):
                    units[unit.name] = replace(self.of(unit), asked_pid=None)
                case Open(incident):
                    incidents[incident.key] = incident
                case Close(incident):
                    del incidents[incident.key]
                case Kill():
                    pass  # counted when the unit starts again
        return replace(self, units=units, incidents=incidents)


def _seen(unit: Unit, past: Past, observed: Observed, now: float, limits: Limits) -> Past:
    restarts = tuple(at for at in past.restarts if now - at < limits.window_s)
    match observed.processes.get(unit.name):
        case Running() as process:
            healthy = _healthy_s(unit, process, observed, now) >= limits.health_s
            return Past(restarts, rung=0 if healthy else past.rung)
        case Exited(pid) if observed.stop_requested(unit):
            return Past(restarts, past.rung, asked_pid=pid)
    return replace(past, restarts=restarts)


def _healthy_s(unit: Unit, process: Running, observed: Observed, now: float) -> float:
    """For how long after its start the process is proven to have been healthy."""
    running_s = now - process.since
    if not unit.expects_heartbeat:
        return running_s
    beat = observed.own_heartbeat(unit, process, now)
    return 0.0 if beat is None else running_s - max(beat.heartbeat_age_s, beat.progress_age_s)
