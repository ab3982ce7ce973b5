"""What is wrong at one look, as far as units and the servers that they share are concerned. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from keeper.decide import Moment
from keeper.history import History, Limits
from keeper.incident import Kind
from keeper.marks import Finding
from keeper.observed import Changing, Ending, Exited, Observed, Running, Unit

# The first of those that are away is the cause to look at; the others may well be its victims.
_CAUSES = ("disk", "systemd", "network", "dns", "postgresql", "pgbouncer", "redis")
_OF_THIS_HOST = ("disk", "systemd")
# What is known of a unit by a stronger word is not told by a weaker one, too.
_STRONGER = {
    Kind.MISS: (Kind.FLAPPING, Kind.OOM, Kind.SILENT, Kind.STUCK),
    Kind.SILENT: (Kind.FLAPPING, Kind.OOM),
    Kind.STUCK: (Kind.FLAPPING, Kind.OOM, Kind.SILENT),
    Kind.OOM: (Kind.FLAPPING,),
}


def findings(
    observed: Observed, expected: Sequence[Unit], history: History, now: float, limits: Limits
) -> list[Finding]:
    """What a person should know if it lasts. `history` has already `seen` what is observed."""
    moment = Moment(observed, history, now, limits)
    found = [_of_unit(moment, unit) for unit in expected if unit.name not in observed.held]
    told = [finding for finding in found if finding is not None]
    away = _away(moment, expected)
    budget = _budget(moment)
    return [*([away] if away else []), *([budget] if budget else []), *told]


def _away(moment: Moment, expected: Sequence[Unit]) -> Finding | None:
    """One finding, however many servers are away, with the units that suffer from it folded in."""
    causes = sorted(moment.observed.unreachable, key=_rank)
    if not causes:
        return None
    if "network" in causes:  # this server is cut off: what it misses is there, and others tell that it is silent
        return None
    first, others = causes[0], causes[1:]
    units = tuple(unit.name for unit in expected if isinstance(moment.observed.process(unit), Exited | Changing))
    kind = Kind.DISK if first == "disk" else Kind.AWAY
    host = moment.observed.host if first in _OF_THIS_HOST else ""
    also = f" (nor {', '.join(others)})" if others else ""
    title = f"no room for state{also}" if kind is Kind.DISK else f"{first} does not answer{also}"
    return Finding(
        key=f"{kind}: {host}" if kind is Kind.DISK else f"{kind}: {first}" + (f" on {host}" if host else ""),
        kind=kind,
        title=f"{title}; nobody is restarted meanwhile",
        host=host,
        units=units,
        why=moment.observed.unreachable[first],
        after_s=moment.limits.away_s,
        clear_s=moment.limits.back_s,
    )


def _rank(name: str) -> tuple[int, str]:
    return (_CAUSES.index(name) if name in _CAUSES else len(_CAUSES), name)


def _budget(moment: Moment) -> Finding | None:
    host, budget = moment.observed.host, moment.limits.host_restarts
    key = f"{Kind.BUDGET}: {host}" if host else str(Kind.BUDGET)
    spent = moment.history.spent()
    if spent < (budget // 4 if moment.history.is_open(key) else budget // 2):
        return None
    return Finding(
        key=key, kind=Kind.BUDGET, title="this host restarts too much; units that keep failing wait", host=host,
        units=tuple(name for name, past in moment.history.units.items() if past.restarts),
        why=f"{spent} restarts in {moment.limits.window_s:.0f} s",
    )  # fmt: skip


def _of_unit(moment: Moment, unit: Unit) -> Finding | None:
    past, limits = moment.history.of(unit), moment.limits
    process, fault = moment.observed.process(unit), past.fault
    how = fault.how if fault is not None else ""
    sick = moment.sick(unit, process) if isinstance(process, Running) else None
    killed = fault if fault is not None and moment.now - fault.at < limits.told_s else None
    if moment.flaps(unit):
        times = f"{len(past.restarts)} restarts in {limits.window_s:.0f} s"
        return _finding(moment, unit, Kind.FLAPPING, "keeps failing; it is restarted ever more slowly", how or times)
    if killed is not None and killed.ending is Ending.OOM:
        return _finding(moment, unit, Kind.OOM, "was killed for memory", how)
    if sick is not None:
        kind, why = sick
        title = "is silent" if kind is Kind.SILENT else "makes no progress"
        return _finding(moment, unit, kind, title, why, clear_s=limits.health_s)
    if killed is not None and killed.ending is Ending.WATCHDOG:
        return _finding(moment, unit, Kind.STUCK, "hung until the watchdog ended it", how, clear_s=limits.health_s)
    if moment.observed.unreachable:
        return None
    if isinstance(process, Changing):
        return _missed(moment, unit, process.what, limits.change_s)
    if moment.missed(unit):
        return _missed(moment, unit, process.how if isinstance(process, Exited) else how, limits.miss_s)
    return None


def _missed(moment: Moment, unit: Unit, why: str, after_s: float) -> Finding | None:
    return _finding(moment, unit, Kind.MISS, "should run, and does not", why, after_s=after_s, clear_s=10.0)


def _finding(
    moment: Moment, unit: Unit, kind: Kind, title: str, why: str, *, after_s: float = 0.0, clear_s: float = 0.0
) -> Finding | None:
    if any(moment.history.is_open(f"{stronger}: {unit.name}") for stronger in _STRONGER.get(kind, ())):
        return None
    return Finding(
        key=f"{kind}: {unit.name}",
        kind=kind,
        title=f"{unit.name} {title}",
        host=moment.observed.host,
        units=(unit.name,),
        why=why,
        after_s=after_s,
        clear_s=clear_s,
    )
