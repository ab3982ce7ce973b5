"""The systemd backend against a manager on a real bus, and the whole keeper on top of it."""

from __future__ import annotations

import random
import stat
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import orjson
import pytest

from keeper.history import FLEET, History
from keeper.incident import Incident
from keeper.keeper import Keeper
from keeper.observed import Changing, Ending, Exited, Running, Unit
from keeper.systemd.bus import BusAway, BusRefused, Systemd
from keeper.systemd.journal import Journal
from keeper.systemd.units import Units
from lib.store.connections import Database
from tests.integration.managed_units import DBUS, Manager, bus

pytestmark = pytest.mark.skipif(DBUS is None, reason="needs dbus-daemon (package dbus-daemon)")

NAME = "descriptions@3"
SERVICE = "vakanz-descriptions@3.service"
SLICE = "vakanz.slice/vakanz-follow.slice"


class Host:
    """A manager, a journal and cgroup files as a test wants them."""

    def __init__(self, folder: Path, address: str) -> None:
        self.address = address
        self.manager = Manager()
        self.cgroups = folder / "cgroup"
        self.journal_lines = folder / "journal"
        self.journal_lines.write_text("")
        command = folder / "journalctl"
        command.write_text(f"#!{sys.executable}\nprint(open({str(self.journal_lines)!r}).read(), end='')\n")
        command.chmod(command.stat().st_mode | stat.S_IXUSR)
        self.systemd = Systemd(address=address, clock=time.monotonic, rng=random.Random(1))
        self.units = Units(self.systemd, Journal([str(command)]), clock=time.monotonic, cgroups=self.cgroups)

    def journal(self, *entries: dict[str, object]) -> None:
        self.journal_lines.write_bytes(b"".join(orjson.dumps(entry) + b"\n" for entry in entries))

    def killed_for_memory(self, count: int) -> None:
        events = self.cgroups / SLICE / "memory.events"
        events.parent.mkdir(parents=True, exist_ok=True)
        events.write_text(f"low 0\nhigh 9\nmax 9\noom 9\noom_kill {count}\noom_group_kill 0\n")

    async def look(self, name: str = NAME) -> Running | Exited | Changing | None:
        seen = await self.units.observe(None)
        assert seen is not None
        return seen.get(name)


@pytest.fixture
async def host(tmp_path: Path) -> AsyncIterator[Host]:
    with bus(tmp_path) as address:
        host = Host(tmp_path, address)
        connection = await host.manager.serve(address)
        yield host
        await host.systemd.aclose()
        connection.disconnect()


async def test_a_unit_that_runs_is_seen_with_its_process(host: Host) -> None:
    assert await host.look() is None
    host.manager.start(SERVICE)
    host.manager.start("other.service")
    seen = await host.look()
    assert isinstance(seen, Running)
    assert (seen.pid, seen.restarts, seen.before) == (1001, 0, None)
    assert 0 <= time.monotonic() - seen.since < 5
    assert await host.units.observe(None) == {NAME: seen}


async def test_an_end_that_systemd_follows_up_is_left_to_it(host: Host) -> None:
    host.manager.start(SERVICE)
    await host.look()
    host.manager.end(SERVICE, "exit-code", status=3)
    seen = await host.look()
    assert isinstance(seen, Changing)
    assert seen.before is not None
    assert (seen.before.how, seen.before.ending) == ("exit code 3", Ending.EXIT)
    host.manager.restart_by_itself(SERVICE)
    again = await host.look()
    assert isinstance(again, Running)
    assert (again.restarts, again.before) == (1, seen.before)


@pytest.mark.parametrize(
    ("result", "code", "status", "ending", "how"),
    [
        ("exit-code", 1, 3, Ending.EXIT, "exit code 3; systemd gave up"),
        ("start-limit-hit", 1, 3, Ending.EXIT, "start limit hit after exit code 3; systemd gave up"),
        ("signal", 2, 11, Ending.SIGNAL, "killed by SIGSEGV; systemd gave up"),
        ("core-dump", 3, 6, Ending.SIGNAL, "killed by SIGABRT; systemd gave up"),
        ("watchdog", 3, 6, Ending.WATCHDOG, "watchdog: no progress, killed by SIGABRT; systemd gave up"),
        ("oom-kill", 2, 9, Ending.OOM, "killed for memory (oom-kill); systemd gave up"),
        ("timeout", 2, 9, Ending.TIMEOUT, "timeout, killed by SIGKILL; systemd gave up"),
        ("signal", 2, 77, Ending.SIGNAL, "killed by signal 77; systemd gave up"),
        ("resources", 0, 0, Ending.UNSTARTED, "could not start: resources; systemd gave up"),
    ],
)
async def test_what_systemd_gave_up_says_why(
    host: Host, result: str, code: int, status: int, ending: Ending, how: str
) -> None:
    host.manager.start(SERVICE)
    host.manager.end(SERVICE, result, code=code, status=status, failed=True)
    seen = await host.look()
    assert isinstance(seen, Exited)
    assert (seen.ending, seen.how, seen.pid) == (ending, how, 1001)


async def test_a_clean_end_is_somebodys_stop(host: Host) -> None:
    host.manager.start(SERVICE)
    await host.systemd.stop(SERVICE)
    seen = await host.look()
    assert isinstance(seen, Exited)
    assert seen.ending is Ending.STOPPED


async def test_a_stop_that_only_looks_clean_was_the_kernels(host: Host) -> None:
    host.manager.start(SERVICE)
    host.journal(
        {"MESSAGE": "Started", "MESSAGE_ID": "39f53479d3a045ac8e11786248231fbf"},
        {"MESSAGE": "killed by the OOM killer", "MESSAGE_ID": "fe6faa94e7774663a0da52717891d8ef"},
    )
    host.manager.end(SERVICE, "success")
    seen = await host.look()
    assert isinstance(seen, Exited)
    assert seen.ending is Ending.OOM
    host.journal()
    assert await host.look() == seen  # what was found out stays, whatever the journal forgets


async def test_a_killing_that_the_slice_counted_was_for_memory(host: Host) -> None:
    host.killed_for_memory(4)
    host.manager.start(SERVICE)
    await host.look()
    await host.look()
    host.killed_for_memory(5)
    host.manager.end(SERVICE, "signal", code=2, status=9, failed=True)
    seen = await host.look()
    assert isinstance(seen, Exited)
    assert seen.ending is Ending.OOM


async def test_a_killing_of_which_only_the_kernels_log_tells(host: Host) -> None:
    host.manager.start(SERVICE)
    await host.look()
    host.journal({"MESSAGE": "Memory cgroup out of memory: Killed process 1001 (python) total-vm:1kB"})
    host.manager.end(SERVICE, "signal", code=2, status=9, failed=True)
    seen = await host.look()
    assert isinstance(seen, Exited)
    assert seen.ending is Ending.OOM


async def test_a_killing_by_anybody_else_is_a_signal(host: Host) -> None:
    host.killed_for_memory(4)
    host.manager.start(SERVICE)
    await host.look()
    host.manager.end(SERVICE, "signal", code=2, status=9, failed=True)
    seen = await host.look()
    assert isinstance(seen, Exited)
    assert (seen.ending, seen.how) == (Ending.SIGNAL, "killed by SIGKILL; systemd gave up")


async def test_a_restart_between_two_looks_is_explained_by_the_journal(host: Host) -> None:
    host.manager.start(SERVICE)
    await host.look()
    host.journal(
        {"MESSAGE_ID": "98e322203f7a4ed290d09fe03c09fe15", "EXIT_CODE": "dumped", "EXIT_STATUS": "6"},
        {"MESSAGE_ID": "d9b373ed55a64feb8242e02dbe79a49c", "UNIT_RESULT": "watchdog"},
    )
    host.manager.end(SERVICE, "watchdog", code=3, status=6)
    host.manager.restart_by_itself(SERVICE)
    for _ in range(13):  # nothing in the list tells, so its turn must come
        seen = await host.look()
        assert isinstance(seen, Running)
        if seen.restarts == 1:
            break
    assert seen.before is not None
    assert seen.before.ending is Ending.WATCHDOG


async def test_a_unit_that_failed_is_reset_and_started(host: Host) -> None:
    host.manager.start(SERVICE)
    host.manager.end(SERVICE, "exit-code", status=1, failed=True)
    await host.look()
    await host.units.start(Unit(NAME))
    assert host.manager.asked == [f"reset {SERVICE}", f"start {SERVICE}"]
    assert isinstance(await host.look(), Running)


async def test_a_start_that_systemd_refuses_is_seen_with_its_reason(host: Host) -> None:
    host.manager.missing.add(SERVICE)
    await host.units.start(Unit(NAME))
    seen = await host.look()
    assert isinstance(seen, Exited)
    assert (seen.ending, seen.how) == (Ending.UNSTARTED, f"could not start: Unit {SERVICE} not found.")
    host.manager.missing.clear()
    await host.units.start(Unit(NAME))
    assert isinstance(await host.look(), Running)


async def test_a_masked_unit_is_left_alone(host: Host) -> None:
    host.manager.start(SERVICE)
    host.manager.end(SERVICE, "success")
    host.manager.units[SERVICE].load = "masked"
    seen = await host.look()
    assert isinstance(seen, Exited)
    assert (seen.ending, seen.how) == (Ending.STOPPED, "masked")


async def test_a_job_in_the_queue_is_waited_for(host: Host) -> None:
    host.manager.start(SERVICE)
    host.manager.end(SERVICE, "success")
    host.manager.units[SERVICE].job = 7
    assert isinstance(await host.look(), Changing)


async def test_the_bus_may_go_away_and_come_back(tmp_path: Path) -> None:
    now = [0.0]
    systemd = Systemd(address=f"unix:path={tmp_path}/bus", clock=lambda: now[0], rng=random.Random(1))
    units = Units(systemd, Journal(["/nowhere"]), clock=lambda: now[0])
    assert await units.observe(None) is None
    with bus(tmp_path) as address:
        manager = Manager()
        connection = await manager.serve(address)
        manager.start(SERVICE)
        assert await units.observe(None) is None  # the ladder's first rung
        now[0] += 2
        assert isinstance((await units.observe(None) or {}).get(NAME), Running)
        connection.disconnect()
        assert await units.observe(None) is None  # a bus without a manager
        connection = await manager.serve(address)
        now[0] += 2
        assert await units.observe(None) is not None
        connection.disconnect()
    with pytest.raises(BusAway):
        await systemd.start(SERVICE)


async def test_refusals_carry_the_name_of_the_error(host: Host) -> None:
    host.manager.missing.add(SERVICE)
    with pytest.raises(BusRefused, match="not found") as refused:
        await host.systemd.start(SERVICE)
    assert refused.value.name == "org.freedesktop.systemd1.NoSuchUnit"


class Recorder:
    def __init__(self) -> None:
        self.incidents: dict[str, Incident] = {}

    def report(self, incidents: list[Incident]) -> None:
        self.incidents = {incident.key: incident for incident in incidents}


async def test_a_keeper_starts_kills_and_tells(host: Host, database: Database) -> None:
    """A unit is missing, then silent, then fails for good: each step by systemd's means, with one incident for it."""
    ahead_s, alerts = [0.0], Recorder()

    async def beat(age_s: float) -> None:
        await database.execute(
            "INSERT INTO daemon (unit, host, pid, version, started_at, heartbeat_at, progress_at, state) VALUES"
            " ($1, 'w2', $2, '0', now(), now() - make_interval(secs => $3), now() - make_interval(secs => $3), 'idle')"
            " ON CONFLICT (unit) DO UPDATE SET pid = excluded.pid, heartbeat_at = excluded.heartbeat_at,"
            " progress_at = excluded.progress_at",
            NAME, host.manager.pid, age_s,
        )  # fmt: skip

    keeper = Keeper(
        units=[Unit(NAME)],
        backend=host.units,
        database=database,
        alerts=alerts,  # type: ignore[arg-type]
        limits=FLEET,
        host="w2",
        clock=lambda: time.monotonic() + ahead_s[0],
        history=History(),
    )
    await keeper.look()
    assert host.manager.asked == [f"start {SERVICE}"]
    await beat(0)
    await keeper.look()
    ahead_s[0] += 95
    host.journal({"__REALTIME_TIMESTAMP": "1700000000000000", "MESSAGE": [104, 195, 164, 255]})
    await keeper.look()
    assert host.manager.asked[1:] == [f"kill {SERVICE} all 9"]
    (told,) = alerts.incidents.values()
    assert (told.key, told.host, told.units) == (f"silent: {NAME}", "w2", (NAME,))
    assert told.lines == ("22:13:20 hä�",)
    await beat(0)
    for _ in range(13):
        await keeper.look()
    ahead_s[0] += 61
    await beat(0)
    await keeper.look()
    assert alerts.incidents == {}
    host.manager.end(SERVICE, "exit-code", status=1, failed=True)
    await keeper.look()
    assert host.manager.asked[2:] == [f"reset {SERVICE}", f"start {SERVICE}"]


async def test_nothing_is_done_while_the_bus_is_away(tmp_path: Path, database: Database) -> None:
    alerts, now = Recorder(), [0.0]
    systemd = Systemd(address=f"unix:path={tmp_path}/bus", clock=lambda: now[0], rng=random.Random(1))
    keeper = Keeper(
        units=[Unit(NAME)],
        backend=Units(systemd, Journal(["/nowhere"]), clock=lambda: now[0]),
        database=database,
        alerts=alerts,  # type: ignore[arg-type]
        limits=FLEET,
        host="w2",
        clock=lambda: now[0],
    )
    for _ in range(4):
        await keeper.look()
        now[0] += 5
    assert list(alerts.incidents) == ["away: systemd on w2"]
