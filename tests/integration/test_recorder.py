"""The recorder: it asks PostgreSQL the same few times however many it writes, and writes nothing that is stale."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TypeVar

import msgspec
import pytest

from lib.match.answer import Answer, Copy, Live, Match
from lib.match.profile import Limits, Profile
from lib.match.recorder import Entry, Recorder, Stale, recording
from lib.match.searches import events_after, load
from lib.store.connections import Connection, Database
from tests.integration.open_market import fill

T = TypeVar("T")
PROFILE = Profile(text="Glasbläser\x00 in Lauscha", title="Glasbläser")


MATCHES = tuple(
    Match(
        id=posting, title="Glasbläser", company=None, url="https://jobs.example/1", apply_url=None, places=(),
        city=None, country="DE", language="de", remote=None, employment=None, salary_min_eur=None, salary_max_eur=None,
        posted_at=datetime(2026, 11, 20, tzinfo=UTC), score=score, parts={"title": score}, reasons=(), copies=(),
    )
    for posting, score in ((9, 51.5), (3, 50.0), (7, 48.0))
)  # fmt: skip


class CountedDatabase(Database):
    """A database that counts what is asked within its transactions."""

    asked = 0

    async def transaction(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        async def counted(connection: Connection) -> T:
            with connection.query_logger(self._count):
                return await work(connection)

        return await super().transaction(counted)

    def _count(self, _: object) -> None:
        self.asked += 1


async def written(dsn: str, *lives: Live) -> tuple[list[Answer], int]:
    """Searches that were written in one batch, and what that asked of PostgreSQL."""
    answers = [
        Answer(id=uuid.uuid4(), candidates=number, found=1, took_ms=1.5, matches=MATCHES, live=live)
        for number, live in enumerate(lives)
    ]
    async with CountedDatabase(dsn) as database:
        recorder = Recorder(database, 45)
        entries = [Entry(answer, PROFILE, PROFILE.digest(), None, None, again=False) for answer in answers]
        waiting = [asyncio.create_task(recorder.record(entry)) for entry in entries]
        await asyncio.sleep(0)
        async with recording(recorder):
            await asyncio.gather(*waiting)
        return answers, database.asked


async def test_a_batch_asks_the_same_however_many_of_it_go_on(database: Database, dsn: str) -> None:
    _, one = await written(dsn, "running", "not_needed")
    answers, many = await written(dsn, *(["running", "not_needed"] * 20))
    assert one == many
    for answer in answers:
        search = await load(database, answer.id)
        assert search is not None
        assert (search.live, search.candidates, search.found) == (answer.live, answer.candidates, 1)
        assert (search.posting_ids, search.best_score) == ((9, 3, 7), 51.5)
        goes_on = answer.live == "running"
        assert search.profile == (Profile(text="Glasbläser in Lauscha", title="Glasbläser") if goes_on else None)
        told = await events_after(database, {answer.id: 0})
        assert [(event.seq, event.kind) for event in told] == ([(1, "matches")] if goes_on else [])
        assert search.events == len(told)
        assert all(msgspec.json.decode(event.body, type=Answer) == answer for event in told)


@pytest.mark.parametrize(
    "change", ["title = title", "state = 'closed'", "last_seen = now() - interval '46 days'", "country_code = 'AT'"]
)
async def test_a_kept_answer_shows_no_copy_that_must_not_be_shown(database: Database, change: str) -> None:
    await fill(database, 3)
    await database.execute("UPDATE posting SET country_code = 'DE', state = 'described', last_seen = now()")
    first, second, copy = [row["id"] for row in await database.fetch("SELECT id FROM posting ORDER BY id")]
    matches = (
        msgspec.structs.replace(MATCHES[0], id=first),
        msgspec.structs.replace(MATCHES[1], id=second, copies=(Copy(copy, "Lauscha"),)),
    )
    answer = Answer(id=uuid.uuid4(), candidates=3, found=2, took_ms=1.5, matches=matches)
    profile = Profile(text="Glasbläser", limits=Limits(countries=("DE",)))
    await database.execute(f"UPDATE posting SET {change} WHERE id = $1", copy)
    async with recording(Recorder(database, 45)) as recorder:
        entry = Entry(answer, profile, profile.digest(), None, None, again=True)
        (said,) = await asyncio.gather(recorder.record(entry), return_exceptions=True)
    harmless = change == "title = title"
    assert isinstance(said, Stale) == (not harmless)
    assert (await load(database, answer.id) is not None) == harmless
