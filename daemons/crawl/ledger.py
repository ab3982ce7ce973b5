"""What is held of a board and what its list has shown so far: some hundred bytes per posting, however long the list."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice

import msgspec

from lib.posting.closing import Walked
from lib.posting.contract import Page, Posting, Rejected, Source, merge_rows
from lib.posting.writing import Listed
from lib.store.batches import BATCH_ROWS

MAX_REJECTED = 2_000  # unreadable rows that are remembered; past them the list is no ground to close anything
_MAX_WAITING = 5_000
_MORE = Rejected("(left out)", f"more than {MAX_REJECTED} rows cannot be read")


@dataclass
class Ledger:
    """`held`: the content hash of each posting by external id, None where it is closed; `gone`: the hashes of those
    whose own page said lately that they are gone.

    `waits`: rows without text are handed out last, because the same id may come with text on a later page. A system
    whose lists have no texts at all has nothing to wait for.
    """

    company: str | None
    held: Mapping[str, bytes | None]
    gone: Mapping[str, bytes] = field(default_factory=dict)
    waits: bool = False
    seen: dict[str, bool] = field(default_factory=dict)  # external id -> whether it came with text
    written: set[str] = field(default_factory=set)
    rejected: list[Rejected] = field(default_factory=list)
    rejections: int = 0
    skipped: int = 0
    total: int | None = None
    excerpt: bool = False
    _due: dict[str, Listed] = field(default_factory=dict)
    _waiting: dict[str, Listed] = field(default_factory=dict)

    def take(self, page: Page, raw_id: int) -> None:
        """Adds a page: of several rows with one id, on one page or on several, the first that has text wins.

        A row that names no company is the one's whose board it is.
        """
        for row in merge_rows(page.rows):
            has_text = row.html is not None
            if self.seen.get(row.external_id, False) or (row.external_id in self.seen and not has_text):
                continue
            self.seen[row.external_id] = has_text
            self._judge(row if row.company else msgspec.structs.replace(row, company=self.company), raw_id)
        self.rejections += len(page.rejected)
        self.rejected += page.rejected[: MAX_REJECTED - len(self.rejected)]
        self.skipped += page.skipped
        self.excerpt |= page.excerpt
        if page.total is not None:
            self.total = max(self.total or 0, page.total)

    def _judge(self, row: Posting, raw_id: int) -> None:
        listed = Listed.of(row, raw_id)
        self._waiting.pop(row.external_id, None)
        self._due.pop(row.external_id, None)
        known = self.gone.get(row.external_id) or self.held.get(row.external_id)
        if known == listed.hash and row.external_id not in self.written:
            return
        waits = self.waits and row.html is None and len(self._waiting) < _MAX_WAITING
        (self._waiting if waits else self._due)[row.external_id] = listed

    def batches(self, *, last: bool = False) -> Iterator[list[Listed]]:
        """Rows that are new, changed or reopened, in full batches; at the `last` call all that is left."""
        if last:
            self._due |= self._waiting
            self._waiting.clear()
        while len(self._due) >= (1 if last else BATCH_ROWS):
            ids = list(islice(self._due, BATCH_ROWS))
            self.written.update(ids)
            yield [self._due.pop(one) for one in ids]

    @property
    def open_before(self) -> int:
        """How many of the board's postings were open before this list."""
        return sum(digest is not None for digest in self.held.values())

    @property
    def new(self) -> int:
        """How many of the written ones were not held before."""
        return sum(one not in self.held for one in self.written)

    def missing(self) -> list[str]:
        """Open postings that the list has not shown."""
        return [one for one, digest in self.held.items() if digest is not None and one not in self.seen]

    def kept(self) -> list[str]:
        """Open postings that the list has shown as they are held."""
        return [
            one for one, digest in self.held.items()
            if digest is not None and one in self.seen and one not in self.written
        ]  # fmt: skip

    def doubts(self) -> list[Rejected]:
        """The rows that could not be read, or a row that may be any of them where they are too many."""
        return self.rejected if self.rejections <= MAX_REJECTED else [*self.rejected, _MORE]

    def facts(self, source: Source, *, ended: bool) -> Walked:
        """What the proof of completeness needs; an excerpt of a list has no end."""
        return Walked(
            completeness=source.completeness, ended=ended and not self.excerpt, ids=len(self.seen),
            skipped=self.skipped, rejected=self.rejections, total=self.total,
        )  # fmt: skip
