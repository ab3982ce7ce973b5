"""By which way requests leave this machine."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Protocol, TypeAlias

import aiohttp
from aiohttp.abc import AbstractResolver
from yarl import URL

from lib.net.body import ACCEPT_ENCODING
from lib.net.egress import GuardedResolver
from lib.net.policy import FetchPolicy
from lib.net.redirects import Hop

_CONNECT_S = 15.0

Opening: TypeAlias = AbstractAsyncContextManager[aiohttp.ClientResponse]


class Way(Protocol):
    """Sends one request."""

    def open(self, hop: Hop) -> Opening:
        """Sends it. Raises SourceErrors of its own, and those of aiohttp and the system."""
        ...


class Route(Protocol):
    """Finds the way of each request. Started once, before the first one."""

    async def start(self) -> None: ...

    async def aclose(self) -> None: ...

    async def way(self, url: URL) -> Way:
        """How a request to `url` goes out. Raises Refused; ProxyFailed when there is no way for now."""
        ...


class Direct:
    """From this machine's own address: a route, and the one way of it."""

    def __init__(self, policy: FetchPolicy) -> None:
        self._policy = policy
        self._session: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        self._session = session(self._policy, target_resolver(self._policy), connect_s=None)

    async def aclose(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def way(self, url: URL) -> Direct:
        return self

    def open(self, hop: Hop) -> Opening:
        """A GET on a kept connection that turns out to be closed is sent once more by aiohttp."""
        if self._session is None:
            raise RuntimeError("a Fetcher is used as `async with Fetcher(...)`")
        url, headers = addressed(hop, self._policy)
        return self._session.request(hop.method, url, headers=headers, data=hop.body, allow_redirects=False)


def session(policy: FetchPolicy, resolver: AbstractResolver, *, connect_s: float | None) -> aiohttp.ClientSession:
    """A session that changes nothing of what servers say. `connect_s`: from the wish for a connection to having it."""
    return aiohttp.ClientSession(
        # No limit of its own: a request that waited for a connection would lose its time to it.
        connector=aiohttp.TCPConnector(limit=0, resolver=resolver, ttl_dns_cache=60),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None, connect=connect_s, sock_connect=_CONNECT_S),
        headers={"User-Agent": policy.user_agent, "Accept": "*/*", "Accept-Encoding": ACCEPT_ENCODING},
        auto_decompress=False,
    )


def target_resolver(policy: FetchPolicy) -> AbstractResolver:
    """Finds the addresses of names, and lets us go to public ones only; a simulator plays all names itself."""
    resolver = aiohttp.ThreadedResolver()
    return resolver if policy.reroute else GuardedResolver(resolver, policy)


def addressed(hop: Hop, policy: FetchPolicy) -> tuple[URL, dict[str, str]]:
    """Where the request is sent, and its headers: to the simulator, where there is one, with the host that is meant."""
    if policy.reroute is None:
        return hop.url, dict(hop.headers)
    url = URL(policy.reroute).origin().join(hop.url.relative())
    return url, {**hop.headers, "Host": hop.url.host_port_subcomponent or hop.host}
