"""How politely we fetch: one frozen value that the configuration builds and every part of the client reads."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from functools import cached_property

import msgspec

from lib.errors import ConfigError
from lib.net.breaker import BreakerRules

WEB_PORTS = frozenset({80, 443})
_HEADER_SAFE = re.compile(r"[\x20-\x7e]+")


class HostLimits(msgspec.Struct, frozen=True, kw_only=True):
    """What one host may be asked for by all our processes together; None is no limit.

    `burst`: how many requests may start at once after a rest, on top of the steady rate.
    """

    rate_per_s: float | None = 1.0
    burst: int = 4
    concurrency: int | None = 4

    def slowed(self, crawl_delay_s: float) -> HostLimits:
        """These limits with at most one request per `crawl_delay_s` seconds, without bursts; 0 changes nothing."""
        if crawl_delay_s <= 0 or (self.rate_per_s is not None and self.rate_per_s * crawl_delay_s <= 1):
            return self
        return HostLimits(rate_per_s=1 / crawl_delay_s, burst=1, concurrency=self.concurrency)


class FetchPolicy(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """Everything that the configuration says about fetching. Raises ConfigError with all problems.

    `contact`: a URL or e-mail address where a host's owner reaches the operator; it is sent with every request.
    `overrides`: limits by host name; a key that starts with a dot (`.example.com`) holds for every host below it.
    `allowed_networks`: addresses that are fetched although they are not public, on any port.
    `allowed_ports`: ports beside 80 and 443.
    `reroute`: base URL of a simulator that gets every request instead, with the host that was meant in `Host`.
    `max_wait_s`: how long a request waits for its turn before it is given back as RateLimited.
    """

    contact: str
    product: str = "Vakanz/0.1"
    limits: HostLimits = HostLimits()
    overrides: Mapping[str, HostLimits] = {}
    allowed_networks: tuple[str, ...] = ()
    allowed_ports: frozenset[int] = frozenset()
    reroute: str | None = None
    max_wait_s: float = 60.0
    breaker: BreakerRules = BreakerRules()

    def __post_init__(self) -> None:
        problems = [f"network {text!r} is none" for text in self.allowed_networks if not _is_network(text)]
        if not _HEADER_SAFE.fullmatch(self.contact) or not _HEADER_SAFE.fullmatch(self.product):
            problems.append("contact and product must be plain text: hosts' owners read them in our user agent")
        for host, limits in {"all hosts": self.limits, **self.overrides}.items():
            if limits.rate_per_s is not None and limits.rate_per_s <= 0:
                problems.append(f"the rate of {host} must be above 0, or none")
            if limits.burst < 1 or (limits.concurrency is not None and limits.concurrency < 1):
                problems.append(f"burst and concurrency of {host} must be 1 or more")
        if problems:
            raise ConfigError(problems)

    @property
    def user_agent(self) -> str:
        """Who we are and whom to write to, as browsers' and robots' user agents are written."""
        return f"{self.product} (+{self.contact})"

    @property
    def robot(self) -> str:
        """The name that robots.txt files would call us by."""
        return self.product.partition("/")[0]

    @cached_property
    def networks(self) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
        """`allowed_networks`, parsed."""
        return tuple(ipaddress.ip_network(text, strict=False) for text in self.allowed_networks)

    def limits_of(self, host: str) -> HostLimits:
        """The limits of `host`: its own, else those of the nearest domain above it, else the common ones."""
        if not self.overrides:
            return self.limits
        found = self.overrides.get(host)
        below = host
        while found is None and below:
            _, dot, below = below.partition(".")
            found = self.overrides.get(dot + below)
        return found or self.limits


def _is_network(text: str) -> bool:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return True
