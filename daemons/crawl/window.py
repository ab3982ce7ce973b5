"""The daily window: by half past seven, before people look for jobs, every board was crawled that morning.

Boards come due on their own, a few times a day. The window brings forward those that would come later, spread over its
length, on whichever server claims the morning first. Boards that are crawled a moment ago, that fail, or that asked for
more time are left to their own pace.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from lib.store import schedules
from lib.store.connections import Connection, Database
from lib.store.schedules import Window
from sql import statements

_SQL = statements("boards")
JOB = "window"
WINDOW = Window(time(4, 30), time(7, 30), ZoneInfo("Europe/Berlin"))
_DAILY = timedelta(days=1)


@dataclass(frozen=True)
class Closed:
    """It is no time for it now."""

    opens: datetime


@dataclass(frozen=True)
class Taken:
    """Another server opened it, or this one before; `done` tells whether it got to the end."""

    by: str
    at: datetime
    done: bool


@dataclass(frozen=True)
class Opened:
    """`boards` of them are crawled earlier than they would have been, all until `closes`."""

    boards: int
    closes: datetime


async def open_window(database: Database, owner: str, now: datetime) -> Closed | Taken | Opened:
    """Opens this morning's window unless somebody did. `now` is aware."""
    due, following = schedules.due_times(_DAILY, WINDOW, now)
    if due is None:
        return Closed(following)
    closes = WINDOW.on(due)[1]

    async def opening(connection: Connection) -> Opened | None:
        run = await schedules.claim(connection, JOB, due, owner)
        if run is None:
            return None
        rows = await connection.fetch(_SQL.bring_forward, now, closes)
        await schedules.finish(connection, run, f"{len(rows)} boards brought forward")
        return Opened(len(rows), closes)

    # All or nothing: a server that dies over it leaves the morning to the others.
    opened = await database.transaction(opening)
    if opened is not None:
        return opened
    held = await schedules.holder(database, JOB, due)
    return Taken(held.owner, held.claimed_at, held.finished_at is not None)
