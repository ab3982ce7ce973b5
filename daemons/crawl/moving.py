"""A board that lists nothing may have moved: its old address or the company's own page leads to the new one."""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from daemons.companies.detection import Found, best, in_address, in_page
from daemons.companies.looking import Fetch, page_request
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

    `own_page`: it is the company's; on a vendor's page, links and scripts name boards of others.
    """
    address = in_address(response.url)
    found = [address] if address is not None else in_page(response.body, response.url)
    others = [one for one in found if (one.source, one.tenant.casefold()) != (board.source, board.tenant.casefold())]
    if not own_page:
        others = [one for one in others if one.how not in ("link", "script")]
    return best(others)
