"""Real servers for every test: one embedded pair per run, a database cloned from a migrated template per test."""

from __future__ import annotations

import asyncio
import fcntl
import os
import shutil
import tempfile
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest
import redis

from lib.store import embedded
from lib.store.connections import Cache, Database
from lib.store.migrate import migrate

_TEMPLATE = "vakanz_template"


@pytest.fixture(scope="session")
def servers() -> Iterator[embedded.Servers]:
    """The servers of this test run, shared by its workers."""
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID", uuid.uuid4().hex)
    folder = Path(tempfile.gettempdir()) / f"vakanz-test-{run[:12]}"
    with embedded.embedded(folder, durable=False) as servers:
        with (folder / "template.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (folder / "template").exists():
                asyncio.run(_create_template(servers.dsn))
                (folder / "template").touch()
        yield servers
    if embedded.idle(folder):
        embedded.remove(folder)
        shutil.rmtree(folder, ignore_errors=True)


async def _create_template(dsn: str) -> None:
    admin = await asyncpg.connect(dsn)
    await admin.execute(f"DROP DATABASE IF EXISTS {_TEMPLATE}")
    await admin.execute(f"CREATE DATABASE {_TEMPLATE}")
    await admin.close()
    await migrate(_of_database(dsn, _TEMPLATE))


def _of_database(dsn: str, name: str) -> str:
    return dsn.replace("/vakanz?", f"/{name}?")


@pytest.fixture
async def dsn(servers: embedded.Servers) -> AsyncIterator[str]:
    """A migrated database of the test's own."""
    name = f"t_{uuid.uuid4().hex[:16]}"
    admin = await asyncpg.connect(servers.dsn)
    try:
        await admin.execute(f"CREATE DATABASE {name} TEMPLATE {_TEMPLATE} STRATEGY FILE_COPY")
        yield _of_database(servers.dsn, name)
        await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    finally:
        await admin.close()


@pytest.fixture
async def database(dsn: str) -> AsyncIterator[Database]:
    """A pool on the test's own database."""
    async with Database(dsn) as database:
        yield database


@pytest.fixture
def redis_url(servers: embedded.Servers) -> Iterator[str]:
    """An empty Redis database of the test's own."""
    with redis.Redis.from_url(servers.redis_url) as admin:
        number = 1 + int(admin.incr("next-test-database")) % 4095
    url = f"{servers.redis_url}?db={number}"
    yield url
    with redis.Redis.from_url(url) as client:
        client.flushdb()


@pytest.fixture
async def cache(redis_url: str) -> AsyncIterator[Cache]:
    """A client on the test's own Redis database."""
    async with Cache(redis_url) as cache:
        yield cache
