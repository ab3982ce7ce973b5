"""What the keeper remembers from one look to the next. Pure: it learns by returning a new memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from keeper.marks import Mark
from keeper.observed import Changing, Ending, Exited, Observed, Running, Unit

_NOTES = 6


@dataclass(frozen=True)
class Limits:
    """The keeper's patience, in seconds unless named otherwise."""

    restart_delays_s: tuple[float, ...] = (1.0, 2.0, 4.0, 8.0, 16.0, 30.0)  # the last one for ever after
    health_s: float = 60.0  # proven health after which the delays start anew, and trouble is over
    window_s: float = 600.0  # in which restarts are counted
    flap_restarts: int = 3  # of one unit within the window
    unit_restarts: int = 30  # of one unit within the window, at most
    host_restarts: int = 60  # of all units within the window; flapping units may take half of them
    miss_s: float = 20.0  # what should run may be down for so long before a person is told
    change_s: float = 150.0  # likewise, while the service manager starts it or lets it drain
    told_s: float = 120.0  # for how long a killing by the kernel or the watchdog is told after the last one
    patience_s: float = 2.0  # with the servers, at each look
    away_s: float = 3.0  # a server that does not answer for so long is away, not merely slow
    back_s: float = 3.0  # a server that answers for so long is back
    back_grace_s: float = 90.0  # after it is back, until silence counts again


FLEET = Limits(restart_delays_s=(5.0, 15.0, 30.0, 60.0, 120.0), unit_restarts=15, away_s=8.0, back_s=15.0)


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
class Stop:
    """Keep the service manager from starting `unit` again."""

    unit: Unit
    why: str


Action = Start | Kill | Stop


@dataclass(frozen=True)
class Note:
    """What the keeper did about a unit, and when on its clock."""

    at: float
    text: str


@dataclass(frozen=True)
class Past:
    """What is remembered of one unit.

    Its restarts in the window, the next rung of the ladder of delays, the process that ended because the operator
    asked for it; the service manager's count of restarts; whether it ever ran and when we last started it; its last
    ending that nobody wanted; what was done about it.
    """

    restarts: tuple[float, ...] = ()
    rung: int = 0
    asked_pid: int | None = None
    counted: int | None = None
    ran: bool = False
    started_at: float | None = None
    fault: Exited | None = None
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True)
class History:
    """What is remembered of all. `unreachable`: server -> since when; `back_at`: when the last outage ended; `marks`:
    what is wrong, by key."""

    units: Mapping[str, Past] = field(default_factory=dict)
    unreachable: Mapping[str, float] = field(default_factory=dict)
    back_at: float | None = None
    marks: Mapping[str, Mark] = field(default_factory=dict)

    def of(self, unit: Unit) -> Past:
        """The past of `unit`, a blank one at first."""
        return self.units.get(unit.name, Past())

    def spent(self) -> int:
        """Restarts of all units in the window."""
        return sum(len(past.restarts) for past in self.units.values())

    def is_open(self, key: str) -> bool:
        """Whether a person was told of `key` and it is not over."""
        return key in self.marks and self.marks[key].told

    def seen(self, observed: Observed, expected: Sequence[Unit], now: float, limits: Limits) -> History:
        """After a look: old restarts fall out, health brings the delays back to the first, outages begin and end."""
        ended = any(
            now - since >= limits.away_s and server not in observed.unreachable
            for server, since in self.unreachable.items()
        )
        return replace(
            self,
            units={unit.name: _seen(unit, self.of(unit), observed, now, limits) for unit in expected},
            unreachable={server: self.unreachable.get(server, now) for server in observed.unreachable},
            back_at=now if ended else self.back_at,
        )

    def done(self, actions: Sequence[Action], now: float) -> History:
        """After acting: restarts are counted, and what was done is kept for whoever asks."""
        units = dict(self.units)
        for action in actions:
            past = self.of(action.unit)
            match action:
                case Start(_, why, restart=True):
                    past = replace(past, restarts=(*past.restarts, now), rung=past.rung + 1, started_at=now)
                    text = f"started again: {why}"
                case Start(_, why):
                    past = replace(past, asked_pid=None, started_at=now)
                    text = f"started: {why}"
                case Kill(_, why):  # counted when the unit starts again
                    text = f"killed: {why}"
                case Stop(_, why):
                    text = f"stopped: {why}"
            units[action.unit.name] = replace(past, notes=(*past.notes, Note(now, text))[-_NOTES:])
        return replace(self, units=units)


def _seen(unit: Unit, past: Past, observed: Observed, now: float, limits: Limits) -> Past:
    past = _looked(unit, past, observed, now, limits)
    # Somebody is at work on it, as a rollout is: what happens until the hold ends is not held against it.
    return replace(past, restarts=(), rung=0) if unit.name in observed.held else past


def _looked(unit: Unit, past: Past, observed: Observed, now: float, limits: Limits) -> Past:
    # An operator who starts it by `vakanz keeper start` has mended it, and what was before does not count.
    counts = [at for at in past.restarts if now - at < limits.window_s and not observed.start_requested(unit, at, now)]
    past = replace(past, restarts=tuple(counts))
    match observed.process(unit):
        case Running() as process:
            healthy = _healthy_s(unit, process, observed, now) >= limits.health_s
            past = _counted(past, process, now)
            return replace(past, rung=0 if healthy else past.rung, asked_pid=None, ran=True)
        case Changing() as process:
            return _counted(past, process, now)
        case Exited(pid) as process:
            asked = pid if observed.stop_requested(unit) else past.asked_pid
            wanted = process.ending is Ending.STOPPED or asked == pid
            return replace(past, asked_pid=asked, fault=past.fault if wanted else process)
    return past


def _counted(past: Past, process: Running | Changing, now: float) -> Past:
    """Adds the restarts that the service manager made by itself. A count that fell was begun anew: by a start of ours
    or of a person's, which is no restart of its."""
    if process.restarts is None:
        return past
    fresh = max(0, process.restarts - past.counted) if past.counted is not None else 0
    fault = process.before if process.before is not None and process.before.ending is not Ending.STOPPED else None
    return replace(
        past, restarts=(*past.restarts, *([now] * fresh)), counted=process.restarts, fault=fault or past.fault
    )


def _healthy_s(unit: Unit, process: Running, observed: Observed, now: float) -> float:
    """For how long after its start the process is proven to have been healthy."""
    running_s = now - process.since
    if not unit.expects_heartbeat:
        return running_s
    beat = observed.own_heartbeat(unit, process, now)
    return 0.0 if beat is None else running_s - max(beat.heartbeat_age_s, beat.progress_age_s)
