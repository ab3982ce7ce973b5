"""Live search with all its parts in processes of their own: how long after a provider's answers people see them.

The provider is simulated and takes its time for each answer; what counts here is what we add to it.
"""

from __future__ import annotations

import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from math import ceil
from typing import Any

import anyio
import psutil

from daemons.discover.actor import DISCOVERY
from lib.match import searches
from lib.match.answer import Answer
from lib.match.profile import Profile
from lib.store.connections import Cache, Connection, Database
from lib.store.streams import Stream
from tests.bench.lab import REPOSITORY, Lab, environment
from tests.bench.memory import running, started
from tests.bench.rows import Row, Target

_POSTINGS = 8_000
_DETAILS = 100
_AT_ONCE = 15
_LATENCY_S = 0.8
_PATIENCE_S = 120.0
_KEY = "key-of-the-simulated-provider"
# One search after the other, so that each asks a provider for what nobody has asked before.
_WISHES = ("Elektriker", "Buchhalter", "Erzieher", "Projektleiter", "Systemadministrator")
_TIMES = """
SELECT min(p.bought_at) FILTER (WHERE p.operation LIKE '%listing') AS answered,
       (SELECT min(e.at) FROM search_event e WHERE e.search_id = $1 AND e.kind = 'matches' AND e.seq > 1) AS shown,
       (SELECT min(e.at) FROM search_event e WHERE e.search_id = $1 AND e.body ->> 'phase' = 'details') AS asked,
       (SELECT e.at FROM search_event e WHERE e.search_id = $1 AND e.kind = 'done') AS done,
       count(*) FILTER (WHERE p.operation NOT LIKE '%listing') AS details
  FROM purchase p
 WHERE p.request_id IN (SELECT request_id FROM credit_entry WHERE search_id = $1)
"""


async def measure(lab: Lab) -> list[Row]:
    """Rows `first live result` and `details in`."""
    async with lab.template() as template, lab.clone(template) as dsn:
        with provider(lab.count(_POSTINGS)) as url:
            config = replace(
                lab.config(dsn), hasdata_url=url, provider_keys=(f"hasdata={_KEY}",), gateway_port=0,
                gateway_key="a-key-for-callers-of-the-bench", discovery_score=100.0, discovery_found=_DETAILS,
                discovery_listings=20, discovery_details=_DETAILS,
            )  # fmt: skip
            with running(config, "gateway@0") as gateway:
                await started(dsn, "gateway@0", gateway)
                async with Database(dsn) as database, Cache(config.redis_url) as cache:
                    reachable = replace(config, gateway_url=await at_work(database, "gateway@0"))
                    with running(reachable, "discover@0") as discover:
                        await started(dsn, "discover@0", discover)
                        await at_work(database, "discover@0")
                        process = psutil.Process(discover.pid)
                        before = process.cpu_times()
                        taken = [await _search(database, cache, wish) for wish in _WISHES[: lab.rounds + 2]]
                        after, used = process.cpu_times(), process.memory_info().rss
    details = sum(row["details"] for row in taken)
    memory = Row(
        name="memory of discover@0", figure=used / 1_000_000, unit="MB resident",
        n=f"after {len(taken)} searches with {details:.0f} details",
        beside={"processor s per detail": (after.user + after.system - before.user - before.system) / details},
    )  # fmt: skip
    return [_first([row["first_s"] for row in taken]), _details(taken[1:]), memory]  # the first one warms caches


def _first(seconds: list[float]) -> Row:
    return Row(
        name="first live result", figure=max(seconds), unit="s after the provider's answer",
        target=Target("<=", 1.5, "figure"), n=f"the slowest of {len(seconds)} searches",
    )  # fmt: skip


def _details(taken: list[dict[str, float]]) -> Row:
    worst = max(taken, key=lambda row: row["over_s"])
    return Row(
        name="details in, ranked anew", figure=worst["over_s"], unit="s beyond the provider's time",
        target=Target("<=", 2.0, "figure"), bound="s, the provider's own", bound_figure=worst["provider_s"],
        beside={"details": worst["details"]},
        n=f"the slowest of {len(taken)} searches, up to {_DETAILS} details, {_AT_ONCE} in flight, {_LATENCY_S} s each",
    )  # fmt: skip


async def _search(database: Database, cache: Cache, wish: str) -> dict[str, float]:
    account = await database.fetchval("INSERT INTO account (name, tier) VALUES ($1, 'paid') RETURNING id", wish)
    answer = Answer(id=uuid.uuid4(), candidates=0, found=0, took_ms=0.0, matches=(), live="running")
    profile = Profile(title=wish, text=f"Ich suche eine Stelle als {wish} und habe zehn Jahre Erfahrung.")

    async def start(connection: Connection) -> None:
        await searches.start(connection, [searches.Begun(answer, profile, account, None)])

    await database.transaction(start)
    await Stream(cache, DISCOVERY).publish(str(answer.id), {})
    times: Any = {"done": None}
    with anyio.fail_after(_PATIENCE_S):
        while times["done"] is None:
            await anyio.sleep(0.05)
            times = await database.fetchrow(_TIMES, answer.id)
    provider_s = ceil(times["details"] / _AT_ONCE) * _LATENCY_S
    return {
        "first_s": (times["shown"] - times["answered"]).total_seconds(),
        "over_s": (times["done"] - times["asked"]).total_seconds() - provider_s,
        "provider_s": provider_s,
        "details": times["details"],
    }


async def at_work(database: Database, unit: str) -> str:
    """The daemon's status, once it works."""
    status = None
    with anyio.fail_after(_PATIENCE_S):
        while not status:
            status = await database.fetchval("SELECT status FROM daemon WHERE unit = $1 AND state = 'working'", unit)
            await anyio.sleep(0.1)
    return str(status)


@contextmanager
def provider(postings: int) -> Iterator[str]:
    """The address of a simulated HasData in a process of its own."""
    command = [sys.executable, "-m", "tests.sim.hasdata", "--key", _KEY, "--postings", str(postings)]
    command += ["--latency-ms", str(_LATENCY_S * 1000)]
    with subprocess.Popen(command, cwd=REPOSITORY, env=environment(), stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip()
        finally:
            process.terminate()
