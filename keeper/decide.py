"""What to do about what is seen. Pure: observation, expectation, memory and time in, actions out."""

from __future__ import annotations

from collections.abc import Sequence

from keeper.history import Action, History, Kill, Limits, Start, Stop
from keeper.incident import Kind
from keeper.observed import Changing, Ending, Exited, Observed, Running, Unit


def decide(observed: Observed, expected: Sequence[Unit], history: History, now: float, limits: Limits) -> list[Action]:
    """The actions of this moment, in the order in which to take them.

    `history` has already `seen` what is observed; `now` is on the clock of the processes' times. While a shared
    server is away nobody is restarted: silence and exits are its fault then. Nothing is done where the service
    manager does not answer, nor to units that are held.
    """
    if observed.processes is None:
        return []
    moment = Moment(observed, history, now, limits)
    actions: list[Action] = []
    spent = history.spent()
    for unit in sorted(expected, key=lambda unit: unit.order):
        if unit.name in observed.held:
            continue
        action = moment.action(unit)
        if isinstance(action, Kill) or (isinstance(action, Start) and action.restart):
            # Those that fail over and over leave half of the budget to those that fail once.
            if spent >= limits.host_restarts // (2 if moment.flaps(unit) else 1):
                continue
            if len(history.of(unit).restarts) >= limits.unit_restarts:
                continue
            spent += 1
        if action is not None:
            actions.append(action)
    return actions


class Moment:
    """One look, judged unit by unit."""

    def __init__(self, observed: Observed, history: History, now: float, limits: Limits) -> None:
        self.observed = observed
        self.history = history
        self.now = now
        self.limits = limits

    def action(self, unit: Unit) -> Action | None:
        """What to do about `unit`; budgets are not thought of."""
        match self.observed.process(unit):
            case None:
                return Start(unit, "it should run", restart=False) if self.missed(unit) else None
            case Exited() as process:
                return self._again(unit, process) if self.missed(unit) else None
            case Changing(before=Exited()) if self.observed.stop_requested(unit):
                return Stop(unit, "the operator asked for it")
            case Running() as process:
                why = self.sick(unit, process)
                return Kill(unit, why[1]) if why else None
        return None

    def missed(self, unit: Unit) -> bool:
        """Whether `unit` does not run although it should, and nobody else is at work on it.

        Without the database nobody knows whether the operator lets it run, so it waits. Somebody's stop with the
        service manager's own means is respected until a later request to start it. A unit that ran and of which the
        service manager knows nothing any more was stopped, too: what failed is remembered there.
        """
        if self.observed.stop_requested(unit) or (self.observed.heartbeats is None and unit.expects_heartbeat):
            return False
        past = self.history.of(unit)
        match self.observed.process(unit):
            case Exited() as process if process.pid and process.pid == past.asked_pid:
                return True
            case Exited(ending=Ending.STOPPED) as process:
                taken_back = self.observed.start_requested(unit, process.at, self.now)
                in_vain = past.started_at is not None and past.started_at >= process.at
                reset = past.fault is not None and past.fault.at == process.at  # it failed, and looks clean since
                return taken_back or in_vain or reset
            case Exited():
                return True
            case None:
                asked = self.observed.start_requested(unit, self.now - self.limits.health_s, self.now)
                return self.observed.processes is not None and (not past.ran or past.asked_pid is not None or asked)
        return False

    def _again(self, unit: Unit, process: Exited) -> Start | None:
        past = self.history.of(unit)
        asked = past.asked_pid == process.pid or self.observed.start_requested(unit, process.at, self.now)
        if asked and (past.started_at is None or past.started_at < process.at):
            return Start(unit, "the operator's stop was taken back", restart=False)
        delays = self.limits.restart_delays_s
        delay_s = delays[-1] if self.flaps(unit) else delays[min(past.rung, len(delays) - 1)]
        since = max(process.at, past.started_at or process.at)  # a start that came to nothing is a try, too
        if self.observed.unreachable or self.now - since < delay_s:
            return None
        return Start(unit, process.how, restart=True)

    def sick(self, unit: Unit, process: Running) -> tuple[Kind, str] | None:
        """Why `process` must be killed, None when it need not be or when nobody can tell."""
        back_at = self.history.back_at
        in_grace = back_at is not None and self.now - back_at < self.limits.back_grace_s
        if self.observed.unreachable or self.observed.heartbeats is None or in_grace or not unit.expects_heartbeat:
            return None
        if self.observed.beats_elsewhere(unit):
            return None
        running_s = self.now - process.since
        beat = self.observed.own_heartbeat(unit, process, self.now)
        if beat is None:
            silent = running_s > unit.start_grace_s + unit.silent_s
            return (Kind.SILENT, f"no heartbeat in the {running_s:.0f} s since its start") if silent else None
        if beat.heartbeat_age_s > unit.silent_s:
            return Kind.SILENT, f"no heartbeat for {beat.heartbeat_age_s:.0f} s"
        stalled_s = min(beat.progress_age_s, running_s)
        return (Kind.STUCK, f"no progress for {stalled_s:.0f} s") if stalled_s > unit.stuck_s else None

    def flaps(self, unit: Unit) -> bool:
        """Whether `unit` flaps: too many restarts in the window, and from then on until the window is empty."""
        high = 1 if self.history.is_open(f"{Kind.FLAPPING}: {unit.name}") else self.limits.flap_restarts
        return len(self.history.of(unit).restarts) >= high
