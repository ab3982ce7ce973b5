"""A visit to a company's site: from its front page to its careers page, and to the board behind that.

At most four pages are asked for, robots.txt is obeyed, and nothing is asked for twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from daemons.companies.careers_links import careers_links
from daemons.companies.detection import Found
from daemons.companies.looking import Fetch, Looked, look
from lib.errors import Denied, Gone, SourceError
from lib.posting.contract import clean_text

State = Literal["board", "careers", "nothing", "denied", "gone", "unknown"]
MAX_PAGES = 4


@dataclass(frozen=True)
class Visit:
    """What a site turned out to have. `careers_url`: the page that the board, or the postings, were found on."""

    state: State
    careers_url: str | None = None
    found: Found | None = None
    reason: str | None = None


async def visit(client: Fetch, url: str) -> Visit:
    """Looks at a site. Never raises a SourceError: what went wrong is an outcome."""
    try:
        front = await look(client, url)
    except SourceError as error:
        return _failed(error)
    if front.best is not None:
        return Visit("board", front.url, front.best)
    return await _follow(client, front)


async def _follow(client: Fetch, front: Looked) -> Visit:
    """From the front page along the links that promise most; a careers page may lead to a list of openings."""
    waiting = careers_links(front.body, front.url)
    seen, careers, refused = {front.url}, None, None
    while waiting and len(seen) < MAX_PAGES:
        address = waiting.pop(0)
        if address in seen:
            continue
        seen.add(address)
        try:
            page = await look(client, address)
        except SourceError as error:
            refused = refused or error
            continue
        if page.best is not None:
            return Visit("board", page.url, page.best)
        if page.url not in seen or page.url == address:
            seen.add(page.url)
            careers = careers or page.url
            waiting = [link for link in careers_links(page.body, page.url, 1) if link not in seen] + waiting
    if careers is not None:
        return Visit("careers", careers)
    if refused is not None:
        return _failed(refused)
    return Visit("nothing")


def _failed(error: SourceError) -> Visit:
    state: State = "denied" if isinstance(error, Denied) else "gone" if isinstance(error, Gone) else "unknown"
    return Visit(state, reason=clean_text(f"{type(error).__name__}: {error}", 300))
