"""The daily window, and an evening on which nobody can be told."""

from __future__ import annotations

import time
from typing import ClassVar

from tests.fleet.machine import Machine
from tests.fleet.report import Check, Played, at_most, equal
from tests.fleet.scenes.servers import POSTGRESQL
from tests.fleet.stage import Stage

_WINDOW_S = 900.0
_SILENCE_S = 120.0


class Window:
    """The daily window opens on every server that has its timer at the same moment: one of them runs it."""

    name: ClassVar[str] = "window"
    what: ClassVar[str] = "the daily window runs through"
    short: ClassVar[bool] = False
    alerts: ClassVar[tuple[int, int]] = (0, 0)

    def play(self, stage: Stage) -> Played:
        """Every board is crawled, every text fetched and read; the slot was run once."""
        before = _slots(stage)
        started = time.monotonic()
        opened = [machine.name for machine in stage.lab.machines if _has_timer(machine)]
        for name in opened:
            stage.lab.host(name).run(["systemctl", "start", "--no-block", "vakanz-window.service"])
        stage.wait("the day's work is done", stage.finished, _WINDOW_S, every_s=2.0)
        healed = time.monotonic() - started
        stage.wait("the window is closed", lambda: not _open(stage, opened), 60)
        checks = (
            Check("servers that have the timer: at least 2", str(len(opened)), len(opened) >= 2),
            Check("slots that were run: at most 1", str(_slots(stage) - before), _slots(stage) - before <= 1),
            at_most("the day's work is done", healed, _WINDOW_S),
        )
        return Played(healed_s=healed, checks=checks, facts={"servers": opened})


class TelegramAway:
    """Telegram does not answer for two minutes, in which PostgreSQL is away, too: told late is told all the same."""

    name: ClassVar[str] = "telegram"
    what: ClassVar[str] = "Telegram away for two minutes"
    short: ClassVar[bool] = False
    alerts: ClassVar[tuple[int, int]] = (1, 1)

    def play(self, stage: Stage) -> Played:
        """The incident is told once, after Telegram is back."""
        told = len(stage.world.told())
        host = stage.serving("postgres")
        stage.world.silence(_SILENCE_S)
        silent = time.monotonic()
        host.run(["systemctl", "stop", POSTGRESQL], limit_s=60)
        try:
            stage.pause(45.0)
        finally:
            host.run(["systemctl", "start", POSTGRESQL], limit_s=60)
        stage.pause(_SILENCE_S - (time.monotonic() - silent))
        early = len(stage.world.told()) - told
        detected = stage.wait("it is told", lambda: len(stage.world.told()) > told, 120)
        checks = (equal("told while Telegram was away", early, 0),)
        return Played(detected_s=_SILENCE_S + detected, healed_s=time.monotonic() - silent, checks=checks)


def _has_timer(machine: Machine) -> bool:
    return machine.shell("systemctl is-enabled vakanz-window.timer || true").strip() == "enabled"


def _slots(stage: Stage) -> int:
    return int(stage.sql("SELECT count(*) AS runs FROM schedule_run WHERE job LIKE '%window%'")[0]["runs"])


def _open(stage: Stage, names: list[str]) -> bool:
    shown = [stage.lab.host(name).shell("systemctl is-active vakanz-window.service || true").strip() for name in names]
    return any(state in ("active", "activating") for state in shown)
