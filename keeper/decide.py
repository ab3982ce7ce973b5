"""What to do about what is seen. Pure: observation, expectation, memory and time in, actions out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from keeper.history import Action, Close, History, Incident, Kill, Limits, Open, Start
from keeper.observed import Exited, Observed, Running, Unit

_BUDGET = "restart budget"


def decide(observed: Observed, expected: Sequence[Unit], history: History, now: float, limits: Limits) -> list[Action]:
    """The actions of this moment, in the order in which to take them.

    `history` has already `seen` what is observed; `now` is on the clock of the processes' times. While a shared
    server is away nobody is restarted: silence and exits are its fault then, and there is one incident.
    """
    moment = _Moment(observed, history, now, limits)
    incidents = moment.incidents(expected)
    actions: list[Action] = [Open(new) for key, new in incidents.items() if key not in history.incidents]
    actions += [Close(old) for key, old in history.incidents.items() if key not in incidents]
    spent = history.spent()
    for unit in sorted(expected, key=lambda unit: unit.order):
        flapping = moment.flaps(unit)
        action = moment.action(unit, slow=flapping)
        if isinstance(action, Kill) or (isinstance(action, Start) and action.restart):
            # Those that fail over and over leave half of the budget to those that fail once.
            if spent >= limits.host_restarts // (2 if flapping else 1):
                continue
            spent += 1
        if action is not None:
            actions.append(action)
    return actions


@dataclass(frozen=True)
class _Moment:
    observed: Observed
    history: History
    now: float
    limits: Limits

    @property
    def away(self) -> list[str]:
        return self.history.away(self.now, self.limits)

    def action(self, unit: Unit, *, slow: bool) -> Start | Kill | None:
        match self.observed.processes.get(unit.name):
            case None:
                return Start(unit, "it should run", restart=False) if self._allowed(unit) else None
            case Exited() as process:
                return self._again(unit, process, slow=slow) if self._allowed(unit) else None
            case Running() as process:
                why = self._sick(unit, process)
                return Kill(unit, why) if why else None

    def _allowed(self, unit: Unit) -> bool:
        """Whether the operator lets `unit` run. Without the database nobody knows, so it waits."""
        known = self.observed.heartbeats is not None or not unit.expects_heartbeat
        return known and not self.observed.stop_requested(unit)

    def _again(self, unit: Unit, process: Exited, *, slow: bool) -> Start | None:
        past = self.history.of(unit)
        if past.asked_pid == process.pid:
            return Start(unit, "the operator's stop was taken back", restart=False)
        delays = self.limits.restart_delays_s
        delay_s = delays[-1] if slow else delays[min(past.rung, len(delays) - 1)]
        if self.away or self.now - process.at < delay_s:
            return None
        return Start(unit, process.how, restart=True)

    def _sick(self, unit: Unit, process: Running) -> str | None:
        """Why `process` must be killed, None when it need not be or when nobody can tell."""
        back_at = self.history.back_at
        in_grace = back_at is not None and self.now - back_at < self.limits.back_grace_s
        if self.observed.unreachable or self.observed.heartbeats is None or in_grace or not unit.expects_heartbeat:
            return None
        running_s = self.now - process.since
        beat = self.observed.own_heartbeat(unit, process, self.now)
        if beat is None:
            silent = running_s > unit.start_grace_s + unit.silent_s
            return f"no heartbeat in the {running_s:.0f} s since its start" if silent else None
        if beat.heartbeat_age_s > unit.silent_s:
            return f"no heartbeat for {beat.heartbeat_age_s:.0f} s"
        stalled_s = min(beat.progress_age_s, running_s)
        return f"no progress for {stalled_s:.0f} s" if stalled_s > unit.stuck_s else None

    def incidents(self, expected: Sequence[Unit]) -> dict[str, Incident]:
        """What a person should know now, by key. Each begins at a high mark and ends at a low one."""
        found = [
            Incident(f"away: {server}", f"{server} does not answer; nobody is restarted until it does")
            for server in self.away
        ]
        found += [
            Incident(_flap_key(unit), f"{unit.name} keeps failing; it is restarted at the slowest rate")
            for unit in expected
            if self.flaps(unit)
        ]
        budget = self.limits.host_restarts
        if self.history.spent() >= (budget // 4 if _BUDGET in self.history.incidents else budget // 2):
            found.append(Incident(_BUDGET, "this host restarts too much; units that keep failing wait"))
        return {incident.key: incident for incident in found}

    def flaps(self, unit: Unit) -> bool:
        """Whether `unit` flaps: too many restarts in the window, and from then on until the window is empty."""
        high = 1 if _flap_key(unit) in self.history.incidents else self.limits.flap_restarts
        return len(self.history.of(unit).restarts) >= high


def _flap_key(unit: Unit) -> str:
    return f"flapping: {unit.name}"
