"""Boards that moved to another system: their postings there continue those that they were, with their history."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import NamedTuple, TypeVar

from lib.store.batches import BATCH_ROWS
from lib.store.connections import Database
from sql import statements

_SQL = statements("moves")
T = TypeVar("T")
_NO_WORD = re.compile(r"[\W_]+")


class Ad(NamedTuple):
    """An open posting, as far as it can be recognised on another board."""

    id: int
    title: str
    places: tuple[str, ...]


def successors(old: Iterable[Ad], new: Iterable[Ad]) -> list[tuple[int, int]]:
    """Pairs (old id, new id) of what is the same posting: by title and first place, then by title alone.

    One is paired with one at most; several that cannot be told apart are paired in the order of their ids.
    """
    old, new = sorted(old), sorted(new)
    pairs: list[tuple[int, int]] = []
    keys: tuple[Callable[[Ad], object], ...] = (lambda ad: (_words(ad.title), _town(ad)), lambda ad: _words(ad.title))
    for key in keys:
        waiting: dict[object, list[Ad]] = defaultdict(list)
        for ad in reversed(new):
            waiting[key(ad)].append(ad)
        found = [(ad, waiting[key(ad)].pop()) for ad in old if waiting[key(ad)]]
        pairs += [(one.id, other.id) for one, other in found]
        gone, taken = {one for one, _ in found}, {other for _, other in found}
        old, new = [ad for ad in old if ad not in gone], [ad for ad in new if ad not in taken]
    return sorted(pairs)


def _words(text: str) -> str:
    return _NO_WORD.sub(" ", text.casefold()).strip()


def _town(ad: Ad) -> str:
    return _words(ad.places[0].partition(",")[0]) if ad.places else ""


async def settle_moves(database: Database, session: str, turned: Callable[[], None]) -> int:
    """Hands the postings of moved boards over to the boards that they moved to, once those were read whole.

    A board whose new one cannot be read after three tries goes back to work. Returns how many were handed over.
    """
    await database.execute(_SQL.move_back)
    handed = 0
    for move in await database.fetch(_SQL.due_moves):
        old = await _ads(database, move["id"])
        pairs = successors(old, await _ads(database, move["moved_to"]))
        now = datetime.now(UTC)
        for batch in _batches(pairs):
            await database.execute(_SQL.adopt, [one for one, _ in batch], [other for _, other in batch], now, session)
            turned()
        left = sorted({ad.id for ad in old} - {one for one, _ in pairs})
        for ids in _batches(left):
            await database.execute(_SQL.close_left_behind, list(ids), now, session)
            turned()
        handed += len(pairs)
    return handed


async def _ads(database: Database, board_id: int) -> list[Ad]:
    rows = await database.fetch(_SQL.open_ads, board_id)
    return [Ad(row["id"], row["title"], tuple(row["places"])) for row in rows]


def _batches(items: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), BATCH_ROWS):
        yield items[start : start + BATCH_ROWS]
