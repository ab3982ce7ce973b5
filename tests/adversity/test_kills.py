"""`kill -9` of every kind of daemon at random moments: in the end nothing is lost, and nothing is there twice."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import anyio

from tests.adversity.market import UNITS, Job, main_job
from tests.sim import Market, Rates
from tests.sim.market import FEW_SYSTEMS

_KILLS = 56
_RATES = Rates(new=0.1, edited=0.15, closed=0.1, reopened=0.3)


def _market() -> Market:
    return Market(seed=11, companies=15, postings=450, rates=_RATES, systems=FEW_SYSTEMS)


async def _kill(job: Job, unit: str, kills: int, rng: random.Random, struck: Counter[str]) -> None:
    """Kills the daemon so many times while there is work, each time at another moment of its life."""
    while struck[unit] < kills:
        await anyio.sleep(rng.uniform(0.02, 0.4))
        if await job.finished():
            await anyio.sleep(0.05)  # the day is over: the next one begins when all have seen it
            continue
        await job.daemons.kill(unit)
        struck[unit] += 1
        await job.daemons.start(unit)


async def _disturbed(job: Job, kills: int) -> int:
    """Lets days pass until every daemon was killed often enough, and says how many."""
    struck: Counter[str] = Counter()
    days = 0
    async with anyio.create_task_group() as tasks:
        for number, unit in enumerate(UNITS):
            tasks.start_soon(_kill, job, unit, kills // len(UNITS), random.Random(number), struck)
        while struck.total() < kills:
            await job.until_finished()
            if struck.total() < kills:
                await job.next_day()
                days += 1
    await job.until_finished()
    return days


async def test_killed_daemons_leave_what_undisturbed_ones_leave(
    dsn: str, other_dsn: str, redis_url: str, tmp_path: Path
) -> None:
    async with main_job(_market(), dsn, redis_url, tmp_path / "killed") as job:
        for unit in UNITS:
            await job.daemons.start(unit)
        with anyio.fail_after(150):
            days = await _disturbed(job, _KILLS)
        killed = await job.content()
        assert await job.database.fetch("SELECT queue, reason FROM dead_letter") == []
        truth = len(list(job.simulator.market.truth()))

    async with main_job(_market(), other_dsn, redis_url, tmp_path / "calm") as job:
        for unit in UNITS:
            await job.daemons.start(unit)
        await job.until_finished()
        for _ in range(days):
            await job.next_day()
            await job.until_finished()
        calm = await job.content()

    assert killed.keys() == calm.keys()
    for key, row in calm.items():
        assert killed[key] == row, key
    assert sum(row["state"] == "described" for row in calm.values()) == truth
    assert {len(row["history"]) == row["revision"] for row in calm.values()} == {True}
