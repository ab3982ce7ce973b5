"""Daemons as the map expects them and as their heartbeats show them, and what is wrong with one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lib.life.actor import HEARTBEAT_S
from lib.life.fleet import Fleet
from lib.store.connections import Database
from sql import statements

_SQL = statements("fleet")
_FRESH_S = 2.5 * HEARTBEAT_S
_QUIET_S = 90.0  # without progress; half of what a watchdog takes for a hung loop
_WELL = ("working", "idle")


@dataclass(frozen=True, kw_only=True)
class Daemon:
    """A daemon's last heartbeat. Ages are seconds on the database's clock."""

    unit: str
    host: str
    pid: int
    version: str
    state: str
    status: str
    memory_bytes: int
    stop_requested: bool
    heartbeat_age_s: float
    progress_age_s: float

    @property
    def fresh(self) -> bool:
        """Whether it beats."""
        return self.heartbeat_age_s <= _FRESH_S


async def load_daemons(database: Database) -> dict[str, Daemon]:
    """Every daemon that ever beat, by unit. Waits while the database is away."""
    return {row["unit"]: Daemon(**row) for row in await database.fetch(_SQL.load_daemons)}


def expected(fleet: Fleet) -> Mapping[str, str]:
    """The host of every unit that should beat, keepers with them."""
    return {**fleet.units, **{f"keeper@{host}": host for host in fleet.hosts}}


def ailment(daemon: Daemon | None, host: str, version: str | None = None) -> str | None:
    """What is wrong with the daemon that should run on `host`, of `version` where that is given; None: nothing is.

    Nothing is wrong with one that the operator has stopped.
    """
    if daemon is None:
        return "has never beaten"
    if daemon.stop_requested:
        return None
    if not daemon.fresh:
        return f"silent for {daemon.heartbeat_age_s:.0f} s"
    if daemon.host != host:
        return f"runs on {daemon.host}"
    if daemon.state not in _WELL:
        return f"is {daemon.state}" + (f": {daemon.status}" if daemon.status else "")
    if version is not None and daemon.version != version:
        return f"runs version {daemon.version}, not {version}"
    if daemon.progress_age_s > _QUIET_S:
        return f"no progress for {daemon.progress_age_s:.0f} s"
    return None
