"""Whether a careers page is only the door to a job-board system, which is then crawled instead. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from daemons.careers.visits import Visit
from daemons.companies.detection import best, in_page, in_redirects
from daemons.sources import SOURCES

_OWN = frozenset({"address", "redirect", "embed", "asset"})


@dataclass(frozen=True)
class Elsewhere:
    """A board of a job-board system. `every_s`: how often such boards are crawled."""

    source: str
    tenant: str
    url: str
    every_s: int


def board_behind(visit: Visit) -> Elsewhere | None:
    """The board that a careers page leads to or shows in a frame; one that it links to, if it has no jobs itself."""
    if visit.led_to is not None:
        found = in_redirects((visit.led_to,))
    elif visit.response is not None and visit.response.body:
        found = best(in_page(visit.response.body, visit.page.url))
    else:
        found = None
    if found is None:
        return None
    if found.how not in _OWN and (visit.reading is None or visit.reading.verdict in ("list", "ad")):
        return None
    every_s = int(SOURCES[found.source].every.total_seconds())
    return Elsewhere(found.source, found.tenant, found.url, every_s)
