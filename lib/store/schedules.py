"""Scheduled jobs: each slot (job, due time) runs at most once, on whichever server claims it first.

A claim is never taken over. Elapsed time cannot tell a dead owner from a slow one, and a job that ran twice is worse
than one that waits for its next slot; so scheduled work catches up with whatever it finds undone, and a slot whose
owner died stays in `schedule_run` without `finished_at`, where it shows.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import NamedTuple

from lib.errors import VakanzError
from lib.store.connections import Connection, Database
from sql import statements

_SQL = statements("schedules")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class NotClaimed(VakanzError):
    """The slot does not belong to this run."""


@dataclass(frozen=True)
class Window:
    """The part of each day in which a job may start, in the wall time of `zone`. May reach past midnight."""

    opens: time
    closes: time
    zone: tzinfo

    def on(self, day: datetime) -> tuple[datetime, datetime]:
        """When the window that opens on `day` opens and closes, in UTC."""
        date = day.astimezone(self.zone).date()
        last = date if self.closes > self.opens else date + timedelta(days=1)
        opens = datetime.combine(date, self.opens, self.zone)
        return opens.astimezone(UTC), datetime.combine(last, self.closes, self.zone).astimezone(UTC)


class DueTimes(NamedTuple):
    """`last`: the newest slot at or before now, None while the window is closed; `following`: the first after now."""

    last: datetime | None
    following: datetime


@dataclass(frozen=True)
class Run:
    """A slot that is ours. `mark` tells this claim from every other one."""

    job: str
    due: datetime
    mark: str


@dataclass(frozen=True)
class Holder:
    """Who claimed a slot, and when the run ended; None while it runs, or when its owner died."""

    owner: str
    claimed_at: datetime
    finished_at: datetime | None


def due_times(every: timedelta, window: Window | None, now: datetime) -> DueTimes:
    """The slots around `now` (aware), in UTC. Without a window they are whole multiples of `every` since 1970;
    with one they start anew when it opens. Missed slots are not made up for: only the newest counts.
    """
    if every <= timedelta(0):
        raise ValueError("a schedule needs a positive interval")
    if window is None:
        last = now - (now - _EPOCH) % every
        return DueTimes(last.astimezone(UTC), (last + every).astimezone(UTC))
    spans = [window.on(now + timedelta(days=days)) for days in (-1, 0, 1, 2)]
    newest = None
    for opens, closes in spans:
        if now < opens:
            return DueTimes(newest, opens)
        if now < closes:
            last = now - (now - opens) % every
            newest = last.astimezone(UTC)
            if newest + every < closes:
                return DueTimes(newest, newest + every)
    raise ValueError(f"the window {window} does not open within two days of {now}")


async def claim(database: Database | Connection, job: str, due: datetime, owner: str) -> Run | None:
    """The slot as ours, None when anybody, also a former self, has it already.

    Work that is one transaction claims in it: what fails then leaves the slot to the next try.
    """
    run = Run(job, due, f"{owner}#{secrets.token_hex(8)}")
    return run if await database.fetchval(_SQL.claim, job, due, run.mark) else None


async def holder(database: Database, job: str, due: datetime) -> Holder:
    """Who has a slot. Raises NotClaimed when nobody does."""
    row = await database.fetchrow(_SQL.holder, job, due)
    if row is None:
        raise NotClaimed(f"nobody has claimed {job} at {due.isoformat()}")
    return Holder(**dict(row))


async def finish(database: Database | Connection, run: Run, outcome: str) -> None:
    """Notes in a few words how `run` ended. Raises NotClaimed."""
    if not await database.fetchval(_SQL.finish, run.job, run.due, run.mark, outcome):
        raise NotClaimed(f"{run.job} at {run.due.isoformat()} is not a run of {run.mark}")


async def prune(database: Database, older_than: timedelta, now: datetime) -> int:
    """Forgets slots due before `now - older_than`, and says how many. Keep it well above every job's interval."""
    return len(await database.fetch(_SQL.prune, now - older_than))
