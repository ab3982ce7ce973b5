"""How a request is handed to a proxy, and what the errors that come back say of it."""

from __future__ import annotations

from typing import NamedTuple

import aiohttp

from lib.net.proxies.address import Proxy

_HEADER = "Proxy-Authorization"
_REFUSALS = frozenset({401, 403, 407})


class Blame(NamedTuple):
    """What a proxy did wrong; unless `surely`, the host behind it may have."""

    reason: str
    surely: bool


def headers_of(proxy: Proxy, *, encrypted: bool) -> tuple[dict[str, str], dict[str, str]]:
    """Headers for the proxy alone: those of the tunnel to an encrypted host, and those of a plain request, which it
    takes out."""
    held: dict[str, str] = {} if proxy.credentials is None else {_HEADER: proxy.credentials}
    return (held, {}) if encrypted else ({}, held)


def blame(error: Exception) -> Blame | None:
    """What the proxy did wrong; None when the error is not about the proxy.

    The connection is to the proxy, so a broken one may be its fault or that of the host behind. What it tells is
    in our own words: aiohttp's errors carry the headers that were sent.
    """
    if isinstance(error, aiohttp.ClientProxyConnectionError):
        return Blame(f"cannot be reached ({error.os_error.strerror or type(error.os_error).__name__})", surely=True)
    if isinstance(error, aiohttp.ClientHttpProxyError):
        return Blame(f"answers with status {error.status}", surely=error.status in _REFUSALS)
    if isinstance(error, aiohttp.ClientSSLError):
        return Blame("leads to somebody without the host's certificate", surely=False)
    if isinstance(error, aiohttp.ConnectionTimeoutError):
        return Blame("makes no connection in time", surely=False)
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return Blame("hangs up", surely=False)
    if isinstance(error, aiohttp.ClientOSError):
        return Blame(f"breaks off ({error.strerror or type(error).__name__})", surely=False)
    return None


def blame_status(status: int, *, encrypted: bool) -> Blame | None:
    """Likewise, of an answer: what comes through a tunnel is the host's own word, but for 407, which no host says.

    A gateway's error on a plain request is more likely the gateway's; a host that truly answers so is asked again.
    """
    if status == 407:
        return Blame("refuses our credentials", surely=True)
    if not encrypted and status in (502, 504):
        return Blame(f"answers with status {status}", surely=False)
    return None
