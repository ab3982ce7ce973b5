"""The whole fleet at a glance: what the map expects beside what the heartbeats show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.filesize import decimal

from keeper.fleet.daemons import Daemon, ailment, expected, load_daemons
from keeper.holds import Hold, held, load_holds
from lib.life.fleet import Fleet
from lib.store.connections import Database
from sql import statements

_SQL = statements("fleet")
COLUMNS = ("host", "daemons", "version", "memory", "last heartbeat", "not well", "held")


@dataclass(frozen=True, kw_only=True)
class OpenIncident:
    """An incident that is not over. `host` is empty for the whole fleet, `acked_by` while nobody has seen to it."""

    kind: str
    title: str
    host: str
    acked_by: str
    age_s: float


@dataclass(frozen=True)
class Overview:
    """What is to be shown, as it was read."""

    fleet: Fleet
    daemons: Mapping[str, Daemon]
    holds: Sequence[Hold]
    incidents: Sequence[OpenIncident]

    def document(self) -> dict[str, Any]:
        """Everything as plain values. Sizes are bytes, ages seconds; `strangers` beat but are not on the map."""
        wanted = expected(self.fleet)
        return {
            "hosts": {name: self._host(name, [unit for unit in wanted if wanted[unit] == name])
                      for name in self.fleet.hosts},
            "strangers": {one.unit: one.host for one in self.daemons.values() if one.fresh and one.unit not in wanted},
            "holds": [
                {"target": one.target, "why": one.why, "by": one.held_by, "until": one.until} for one in self.holds
            ],
            "incidents": [
                {"kind": one.kind, "title": one.title, "host": one.host, "age_s": one.age_s, "acked_by": one.acked_by}
                for one in self.incidents
            ],
        }  # fmt: skip

    def _host(self, name: str, wanted: Sequence[str]) -> dict[str, Any]:
        seen = [self.daemons[unit] for unit in wanted if unit in self.daemons]
        here = [daemon for daemon in seen if daemon.host == name and daemon.fresh]
        ailing = {unit: why for unit in wanted if (why := ailment(self.daemons.get(unit), name)) is not None}
        return {
            "expected": len(wanted),
            "well": len(wanted) - len(ailing),
            "versions": sorted({daemon.version for daemon in here}),
            "memory_bytes": sum(daemon.memory_bytes for daemon in here),
            "memory_there_bytes": self.fleet.hosts[name].memory_bytes,
            "last_heartbeat_s": min((daemon.heartbeat_age_s for daemon in seen if daemon.host == name), default=None),
            "ailing": ailing,
            "stopped": [daemon.unit for daemon in seen if daemon.stop_requested],
            "held": sorted(held(self.holds, wanted, name)),
        }


async def load_overview(database: Database, fleet: Fleet) -> Overview:
    """Reads all of it. Waits while the database is away."""
    incidents = [OpenIncident(**row) for row in await database.fetch(_SQL.open_incidents)]
    return Overview(fleet, await load_daemons(database), await load_holds(database), incidents)


def rows(document: Mapping[str, Any]) -> list[Sequence[object]]:
    """One row per host of a document, in the columns of COLUMNS."""
    return [
        (
            name, f"{host['well']} of {host['expected']}", ", ".join(host["versions"]),
            f"{decimal(host['memory_bytes'])} of {decimal(host['memory_there_bytes'])}",
            "never" if host["last_heartbeat_s"] is None else f"{host['last_heartbeat_s']:.0f} s ago",
            "; ".join(f"{unit} {why}" for unit, why in _rests(host).items()),
            ", ".join(host["held"]),
        )
        for name, host in document["hosts"].items()
    ]  # fmt: skip


def others(document: Mapping[str, Any]) -> list[Sequence[object]]:
    """What stands in no row of a host, as (what, where, for how long, more): strangers, holds, open incidents."""
    return [
        *(("not on the map", f"{unit} on {host}", "", "") for unit, host in document["strangers"].items()),
        *(
            ("hold", one["target"], f"until {one['until']:%Y-%m-%d %H:%M} UTC", f"{one['by']}: {one['why']}")
            for one in document["holds"]
        ),
        *(
            (
                f"incident: {one['kind']}", one["host"], f"{one['age_s'] / 60:.0f} min",
                one["title"] + (f" (seen to by {one['acked_by']})" if one["acked_by"] else ""),
            )
            for one in document["incidents"]
        ),
    ]  # fmt: skip


def _rests(host: Mapping[str, Any]) -> Mapping[str, str]:
    return {**host["ailing"], **dict.fromkeys(host["stopped"], "stopped by the operator")}
