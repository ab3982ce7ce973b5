"""The route through the pool."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
from yarl import URL

from lib.errors import ProxyFailed, Transient
from lib.net.policy import FetchPolicy
from lib.net.proxies.address import Proxy
from lib.net.proxies.pool import ProxyPool
from lib.net.proxies.wire import Blame, blame, blame_status, headers_of
from lib.net.redirects import Hop
from lib.net.route import addressed, session, target_resolver

_CONNECT_S = 20.0  # to the proxy, and by its tunnel to the host


class Proxied:
    """Each request by the next proxy of the pool. A name is resolved here as well, and refused when it leads inside:
    the proxy's own network is no more ours to visit than this one."""

    def __init__(self, policy: FetchPolicy, pool: ProxyPool) -> None:
        self._policy = policy
        self._pool = pool
        self._targets = target_resolver(policy)
        self._session: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        # Proxies may stand in our own network: the operator named them.
        self._session = session(self._policy, aiohttp.ThreadedResolver(), connect_s=_CONNECT_S)

    async def aclose(self) -> None:
        if self._session is not None:
            await self._session.close()
        await self._targets.close()

    async def way(self, url: URL) -> ByProxy:
        if self._session is None:
            raise RuntimeError("a Fetcher is used as `async with Fetcher(...)`")
        if self._policy.reroute is None:
            try:
                await self._targets.resolve(url.raw_host or "", url.port or 0)
            except OSError as error:
                raise Transient(f"{url.raw_host}: {error}") from error
        return ByProxy(self._policy, self._pool, self._session, await self._pool.take(self._session))

    async def check(self) -> None:
        """Has every proxy prove itself now; what came of it stands in the pool. Raises ProxyFailed when our own address
        is not known."""
        if self._session is None:
            raise RuntimeError("a route is started before it is used")
        await asyncio.gather(*[self._pool.prove(self._session, proxy) for proxy, _ in self._pool])


class ByProxy:
    """The way through one proxy."""

    def __init__(self, policy: FetchPolicy, pool: ProxyPool, session: aiohttp.ClientSession, proxy: Proxy) -> None:
        self._policy = policy
        self._pool = pool
        self._session = session
        self._proxy = proxy

    @asynccontextmanager
    async def open(self, hop: Hop) -> AsyncIterator[aiohttp.ClientResponse]:
        """Sends a request. Raises ProxyFailed for what the proxy does wrong, and lets other errors through."""
        url, headers = addressed(hop, self._policy)
        tunnel, plain = headers_of(self._proxy, encrypted=url.scheme == "https")
        answer: aiohttp.ClientResponse | None = None
        blamed: Blame | None = None
        try:
            async with self._session.request(
                hop.method, url, headers={**headers, **plain}, data=hop.body, allow_redirects=False,
                proxy=self._proxy.url, proxy_headers=tunnel,
            ) as answer:  # fmt: skip
                blamed = blame_status(answer.status, encrypted=url.scheme == "https")
                if blamed is None:
                    yield answer
        except (aiohttp.ClientError, OSError) as error:
            blamed = blame(error)
            if blamed is None:
                raise
        except asyncio.CancelledError:
            if answer is None:
                self._pool.failed(self._proxy, Blame("brings no answer in time", surely=False))
            raise
        finally:
            if answer is not None and blamed is None:
                self._pool.succeeded(self._proxy, _size(hop, answer))
        if blamed is not None:
            self._pool.failed(self._proxy, blamed)
            raise ProxyFailed(f"the proxy {self._proxy.name} {blamed.reason}")


def _size(hop: Hop, answer: aiohttp.ClientResponse) -> int:
    """Bytes of request and answer, without what encryption adds."""
    sent = len(str(hop.url)) + sum(len(name) + len(value) + 4 for name, value in hop.headers.items())
    got = sum(len(name) + len(value) + 4 for name, value in answer.raw_headers)
    return sent + len(hop.body or b"") + got + answer.content.total_bytes
