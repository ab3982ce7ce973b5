"""Fixtures that several of these tests share."""

import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from api import passwords
from lib.store.connections import Cache
from lib.store.streams import Stream
from tests.integration.proxied import EXITS, PASSWORD, Site, Ways
from tests.sim.proxy import proxying


@pytest.fixture
def quick_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """Passwords that cost next to nothing: how much they should cost is tested elsewhere."""
    monkeypatch.setattr(passwords, "_COST", 2)
    monkeypatch.setattr(passwords, "_LANES", 1)


@pytest.fixture
def environment(dsn: str, redis_url: str, tmp_path: Path) -> dict[str, str]:
    """What commands are started with: the test's own servers and folder, and no setting of whoever runs it."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("VAKANZ_")}
    return own | {"VAKANZ_DSN": dsn, "VAKANZ_REDIS_URL": redis_url, "VAKANZ_HOME": str(tmp_path)}


@pytest.fixture
def stream(cache: Cache) -> Stream:
    return Stream(cache, "discover")


@pytest.fixture
async def ways() -> AsyncIterator[Ways]:
    """Three proxies, each with an address of its own."""
    site = Site()
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(site.server)
        proxies = [
            await stack.enter_async_context(proxying(address, user="us-er", password=PASSWORD)) for address in EXITS
        ]
        yield Ways(site, proxies)
