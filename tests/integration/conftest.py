"""Fixtures that several of these tests share."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

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
