"""What came of the scenes: expectations, the table for people, and JSON for programs. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from rich.table import Table

from tests.fleet.market import Difference


@dataclass(frozen=True)
class Check:
    """One expectation, and what was found. A `target` is a speed to reach: a busy machine may miss it, which is told
    and fails nothing."""

    expected: str
    found: str
    met: bool
    target: bool = False


def at_most(what: str, found_s: float, limit_s: float) -> Check:
    """That something took no longer than it may."""
    return Check(f"{what} within {limit_s:g} s", f"{found_s:.1f} s", found_s <= limit_s)


def target(what: str, found_s: float, limit_s: float) -> Check:
    """The same, as a target."""
    return replace(at_most(what, found_s, limit_s), target=True)


def equal(what: str, found: object, wanted: object) -> Check:
    """That something is what it should be."""
    return Check(f"{what}: {wanted}", str(found), found == wanted)


@dataclass(frozen=True, kw_only=True)
class Played:
    """What a scene measured. Seconds from what broke until somebody noticed, and until all was well again."""

    detected_s: float | None = None
    healed_s: float | None = None
    checks: tuple[Check, ...] = ()
    facts: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Row:
    """One scene in the report. `alerts`: messages that began an incident. `error`: why it could not be played out."""

    scene: str
    seconds: float
    played: Played
    difference: Difference
    alerts: Sequence[str]
    checks: tuple[Check, ...]
    error: str = ""

    @property
    def passed(self) -> bool:
        """Whether everything was as expected."""
        return not self.error and all(check.met or check.target for check in self.checks)

    @property
    def remarks(self) -> list[str]:
        """What was not as expected, and which targets were missed."""
        unmet = [check for check in self.checks if not check.met]
        told = [
            f"{'slower than wanted' if one.target else 'not as expected'}: {one.expected}; found: {one.found}"
            for one in unmet
        ]
        return ([self.error] if self.error else []) + told

    def document(self) -> dict[str, Any]:
        """The row as plain values."""
        return {
            "scene": self.scene,
            "passed": self.passed,
            "seconds": round(self.seconds, 1),
            "detected_s": _rounded(self.played.detected_s),
            "healed_s": _rounded(self.played.healed_s),
            "lost": self.difference.lost,
            "doubled": self.difference.doubled,
            "difference": asdict(self.difference),
            "alerts": list(self.alerts),
            "checks": [asdict(check) for check in self.checks],
            "facts": dict(self.played.facts),
            "error": self.error,
        }


def judged(difference: Difference) -> tuple[Check, ...]:
    """What holds after every scene."""
    return (
        equal("rows lost", difference.lost, 0),
        equal("rows doubled", difference.doubled, 0),
        equal("texts missing", difference.untold, 0),
    )


def table(rows: Sequence[Row]) -> Table:
    """The report for people."""
    shown = Table(title="Rehearsal")
    for name in ("scene", "detected after", "healed after", "rows lost", "rows doubled", "alerts", "verdict"):
        shown.add_column(name, justify="left" if name in ("scene", "verdict") else "right")
    for row in rows:
        verdict = "\n".join((["as expected"] if row.passed else []) + row.remarks)
        shown.add_row(
            row.scene, _seconds(row.played.detected_s), _seconds(row.played.healed_s), str(row.difference.lost),
            str(row.difference.doubled), str(len(row.alerts)), verdict, style="" if row.passed else "red",
        )  # fmt: skip
    return shown


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f} s"


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
