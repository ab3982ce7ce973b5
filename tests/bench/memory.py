"""The memory of each idle daemon, some seconds after it started on an empty database."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import anyio
import psutil

from lib.life.config import Config
from lib.store.connections import Database
from tests.bench.lab import REPOSITORY, Lab, environment
from tests.bench.rows import Row, Target

_UNITS = ("crawl@0", "descriptions@0-7", "enrich@0-7", "embed@0-7", "fulltext@0-7", "upkeep@0", "api@0")
_START_S = 60.0
_SETTLE_S = 5.0
_MB = 1_000_000


async def measure(lab: Lab) -> list[Row]:
    """One row per daemon."""
    async with lab.template() as template, lab.clone(template) as dsn:
        # A market that is nowhere: no board is registered, so nobody asks it, and no contact address is needed.
        config = lab.config(dsn, "http://127.0.0.1:9")
        rows = []
        for unit in _UNITS:
            with running(config, unit) as process:
                await started(dsn, unit, process)
                await anyio.sleep(_SETTLE_S)
                used = psutil.Process(process.pid).memory_full_info()
            rows.append(
                Row(
                    name=f"memory of {unit}", figure=used.rss / _MB, unit="MB resident",
                    target=Target("<=", 80, "figure"),
                    beside={"shared fairly (PSS), MB": used.pss / _MB, "its own (USS), MB": used.uss / _MB},
                    n=f"idle, {_SETTLE_S:.0f} s after its start",
                )
            )  # fmt: skip
    return rows


@contextmanager
def running(config: Config, unit: str) -> Iterator[subprocess.Popen[bytes]]:
    """The daemon as a process of its own."""
    settings = config.environment() | {"VAKANZ_API_PORT": "0", "VAKANZ_DRAIN_S": "2"}
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
