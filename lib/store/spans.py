"""When each daemon beat, stood on the map of the fleet, and was held: what uptime is computed from.

All times are seconds since 1970 on the database's clock; no server's own clock counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from fnmatch import fnmatchcase

from lib.store.connections import Connection, Database
from sql import statements

_SQL = statements("uptime")


@dataclass(frozen=True)
class Span:
    """Uninterrupted heartbeats of one process, from `began` to `beat`.

    `ending` is "drained" when it ended in good order, "asked" when the control plane had asked for that, and "" when
    it lives, was killed or fell silent.
    """

    unit: str
    host: str
    pid: int
    began: float
    beat: float
    ending: str = ""


@dataclass(frozen=True)
class Placement:
    """`unit` stood on the map from `since` to `until`, None for until now."""

    unit: str
    since: float
    until: float | None


@dataclass(frozen=True)
class Held:
    """An operator wanted `target` (a unit, a pattern of units, a host) left alone from `since` to `until`."""

    target: str
    since: float
    until: float

    def covers(self, unit: str, host: str) -> bool:
        """Whether it is about `unit`, which runs on `host`."""
        return self.target in (unit, host) or ("@" in self.target and fnmatchcase(unit, self.target))


@dataclass(frozen=True)
class Past:
    """What the database knows at the time `now` about a window that ends then."""

    now: float
    spans: Sequence[Span]
    placements: Sequence[Placement] = ()
    holds: Sequence[Held] = ()


async def load_past(database: Database, window_s: float) -> Past:
    """What reaches into the last `window_s` seconds, and each unit's last span before."""

    async def work(connection: Connection) -> Past:
        now = await connection.fetchval(_SQL.database_clock)
        spans = [Span(**row) for row in await connection.fetch(_SQL.load_spans, window_s)]
        placements = [Placement(**row) for row in await connection.fetch(_SQL.load_placements)]
        holds = [Held(**row) for row in await connection.fetch(_SQL.load_past_holds, window_s)]
        return Past(now, spans, placements, holds)

    return await database.transaction(work)


async def place(database: Database, hosts: Mapping[str, Iterable[str]]) -> None:
    """Notes the whole map (host -> units) as it is from now on. Whoever reads the map tells it; once is enough."""
    pairs = [(unit, host) for host, units in hosts.items() for unit in units]
    await database.execute(_SQL.place, [unit for unit, _ in pairs], [host for _, host in pairs])


async def prune(database: Database, older_than: timedelta) -> int:
    """Forgets what ended longer ago than `older_than`, and says how many spans that were."""
    return len(await database.fetch(_SQL.prune_spans, older_than))
