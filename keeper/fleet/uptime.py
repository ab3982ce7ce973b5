"""Uptime for a person and for programs: figures beside the target, and a bar for each day."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from lib.life.uptime import TARGET, Figures, FleetUptime, Uptime

COLUMNS = ("unit", "host", "uptime", "target", "down", "planned", "restarts", "days")
# The worst that each bar stands for; a day in which nothing was expected has none.
_BARS = ((TARGET, "█"), (0.99, "▆"), (0.9, "▄"), (0.5, "▂"), (0.0, "▁"))
_NO_BAR = "·"
LEGEND = (
    "A bar is 24 hours, the last one ends now: "
    f"█ {TARGET:.1%} or more, ▆ 99 %, ▄ 90 %, ▂ 50 %, ▁ less, {_NO_BAR} not expected."
)


def rows(found: FleetUptime) -> list[Sequence[object]]:
    """One row per daemon, and two for the whole, in the columns of COLUMNS."""
    return [_row(one) for one in (*found.daemons, found.fleet, found.serving)]


def document(found: FleetUptime) -> dict[str, Any]:
    """The same as JSON values; seconds, and shares from 0 to 1 (null where nothing was expected)."""
    return {
        "target": TARGET,
        "fleet": _values(found.fleet),
        "serving": _values(found.serving),
        "daemons": [{"unit": one.name, "host": one.host, **_values(one)} for one in found.daemons],
    }


def bars(days: Iterable[Figures]) -> str:
    """One character per day."""
    return "".join(_bar(day.share) for day in days)


def duration(seconds: float) -> str:
    """Such as 3 d 4 h, 2 h 5 min, 7 min 30 s, 12 s; empty for less than half a second."""
    left = round(seconds)
    parts = []
    for size, name in ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")):
        count, left = divmod(left, size)
        parts.append(f"{count} {name}" if count else "")
    first = next((place for place, part in enumerate(parts) if part), len(parts))
    return " ".join(part for part in parts[first : first + 2] if part)


def _bar(share: float | None) -> str:
    return _NO_BAR if share is None else next(bar for least, bar in _BARS if share >= least)


def _row(one: Uptime) -> Sequence[object]:
    total = one.total
    share = total.share
    return (
        one.name, one.host, "" if share is None else _percent(share),
        "" if share is None else "met" if share >= TARGET else "missed",
        duration(total.down_s), duration(total.planned_s), one.restarts or "", bars(one.days),
    )  # fmt: skip


def _percent(share: float) -> str:
    """Never rounded up: 99.9996 % is not 100 %."""
    return f"{int(share * 100_000) / 1_000:.3f} %"


def _values(one: Uptime) -> dict[str, Any]:
    total = one.total
    return {
        "share": total.share, "met": total.share is not None and total.share >= TARGET,
        "expected_s": total.expected_s, "up_s": total.up_s, "planned_s": total.planned_s, "down_s": total.down_s,
        "restarts": one.restarts, "days": [day.share for day in one.days],
    }  # fmt: skip
