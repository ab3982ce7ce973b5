"""Backups of the role `postgres`, made and tried by its own scripts on a real cluster."""

from __future__ import annotations

import gzip
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest

SCRIPTS = Path(__file__).parents[2] / "ansible" / "roles" / "postgres" / "files"
# The server refuses to run as root.
USER = pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
SETTINGS = """
listen_addresses = ''
unix_socket_directories = '{home}'
archive_mode = on
archive_library = 'basic_archive'
basic_archive.archive_directory = '{home}/backups/wal'
fsync = off
shared_buffers = 16MB
"""


@dataclass(frozen=True)
class Cluster:
    """A server with archived log. Its files belong to USER."""

    home: Path
    binaries: Path

    def run(self, *command: str | Path) -> subprocess.CompletedProcess[str]:
        environment = {
            "PATH": os.environ["PATH"], "PGHOST": str(self.home), "PGPORT": "5432", "PGUSER": USER.pw_name,
            "PGDATABASE": "postgres", "BINARIES": str(self.binaries), "FOLDER": str(self.home / "backups"), "KEPT": "2",
            "SCRATCH": str(self.home / "backups" / "scratch"), "SOCKETS": str(self.home / "sockets"),
        }  # fmt: skip
        root = os.geteuid() == 0
        with tempfile.TemporaryFile("w+") as output:  # a pipe would be inherited by the server and never close
            done = subprocess.run(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd="/", env=environment, check=False,
                user=USER.pw_uid if root else None, group=USER.pw_gid if root else None,
                extra_groups=[] if root else None, timeout=90,
            )  # fmt: skip
            output.seek(0)
            return subprocess.CompletedProcess(done.args, done.returncode, output.read())

    def must(self, *command: str | Path) -> str:
        done = self.run(*command)
        assert done.returncode == 0, done.stdout
        return done.stdout

    def sql(self, statement: str) -> str:
        return self.must(self.binaries / "psql", "-XAtqw", f"--command={statement}")

    @property
    def backups(self) -> list[Path]:
        return sorted((self.home / "backups" / "base").iterdir())


@pytest.fixture
async def binaries(dsn: str) -> Path:
    """The server's own programs, where USER may enter."""
    connection = await asyncpg.connect(dsn)
    try:
        return Path(await connection.fetchval("SELECT setting FROM pg_config() WHERE name = 'BINDIR'"))
    finally:
        await connection.close()


@pytest.fixture
def cluster(binaries: Path) -> Iterator[Cluster]:
    home = Path(tempfile.mkdtemp(prefix="vakanz-backup-"))  # short: a socket's path may have 107 bytes
    made = Cluster(home, binaries)
    for folder in ("backups/base", "backups/wal", "sockets", "scripts"):
        (home / folder).mkdir(parents=True)
    for script in SCRIPTS.iterdir():
        shutil.copy(script, home / "scripts")
    copy = home / "scripts" / "copy"
    copy.write_text('#!/bin/bash\necho "copied $FOLDER"\n')
    copy.chmod(0o755)
    for path in (home, *home.rglob("*")):
        os.chown(path, USER.pw_uid, USER.pw_gid)
    try:
        made.must(binaries / "initdb", "-D", home / "data", "-U", USER.pw_name, "--no-sync", "--locale=C.UTF-8")
        with (home / "data" / "postgresql.conf").open("a") as settings:
            settings.write(SETTINGS.format(home=home))
        made.must(binaries / "pg_ctl", "start", "-w", "-D", home / "data", "-l", home / "log")
        yield made
    finally:
        made.run(binaries / "pg_ctl", "stop", "-m", "immediate", "-D", home / "data")
        shutil.rmtree(home, ignore_errors=True)


def test_a_backup_gives_back_what_was_written_after_it(cluster: Cluster) -> None:
    cluster.sql("CREATE TABLE before AS SELECT generate_series(1, 2000) AS n")
    assert f"copied {cluster.home}/backups" in cluster.must(cluster.home / "scripts" / "backup")
    cluster.sql("CREATE TABLE after AS SELECT generate_series(1, 3000) AS n")
    told = cluster.must(cluster.home / "scripts" / "restore-test")
    assert f"restored {cluster.backups[0].name}" in told and "2 tables, 5000 rows" in told
    assert not (cluster.home / "backups" / "scratch").exists()


def test_a_damaged_backup_and_a_gap_in_the_log_are_told(cluster: Cluster) -> None:
    cluster.must(cluster.home / "scripts" / "backup")
    packed = cluster.backups[0] / "base.tar.gz"
    whole = packed.read_bytes()
    files = bytearray(gzip.decompress(whole))
    files[len(files) // 2 : len(files) // 2 + 64] = b"x" * 64
    packed.write_bytes(gzip.compress(bytes(files), 1))
    done = cluster.run(cluster.home / "scripts" / "restore-test")
    assert done.returncode == 1 and "cannot be trusted" in done.stdout

    packed.write_bytes(whole)
    cluster.sql("CREATE TABLE later AS SELECT 1 AS n")
    segment = cluster.home / "backups" / "wal" / cluster.sql("SELECT pg_walfile_name(pg_switch_wal())").strip()
    end = time.monotonic() + 30
    while not segment.exists():
        assert time.monotonic() < end, "nothing is archived"
        time.sleep(0.05)
    segment.unlink()
    done = cluster.run(cluster.home / "scripts" / "restore-test")
    assert done.returncode == 1 and "recovery ended before" in done.stdout


def test_old_backups_are_forgotten_and_the_log_that_only_they_need(cluster: Cluster) -> None:
    for name in ("2026-01-01T00-00-00Z", "2026-01-02T00-00-00Z"):
        cluster.must(cluster.home / "scripts" / "backup")
        cluster.backups[-1].rename(cluster.home / "backups" / "base" / name)
    log = cluster.home / "backups" / "wal"
    first = min(path.name for path in log.iterdir())
    cluster.must(cluster.home / "scripts" / "backup")
    assert [path.name for path in cluster.backups[:-1]] == ["2026-01-02T00-00-00Z"]
    assert len(cluster.backups) == 2 and not (log / first).exists()
    assert "0 tables" in cluster.must(cluster.home / "scripts" / "restore-test")
