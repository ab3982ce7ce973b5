"""What a visit to a posting's page says about the posting, and when to come back. Pure.

A career page is no list that could be proven complete, so no posting is closed because nothing links to it any more:
its own page has to say so. What a page's answer means for its posting is decided in `lib.posting.closing`. A site that
says the same of most of its postings at once is rather broken, or behind a wall, than without jobs.
"""

from __future__ import annotations

from datetime import timedelta
from enum import Enum

from lib.errors import SourceError
from lib.posting.closing import CONFIRMATIONS, PATIENCE, Decision, Evidence, PageSays, decide, page_says
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
_AWAY = frozenset({Sight.GONE, Sight.REFUSED, Sight.UNREACHABLE, Sight.LED_BACK})
_IF_MANY = {Sight.LED_BACK: CONFIRMATIONS, Sight.LED_ON: CONFIRMATIONS, Sight.REFUSED: PATIENCE}
_FEW = 3
_MOST_DOUBTS = 1_000
_SIGHTS = {PageSays.GONE: Sight.GONE, PageSays.REFUSED: Sight.REFUSED}


def doubts_after(sight: Sight, doubts: int) -> int:
    """How many visits in a row spoke against the page's postings. One that says nothing leaves the count as it was."""
    says = _SAYS[sight]
    if says is PageSays.LIVE:
        return 0
    return doubts if says is PageSays.NOTHING else min(doubts + 1, _MOST_DOUBTS)


def closes(sight: Sight, doubts: int, *, many: bool = False) -> bool:
    """Whether an open posting is closed, after `doubts` such visits in a row, this one among them.

    `many`: most of the site's postings are told off in this way in the same turn.
    """
    if many and doubts < _IF_MANY.get(sight, 0):
        return False
    known = Evidence(is_open=True, page=_SAYS[sight], refusals=doubts)
    return decide(known, Healthy()) is Decision.CLOSE


def are_many(over: int, held: int) -> bool:
    """Whether `over` of `held` open postings are more than a site loses in a day."""
    return over >= _FEW and over > held * Healthy().max_drop


def is_away(sight: Sight, doubts: int) -> bool:
    """Whether the careers page, seen so, says that nothing of its site is to be believed now: it could not be had.

    One that is gone for several turns in a row is gone, and so are its postings.
    """
    return sight in _AWAY and not (_SAYS[sight] is PageSays.GONE and doubts >= CONFIRMATIONS)


def sight_of(error: SourceError) -> Sight:
    """What a page that could not be had says."""
    return _SIGHTS.get(page_says(error), Sight.UNREACHABLE)


def next_visit(kind: str, state: str, attempts: int, every: timedelta, *, steady: bool = False) -> timedelta:
    """How long a page is left alone: one with postings or links to them until the site's next turn.

    `steady`: the careers page, or one that holds postings; what fails there is asked again each turn.
    """
    turn = every * 0.8  # a turn comes a little earlier or later each time
    later = min(timedelta(days=14), every * float(2 ** min(attempts, 10)))
    if state == "browser":
        return timedelta(0) if attempts == 0 else later
    if state == "aside":
        return turn if steady else min(timedelta(days=14), timedelta(hours=5) * float(2 ** min(attempts, 10)))
    if state == "gone":  # it may have been a mistake: soon once more, then more and more seldom
        return turn if steady or attempts <= 1 else min(timedelta(days=30), later * 0.8)
    if kind in ("ad", "list", "document"):
        return turn
    # What is no ad today may have been a wall before one.
    return turn if attempts <= 1 else min(timedelta(days=30), later * 0.8)
