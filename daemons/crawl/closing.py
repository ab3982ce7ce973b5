"""Whether a list is proven complete, and what may be concluded from a posting that is not on it. Pure.

Elsewhere, one truncated list closed 50,993 postings at once, and boards that were empty for a week were retired for
ever with hundreds of live jobs. So: no proof, no closing; a drop beyond the usual needs a confirmed repeat; a board
that lists nothing stays scheduled.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import Enum

import orjson

from lib.posting.contract import Completeness, Healthy, Rejected

CONFIRMATIONS = 3  # complete lists in a row that show the same drop before it is believed


@dataclass(frozen=True, kw_only=True)
class Walked:
    """What the walk over a list's pages showed. `ids`: different external ids; `total`: the largest declared one."""

    completeness: Completeness
    ended: bool
    ids: int
    skipped: int
    rejected: int
    total: int | None


class Verdict(Enum):
    """What to do with held postings that the list did not have."""

    KEEP = "the list is not proven complete"
    SUSPECT = "a drop beyond the usual, to be confirmed by another crawl soon"
    CLOSE = "the list is complete and plausible"


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


def judge(
    *, is_complete: bool, seen: int, missing: int, open_before: int, suspect_count: int, healthy: Healthy
) -> Verdict:
    """What it means that `missing` of `open_before` postings are absent, after `suspect_count` suspicious lists."""
    if not is_complete:
        return Verdict.KEEP
    nothing_left = seen == 0 and open_before > 0
    # Small boards too: half a list of four is as wrong as half of four hundred, and a repeat costs two hours.
    large = missing > open_before * healthy.max_drop
    if (nothing_left or large) and suspect_count + 1 < CONFIRMATIONS:
        return Verdict.SUSPECT
    return Verdict.CLOSE


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
