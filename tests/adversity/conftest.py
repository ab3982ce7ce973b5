"""A second database beside the test's own."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator

import asyncpg
import pytest

from lib.store.connections import Database
from lib.store.embedded import Servers
from lib.store.migrate import migrate


@pytest.fixture
async def other_dsn(servers: Servers) -> AsyncIterator[str]:
    """An empty database, for the undisturbed run that a disturbed one is compared with."""
    name = f"t_{uuid.uuid4().hex[:16]}"
    admin = await asyncpg.connect(servers.dsn)
    try:
        await admin.execute(f"CREATE DATABASE {name}")
        yield servers.dsn.replace("/vakanz?", f"/{name}?")
        await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    finally:
        await admin.close()


@pytest.fixture
async def other_database(other_dsn: str) -> AsyncIterator[Database]:
    """A pool on the second database, migrated."""
    await migrate(other_dsn)
    async with Database(other_dsn) as database:
        yield database
