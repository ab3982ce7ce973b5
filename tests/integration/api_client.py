"""Callers of an API that others can reach: each with a key of its own account."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from typing import Any

from aiohttp.test_utils import TestClient, TestServer

from api import accounts
from api.app import create_app
from api.callers import Tier, scopes_of
from api.keys import create_key
from lib.life.config import Config
from lib.store.connections import Cache, Database
from tests.integration.open_market import encoders

Client = TestClient[Any, Any]
UNLIMITED = 1_000_000


def open_config(**values: Any) -> Config:
    """Reachable by others, and patient with tests that ask often."""
    rates = dict.fromkeys(("rate_free", "rate_paid", "rate_partner", "rate_admin"), UNLIMITED)
    return Config(**{"api_host": "0.0.0.0", **rates, **values})


def server(database: Database, cache: Cache, config: Config | None = None) -> TestServer:
    """A server on a free port of this machine."""
    return TestServer(create_app(config or open_config(), database, cache, encoders()))


async def caller(
    database: Database, name: str, tier: Tier = "paid", scopes: Collection[str] | None = None
) -> dict[str, str]:
    """The headers of a new account's requests."""
    account = await accounts.create_account(database, name, tier, sealed=None, who="test")
    given = scopes_of(tier) if scopes is None else scopes
    _, key = await create_key(database, "test", secrets.token_bytes(32), account, given)
    return {"Authorization": f"Bearer {key}"}
