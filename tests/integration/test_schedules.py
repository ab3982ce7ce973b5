"""Slots of schedules: when they are due, and that each is run once."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.store import schedules
from lib.store.connections import Database
from lib.store.schedules import Window, due_times

BERLIN = ZoneInfo("Europe/Berlin")
MORNING = Window(time(4, 30), time(7, 30), BERLIN)
DUE = datetime(2026, 11, 21, 4, 30, tzinfo=UTC)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def test_without_a_window_slots_are_multiples() -> None:
    assert due_times(timedelta(minutes=15), None, at("2026-11-21T10:07:30+01:00")) == (
        at("2026-11-21T09:00:00+00:00"),
        at("2026-11-21T09:15:00+00:00"),
    )


@pytest.mark.parametrize(
    ("now", "last", "following"),
    [
        ("2026-11-21T04:29:59+01:00", None, "2026-11-21T03:30:00+00:00"),
        ("2026-11-21T04:30:00+01:00", "2026-11-21T03:30:00+00:00", "2026-11-21T04:30:00+00:00"),
        ("2026-11-21T06:59:00+01:00", "2026-11-21T05:30:00+00:00", "2026-11-22T03:30:00+00:00"),
        ("2026-11-21T07:30:00+01:00", None, "2026-11-22T03:30:00+00:00"),
        ("2026-07-01T04:31:00+02:00", "2026-07-01T02:30:00+00:00", "2026-07-01T03:30:00+00:00"),  # summer time
    ],
)
def test_within_a_window(now: str, last: str | None, following: str) -> None:
    found = due_times(timedelta(hours=1), MORNING, at(now))
    assert found == (None if last is None else at(last), at(following))


def test_a_window_may_reach_past_midnight() -> None:
    night = Window(time(22), time(2), BERLIN)
    assert due_times(timedelta(hours=1), night, at("2026-11-21T00:30:00+01:00")) == (
        at("2026-11-21T00:00:00+01:00"),
        at("2026-11-21T01:00:00+01:00"),
    )


def test_an_interval_must_be_positive() -> None:
    with pytest.raises(ValueError, match="positive"):
        due_times(timedelta(0), None, DUE)


@given(
    seconds=st.integers(600_000_000, 3_800_000_000),
    every=st.timedeltas(timedelta(seconds=1), timedelta(days=3)),
    window=st.none()
    | st.builds(Window, st.times(), st.times(), st.sampled_from([UTC, BERLIN, ZoneInfo("America/St_Johns")])),
)
def test_slots_follow_one_another(seconds: int, every: timedelta, window: Window | None) -> None:
    moment = datetime.fromtimestamp(seconds, UTC)
    last, following = due_times(every, window, moment)
    assert following > moment
    if last is not None:
        assert last <= moment
        assert due_times(every, window, last).last == last
    assert due_times(every, window, following).last == following


def test_every_day_has_its_morning_also_when_the_clock_is_changed() -> None:
    nights = Window(time(2, 30), time(3), BERLIN)  # does not exist on 29 March, happens twice on 25 October
    for day in (date(2026, 3, 29), date(2026, 10, 25), date(2026, 11, 1)):
        midnight = datetime.combine(day, time(), BERLIN)
        found = due_times(timedelta(days=1), nights, midnight)
        assert found.last is None
        assert midnight < found.following < midnight + timedelta(hours=4)


async def test_one_of_twenty_claims_wins(database: Database) -> None:
    runs: list[schedules.Run | None] = []

    async def try_to_claim(number: int) -> None:
        runs.append(await schedules.claim(database, "purge", DUE, f"server-{number % 2}"))

    async with anyio.create_task_group() as tasks:
        for number in range(20):
            tasks.start_soon(try_to_claim, number)
    assert len(runs) == 20
    assert sum(run is not None for run in runs) == 1
    assert await schedules.claim(database, "purge", DUE + timedelta(days=1), "server-0") is not None
    assert await schedules.claim(database, "export", DUE, "server-0") is not None


async def test_a_claim_whose_answer_was_lost_is_still_ours(database: Database) -> None:
    run = await schedules.claim(database, "purge", DUE, "server-0")
    assert run is not None
    # What the connection manager does when the connection broke after COMMIT: the same statement again.
    assert await database.fetchval(schedules._SQL.claim, run.job, run.due, run.mark) is True


async def test_an_unfinished_run_is_not_taken_over(database: Database) -> None:
    run = await schedules.claim(database, "purge", DUE, "server-0")
    assert run is not None
    await database.execute("UPDATE schedule_run SET claimed_at = now() - interval '1 year'")
    assert await schedules.claim(database, "purge", DUE, "server-0") is None
    await schedules.finish(database, run, "12 rows")
    assert await schedules.claim(database, "purge", DUE, "server-1") is None
    row = await database.fetchrow("SELECT outcome, finished_at FROM schedule_run")
    assert row is not None
    assert row["outcome"] == "12 rows"
    assert row["finished_at"] is not None


async def test_only_the_claimer_finishes(database: Database) -> None:
    await schedules.claim(database, "purge", DUE, "server-0")
    with pytest.raises(schedules.NotClaimed):
        await schedules.finish(database, schedules.Run("purge", DUE, "server-1#0"), "done")


async def test_old_slots_are_forgotten(database: Database) -> None:
    for days in (0, 40, 50):
        await schedules.claim(database, "purge", DUE - timedelta(days=days), "server-0")
    assert await schedules.prune(database, timedelta(days=30), DUE) == 2
    assert await database.fetchval("SELECT count(*) FROM schedule_run") == 1
