"""A board that lists nothing may have moved: its old address or the company's own page leads to the new one."""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from daemons.companies.detection import Found, best, in_address, in_page, in_redirects
from daemons.companies.domains import domain_table, host_of, registered
from daemons.companies.looking import Fetch, page_request
from daemons.companies.names import same
from lib.errors import SourceError
from lib.net.messages import Response
from lib.posting.boards import Board


async def destination(client: Fetch, board: Board, company_pages: Sequence[str]) -> Found | None:
    """The company's board in another system, or under another name in the same one; None when nothing leads to one.

    `company_pages`: addresses of the company's own site. What cannot be had leads nowhere. All are asked for on behalf
    of the board's source: its own page is that of its system, and the others often lead there.
    """
    for url in (board.url, *company_pages):
        try:
            response = await client.send(page_request(url).on_behalf_of(board.source))
        except SourceError as error:
            structlog.get_logger("crawl").debug("no page to look at", url=url, reason=str(error))
            continue
        found = leads_to(board, response, own_page=url != board.url)
        if found is not None:
            return found
    return None


def leads_to(board: Board, response: Response, *, own_page: bool) -> Found | None:
    """The board that a page leads to by redirect or by what it shows, other than `board`.

    `own_page`: it is the company's. A page of the vendor's proves nothing but by where it leads: it may be parked, and
    show the vendor's own openings. A link proves a move only to a board of the same name: others may be a sister's.
    """
    if in_address(response.url) is not None:
        led = in_redirects((board.url, response.url))
        found = [led] if led is not None else []
    elif board.source in _vendors(response.url):
        found = []
    else:
        found = in_page(response.body, response.url)
    others = [one for one in found if (one.source, one.tenant.casefold()) != (board.source, board.tenant.casefold())]
    return best(
        [
            one
            for one in others
            if one.how not in ("link", "script") or (own_page and same(one.tenant, board.tenant, board.company))
        ]
    )


def _vendors(url: str) -> set[str]:
    """The systems below whose own domain an address is."""
    return {source.name for source in domain_table().get(registered(host_of(url)), ())}
