"""The one polite client, made as the configuration says."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from urllib.parse import urlsplit

from lib.errors import ConfigError
from lib.life.config import Config
from lib.life.metrics import FetchMetrics
from lib.life.proxying import proxies
from lib.net.fetch import Fetcher
from lib.net.policy import FetchPolicy, HostLimits
from lib.net.proxies.route import Proxied
from lib.net.route import Route
from lib.store.connections import Cache, Database

# Public map servers are run by volunteers: a request every ten seconds, one at a time, of all our servers together.
_MAP_LIMITS = HostLimits(rate_per_s=0.1, burst=1, concurrency=1)
_SIMULATED_LIMITS = HostLimits(rate_per_s=None, concurrency=None)


def fetcher(config: Config, cache: Cache, database: Database | None = None) -> AbstractAsyncContextManager[Fetcher]:
    """A client whose limits all servers share. Raises ConfigError when nobody could be told who we are.

    A simulated market is ours: nobody's limits apply to it, and it never gets the operator's keys. Requests of sources
    that are proxied go out by proxies or not at all; what that costs is written into `database`, else into the log.
    """
    if not config.contact and not config.simulator:
        raise ConfigError(
            ["contact: set VAKANZ_CONTACT to a mail address or page; hosts' owners must be able to reach us"]
        )
    return _opened(config, cache, database)


@asynccontextmanager
async def _opened(config: Config, cache: Cache, database: Database | None) -> AsyncIterator[Fetcher]:
    policy = policy_of(config)
    key_of = simulated_key if config.simulator else config.keys.get
    metrics = FetchMetrics()

    def client(route: Route | None, elsewhere: dict[str, Fetcher]) -> Fetcher:
        return Fetcher(policy, cache.client, observer=metrics, key_of=key_of, route=route, elsewhere=elsewhere)

    async with AsyncExitStack() as stack:
        elsewhere = {}
        if config.proxied_sources:
            pool = await stack.enter_async_context(proxies(config, database))
            proxied = await stack.enter_async_context(client(Proxied(policy, pool), {}))
            elsewhere = dict.fromkeys(config.proxied_sources, proxied)
        yield await stack.enter_async_context(client(None, elsewhere))


def policy_of(config: Config) -> FetchPolicy:
    """How politely this configuration fetches."""
    limits = HostLimits(rate_per_s=config.host_rate, concurrency=config.host_concurrency)
    map_host = urlsplit(config.overpass).hostname
    return FetchPolicy(
        contact=config.contact or "simulated",
        limits=_SIMULATED_LIMITS if config.simulator else limits,
        overrides={map_host: _MAP_LIMITS} if map_host and not config.simulator else {},
        allowed_networks=config.allowed_networks,
        reroute=config.simulator or None,
    )


def simulated_key(name: str) -> str:
    """A made-up key: the market knows no other."""
    return f"simulated-{name}"
