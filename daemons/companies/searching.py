"""What follows from a search of the map: pure, so that every case is a line in a table."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from daemons.companies.overpass import Answer
from daemons.companies.squares import Square
from lib.errors import RateLimited, SourceError, Transient
from lib.posting.contract import clean_text

SEARCH_AGAIN = timedelta(days=90)
_FIRST_RETRY_S, _LAST_RETRY_S = 3_600.0, 7 * 86_400.0
_MOST_WAIT_S = 3_600.0


@dataclass(frozen=True)
class Next:
    """`kind`: done (come back after SEARCH_AGAIN), split (search the quarters), later (try this square again).

    `next_in_s`: until this square is due; `rest_s`: how long the server is left alone; `reason`: None when all is well.
    """

    kind: Literal["done", "split", "later"]
    next_in_s: float
    rest_s: float = 0.0
    failures: int = 0
    reason: str | None = None


def after(outcome: Answer | SourceError, square: Square, failures: int, now: datetime) -> Next:
    """What to do after a search of `square`, the `failures` before it counted. `now` is aware."""
    if isinstance(outcome, Answer) and outcome.cut is None:
        return Next("done", SEARCH_AGAIN.total_seconds())
    if isinstance(outcome, RateLimited):
        wait_s = min(max((outcome.retry_at - now).total_seconds(), 1.0), _MOST_WAIT_S)
        return Next("later", wait_s, rest_s=wait_s, failures=failures, reason=clean_text(str(outcome), 300))
    said = f"{outcome.cut}" if isinstance(outcome, Answer) else f"{type(outcome).__name__}: {outcome}"
    reason = clean_text(said, 300)
    if _too_much(outcome) and square.quarters():
        return Next("split", 0.0, reason=reason)
    wait_s = min(_FIRST_RETRY_S * 2.0 ** min(failures, 20), _LAST_RETRY_S)
    return Next("later", wait_s, failures=failures + 1, reason=reason)


def _too_much(outcome: Answer | SourceError) -> bool:
    """Whether a smaller square may be answered: the answer was cut. A server that is busy (504) is only busy."""
    return isinstance(outcome, Answer) or (isinstance(outcome, Transient) and outcome.status == 413)
