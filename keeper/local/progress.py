"""How far the main job is and what is in its way, as a live display at a terminal and as plain lines elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from keeper.incident import Incident, LoggedAlerts
from lib.store import followers
from lib.store.connections import Database
from sql import statements

_SQL = statements("local")
BACKGROUND = "fulltext"  # works at its own pace; its lag is not waited for
STEPS = ("boards", "described", "enriched", "embedded")


@dataclass(frozen=True, kw_only=True)
class Standing:
    """The main job at one moment. `lags`: changes before each follower, all shards together."""

    boards: int
    crawled: int
    postings: int
    described: int
    enriched: int
    embedded: int
    full_embedded: int
    put_off: int
    dead_letters: int
    lags: Mapping[str, int]

    @property
    def max_lag(self) -> int:
        """The lag of the follower that is furthest behind, the background one aside."""
        return max((rows for name, rows in self.lags.items() if name != BACKGROUND), default=0)

    @property
    def finished(self) -> bool:
        """Every board was crawled, and every follower is at the end: what has no text has been tried, too."""
        return bool(self.boards) and self.crawled >= self.boards and bool(self.lags) and self.max_lag == 0


async def standing(database: Database, since: datetime) -> Standing:
    """Where the main job is; boards count as crawled when they were after `since`."""
    row = await database.fetchrow(_SQL.progress, since)
    assert row is not None  # an aggregate always has a row
    return Standing(**dict(row), lags=await followers.lags(database))


class Display:
    """Shows standings. At a terminal bars that move, elsewhere a line whenever something changed."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._last = ""
        self._bars = Progress(
            TextColumn("{task.description:>10}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
            console=console, transient=True,
        )  # fmt: skip
        self._tasks = {name: self._bars.add_task(name, total=None) for name in STEPS}

    def __enter__(self) -> Display:
        if self._console.is_terminal:
            self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    def show(self, now: Standing) -> None:
        """Shows where the job is."""
        if self._console.is_terminal:
            self._bars.update(self._tasks["boards"], completed=now.crawled, total=now.boards)
            for name in STEPS[1:]:
                self._bars.update(self._tasks[name], completed=getattr(now, name), total=now.postings)
            return
        line = (
            f"boards {now.crawled}/{now.boards}  postings {now.postings}  described {now.described}  "
            f"enriched {now.enriched}  embedded {now.embedded}  lag {now.max_lag}"
        )
        if line != self._last:
            self._console.print(line, highlight=False)
            self._last = line


class ShownAlerts:
    """Incidents as log lines, and as lines for the person who waits. `logs`: the folder that says why."""

    def __init__(self, console: Console, logs: Path) -> None:
        self._console = console
        self._logs = logs
        self._logged = LoggedAlerts()
        self._shown: Mapping[str, Incident] = {}

    def report(self, incidents: Sequence[Incident]) -> None:
        """One line for each that begins, one for each that is over."""
        self._logged.report(incidents)
        now = {incident.key: incident for incident in incidents}
        began = [one for key, one in now.items() if key not in self._shown]
        ended = [one for key, one in self._shown.items() if key not in now]
        lines = [f"{one.title}; logs are in {self._logs}" for one in began] + [f"over: {one.title}" for one in ended]
        for line in lines:
            self._console.print(line, style="yellow", markup=False, highlight=False)
        self._shown = now
