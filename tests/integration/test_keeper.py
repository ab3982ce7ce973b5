"""The keeper with real children, a real database and their real failures."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import anyio
import psutil
import pytest
import structlog

from keeper.heartbeats import ask_to_stop, load_heartbeats
from keeper.history import Limits
from keeper.incident import Incident, Kind, LoggedAlerts
from keeper.local.keeping import run
from keeper.observed import Unit
from lib.store.connections import Connection, Database, Link
from lib.store.embedded import embedded, remove
from lib.store.migrate import migrate
from tests.integration.marked import Marked
from tests.waiting import until

QUICK = Limits(
    restart_delays_s=(0.05, 0.1, 0.2, 0.4), health_s=60, patience_s=0.5, away_s=0.3, back_s=0.1, back_grace_s=1.0
)

# A daemon in small: it beats its row until it is asked to stop. What else it does is its second argument:
# `well`; `silent` stops beating but lives on; `stuck` beats on without progress.
DAEMON = """
import asyncio, os, sys, time
import asyncpg
unit, manner, dsn = sys.argv[1:]
BEAT = '''INSERT INTO daemon AS held (unit, host, pid, version, started_at, heartbeat_at, progress_at, state)
VALUES ($1, 'here', $2, '0', now(), now(), now() - make_interval(secs => $3), 'working')
ON CONFLICT (unit) DO UPDATE SET pid = excluded.pid, heartbeat_at = now(), progress_at = excluded.progress_at
RETURNING stop_requested'''
async def main():
    began, connection = time.monotonic(), None
    while True:
        try:
            connection = connection or await asyncpg.connect(dsn)
            quiet_s = time.monotonic() - began if manner == "stuck" else 0
            if await connection.fetchval(BEAT, unit, os.getpid(), quiet_s):
                return
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError):
            connection = None
        if manner == "silent":
            time.sleep(600)
        await asyncio.sleep(0.1)
asyncio.run(main())
"""


class Recorder:
    """Alerts as a list of what changed."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.open: dict[str, Incident] = {}

    def report(self, incidents: Sequence[Incident]) -> None:
        now = {incident.key: incident for incident in incidents}
        self.said += [f"open: {key}" for key in now if key not in self.open]
        self.said += [f"over: {key}" for key in self.open if key not in now]
        self.open = now


class Fleet(Marked):
    """Units of one test, and the keeper that keeps them."""

    def __init__(self, logs: Path, dsn: str, database: Database, redis_url: str) -> None:
        super().__init__()
        self.logs = logs
        self.dsn = dsn
        self.database = database
        self.redis_url = redis_url
        self.alerts = Recorder()

    def daemon(self, name: str, manner: str, silent_s: float = 90.0, stuck_s: float = 180.0) -> Unit:
        unit = self.program(name, DAEMON, name, manner, self.dsn)
        return replace(unit, expects_heartbeat=True, silent_s=silent_s, stuck_s=stuck_s)

    def program(self, name: str, script: str, *arguments: str) -> Unit:
        return Unit(name, (sys.executable, "-c", script, *arguments), env=self.env, expects_heartbeat=False)

    @asynccontextmanager
    async def kept(self, *units: Unit, drain_s: float = 1.0) -> AsyncIterator[None]:
        """Keeps `units` for the length of the block; afterwards none of their processes may live."""
        stop = anyio.Event()

        async def keep() -> None:
            await run(
                units, database=self.database, redis_url=self.redis_url, logs=self.logs, stop=stop, alerts=self.alerts,
                limits=QUICK, every_s=0.05, drain_s=drain_s,
            )  # fmt: skip

        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(keep)
                try:
                    yield
                finally:
                    stop.set()
        finally:
            self.check_all_ended()

    async def pids(self) -> dict[str, int]:
        return {beat.unit: beat.pid for beat in await load_heartbeats(self.database)}

    async def beating(self, *names: str) -> dict[str, int]:
        """The process ids of `names`, once all beat."""

        async def all_beat() -> bool:
            return set(names) <= set(await self.pids())

        await until(all_beat)
        return await self.pids()

    async def successor(self, name: str, pid: int) -> None:
        """Waits until `name` beats in another process than `pid`."""

        async def replaced() -> bool:
            return (await self.pids())[name] != pid

        await until(replaced)


@pytest.fixture
def fleet(tmp_path: Path, dsn: str, database: Database, redis_url: str) -> Fleet:
    return Fleet(tmp_path / "log", dsn, database, redis_url)


async def test_a_killed_unit_is_started_again_and_its_neighbour_left_alone(fleet: Fleet) -> None:
    async with fleet.kept(fleet.daemon("crawl@0", "well"), fleet.daemon("embed@0", "well")):
        before = await fleet.beating("crawl@0", "embed@0")
        os.kill(before["crawl@0"], signal.SIGKILL)
        await fleet.successor("crawl@0", before["crawl@0"])
        assert (await fleet.pids())["embed@0"] == before["embed@0"]
    assert fleet.alerts.said == []


@pytest.mark.parametrize(("manner", "why"), [("silent", "no heartbeat for"), ("stuck", "no progress for")])
async def test_a_sick_unit_is_killed_and_replaced(fleet: Fleet, manner: str, why: str) -> None:
    with structlog.testing.capture_logs() as lines:
        async with fleet.kept(fleet.daemon("sick@0", manner, silent_s=1.0, stuck_s=1.5)):
            before = await fleet.beating("sick@0")
            await fleet.successor("sick@0", before["sick@0"])
    kills = [line for line in lines if line["event"] == "unit killed"]
    assert why in kills[0]["why"]
    assert not psutil.pid_exists(before["sick@0"])


async def test_a_crash_loop_is_told_once_and_goes_on(fleet: Fleet) -> None:
    crash = fleet.program("crash", "print('born', flush=True); raise SystemExit(1)")

    async def six_tries() -> bool:
        log = fleet.logs / "crash.log"
        return log.exists() and log.read_text().count("born") >= 6

    async with fleet.kept(crash):
        await until(six_tries)
    assert fleet.alerts.said == ["open: flapping: crash"]


async def test_a_unit_that_ignores_sigterm_is_killed_at_the_end(fleet: Fleet) -> None:
    script = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(600)"
    )
    log = fleet.logs / "stubborn.log"

    async def up() -> bool:
        return log.exists() and log.read_text() == "up\n"

    async with fleet.kept(fleet.program("stubborn", script), drain_s=0.2):
        await until(up)


async def test_the_operators_stop_is_respected_until_it_is_taken_back(fleet: Fleet) -> None:
    unit = fleet.daemon("crawl@0", "well")

    async def ended() -> bool:
        return fleet.alive() == []

    async with fleet.kept(unit):
        before = await fleet.beating("crawl@0")
        assert await ask_to_stop(fleet.database, "crawl@0", True)
        await until(ended)
        await anyio.sleep(0.5)  # ten looks, and more than the first delay
        assert fleet.alive() == []
        await ask_to_stop(fleet.database, "crawl@0", False)
        await fleet.successor("crawl@0", before["crawl@0"])
        await ask_to_stop(fleet.database, "crawl@0", True)
        await until(ended)
    async with fleet.kept(unit):  # a new keeper keeps the promise of the old one
        await anyio.sleep(0.3)
        assert fleet.alive() == []
    assert fleet.alerts.said == []
    assert not await ask_to_stop(fleet.database, "nobody@0", True)


async def test_nobody_is_restarted_while_postgresql_restarts(tmp_path: Path) -> None:
    names = ("crawl@0", "embed@0")
    home = tmp_path / "home"

    async def at_once(_: float) -> None:
        await anyio.sleep(0.05)

    try:
        with embedded(home, durable=False) as servers:
            await migrate(servers.dsn)
            link = Link("postgresql", sleep=at_once)
            async with Database(servers.dsn, link=link) as database:
                fleet = Fleet(tmp_path / "log", servers.dsn, database, servers.redis_url)
                async with fleet.kept(*(fleet.daemon(name, "well", silent_s=2.0) for name in names)):
                    before = await fleet.beating(*names)
                    await _stop_postgresql(database)
                    await anyio.sleep(3.0)  # longer than silent_s
                    assert fleet.alerts.said == ["open: away: postgresql"]
                    again = embedded(home)
                    await anyio.to_thread.run_sync(again.__enter__)
                    await anyio.sleep(1.5)  # longer than the grace
                    assert await fleet.pids() == before
                    await anyio.to_thread.run_sync(again.__exit__, None, None, None)
                    os.kill(before["crawl@0"], signal.SIGKILL)
                    await fleet.successor("crawl@0", before["crawl@0"])
                assert fleet.alerts.said == ["open: away: postgresql", "over: away: postgresql"]
    finally:
        remove(home)


async def _stop_postgresql(database: Database) -> None:
    async def postmaster(connection: Connection) -> psutil.Process:
        parent = psutil.Process(await connection.fetchval("SELECT pg_backend_pid()")).parent()
        assert parent is not None
        return parent

    server = await database.transaction(postmaster)
    server.send_signal(signal.SIGINT)  # a fast shutdown
    await anyio.to_thread.run_sync(server.wait, 10)


async def test_silence_is_nobodys_fault_while_redis_is_away(fleet: Fleet) -> None:
    fleet.redis_url = "unix:///nowhere/valkey.sock"
    async with fleet.kept(fleet.daemon("sick@0", "silent", silent_s=1.0)):
        before = await fleet.beating("sick@0")
        await anyio.sleep(2.0)
        assert await fleet.pids() == before
    assert fleet.alerts.said == ["open: away: redis"]


async def test_all_end_when_the_keeper_itself_fails(fleet: Fleet) -> None:
    class Broken:
        def report(self, incidents: Sequence[Incident]) -> None:
            raise ZeroDivisionError(len(incidents))

    fleet.alerts = Broken()  # type: ignore[assignment]
    units = [fleet.program("crash", "raise SystemExit(1)"), fleet.program("well", "import time; time.sleep(600)")]
    with pytest.raises(BaseExceptionGroup) as failed:
        async with fleet.kept(*units):
            await anyio.sleep(20)
    assert failed.group_contains(ZeroDivisionError)


async def test_two_units_of_one_name_are_refused(fleet: Fleet) -> None:
    unit = fleet.program("twin", "")
    with pytest.raises(ValueError, match="same name"):
        await run([unit, unit], database=fleet.database, redis_url=fleet.redis_url, logs=fleet.logs, stop=anyio.Event())


def test_incidents_are_log_lines() -> None:
    incident = Incident(key="away: redis", kind=Kind.AWAY, title="redis does not answer", since=0.0)
    with structlog.testing.capture_logs() as lines:
        alerts = LoggedAlerts()
        for _ in range(3):
            alerts.report([incident])
        alerts.report([])
    assert [(line["event"], line["log_level"]) for line in lines] == [
        ("incident", "warning"),
        ("incident over", "info"),
    ]
