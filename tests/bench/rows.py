"""What a measurement says: a figure beside its bound, both taken in turns, so that noise hits both alike."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal, Self

from rich.table import Table


@dataclass(frozen=True)
class Target:
    """What is to be reached. `of`: the figure itself, or its ratio to the bound."""

    sign: Literal[">=", "<="]
    value: float
    of: Literal["ratio", "figure"] = "ratio"

    def met(self, value: float) -> bool:
        """Whether `value` reaches it."""
        return value >= self.value if self.sign == ">=" else value <= self.value


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of the table. `ratio` is figure / bound; `spread`: the smallest and largest of its rounds.

    `n` says what was measured and how much of it.
    """

    name: str
    figure: float
    unit: str
    n: str
    target: Target | None = None
    bound: str = ""
    bound_figure: float | None = None
    ratio: float | None = None
    spread: tuple[float, float] | None = None
    beside: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def of_rounds(cls, ours: Sequence[float], bounds: Sequence[float], **said: Any) -> Self:
        """A row of figures that were taken in turns: medians, and the median of the rounds' ratios."""
        ratios = [our / bound for our, bound in zip(ours, bounds, strict=True)]
        return cls(
            figure=statistics.median(ours), bound_figure=statistics.median(bounds), ratio=statistics.median(ratios),
            spread=(min(ratios), max(ratios)), **said,
        )  # fmt: skip

    @property
    def met(self) -> bool | None:
        """Whether the target is reached; None where there is none."""
        if self.target is None:
            return None
        judged = self.ratio if self.target.of == "ratio" else self.figure
        return judged is not None and self.target.met(judged)

    @property
    def shown(self) -> str:
        """The figure as the table shows it."""
        return f"{_number(self.figure)} {self.unit}"

    def document(self) -> dict[str, Any]:
        """As a plain object for JSON."""
        target = None if self.target is None else f"{self.target.of} {self.target.sign} {self.target.value:g}"
        return {
            "name": self.name, "figure": self.figure, "unit": self.unit, "bound": self.bound or None,
            "bound_figure": self.bound_figure, "ratio": self.ratio, "ratio_spread": self.spread, "target": target,
            "met": self.met, "n": self.n, "beside": dict(self.beside),
        }  # fmt: skip


def table(rows: Sequence[Row]) -> Table:
    """All rows for a person."""
    shown = Table("what", "figure", "bound", "ratio", "target", "", "measured at", title="make bench", show_lines=True)
    for row in rows:
        bound = row.bound if row.bound_figure is None else f"{_number(row.bound_figure)} {row.bound}"
        ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
        spread = (
            "" if row.spread is None or row.spread[0] == row.spread[1] else f"\n{row.spread[0]:.2f}-{row.spread[1]:.2f}"
        )
        beside = "".join(f"\n{name}: {_number(value)}" for name, value in row.beside.items())
        target = "" if row.target is None else f"{row.target.sign} {row.target.value:g}"
        verdict = {True: "[green]met[/]", False: "[red]missed[/]", None: ""}[row.met]
        shown.add_row(row.name, row.shown, bound + beside, ratio + spread, target, verdict, row.n)
    return shown


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


class Stopwatch:
    """Seconds of a `with` block."""

    seconds = 0.0


@contextmanager
def stopwatch() -> Iterator[Stopwatch]:
    """Times a block. What is in memory before it is kept from the garbage collector, which would look through all that
    a measurement prepared again and again: the daemons have no such thing."""
    gc.collect()
    gc.freeze()
    watch = Stopwatch()
    started = time.perf_counter()
    try:
        yield watch
    finally:
        watch.seconds = time.perf_counter() - started
        gc.unfreeze()


async def in_turns(rounds: int, *works: Callable[[], Awaitable[float]]) -> list[list[float]]:
    """The figures of each work, one per round; the works take turns within a round."""
    figures: list[list[float]] = [[] for _ in works]
    for _ in range(rounds):
        for work, kept in zip(works, figures, strict=True):
            kept.append(await work())
    return figures
