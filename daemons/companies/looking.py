"""Looking at a page through the polite client: which board is behind it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urljoin

import msgspec

from daemons.companies.detection import Found, best, in_address, in_page, in_redirects
from lib.errors import Refused
from lib.net.fetch import MAX_REDIRECTS
from lib.net.messages import Request, Response
from lib.net.redirects import REDIRECTS
from lib.net.validators import Validators

PAGE_BYTES = 5_000_000


class Fetch(Protocol):
    """The polite client, or what a test puts in its place."""

    async def send(self, request: Request, *, validators: Validators | None = None) -> Response: ...


@dataclass(frozen=True)
class Looked:
    """A page: its final address, its body, and the boards behind it, the surest first."""

    url: str
    body: bytes
    found: Sequence[Found]

    @property
    def best(self) -> Found | None:
        """The board of the page's owner, None where that cannot be told."""
        return best(self.found)


async def look(client: Fetch, url: str) -> Looked:
    """Looks behind `url`; its page is fetched only where the address itself does not say it.

    An address that leads to a board is enough: that board's host is not asked, which its source may reserve to its
    proxies. Raises what `Fetcher.send` raises, and Refused for an answer that is no page.
    """
    found = in_address(url)
    if found is not None:
        return Looked(url, b"", (found,))
    response = await _fetch(client, url)
    led = in_redirects((url, response.url))
    if led is not None:
        return Looked(response.url, response.body, (led,))
    kind = response.headers.get("content-type", "").lower()
    if kind and not any(word in kind for word in ("html", "xml", "text/plain")):
        raise Refused(f"{url[:200]} is {kind[:80]}, not a page")
    return Looked(response.url, response.body, in_page(response.body, response.url))


async def _fetch(client: Fetch, url: str) -> Response:
    """The page that `url` leads to, or the redirect that names a board, with its address instead of its own."""
    address = url
    for _ in range(MAX_REDIRECTS + 1):
        response = await client.send(msgspec.structs.replace(page_request(address), answers=REDIRECTS))
        if response.status not in REDIRECTS:
            return response
        target = urljoin(response.url, response.headers.get("location", ""))
        if in_redirects((url, target)) is not None:
            return msgspec.structs.replace(response, url=target, body=b"")
        if address.startswith("https:") and not target.startswith("https:"):
            raise Refused(f"{address[:200]} redirects from https to {target[:200]}")
        address = target
    raise Refused(f"more than {MAX_REDIRECTS} redirects from {url[:200]}")


def page_request(url: str) -> Request:
    """A request for a page, as a browser would ask for it; robots.txt is obeyed."""
    return Request(url=url, headers={"Accept": "text/html,application/xhtml+xml"}, max_bytes=PAGE_BYTES)
