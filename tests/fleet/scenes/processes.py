"""Daemons that die, hang, or crash at every start; and their keeper itself."""

from __future__ import annotations

import random
import time
from typing import ClassVar

from tests.fleet.report import Check, Played, at_most, equal
from tests.fleet.stage import Stage
from tests.fleet.units import State

_KILLS = 10
_BACK_S = 15.0
_SILENT_S = 90.0 + 15.0


class Kills:
    """Ten daemons are killed, one after the other. systemd notices at once and starts each again."""

    name: ClassVar[str] = "kills"
    what: ClassVar[str] = "kill -9 of ten random daemons"
    alerts: ClassVar[tuple[int, int]] = (0, 0)

    def play(self, stage: Stage) -> Played:
        """Each is back, ready, within 15 s."""
        daemons = sorted(unit for unit in stage.expected if not unit.startswith("keeper@"))
        chosen = random.Random(7).sample(daemons, min(_KILLS, len(daemons)))
        detected, healed = zip(*(killed(stage, unit) for unit in chosen), strict=True)
        checks = tuple(at_most(f"{unit} is back", took, _BACK_S) for unit, took in zip(chosen, healed, strict=True))
        return Played(detected_s=max(detected), healed_s=max(healed), checks=checks, facts={"killed": chosen})


class Hang:
    """A daemon stops in the middle of whatever it does: alive, but silent. The watchdog or the keeper ends it."""

    name: ClassVar[str] = "hang"
    what: ClassVar[str] = "a daemon hangs (SIGSTOP)"
    alerts: ClassVar[tuple[int, int]] = (0, 1)

    def play(self, stage: Stage) -> Played:
        """It runs again, as another process, within 90 + 15 s."""
        unit = next(unit for unit in stage.expected if unit.startswith("descriptions@"))
        before = stage.states()[unit]
        stage.signal(before, "STOP")
        detected = stage.wait(f"{unit} is ended", lambda: _of(stage, unit).pid != before.pid, 180)
        healed = detected + stage.wait(f"{unit} is back", lambda: _of(stage, unit).up, 60)
        checks = (at_most(f"{unit} is back", healed, _SILENT_S),)
        return Played(detected_s=detected, healed_s=healed, checks=checks, facts={"unit": unit})


class Flap:
    """A daemon cannot start: its settings are wrong. systemd gives up, the keeper tries ever more slowly and says so
    once. When the settings are right again the operator starts it."""

    name: ClassVar[str] = "flap"
    what: ClassVar[str] = "a daemon crashes at every start"
    alerts: ClassVar[tuple[int, int]] = (1, 1)

    def play(self, stage: Stage) -> Played:
        """One alert; running again once its settings are right."""
        unit = next(unit for unit in stage.expected if unit.startswith("descriptions@"))
        before = stage.states()[unit]
        host = stage.lab.host(before.host)
        file = f"/etc/vakanz/units/{unit}.env"
        host.shell(f"test ! -e '{file}' || mv '{file}' '{file}.kept'; echo VAKANZ_LOG_LEVEL=nonsense > '{file}'")
        try:
            stage.signal(before, "KILL")
            key = f"flapping: {unit}"
            detected = stage.wait(f"the incident {key}", lambda: key in stage.open_incidents(), 180)
            time.sleep(60)  # in which nobody may be told again
        finally:
            host.shell(f"rm -f '{file}'; test ! -e '{file}.kept' || mv '{file}.kept' '{file}'")
        host.run(["vakanz", "keeper", "start", unit], limit_s=60)
        healed = detected + 60 + stage.wait(f"{unit} is back", lambda: _of(stage, unit).up, 60)
        return Played(detected_s=detected, healed_s=healed, facts={"unit": unit})


class Keeper:
    """The keeper of a host is killed. systemd starts it again; no daemon takes notice."""

    name: ClassVar[str] = "keeper"
    what: ClassVar[str] = "the keeper itself is killed"
    alerts: ClassVar[tuple[int, int]] = (0, 0)

    def play(self, stage: Stage) -> Played:
        """It is back within 15 s, and no daemon of its host was restarted."""
        before = stage.states()
        unit = next(unit for unit in before if unit.startswith("keeper@") and len(_beside(before, unit)) > 0)
        detected, healed = killed(stage, unit)
        time.sleep(20)  # its first looks
        same = undisturbed(before, stage.states(), _beside(before, unit))
        return Played(detected_s=detected, healed_s=healed, checks=(at_most(f"{unit} is back", healed, _BACK_S), *same))


def killed(stage: Stage, unit: str) -> tuple[float, float]:
    """Kills a unit, and says after how many seconds systemd noticed, and it was back."""
    before = _of(stage, unit)
    stage.signal(before, "KILL")
    detected = stage.wait(
        f"systemd notices that {unit} died", lambda: _of(stage, unit).pid != before.pid, 30, every_s=0.1
    )
    return detected, detected + stage.wait(f"{unit} is back", lambda: _of(stage, unit).up, 60, every_s=0.2)


def undisturbed(before: dict[str, State], after: dict[str, State], units: list[str]) -> tuple[Check, ...]:
    """That these units are the same processes as before."""
    moved = [unit for unit in units if unit not in after or after[unit].pid != before[unit].pid]
    return (equal("daemons that were restarted", moved, []),)


def daemons(states: dict[str, State]) -> list[str]:
    """All units that are no keepers."""
    return sorted(unit for unit in states if not unit.startswith("keeper@"))


def _beside(states: dict[str, State], keeper: str) -> list[str]:
    return [unit for unit in daemons(states) if states[unit].host == states[keeper].host]


def _of(stage: Stage, unit: str) -> State:
    return stage.states()[unit]
