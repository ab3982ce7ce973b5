"""Shared servers that go away, or forget."""

from __future__ import annotations

import time
from typing import ClassVar

from tests.fleet.report import Played, at_most, equal
from tests.fleet.scenes.processes import daemons, undisturbed
from tests.fleet.stage import Stage

POSTGRESQL = "postgresql-wheel.service"
_WORK_S = 240.0
_BEATING_S = 60.0


class PostgresAway:
    """PostgreSQL is stopped for `away_s` while the fleet works. Everybody waits; one keeper tells what all of them see.

    Nobody can be told while it is away, for what is told is kept in its tables: the alert comes when it is back, or by
    the keeper that still knows whom to tell.
    """

    name: ClassVar[str] = "postgresql"
    what: ClassVar[str] = "PostgreSQL stopped under load"
    alerts: ClassVar[tuple[int, int]] = (1, 1)

    def __init__(self, away_s: float = 60.0) -> None:
        self.away_s = away_s

    def play(self, stage: Stage) -> Played:
        """No daemon is restarted; the lag goes back to zero."""
        before = stage.states()
        host = stage.serving("postgres")
        told = len(stage.world.told())
        stopped = time.monotonic()
        host.run(["systemctl", "stop", POSTGRESQL], limit_s=60)
        try:
            stage.pause(self.away_s)
        finally:
            host.run(["systemctl", "start", POSTGRESQL], limit_s=60)
        stage.wait("somebody is told", lambda: len(stage.world.told()) > told, 60)
        detected = stage.world.told()[told].at - stage.wall(stopped)
        stage.wait("the day's work is done", stage.finished, _WORK_S)
        checks = undisturbed(before, stage.states(), daemons(before))
        return Played(detected_s=detected, healed_s=time.monotonic() - stopped, checks=checks)


class RedisFlushed:
    """Redis forgets everything. What is in it is a copy or a wake-up call: the fleet goes on from PostgreSQL."""

    name: ClassVar[str] = "redis"
    what: ClassVar[str] = "Redis flushed"
    alerts: ClassVar[tuple[int, int]] = (0, 0)

    def play(self, stage: Stage) -> Played:
        """The day's work is done all the same, and nobody is restarted."""
        before = stage.states()
        host = stage.serving("redis")
        password = stage.control.secrets["vault_redis_password"]
        ask = ["env", f"REDISCLI_AUTH={password}", "redis-cli", "-h", str(host.address), "FLUSHALL"]
        said = host.run(ask).strip()
        healed = stage.wait("the day's work is done", stage.finished, _WORK_S)
        checks = (equal("Redis said", said, "OK"), *undisturbed(before, stage.states(), daemons(before)))
        return Played(healed_s=healed, checks=checks)


class PoolerRestarted:
    """PgBouncer is restarted under the daemons: every connection breaks at once."""

    name: ClassVar[str] = "pgbouncer"
    what: ClassVar[str] = "PgBouncer restarted"
    alerts: ClassVar[tuple[int, int]] = (0, 0)

    def play(self, stage: Stage) -> Played:
        """Every daemon beats again soon, as the same process."""
        before = stage.states()
        stage.serving("pgbouncer").run(["systemctl", "restart", "pgbouncer.service"], limit_s=60)
        back = stage.wait_for_beats(limit_s=90)
        stage.wait("the day's work is done", stage.finished, _WORK_S)
        same = undisturbed(before, stage.states(), daemons(before))
        return Played(healed_s=back, checks=(at_most("all daemons beat again", back, _BEATING_S), *same))
