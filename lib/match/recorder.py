"""Writes searches down before they are answered: whoever got an answer has a row, however many ask at once.

One task writes for all. What came while it wrote one batch is the next: one transaction, which waits for the disk. A
result that was kept for a while is looked at again in that transaction: of a posting that closed meanwhile, or that a
hard limit now excludes, nobody hears any more. While PostgreSQL is away nothing is answered; who gives up waiting is
not written down.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg

from lib.errors import VakanzError
from lib.match import searches
from lib.match.answer import Answer
from lib.match.profile import Profile
from lib.match.searches import Begun
from lib.store.connections import Connection, Database
from sql import statements

_SQL = statements("searches")
_MOST_AT_ONCE = 500


class Stale(VakanzError):
    """A kept result names a posting that must not be shown any more."""


@dataclass(frozen=True, eq=False)
class Entry:
    """One search to write down. `again`: its result was kept for a while, and has to be looked at again."""

    answer: Answer
    profile: Profile
    digest: bytes
    account_id: int | None
    api_key_id: int | None
    again: bool
    written: asyncio.Future[bool] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Recorder:
    """`record` waits until its search is written; `run` writes, until it is cancelled."""

    def __init__(
        self, database: Database, expire_days: int, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._database = database
        self._expire = timedelta(days=expire_days)
        self._clock = clock
        self._waiting: list[Entry] = []
        self._asked = asyncio.Event()

    async def record(self, entry: Entry) -> None:
        """Returns when the search is on disk. Raises Stale, and then nothing is written."""
        self._waiting.append(entry)
        self._asked.set()
        if not await entry.written:
            raise Stale("a posting of this result closed meanwhile")

    async def run(self) -> None:
        """Writes what is asked for."""
        while True:
            await self._asked.wait()
            batch, self._waiting = self._waiting[:_MOST_AT_ONCE], self._waiting[_MOST_AT_ONCE:]
            if not self._waiting:
                self._asked.clear()
            await self._write(batch)

    async def _write(self, batch: Sequence[Entry]) -> None:
        try:
            fresh = await self._database.transaction(lambda connection: self._work(connection, _awaited(batch)))
        except (asyncpg.IntegrityConstraintViolationError, asyncpg.DataError) as error:
            if len(batch) > 1:  # one of them is to blame: the others are written without it
                for entry in batch:
                    await self._write([entry])
                return
            _fail(batch, error)
        except Exception as error:  # noqa: BLE001 - whoever waits raises it; this task must go on for the next
            _fail(batch, error)
        else:
            for entry in _awaited(batch):
                entry.written.set_result(entry.answer.id in fresh)

    async def _work(self, connection: Connection, batch: Sequence[Entry]) -> set[uuid.UUID]:
        """Ids of the searches that were written; the others' results are stale."""
        good = await self._current(connection, batch)
        await _record_ended(connection, [entry for entry in good if entry.answer.live != "running"])
        await searches.start(
            connection,
            [
                Begun(entry.answer, entry.profile, entry.account_id, entry.api_key_id)
                for entry in good
                if entry.answer.live == "running"
            ],
        )
        return {entry.answer.id for entry in good}

    async def _current(self, connection: Connection, batch: Sequence[Entry]) -> list[Entry]:
        """Those of which every match, and every copy of one, is still open and within the hard limits."""
        shown = {posting for entry in batch if entry.again for posting in searches.shown(entry.answer)}
        if not shown:
            return list(batch)
        served = await searches.served(connection, list(shown), self._clock() - self._expire)
        return [entry for entry in batch if not entry.again or _holds(entry, served)]


@asynccontextmanager
async def recording(recorder: Recorder) -> AsyncIterator[Recorder]:
    """Lets a recorder write within the block."""
    task = asyncio.create_task(recorder.run())  # no task group: an application may end it in another task
    try:
        yield recorder
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def _awaited(batch: Sequence[Entry]) -> list[Entry]:
    return [entry for entry in batch if not entry.written.done()]


def _fail(batch: Sequence[Entry], error: Exception) -> None:
    for entry in _awaited(batch):
        entry.written.set_exception(error)


def _holds(entry: Entry, served: Mapping[int, Sequence[Any]]) -> bool:
    limits = entry.profile.limits.folded()
    for posting in searches.shown(entry.answer):
        if posting not in served:
            return False
        country, language, remote, employment, salary_eur = served[posting]
        if not limits.allow(
            country=country, language=language, remote=remote, employment=employment, salary_eur=salary_eur
        ):
            return False
    return True


async def _record_ended(connection: Connection, batch: Sequence[Entry]) -> None:
    if not batch:
        return
    answers = [entry.answer for entry in batch]
    await connection.execute(
        _SQL.record_searches,
        [answer.id for answer in answers],
        [entry.api_key_id for entry in batch],
        [entry.account_id for entry in batch],
        [entry.digest for entry in batch],
        [answer.candidates for answer in answers],
        [answer.found for answer in answers],
        ["{" + ",".join(str(match.id) for match in answer.matches) + "}" for answer in answers],
        [answer.matches[0].score if answer.matches else None for answer in answers],
        [answer.took_ms for answer in answers],
        [answer.live for answer in answers],
        [answer.live_why for answer in answers],
    )
