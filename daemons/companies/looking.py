"""Looking at a page through the polite client: which board is behind it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from daemons.companies.detection import Found, best, in_address, in_page, in_redirects
from lib.errors import Refused, SourceError
from lib.net.messages import Request, Response
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

    An address that leads to a board is enough, whether that board answers or not. Raises what `Fetcher.send` raises,
    and Refused for an answer that is no page.
    """
    found = in_address(url)
    if found is not None:
        return Looked(url, b"", (found,))
    try:
        response = await client.send(page_request(url))
    except SourceError as error:
        led = in_redirects((url, error.url))
        if led is None:
            raise
        return Looked(error.url, b"", (led,))
    led = in_redirects((url, response.url))
    if led is not None:
        return Looked(response.url, response.body, (led,))
    kind = response.headers.get("content-type", "").lower()
    if kind and not any(word in kind for word in ("html", "xml", "text/plain")):
        raise Refused(f"{url[:200]} is {kind[:80]}, not a page")
    return Looked(response.url, response.body, in_page(response.body, response.url))


def page_request(url: str) -> Request:
    """A request for a page, as a browser would ask for it; robots.txt is obeyed."""
    return Request(url=url, headers={"Accept": "text/html,application/xhtml+xml"}, max_bytes=PAGE_BYTES)
