"""The one polite client, made as the configuration says."""

from __future__ import annotations

from urllib.parse import urlsplit

from lib.errors import ConfigError
from lib.life.config import Config
from lib.life.metrics import FetchMetrics
from lib.net.fetch import Fetcher
from lib.net.policy import FetchPolicy, HostLimits
from lib.store.connections import Cache

# Public map servers are run by volunteers: a request every ten seconds, one at a time, of all our servers together.
_MAP_LIMITS = HostLimits(rate_per_s=0.1, burst=1, concurrency=1)
_SIMULATED_LIMITS = HostLimits(rate_per_s=None, concurrency=None)


def fetcher(config: Config, cache: Cache) -> Fetcher:
    """A client whose limits all servers share. Raises ConfigError when nobody could be told who we are.

    A simulated market is ours: nobody's limits apply to it, and it never gets the operator's keys.
    """
    if not config.contact and not config.simulator:
        raise ConfigError(
            ["contact: set VAKANZ_CONTACT to a mail address or page; hosts' owners must be able to reach us"]
        )
    limits = HostLimits(rate_per_s=config.host_rate, concurrency=config.host_concurrency)
    map_host = urlsplit(config.overpass).hostname
    policy = FetchPolicy(
        contact=config.contact or "simulated",
        limits=_SIMULATED_LIMITS if config.simulator else limits,
        overrides={map_host: _MAP_LIMITS} if map_host and not config.simulator else {},
        allowed_networks=config.allowed_networks,
        reroute=config.simulator or None,
    )
    key_of = simulated_key if config.simulator else config.keys.get
    return Fetcher(policy, cache.client, observer=FetchMetrics(), key_of=key_of)


def simulated_key(name: str) -> str:
    """A made-up key: the market knows no other."""
    return f"simulated-{name}"
