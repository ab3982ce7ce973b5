"""The table `daemon` as the keeper reads it, with ages that no clock's jump can change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from keeper.observed import Heartbeat
from lib.store.connections import Database
from sql import statements

_SQL = statements("keeper")


async def load_heartbeats(database: Database) -> list[Heartbeat]:
    """Every daemon's last heartbeat, by unit, with ages on the database's clock. Waits while the database is away."""
    return [Heartbeat(**row) for row in await database.fetch(_SQL.load_daemons)]


async def ask_to_stop(database: Database, unit: str, stop: bool) -> bool:
    """Stops a daemon for as long as `stop` stays true; false asks for a start as well. False when no such daemon ever
    beat."""
    return await database.fetchrow(_SQL.ask_to_stop, unit, stop) is not None


class Ages:
    """Counts the age of heartbeats on the keeper's own clock, from the look at which each was new.

    At the first look the database's word is all there is. Later its clock may jump, forward or back, and changes
    nothing: another heartbeat is another stamp.
    """

    def __init__(self) -> None:
        self._seen: Mapping[str, tuple[float, float]] = {}

    def of(self, heartbeats: Sequence[Heartbeat], now: float) -> dict[str, Heartbeat]:
        """The heartbeats by unit, aged."""
        seen = {}
        for beat in heartbeats:
            stamp, at = self._seen.get(beat.unit, (beat.heartbeat_at, now - max(0.0, beat.heartbeat_age_s)))
            seen[beat.unit] = (beat.heartbeat_at, at if stamp == beat.heartbeat_at else now)
        self._seen = seen
        return {beat.unit: _aged(beat, now - seen[beat.unit][1]) for beat in heartbeats}


def _aged(beat: Heartbeat, age_s: float) -> Heartbeat:
    quiet_s = max(0.0, beat.progress_age_s - beat.heartbeat_age_s)  # between two stamps of one moment
    return replace(beat, heartbeat_age_s=age_s, progress_age_s=age_s + quiet_s)
