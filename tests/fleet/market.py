"""What the fleet has stored against what is true: rows lost, and rows doubled. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import NamedTuple

# Open rows with how often their history holds a revision, for each posting of a board.
STORED = """
SELECT b.source, b.tenant, p.external_id, p.state, p.revision,
       (SELECT count(*) FROM posting_history h WHERE h.posting_id = p.id) AS changes,
       (SELECT count(DISTINCT h.revision) FROM posting_history h WHERE h.posting_id = p.id) AS revisions
  FROM posting p JOIN board b ON b.id = p.board_id
"""
_OPEN = ("discovered", "described")


class Posting(NamedTuple):
    """What tells one posting from all others."""

    source: str
    tenant: str
    external_id: str


@dataclass(frozen=True)
class Stored:
    """One row. `changes` are its rows of history, `revisions` how many different ones they are."""

    posting: Posting
    state: str
    revision: int
    changes: int
    revisions: int


@dataclass(frozen=True)
class Difference:
    """`missing`: open and not stored as such. `untold`: stored without its text. `stale`: closed long ago, or never
    there, and stored as open. `twice`: more than one open row. `repeated`: history that was written twice.
    `gaps`: revisions that no history tells of."""

    missing: int = 0
    untold: int = 0
    stale: int = 0
    twice: int = 0
    repeated: int = 0
    gaps: int = 0

    @property
    def lost(self) -> int:
        """Rows that should be there and are not."""
        return self.missing + self.gaps

    @property
    def doubled(self) -> int:
        """Rows that are there more than once."""
        return self.twice + self.repeated


def compare(truth: Collection[Posting], stored: Iterable[Stored]) -> Difference:
    """How what is stored differs from what is true."""
    rows = list(stored)
    held = Counter(row.posting for row in rows if row.state in _OPEN)
    described = {row.posting for row in rows if row.state == "described"}
    known = set(truth)
    return Difference(
        missing=len(known - held.keys()),
        untold=len((known & held.keys()) - described),
        stale=len(held.keys() - known),
        twice=sum(times - 1 for times in held.values()),
        repeated=sum(row.changes - row.revisions for row in rows),
        gaps=sum(max(0, row.revision - row.revisions) for row in rows),
    )
