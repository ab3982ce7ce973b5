"""The daily window, and an evening on which nobody can be told."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import ClassVar
from zoneinfo import ZoneInfo

from tests.fleet.clocks import fake_clock, right_clock
from tests.fleet.machine import Machine
from tests.fleet.report import Check, Played, at_most, equal
from tests.fleet.scenes.servers import POSTGRESQL
from tests.fleet.stage import Stage

_WINDOW_S = 900.0
_SILENCE_S = 120.0
_ZONE = ZoneInfo("Europe/Berlin")
_LONG_AGO = """
UPDATE board SET last_crawled_at = now() - interval '2 days', next_due = now() + interval '12 hours'
 WHERE claimed_until IS NULL OR claimed_until < now()
"""


class Window:
    """The daily window opens on every server that has its timer, at the same moment: one of them runs it.

    It is some morning's half past four for the command that the timer starts, by libfaketime, for otherwise it would
    refuse; and two days since anything was crawled. The three hours that boards are spread over are over by then, so
    all are due at once.
    """

    name: ClassVar[str] = "window"
    what: ClassVar[str] = "the daily window runs through"
    alerts: ClassVar[tuple[int, int]] = (0, 0)

    def play(self, stage: Stage) -> Played:
        """Every board is crawled, every text fetched and read; the slot was run once."""
        having = [machine for machine in stage.lab.machines if _has_timer(machine)]
        morning = morning_before(datetime.now(UTC)).astimezone(UTC)
        for machine in having:
            fake_clock(machine, f"@{morning:%Y-%m-%d %H:%M:%S}", "vakanz-window.service")
        stage.change(_LONG_AGO)
        started = time.monotonic()
        try:
            for machine in having:
                machine.run(["systemctl", "start", "--no-block", "vakanz-window.service"])
            stage.wait("the day's work is done", stage.finished, _WINDOW_S, every_s=2.0)
            healed = time.monotonic() - started
            stage.wait("the window's services have ended", lambda: not any(map(_busy, having)), 60)
        finally:
            for machine in having:
                right_clock(machine, "vakanz-window.service")
        runs = stage.sql("SELECT claimed_by, outcome FROM schedule_run WHERE job = 'window'")
        checks = (
            Check("servers that have the timer: at least 2", str(len(having)), len(having) >= 2),
            Check("one server opened it", f"{runs}", len(runs) == 1 and not str(runs[0]["outcome"]).startswith("0 ")),
            at_most("the day's work is done", healed, _WINDOW_S),
        )
        return Played(healed_s=healed, checks=checks, facts={"runs": runs})


class TelegramAway:
    """Telegram does not answer for two minutes, in which PostgreSQL is away, too: told late is told all the same."""

    name: ClassVar[str] = "telegram"
    what: ClassVar[str] = "Telegram away for two minutes"
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


def _busy(machine: Machine) -> bool:
    state = machine.shell("systemctl is-active vakanz-window.service || true").strip()
    return state in ("active", "activating", "deactivating")


def morning_before(now: datetime) -> datetime:
    """The last half past four that has gone by, and a minute. `now` is aware."""
    here = now.astimezone(_ZONE)
    today = here.replace(hour=4, minute=31, second=0, microsecond=0)
    return today if today <= here else today - timedelta(days=1)
