"""Details that are the postings' own pages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lib.errors import Malformed
from lib.net.messages import Request, Response
from lib.posting.contract import Posting, read_one
from lib.posting.jobposting import job_postings, read_job_posting
from lib.posting.links import address_on


def page_request(
    host: str, url: str, external_id: str, *, guess: str, params: Mapping[str, str] | None = None
) -> Request:
    """What to ask for a posting's page: the address that its list gave, where that is on the board's own host.

    Else it is `guess`, made of the id; so is a stored address that is the guess, because the list gave none.
    """
    listed = address_on(url, host)
    return Request(
        url=listed or guess, params=params or {}, state=external_id, assumed=listed is None or listed == guess
    )


def asked_address(response: Response, host: str, otherwise: str) -> str:
    """The address of the page in `response`; `otherwise` for a saved one, of which nobody knows."""
    return address_on(response.request.url, host) or otherwise


def only_posting(body: bytes) -> dict[str, Any]:
    """The JobPosting of a page. Raises Malformed when it has none."""
    found = job_postings(body)
    if not found:
        raise Malformed("no JobPosting in the page")
    return found[0]


def read_posting(node: dict[str, Any], external_id: str, url: str) -> Posting:
    """The posting in a JobPosting node. Raises Malformed."""
    return read_one(node, lambda item: read_job_posting(item, external_id=external_id, url=url))
