"""An embedded pair of servers of one test's own, which may be crashed."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Self
from urllib.parse import parse_qs, urlsplit

import asyncpg

from lib.store.embedded import embedded, remove


class Servers:
    """PostgreSQL and Valkey, durable as in production. The methods block: call them beside the event loop."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._users = ExitStack()

    def __enter__(self) -> Self:
        servers = self._users.enter_context(embedded(self._folder, durable=True))
        self.dsn, self.redis_url = servers.dsn, servers.redis_url
        self._sockets = Path(parse_qs(urlsplit(servers.dsn).query)["host"][0])
        return self

    def __exit__(self, *_: object) -> None:
        self._users.close()
        remove(self._folder)

    def restart_postgres(self) -> None:
        """What `pg_ctl restart -m immediate` does: no checkpoint, no goodbye, recovery at the start."""
        postmaster = int((self._sockets / ".s.PGSQL.5432.lock").read_text().split()[0])
        os.kill(postmaster, signal.SIGQUIT)
        _gone(postmaster)
        self._users.enter_context(embedded(self._folder))

    async def kill_backend(self) -> None:
        """`kill -9` of one server process, upon which PostgreSQL ends all others and recovers."""
        admin = await asyncpg.connect(self.dsn)
        try:
            backend: int = await admin.fetchval("SELECT pg_backend_pid()")
            os.kill(backend, signal.SIGKILL)
        finally:
            admin.terminate()

    def restart_valkey(self) -> None:
        """`kill -9`, and a new start from what its log has."""
        valkey = int((self._sockets / "valkey.pid").read_text())
        os.kill(valkey, signal.SIGKILL)
        _gone(valkey)
        self._users.enter_context(embedded(self._folder))


def _gone(process: int, seconds: float = 30.0) -> None:
    _wait(lambda: not _runs(process), seconds)


def _runs(process: int) -> bool:
    """Whether it lives; what is dead and not yet collected by its parent does not."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def _wait(condition: Callable[[], bool], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it still runs"
        time.sleep(0.01)
