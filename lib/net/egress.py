"""Where we go: public web servers only, however a URL, a redirect or a name server asks for something else.

A URL is judged before each hop. A name's addresses are judged by the resolver of the very connection that is made
to them, so an answer that changes between two look-ups cannot slip through.
"""

from __future__ import annotations

import ipaddress
import re
import socket

from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from lib.errors import Refused
from lib.net.policy import WEB_PORTS, FetchPolicy

_MAX_URL_CHARS = 8_000
_HOST_NAME = re.compile(r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*\.?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def check_url(text: str, policy: FetchPolicy) -> URL:
    """The URL in `text` without its fragment. Raises Refused: no URL, not http(s), with a user, an address inside."""
    if len(text) > _MAX_URL_CHARS:
        raise Refused(f"a URL of {len(text)} characters")
    try:
        url = URL(text)
        if url.raw_fragment:
            url = url.with_fragment(None)
        host, port = url.raw_host, url.port
    except (ValueError, IndexError) as error:  # the latter for "0://[]@"
        raise Refused(f"not a URL: {text[:200]!r}") from error
    if url.scheme not in ("http", "https") or not host or port is None:
        raise Refused(f"not a web address: {text[:200]!r}")
    if url.raw_user is not None or url.raw_password is not None:
        raise Refused(f"a URL with a user name in it, on {host}")
    if ":" in host or _NUMBER.fullmatch(host.removesuffix(".").rpartition(".")[2]):
        check_address(host, port, policy)
    elif len(host) > 254 or not _HOST_NAME.fullmatch(host):
        raise Refused(f"not a host name: {host[:200]!r}")
    return url


def check_address(text: str, port: int, policy: FetchPolicy) -> None:
    """Raises Refused unless `text` is an IP address in its one usual form, public or in an allowed network."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError as error:  # 127.1, 0x7f000001, 2130706433 and the like
        raise Refused(f"an address in an odd form: {text[:100]!r}") from error
    forms = (address, *_embedded(address))
    if any(form in network for form in forms for network in policy.networks):
        return
    if not all(_is_public(form) for form in forms):
        raise Refused(f"{address} is not a public address")
    if port not in WEB_PORTS and port not in policy.allowed_ports:
        raise Refused(f"port {port} of {address} is not one of the web")


def _embedded(address: _Address) -> tuple[_Address, ...]:
    """IPv4 addresses that an IPv6 address stands for: mapped, 6to4, NAT64."""
    if isinstance(address, ipaddress.IPv4Address):
        return ()
    found: list[_Address] = [inner for inner in (address.ipv4_mapped, address.sixtofour) if inner is not None]
    if address in _NAT64:
        found.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    return tuple(found)


def _is_public(address: _Address) -> bool:
    if isinstance(address, ipaddress.IPv4Address):
        return address.is_global and not address.is_multicast
    if address.ipv4_mapped is not None or address in _NAT64:
        return True  # what counts is the IPv4 address inside, which is judged as well
    return address in _GLOBAL_UNICAST and address.is_global and address.scope_id is None


class GuardedResolver(AbstractResolver):
    """Resolves names with `inner` and lets nothing through that `check_address` refuses.

    One forbidden address among several refuses the name: a mixed answer is how rebinding begins.
    """

    def __init__(self, inner: AbstractResolver, policy: FetchPolicy) -> None:
        self._inner = inner
        self._policy = policy

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """The addresses of `host`. Raises Refused, or OSError when it has none."""
        found = await self._inner.resolve(host, port, family)
        for result in found:
            check_address(result["host"], port, self._policy)
        return found

    async def close(self) -> None:
        await self._inner.close()
