"""What all keepers see at the same time, merged by cause. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from keeper.incident import Incident


@dataclass(frozen=True)
class Report:
    """One keeper's word that an incident is open, last repeated at `seen_at` on the database's clock."""

    host: str
    incident: Incident
    seen_at: float


@dataclass(frozen=True)
class Seen:
    """An incident as all those see it who do."""

    incident: Incident
    hosts: tuple[str, ...]


def merge(reports: Iterable[Report]) -> dict[str, Seen]:
    """One incident per key. It is told as the keeper tells it that saw it first, with the units of all."""
    by_key: dict[str, list[Report]] = {}
    for report in reports:
        by_key.setdefault(report.incident.key, []).append(report)
    return {key: _merged(same) for key, same in by_key.items()}


def fresh(reports: Iterable[Report], not_before: float) -> list[Report]:
    """Those that were repeated since then; a keeper that fell silent says nothing about its host any more."""
    return [report for report in reports if report.seen_at >= not_before]


def _merged(same: Sequence[Report]) -> Seen:
    by_age = sorted(same, key=lambda report: (report.incident.since, report.host))
    units = sorted({unit for report in same for unit in report.incident.units})
    return Seen(
        replace(by_age[0].incident, units=tuple(units)),
        tuple(sorted({report.host for report in same})),
    )
