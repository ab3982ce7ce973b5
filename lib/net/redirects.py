"""What is sent first, and what is sent after a redirect: pure, so that every rule of it is a line in a table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from yarl import URL

from lib.errors import Refused
from lib.net.egress import check_url
from lib.net.messages import Request
from lib.net.policy import FetchPolicy
from lib.net.validators import Validators

REDIRECTS = frozenset({301, 302, 303, 307, 308})
_PORTABLE_HEADERS = frozenset({"accept", "accept-language"})  # what may travel to another origin: no secrets
_OURS = frozenset({"host", "user-agent", "accept-encoding", "connection", "content-length", "transfer-encoding"})


class Hop(NamedTuple):
    """One request on the wire. `conditional`: a 304 would be an answer to it."""

    url: URL
    method: str
    headers: Mapping[str, str]
    body: bytes | None
    conditional: bool

    @property
    def host(self) -> str:
        """The host's name as limits, breaker and metrics know it."""
        return (self.url.raw_host or "").removesuffix(".")


def first_hop(request: Request, validators: Validators | None, policy: FetchPolicy) -> Hop:
    """The hop that `request` begins with. Raises Refused."""
    url = check_url(request.url, policy)
    if request.params:
        url = check_url(str(url.extend_query(request.params)), policy)
    headers = {name: value for name, value in request.headers.items() if name.lower() not in _OURS}
    if validators is not None:
        headers |= validators.headers()
    return Hop(url, request.method, headers, request.body, validators is not None)


def next_hop(hop: Hop, status: int, location: str, policy: FetchPolicy) -> Hop:
    """Where the redirect leads. Raises Refused: an address that we do not go to, from https to http, or a POST that
    is sent to another host. As browsers do, 303 and a redirected POST (but for 307 and 308) go on as GET."""
    try:
        target = hop.url.join(URL(location))
    except ValueError as error:
        raise Refused(f"{hop.host} redirects to no URL: {location[:200]!r}") from error
    url = check_url(str(target), policy)
    if hop.url.scheme == "https" and url.scheme == "http":
        raise Refused(f"{hop.host} redirects from https to http")
    if hop.method != "GET" and url.raw_host != hop.url.raw_host:
        raise Refused(f"{hop.host} redirects a {hop.method} to {url.raw_host}")
    same = url.origin() == hop.url.origin()
    headers = hop.headers if same else {k: v for k, v in hop.headers.items() if k.lower() in _PORTABLE_HEADERS}
    if status in (307, 308):
        return Hop(url, hop.method, headers, hop.body, hop.conditional and same)
    headers = {k: v for k, v in headers.items() if k.lower() != "content-type"}
    return Hop(url, "GET", headers, None, hop.conditional and same)
