"""How long something has been wrong, and since when it is fit to be told. Pure.

Hysteresis both ways: a finding must last before it is told, and must be absent for long enough before it is over.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from keeper.incident import Kind

_UNITS = 100


@dataclass(frozen=True, kw_only=True)
class Finding:
    """Something that is wrong at this look.

    It is told once it lasted `after_s`, and over once it was absent for `clear_s`. The rest is what an incident says,
    see `keeper.incident`.
    """

    key: str
    kind: Kind
    title: str
    host: str = ""
    units: tuple[str, ...] = ()
    why: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)
    after_s: float = 0.0
    clear_s: float = 0.0


class Watcher(Protocol):
    """Somebody else who looks for what is wrong. Must neither take long nor fail because a server is away."""

    async def look(self) -> Sequence[Finding]: ...


@dataclass(frozen=True)
class Mark:
    """A finding over time: first and last seen on the keeper's clock, and `wall`, the first in seconds since 1970.

    `lines`: the log when it was told.
    """

    finding: Finding
    first: float
    last: float
    wall: float
    told: bool
    lines: tuple[str, ...] = ()


def marked(marks: Mapping[str, Mark], findings: Iterable[Finding], now: float, wall: float) -> dict[str, Mark]:
    """The marks after a look at which `findings` were found."""
    found = {finding.key: finding for finding in findings}
    after = {
        key: mark
        for key, mark in marks.items()
        if key not in found and mark.told and now - mark.last < mark.finding.clear_s
    }
    for key, finding in found.items():
        before = marks.get(key)
        if before is None:
            after[key] = Mark(finding, now, now, wall, told=finding.after_s <= 0)
        else:
            told = before.told or now - before.first >= finding.after_s
            after[key] = replace(before, finding=_joined(before.finding, finding), last=now, told=told)
    return after


def _joined(before: Finding, after: Finding) -> Finding:
    """The newest word, with all children that the cause ever had."""
    units = tuple(dict.fromkeys((*before.units, *after.units)))[:_UNITS]
    return replace(after, units=units, why=after.why or before.why)
