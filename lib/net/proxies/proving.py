"""Which address the world sees, by an echo endpoint: ours, and that of each proxy.

The endpoint answers with the caller's address, as plain text or as a JSON object's `ip`, `address` or `origin`. A
real one is to be asked by https, or a proxy could answer in its place.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket

import aiohttp
import orjson
from yarl import URL

from lib.errors import ProxyFailed
from lib.net.body import TooLarge, read_body
from lib.net.proxies.address import Proxy
from lib.net.proxies.wire import headers_of
from lib.net.route import Opening

_PROOF_S = 20.0
_CONNECT_S = 10.0
_MAX_BYTES = 10_000
_PLAIN = {"Accept-Encoding": "identity"}

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


async def own_addresses(echo: str) -> frozenset[Address]:
    """The addresses that this machine is seen with, by either version of IP: it may have one of them only.

    Raises ProxyFailed when there is none, and when the endpoint can be reached by one but does not tell it: a proxy
    might show just that address.
    """
    host = URL(echo).host or ""
    found = set()
    for family in _families(host):
        connector = aiohttp.TCPConnector(family=family)
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_S)
        async with aiohttp.ClientSession(connector=connector, timeout=timeout, trust_env=False) as session:
            try:
                found.add(await _seen(session.get(echo, headers=_PLAIN, allow_redirects=False)))
            except (ValueError, TimeoutError, aiohttp.ClientError, OSError) as error:
                if not _out_of_reach(error):
                    raise ProxyFailed(f"our own address is unknown: {host} does not tell it") from error
    if not found:
        raise ProxyFailed(f"our own address is unknown: {host} cannot be reached")
    return frozenset(found)


def _out_of_reach(error: Exception) -> bool:
    """Whether there was no connection at all."""
    unconnected = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)
    return isinstance(error, unconnected) and not isinstance(error, aiohttp.ClientSSLError)


def _families(host: str) -> tuple[socket.AddressFamily, ...]:
    """The versions of IP by which a host may be reached: a name by both, an address by its own."""
    try:
        version = ipaddress.ip_address(host).version
    except ValueError:
        return socket.AF_INET, socket.AF_INET6
    return (socket.AF_INET if version == 4 else socket.AF_INET6,)


async def exit_address(session: aiohttp.ClientSession, proxy: Proxy, echo: str, own: frozenset[Address]) -> Address:
    """The address that a proxy is seen with. Raises ValueError: ours, or no answer that makes sense; TimeoutError,
    OSError, aiohttp's errors when it cannot be asked."""
    tunnel, plain = headers_of(proxy, encrypted=echo.startswith("https:"))
    address = await _seen(
        session.get(echo, proxy=proxy.url, proxy_headers=tunnel, headers={**plain, **_PLAIN}, allow_redirects=False)
    )
    if any(_same_place(address, ours) for ours in own):
        raise ValueError(f"it goes out from our own address {address}")
    return address


async def _seen(opening: Opening) -> Address:
    """The address in the whole answer: half of one may look like another."""
    async with asyncio.timeout(_PROOF_S), opening as answer:
        if answer.status != 200:
            raise ValueError(f"the echo endpoint answers with status {answer.status}")
        try:
            body = await read_body(answer.content.iter_any(), "", _MAX_BYTES)
        except TooLarge:
            raise ValueError("the echo endpoint tells no address, but much else") from None
    return read_echo(body)


def read_echo(body: bytes) -> Address:
    """The address in an answer of an echo endpoint. Raises ValueError."""
    text = body.decode("ascii", "replace").strip()
    if text.startswith("{"):
        told = orjson.loads(body)
        text = next((told[name] for name in ("ip", "address", "origin") if isinstance(told.get(name), str)), "")
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        raise ValueError(f"the echo endpoint tells no address: {text[:60]!r}") from None
    return getattr(address, "ipv4_mapped", None) or address


def _same_place(one: Address, other: Address) -> bool:
    """Whether two addresses are one machine's: of IPv6 it has a whole network, and uses its addresses in turn."""
    if isinstance(one, ipaddress.IPv6Address) and isinstance(other, ipaddress.IPv6Address):
        return int(one) >> 64 == int(other) >> 64
    return one == other
