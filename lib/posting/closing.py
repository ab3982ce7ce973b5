"""Whether a posting is open: from what its board's list and its own page say, and how often. Pure.

Elsewhere, one truncated list closed 50,993 postings at once, and boards that were empty for a week were retired for
ever with hundreds of live jobs. So: no proof, no closing; a drop beyond the usual needs a confirmed repeat; a board
that lists nothing stays scheduled.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum

import orjson

from lib.errors import Gone, SourceError, Transient
from lib.posting.contract import Completeness, Healthy, Rejected

CONFIRMATIONS = 3  # complete lists in a row that show the same drop before it is believed
PATIENCE = 12  # so many where pages of missing postings still show them: lists lie, and pages outlive their postings
REFUSALS = 3  # answers in a row that refuse a posting's page before it is taken for gone
RECHECK = timedelta(days=3)  # when a list goes on showing a posting whose page was gone, the page is asked again


@dataclass(frozen=True, kw_only=True)
class Walked:
    """What the walk over a list's pages showed. `ids`: different external ids; `total`: the largest declared one."""

    completeness: Completeness
    ended: bool
    ids: int
    skipped: int
    rejected: int
    total: int | None


def complete(walked: Walked, healthy: Healthy) -> bool:
    """Whether the list is proven to have every open posting of its board."""
    rows = walked.ids + walked.skipped + walked.rejected
    if (
        not walked.ended
        or walked.rejected > max(1.0, rows * healthy.max_rejected)
        or (rows and not walked.ids + walked.skipped)
    ):
        return False
    if walked.completeness is Completeness.TOTAL:
        return walked.total is not None and rows >= walked.total
    return walked.total is None or rows >= walked.total


class PageSays(Enum):
    """What a posting's own page answered."""

    NOTHING = "it was not asked, or its answer says nothing: 5xx, 401, 403, 429, no answer in time"
    LIVE = "it shows the posting"
    GONE = "404, 410, or that the posting has ended"
    REFUSED = "another 4xx"


class Decision(Enum):
    """What to do with a posting."""

    KEEP = "it stays as it is"
    SUSPECT = "it stays open; another list soon must confirm that it is missing"
    CLOSE = "it is not open any more"
    REOPEN = "it is open again"


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What is known about one posting at one moment.

    `listed`: whether its board's list shows it; None where it does not, and the list is not proven complete.
    `missing`, `open_before`, `nothing_listed`: how much of its board is absent together with it.
    `by_short_page`: the list's end is known by a page that was not full, and it has no total: a page that lost its rows
    looks the same. `others_live`: pages of some that are absent together with it still show them. `suspicious`:
    complete lists in a row before this one that lacked it, too. `refusals`: answers in a row, with this one, that its
    page refused. `changed`: the list says something new of it. `page_gone_for`: how long ago its page said that it is
    gone, None unless that is why it is closed.
    """

    is_open: bool
    listed: bool | None = None
    missing: int = 0
    open_before: int = 0
    nothing_listed: bool = False
    by_short_page: bool = False
    others_live: bool = False
    suspicious: int = 0
    page: PageSays = PageSays.NOTHING
    refusals: int = 0
    changed: bool = False
    page_gone_for: timedelta | None = None


def decide(known: Evidence, healthy: Healthy) -> Decision:
    """What the evidence means for the posting. A page that is gone is believed before the list, one that lives is not:
    pages outlive their postings."""
    if known.is_open:
        return _still_open(known, healthy)
    if known.page is PageSays.GONE or known.listed is False:
        return Decision.KEEP
    if known.page is PageSays.LIVE:
        return Decision.REOPEN
    if known.listed and (known.page_gone_for is None or known.changed or known.page_gone_for >= RECHECK):
        return Decision.REOPEN
    return Decision.KEEP


def _still_open(known: Evidence, healthy: Healthy) -> Decision:
    if known.page is PageSays.GONE or (known.page is PageSays.REFUSED and known.refusals >= REFUSALS):
        return Decision.CLOSE
    if known.listed is not False:
        return Decision.KEEP
    # Small boards too: half a list of four is as wrong as half of four hundred, and a repeat costs two hours.
    large = known.nothing_listed or known.missing > known.open_before * healthy.max_drop
    lists = CONFIRMATIONS if large else 2 if known.by_short_page and known.missing else 1
    if known.others_live and lists > 1:
        lists = PATIENCE
    return Decision.SUSPECT if known.suspicious + 1 < lists else Decision.CLOSE


def page_says(error: SourceError, *, assumed: bool = False) -> PageSays:
    """What it says of a posting that its page could not be had.

    `assumed`: that this is the address of its page is an assumption; then it is the one that may be wrong.
    """
    if assumed:
        return PageSays.NOTHING
    if isinstance(error, Gone):
        return PageSays.GONE
    if isinstance(error, Transient) and error.status is not None and 400 <= error.status < 500:
        return PageSays.REFUSED
    return PageSays.NOTHING


def closable(missing: Collection[str], rejected: Collection[Rejected]) -> list[str]:
    """Those missing external ids that no unreadable row of the list may be.

    A row that names an id is taken for that posting. One whose raw form was cut or could not be shown, and that names
    none of them in what is left, may be any: then nothing is closed.
    """
    named = {one for one in missing for row in rejected if one in row.raw}
    if any(not _is_whole(row) and not any(one in row.raw for one in named) for row in rejected):
        return []
    return sorted(set(missing) - named)


def _is_whole(row: Rejected) -> bool:
    try:
        orjson.loads(row.raw)
    except orjson.JSONDecodeError:
        return False
    return True
