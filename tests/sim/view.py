"""A board, and what its visitors see of it on a day."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from tests.sim.companies import Company
from tests.sim.posting import Language, Posting, key_of, key_of_uuid
from tests.sim.wire import Showing

if TYPE_CHECKING:
    from tests.sim.market import Market


@dataclass
class Board:
    """A company's board. `keys`: its open postings. `version` rises whenever its answers change."""

    company: Company
    source: str
    tenant: str
    languages: tuple[Language, ...]
    keys: set[int]
    closed_today: frozenset[int] = frozenset()
    version: int = 0
    touched: int = 0


@dataclass(frozen=True)
class View:
    """A board's open postings as they are shown: `total` is what the board says, which may be a lie."""

    market: Market
    board: Board
    keys: tuple[int, ...]
    total: int
    touched: datetime

    def shown(self, showing: Showing) -> View:
        """The view under a misbehaviour: no rows, half of the rows under the old total, or a total too high."""
        if showing == "empty":
            return replace(self, keys=(), total=0)
        if showing == "truncated":
            return replace(self, keys=self.keys[: len(self.keys) // 2])
        return replace(self, total=self.total + 7) if showing == "wrong_total" else self

    def postings(self, start: int = 0, stop: int | None = None) -> list[Posting]:
        """The rows from `start` to `stop`."""
        return [self.market.posting(key) for key in self.keys[start:stop]]

    def closed_today(self) -> list[Posting]:
        """Postings that were open yesterday."""
        return [self.market.posting(key) for key in sorted(self.board.closed_today)]

    def find(self, number: int) -> tuple[Posting, bool] | None:
        """The posting with `number` and whether it is open; None where it is not of this board or long closed."""
        return self._seen(key_of(number))

    def find_uuid(self, uuid: str) -> tuple[Posting, bool] | None:
        """Like `find`, by UUID."""
        return self._seen(key_of_uuid(self.market.seed, uuid))

    def _seen(self, key: int | None) -> tuple[Posting, bool] | None:
        if key is None or not (key in self.board.keys or key in self.board.closed_today):
            return None
        return self.market.posting(key), key in self.board.keys
