"""Holds: an operator wants units left alone for a while. They end by themselves; who held what and why is kept."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase

from lib.errors import VakanzError
from lib.store.connections import Database
from sql import statements

_SQL = statements("keeper")
LONGEST_S = 30 * 86_400.0
_UNITS_S = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}
_DURATION = re.compile(r"(?:(\d{1,6})d)?(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,7})s)?", re.ASCII)
_TARGET = re.compile(r"[A-Za-z0-9@:_.*?\[\]-]{1,100}", re.ASCII)


class BadHold(VakanzError):
    """There is nothing of that name to hold, or no such time to hold it for."""


@dataclass(frozen=True)
class Hold:
    """`target` is a unit, a pattern of units such as descriptions@*, or a host. `until` is aware UTC."""

    target: str
    held_by: str
    why: str
    since: datetime
    until: datetime


def duration_s(text: str) -> float:
    """Seconds of a duration such as 2h, 90m or 1d12h. Raises BadHold, also beyond 30 days."""
    match = _DURATION.fullmatch(text.strip().lower())
    seconds = 0.0
    if match is not None:
        seconds = float(
            sum(int(count or 0) * size for count, size in zip(match.groups(), _UNITS_S.values(), strict=True))
        )
    if not 0 < seconds <= LONGEST_S:
        raise BadHold(f"{text[:40]!r}: a time such as 30m, 2h or 1d12h is expected, 30 days at most")
    return seconds


def covers(target: str, unit: str, host: str) -> bool:
    """Whether a hold of `target` holds `unit`, which runs on `host`."""
    return target in (unit, host) or ("@" in target and fnmatchcase(unit, target))


def held(holds: Iterable[Hold], units: Iterable[str], host: str) -> frozenset[str]:
    """Those of `units` that are held on `host`."""
    targets = [hold.target for hold in holds]
    return frozenset(unit for unit in units if any(covers(target, unit, host) for target in targets))


def check_target(target: str, units: Collection[str], hosts: Collection[str]) -> None:
    """Raises BadHold where `target` means none of the units and hosts that are known."""
    if not _TARGET.fullmatch(target):
        raise BadHold(f"{target[:100]!r} names no unit, pattern of units, or host")
    if target in hosts or any(covers(target, unit, "") for unit in units):
        return
    raise BadHold(f"no unit or host is called {target}; `vakanz keeper status` lists them")


async def load_holds(database: Database) -> list[Hold]:
    """The holds in force, the one that ends first first."""
    return [Hold(**row) for row in await database.fetch(_SQL.load_holds)]


async def hold(database: Database, target: str, for_s: float, why: str, who: str) -> datetime:
    """Holds `target` from now on; an earlier hold of the same target gives way. Returns until when (aware UTC)."""
    until: datetime = await database.fetchval(_SQL.hold, target, who, why, for_s)
    return until


async def release(database: Database, target: str, who: str) -> bool:
    """Ends the hold of `target`. False where there is none."""
    return await database.fetchval(_SQL.release, target, who) is not None
