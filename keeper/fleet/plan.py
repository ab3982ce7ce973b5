"""The map beside the sizes of its servers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from lib.life.domains import spelt
from lib.life.fleet import Fleet, Host

_MIB = 1 << 20
COLUMNS = ("host", "cpus", "memory needed", "memory there", "daemons", "services", "units")


def folded(units: Iterable[str]) -> list[str]:
    """Units with those of a row of numbers as one: geo@0, geo@1, geo@2 are `geo@0 to 2`."""
    instances: dict[str, list[str]] = {}
    for unit in units:
        domain, _, instance = unit.partition("@")
        instances.setdefault(domain, []).append(instance)
    return [f"{domain}@{row}" for domain, listed in instances.items() for row in _rows(listed)]


def rows(fleet: Fleet) -> list[Sequence[object]]:
    """One row per host in the columns of COLUMNS, and one for the whole."""
    hosts = fleet.hosts.values()
    total = (
        "all", sum(host.cpus for host in hosts), _size(sum(host.needed_bytes for host in hosts)),
        _size(sum(host.memory_bytes for host in hosts)), fleet.daemons, "", "a keeper on each is counted as a daemon",
    )  # fmt: skip
    return [*map(_row, hosts), total]


def document(fleet: Fleet, problems: Sequence[str]) -> dict[str, Any]:
    """The plan as plain values; sizes are bytes."""
    return {
        "hosts": {
            host.name: {
                "cpus": host.cpus,
                "memory_bytes": host.memory_bytes,
                "needed_bytes": host.needed_bytes,
                "services": host.services,
                "units": host.units,
            }
            for host in fleet.hosts.values()
        },
        "daemons": fleet.daemons,
        "problems": problems,
    }


def _row(host: Host) -> Sequence[object]:
    return (
        host.name, host.cpus, _size(host.needed_bytes), _size(host.memory_bytes), len(host.units) + 1,
        ", ".join(host.services), ", ".join(folded(host.units)),
    )  # fmt: skip


def _rows(instances: Sequence[str]) -> list[str]:
    single = [one for one in instances if one.rpartition(":")[2].isdigit()]
    rows = spelt(single).replace("-", " to ").split(", ") if single else []
    return [*rows, *(one for one in instances if one not in single)]


def _size(size: int) -> str:
    return f"{size / _MIB:,.0f} MiB"
