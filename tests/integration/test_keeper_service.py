"""The keeper of a server as systemd starts it, and what it asks the database besides heartbeats."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import anyio
import asyncpg
import pytest

from keeper import holds
from keeper.health import HORIZON_S, Followers
from keeper.incident import Kind
from lib.store import leases
from lib.store.connections import Database
from sql import statements

ROOT = Path(__file__).parents[2]
_SQL = statements("keeper")


@contextmanager
def started(folder: Path, **settings: str) -> Iterator[tuple[subprocess.Popen[bytes], socket.socket]]:
    """A keeper in a process of its own, and the socket on which it notifies its manager."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(folder / "notify"))
        manager.settimeout(30)
        environment = {
            "PATH": os.environ["PATH"],
            "NOTIFY_SOCKET": str(folder / "notify"),
            "WATCHDOG_USEC": "600000",
            "DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={folder}/no-bus",
            "VAKANZ_HOME": str(folder / "home"),
            "VAKANZ_HOST": "w1",
            "VAKANZ_LOG_FORMAT": "json",
            **{f"VAKANZ_{name.upper()}": value for name, value in settings.items()},
        }
        command = [sys.executable, "-m", "vakanz", "keeper", "run"]
        with subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE) as process:
            try:
                yield process, manager
            finally:
                process.kill()


def told(manager: socket.socket, what: str) -> None:
    """Waits until the manager was told `what`."""
    end = time.monotonic() + 30
    while time.monotonic() < end:
        if what in manager.recv(4096).decode():
            return
    raise AssertionError(f"{what} was never said")


def test_it_starts_and_looks_while_nothing_else_works(tmp_path: Path) -> None:
    """No bus, no PostgreSQL, no Redis, no map that can be read: it says so, goes on, and ends when it is asked to."""
    (tmp_path / "fleet.yml").write_text("hosts: [")
    away = {"dsn": "postgresql://u@127.0.0.1:1/x", "redis_url": "redis://127.0.0.1:1"}
    with started(tmp_path, fleet=str(tmp_path / "fleet.yml"), **away) as (process, manager):
        told(manager, "READY=1")
        told(manager, "WATCHDOG=1")
        told(manager, "STATUS=waiting for")
        process.send_signal(signal.SIGHUP)
        told(manager, "WATCHDOG=1")
        assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        _, log = process.communicate(timeout=30)
    assert process.returncode == 0, log.decode()
    for line in ("the map cannot be used", "systemd does not answer", "server lost"):
        assert line in log.decode()
    assert b"Traceback" not in log
    assert (tmp_path / "home" / "memory.json").exists()


def test_a_setting_that_is_wrong_is_told_before_it_starts(tmp_path: Path) -> None:
    with started(tmp_path, dsn="mysql://x") as (process, _):
        _, log = process.communicate(timeout=30)
    assert process.returncode == 1
    assert b"dsn: a postgresql:// address is expected" in log


async def test_a_transaction_that_writes_for_long_is_told_and_a_reader_is_not(dsn: str, database: Database) -> None:
    """Other tests' transactions are on this server as well, but none of them lasts."""
    connection = await asyncpg.connect(dsn)
    mine = f"pid {connection.get_server_pid()} "

    async def oldest() -> asyncpg.Record | None:
        found = await database.fetchrow(_SQL.horizon)
        return found if found is not None and mine in found["who"] else None

    try:
        await connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM posting")
        assert await oldest() is None
        await connection.execute("SELECT pg_current_xact_id()")
        with anyio.fail_after(60):
            while (told := await oldest()) is None:  # noqa: ASYNC110 - the others are other processes
                await anyio.sleep(0.05)
        assert 0 <= told["age_s"] < HORIZON_S
        assert "idle in transaction" in told["who"]
        await connection.execute("ROLLBACK")
        assert await oldest() is None
    finally:
        await connection.close()


async def test_only_one_keeper_looks_at_followers(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("keeper.health.HORIZON_S", 0.0)

    async def ask(host: str) -> list[Kind]:
        return [one.kind for one in await Followers(database, host, time.monotonic).ask()]

    async with (await database._open()).acquire() as other, other.transaction():
        await other.execute("SELECT pg_current_xact_id()")
        assert await ask("w1") == [Kind.HORIZON]
        assert await ask("w2") == []
        assert await leases.acquire(database, "keeper-followers", "w1") is not None
        assert await ask("w1") == [Kind.HORIZON]


async def test_what_is_before_followers_is_counted_up_to_a_limit(database: Database) -> None:
    await database.execute("INSERT INTO board (source, tenant, url) VALUES ('x', 'y', 'https://x.example')")
    await database.execute(
        "INSERT INTO posting (board_id, external_id, state, content_hash, title, url, first_seen, last_seen)"
        " SELECT b.id, n::text, 'discovered', '', 't', '', now(), now() FROM board b, generate_series(1, 80) n"
    )
    for shard in range(8):
        await database.execute(
            "INSERT INTO follower (name, shard, version, cursor_xid, cursor_id, epoch, rows, moved_at)"
            " VALUES ('text', $1, 1, '0', 0, 1, 0, now() - interval '1 hour')",
            shard,
        )
    (row,) = await database.fetch(_SQL.behind, 1_000)
    assert (row["name"], row["rows"], row["more"]) == ("text", 80, False)
    assert 3_600 <= row["still_s"] < 3_700
    (row,) = await database.fetch(_SQL.behind, 2)
    assert (row["rows"], row["more"]) == (16, True)


async def test_holds_end_by_themselves_and_give_way_to_newer_ones(database: Database) -> None:
    await holds.hold(database, "crawl@0", 3_600, "first", "ada")
    await holds.hold(database, "crawl@0", 1.5, "second", "bob")
    assert [(one.held_by, one.why) for one in await holds.load_holds(database)] == [("bob", "second")]
    await anyio.sleep(1.6)
    assert await holds.load_holds(database) == []
    assert not await holds.release(database, "crawl@0", "eve")
    await holds.hold(database, "crawl@0", 60, "third", "ada")
    assert await holds.release(database, "crawl@0", "eve")
    kept = await database.fetch("SELECT why, released_by FROM hold ORDER BY id")
    assert [tuple(row) for row in kept] == [("first", "bob"), ("second", None), ("third", "eve")]
