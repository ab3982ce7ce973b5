"""The memory of each daemon: idle on an empty database, and at most while it works on a simulated market.

What the catalogue of daemons (lib/life/domains.py) says of memory comes from here: the larger figure of each domain,
rounded up to ten megabytes. A daemon is counted with all that it has in memory, also what it shares with others, so
that several on one server need a little less; its children (readers of foreign documents, Chromium) with their fair
share. One daemon runs at a time. Last run for the catalogue: 2026-11-22, two cores, 2,000 postings of 60 companies.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import replace
from itertools import count
from secrets import token_bytes
from shutil import which

import aiohttp
import anyio
import psutil

from api.keys import create_key
from keeper.local.market import MAP, register
from lib.life.config import Config
from lib.spend.client import CachedOnly, Gateway
from lib.store.connections import Database
from tests.bench.lab import REPOSITORY, Lab, environment, simulator
from tests.bench.rows import Row, Target
from tests.sim import Market
from tests.sim.hasdata import playing
from tests.sim.jobsites import JobSites
from tests.sim.systems import SYSTEMS
from vakanz import _recognise

_IDLE = (
    "crawl@0-5", "crawl@0", "careers@0", "browser@0", "descriptions@0-7", "descriptions@3", "enrich@0-7",
    "enrich@text:3", "enrich@place.salary.employment", "embed@0-7", "fulltext@0-7", "geo@3", "upkeep@0", "api@0",
    "gateway@0",
)  # fmt: skip
# Each works on what those before it have left.
_AT_WORK = (
    "crawl@0-5", "careers@0", "browser@0", "descriptions@0-7", "enrich@text:0-7", "enrich@place.salary.employment",
    "embed@0-7", "fulltext@0-7", "geo@0-24", "upkeep@0", "api@0", "gateway@0",
)  # fmt: skip
_POSTINGS = 2_000
_COMPANIES = 60
_START_S = 60.0
_SETTLE_S = 5.0
_WORK_S = 25.0
_SAMPLE_S = 0.2
_MB = 1_000_000
_GATEWAY_KEY = "gateway-key-of-the-bench"
_PROVIDER_KEY = "provider-key-of-the-bench"


async def measure(lab: Lab) -> list[Row]:
    """Two rows for each kind of daemon: idle, and at work."""
    async with lab.template() as template:
        async with lab.clone(template) as dsn:
            idle = await _idle(lab, dsn)
        async with lab.clone(template) as dsn:
            return [*idle, *await _at_work(lab, dsn)]


async def _idle(lab: Lab, dsn: str) -> list[Row]:
    # A market that is nowhere: no board is registered, so nobody asks it, and no contact address is needed.
    config = replace(lab.config(dsn, "http://127.0.0.1:9"), gateway_key=_GATEWAY_KEY)
    rows = []
    for unit in _IDLE:
        with running(config, unit) as process:
            await started(dsn, unit, process)
            await anyio.sleep(_SETTLE_S)
            used = psutil.Process(process.pid).memory_full_info()
        rows.append(
            Row(
                name=f"memory of {unit}", figure=used.rss / _MB, unit="MB resident", target=Target("<=", 80, "figure"),
                beside={"shared fairly (PSS), MB": used.pss / _MB, "its own (USS), MB": used.uss / _MB},
                n=f"idle, {_SETTLE_S:.0f} s after its start",
            )
        )  # fmt: skip
    return rows


async def _at_work(lab: Lab, dsn: str) -> list[Row]:
    with simulator(lab.count(_POSTINGS), companies=_COMPANIES, systems=tuple(SYSTEMS)) as url:
        config = replace(lab.config(dsn, url), overpass=MAP, browser=which("chromium") or "")
        async with (
            playing(JobSites(Market(3)), key=_PROVIDER_KEY, latency_s=0.2) as provider,
            Database(dsn) as database,
        ):
            config = replace(
                config, gateway_key=_GATEWAY_KEY, hasdata_url=provider.url, provider_keys=(f"hasdata={_PROVIDER_KEY}",)
            )
            await register(database, url, _recognise)
            return [await _working(database, config, unit) for unit in _AT_WORK]


async def _working(database: Database, config: Config, unit: str) -> Row:
    with running(config, unit) as process:
        await started(config.dsn, unit, process)
        async with _peak(psutil.Process(process.pid)) as peak:
            with anyio.move_on_after(_WORK_S):
                await _ASKED.get(unit, _leave_alone)(database)
    done = await database.fetchrow("SELECT counters, memory_bytes FROM daemon WHERE unit = $1", unit)
    assert done is not None  # it had started
    return Row(
        name=f"memory of {unit}", figure=peak() / _MB, unit="MB resident at most",
        beside={what: float(count) for what, count in done["counters"].items()},
        n=f"its first {_WORK_S:.0f} s at work on a market of {_COMPANIES} companies, with child processes",
    )  # fmt: skip


@asynccontextmanager
async def _peak(process: psutil.Process) -> AsyncIterator[Callable[[], int]]:
    """The most that the process and its children had in memory together at one look, while the block lasted."""
    most = 0

    async def look() -> None:
        nonlocal most
        while True:
            most = max(most, process.memory_info().rss + sum(map(_share, process.children(recursive=True))))
            await anyio.sleep(_SAMPLE_S)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(look)
        yield lambda: most
        tasks.cancel_scope.cancel()


def _share(child: psutil.Process) -> int:
    with suppress(psutil.NoSuchProcess):  # it ended meanwhile
        return int(child.memory_full_info().pss)
    return 0


async def _leave_alone(database: Database) -> None:
    await anyio.sleep_forever()


async def _url(database: Database, unit: str) -> str:
    """Where the daemon listens, as soon as it says so."""
    url = None
    while not url:
        url = await database.fetchval("SELECT status FROM daemon WHERE unit = $1 AND state = 'working'", unit)
        await anyio.sleep(0.2)
    return str(url)


async def _buy(database: Database) -> None:
    """Has fifteen listings bought at a time, over and over."""
    async with Gateway(await _url(database, "gateway@0"), _GATEWAY_KEY) as gateway, anyio.create_task_group() as tasks:

        async def one(number: int) -> None:
            for turn in count():
                with suppress(CachedOnly):
                    await gateway.call(
                        "hasdata", "indeed_listing", {"keyword": "Pflege", "location": "Deutschland"},
                        account_id=None, request_id=f"{number}:{turn}",
                    )  # fmt: skip

        for number in range(15):
            tasks.start_soon(one, number)


async def _ask(database: Database) -> None:
    """Asks the API for matches over and over, one after another."""
    _, key = await create_key(database, "bench", token_bytes(32))
    url = await _url(database, "api@0")
    profile = {"title": "Pflegefachkraft", "text": "Sechs Jahre Chirurgie, Wundmanagement. " * 20, "location": "Linz"}
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {key}"}) as session:
        while True:
            async with session.post(f"{url}/match", json=profile) as answer:
                answer.raise_for_status()
                await answer.read()


_ASKED: Mapping[str, Callable[[Database], Awaitable[None]]] = {"api@0": _ask, "gateway@0": _buy}


@contextmanager
def running(config: Config, unit: str) -> Iterator[subprocess.Popen[bytes]]:
    """The daemon as a process of its own."""
    own = {"VAKANZ_API_PORT": "0", "VAKANZ_DRAIN_S": "2", "VAKANZ_RATE_FREE": "1000000"}
    settings = config.environment() | own
    command = [sys.executable, "-m", "vakanz", "daemon", unit]
    with subprocess.Popen(command, cwd=REPOSITORY, env={**environment(), **settings}) as process:
        try:
            yield process
        finally:
            process.terminate()


async def started(dsn: str, unit: str, process: subprocess.Popen[bytes]) -> None:
    """Waits for the daemon's first heartbeat."""
    async with Database(dsn) as database:
        with anyio.fail_after(_START_S):
            while not await database.fetchval("SELECT true FROM daemon WHERE unit = $1", unit):
                if process.poll() is not None:
                    raise RuntimeError(f"{unit} ended with {process.returncode}")
                await anyio.sleep(0.1)
