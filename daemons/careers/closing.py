"""What a visit to a posting's page says about the posting, and when to come back. Pure.

A career page is no list that could be proven complete, so no posting is closed because nothing links to it any more:
its own page has to say so. What a page's answer means for its posting is decided in `lib.posting.closing`.
"""

from __future__ import annotations

from datetime import timedelta
from enum import Enum

from lib.errors import SourceError
from lib.posting.closing import Decision, Evidence, PageSays, decide, page_says
from lib.posting.contract import Healthy


class Sight(Enum):
    """What a visit to a page brought."""

    SHOWN = "the page shows its posting, or has not changed"
    GONE = "404 or 410"
    ENDED = "the page says that the job is not to be had any more, or its last day is over"
    LED_BACK = "the page leads to the site's start or to its list"
    LED_ON = "the page leads to another page"
    REFUSED = "another 4xx, or the page holds no posting any more"
    UNREACHABLE = "401, 403, 429, 5xx, robots.txt, a time-out: nothing is known"
    UNREAD = "the page came and cannot be read yet"


_SAYS = {
    Sight.SHOWN: PageSays.LIVE,
    Sight.GONE: PageSays.GONE,
    Sight.ENDED: PageSays.GONE,
    Sight.LED_BACK: PageSays.GONE,
    Sight.LED_ON: PageSays.REFUSED,
    Sight.REFUSED: PageSays.REFUSED,
    Sight.UNREACHABLE: PageSays.NOTHING,
    Sight.UNREAD: PageSays.NOTHING,
}
_SIGHTS = {PageSays.GONE: Sight.GONE, PageSays.REFUSED: Sight.REFUSED}


def doubts_after(sight: Sight, doubts: int) -> int:
    """How many visits in a row left a doubt. One that says nothing leaves the count as it was."""
    says = _SAYS[sight]
    if says is PageSays.REFUSED:
        return doubts + 1
    return doubts if says is PageSays.NOTHING else 0


def closes(sight: Sight, doubts: int) -> bool:
    """Whether an open posting is closed, after `doubts` doubtful visits in a row, this one among them."""
    known = Evidence(is_open=True, page=_SAYS[sight], refusals=doubts)
    return decide(known, Healthy()) is Decision.CLOSE


def sight_of(error: SourceError) -> Sight:
    """What a page that could not be had says."""
    return _SIGHTS.get(page_says(error), Sight.UNREACHABLE)


def next_visit(kind: str, state: str, attempts: int, every: timedelta) -> timedelta:
    """How long a page is left alone: one with postings or links to them until the site's next turn."""
    if state == "browser":
        return timedelta(0) if attempts == 0 else min(timedelta(days=14), every * float(2 ** min(attempts, 10)))
    if state == "aside":
        return min(timedelta(days=14), timedelta(hours=6) * float(2 ** min(attempts, 10)))
    if state == "gone":
        return timedelta(days=30)
    if kind in ("ad", "list", "document"):
        return every * 0.8  # a turn comes a little earlier or later each time
    return timedelta(days=30)
