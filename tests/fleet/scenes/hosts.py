"""Whole servers: cut off, without power, with a wrong clock, with a full disk."""

from __future__ import annotations

import time
from typing import ClassVar

from tests.fleet.clocks import fake_clock, right_clock
from tests.fleet.report import Played, at_most, equal
from tests.fleet.scenes.processes import daemons, undisturbed
from tests.fleet.stage import Stage

_CUT_S = 120.0
_TOLD_S = 180.0
_WORK_S = 300.0


class NetworkCut:
    """A server loses its network for two minutes. Its daemons live on, but what they still hold in hand is fenced off:
    its leases have run out, and nobody commits it under them. Another keeper tells that the server is silent."""

    name: ClassVar[str] = "network"
    what: ClassVar[str] = "the network of w3 cut and healed"
    alerts: ClassVar[tuple[int, int]] = (1, 1)

    def play(self, stage: Stage) -> Played:
        """Its shards resume when it is back."""
        host = stage.lab.host("w3")
        before = stage.states()
        cut = time.monotonic()
        told = len(stage.world.told())
        host.cut_network()
        try:
            stage.wait("somebody tells of w3", lambda: _names(stage, told, "w3"), _TOLD_S)
            detected = time.monotonic() - cut
            stage.pause(max(0.0, _CUT_S - detected))
        finally:
            host.heal_network()
        healing = time.monotonic()
        stage.wait_for_beats(limit_s=120)
        healed = time.monotonic() - healing
        stage.wait("the day's work is done", stage.finished, _WORK_S)
        same = undisturbed(before, stage.states(), daemons(before))
        checks = (at_most("its daemons beat again", healed, 60), *same)
        return Played(detected_s=detected, healed_s=healed, checks=checks)


class PowerOff:
    """A server loses its power for good. Another one tells it; the operator moves its units in the map and rolls out.
    Afterwards the server comes back, and its units with it."""

    name: ClassVar[str] = "power"
    what: ClassVar[str] = "w5 powered off, its shards moved in fleet.yml and rolled out"
    alerts: ClassVar[tuple[int, int]] = (1, 1)

    def play(self, stage: Stage) -> Played:
        """Its shards go on elsewhere."""
        host = stage.lab.host("w5")
        units = stage.fleet.hosts["w5"].units
        told = len(stage.world.told())
        cut = time.monotonic()
        host.cut_power()
        detected = stage.wait("somebody tells of w5", lambda: _names(stage, told, "w5"), _TOLD_S)
        for unit in units:
            stage.control.move(unit, "w2")
        moved = stage.control.play("rollout", "--limit=localhost,fleet,!w5")
        try:
            stage.wait("the moved units run", lambda: not any(one.endswith(" on w2") for one in stage.amiss()), 60)
            stage.wait("the day's work is done", stage.finished, _WORK_S)
            healed = time.monotonic() - cut
        finally:
            for unit in units:
                stage.control.move(unit, "w5")
            stage.lab.boot([host])
            stage.control.play("rollout").succeeded()
        stage.wait("all units are back in place", lambda: not stage.amiss(), 120)
        checks = (equal("failed tasks of the rollout", sum(moved.failed.values()), 0),)
        return Played(detected_s=detected, healed_s=healed, checks=checks, facts={"rollout_s": round(moved.seconds, 1)})


class WrongClock:
    """The clock of one server is an hour ahead, for everything of Vakanz's on it (see `clocks`). What must be right on
    all servers is counted on the database's clock."""

    name: ClassVar[str] = "clock"
    what: ClassVar[str] = "the clock of w2 wrong by an hour"
    alerts: ClassVar[tuple[int, int]] = (1, 1)

    def play(self, stage: Stage) -> Played:
        """It is told, the day's work is done, and nothing carries a time of the future."""
        host = stage.lab.host("w2")
        restart = "systemctl restart 'vakanz-*@*.service' vakanz-keeper.service"
        told = len(stage.world.told())
        fake_clock(host, "+1h", "vakanz-.service")
        wrong = time.monotonic()
        try:
            host.shell(restart, limit_s=120)
            detected = stage.wait("somebody tells of the clock", lambda: _names(stage, told, "w2"), _TOLD_S)
            stage.wait("the day's work is done", stage.finished, _WORK_S)
            ahead = stage.sql("SELECT count(*) AS rows FROM posting WHERE greatest(first_seen, last_seen) > now()")
        finally:
            right_clock(host, "vakanz-.service")
            host.shell(restart, limit_s=120)
        stage.wait_for_beats(limit_s=120)
        checks = (equal("postings of the future", ahead[0]["rows"], 0),)
        return Played(detected_s=detected, healed_s=time.monotonic() - wrong, checks=checks)


class DiskFull:
    """The disk that w2 keeps its state on is full for a minute. Nobody is restarted for it, and it is told once."""

    name: ClassVar[str] = "disk"
    what: ClassVar[str] = "disk full on w2"
    alerts: ClassVar[tuple[int, int]] = (1, 1)

    def play(self, stage: Stage) -> Played:
        """The day's work is done once there is room again."""
        before = stage.states()
        host = stage.lab.host("w2")
        told = len(stage.world.told())
        full = time.monotonic()
        host.shell("dd if=/dev/zero of=/var/lib/vakanz/ballast bs=1M 2>/dev/null; true", limit_s=60)
        try:
            detected = stage.wait("somebody tells of the disk", lambda: _names(stage, told, "w2"), _TOLD_S)
            stage.pause(60.0)
        finally:
            host.shell("rm -f /var/lib/vakanz/ballast")
        stage.wait("the day's work is done", stage.finished, _WORK_S)
        same = undisturbed(before, stage.states(), daemons(before))
        return Played(detected_s=detected, healed_s=time.monotonic() - full, checks=same)


def _names(stage: Stage, told: int, host: str) -> bool:
    """Whether a message beyond the first `told` ones names the host."""
    return any(host in message.texts[0] for message in stage.world.told()[told:])
