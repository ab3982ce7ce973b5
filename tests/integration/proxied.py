"""What tests of proxies share: a site, several proxies on the loopback network, and a client behind them."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from aiohttp import web
from aiohttp.test_utils import TestServer

from lib.life.proxying import Account
from lib.net.breaker import BreakerRules
from lib.net.fetch import Fetcher
from lib.net.messages import Request
from lib.net.policy import FetchPolicy, HostLimits
from lib.net.proxies.address import parse
from lib.net.proxies.pool import ProxyPool
from lib.net.proxies.route import Proxied
from tests.sim.proxy import Proxy, echo

FREE = HostLimits(rate_per_s=None, concurrency=None)


EXITS = ["127.0.0.11", "127.0.0.12", "127.0.0.13"]


PASSWORD = "open-sesame"


class Site:
    """A host and the echo endpoint; `callers`: the addresses that its pages were asked from, in order."""

    def __init__(self) -> None:
        self.callers: list[str | None] = []
        self.headers: list[dict[str, str]] = []
        app = web.Application()
        app.router.add_get("/_sim/echo", echo)
        app.router.add_route("*", "/{tail:.*}", self.answer)
        self.server = TestServer(app, host="127.0.0.1")

    async def answer(self, request: web.Request) -> web.Response:
        self.callers.append(request.remote)
        self.headers.append(dict(request.headers))
        status = int(request.query.get("status", 200))
        return web.Response(status=404 if request.path == "/robots.txt" else status, text="x" * 1_000)

    def url(self, path: str) -> str:
        return str(self.server.make_url(path))


@dataclass
class Ways:
    """A client behind proxies, with a clock of its own: a millisecond passes whenever somebody looks at it."""

    site: Site
    proxies: list[Proxy]
    now: float = 1_000.0
    account: Account = field(default_factory=lambda: Account("tests", lambda: datetime.now(UTC).date()))

    @asynccontextmanager
    async def client(self, policy: FetchPolicy | None = None) -> AsyncIterator[Fetcher]:
        policy = policy or FetchPolicy(
            contact="ops@vakanz.example", limits=FREE, allowed_networks=("127.0.0.0/8",),
            breaker=BreakerRules(failures=2),
        )  # fmt: skip
        pool = ProxyPool(
            parse([proxy.url for proxy in self.proxies]), self.site.url("/_sim/echo"), self.account,
            clock=self.tick, rng=random.Random(1),
        )  # fmt: skip
        async with Fetcher(policy, route=Proxied(policy, pool)) as client:
            yield client

    def tick(self) -> float:
        self.now += 0.001
        return self.now

    def get(self, path: str) -> Request:
        return Request(url=self.site.url(path), documented_api=True, timeout_s=5.0)
