"""Walking a search whose list shows only its first rows: it is split by facets until each part can be reached.

The place in the walk is a text: the page, the part that is read, and the parts that are still to come.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import orjson

from lib.errors import Malformed
from lib.posting.contract import clean_text

Part = tuple[tuple[str, str], ...]  # filters and their values
_MAX_PARTS = 2_000
_MAX_VALUE_CHARS = 100
_MAX_PAGES = 10_000


@dataclass(frozen=True)
class Walking:
    """`parts`: the one that is read, then those to come."""

    page: int
    parts: tuple[Part, ...]

    @property
    def part(self) -> Part:
        """The filters of the part that is read; none for the whole search."""
        return self.parts[0]

    @classmethod
    def read(cls, text: str | None, *, allowed: frozenset[str]) -> Walking:
        """The walk at a cursor, None for its beginning. Raises Malformed for what no walk has written."""
        if text is None:
            return cls(1, ((),))
        try:
            page, parts = orjson.loads(text)
            walking = cls(page, tuple(tuple((name, value) for name, value in part) for part in parts))
        except (ValueError, TypeError) as error:
            raise Malformed(f"{text[:80]!r} is no place in a walk") from error
        named = [pair for part in walking.parts for pair in part]
        sound = type(page) is int and 0 < page <= _MAX_PAGES and walking.parts
        if not sound or not all(name in allowed and isinstance(value, str) for name, value in named):
            raise Malformed(f"{text[:80]!r} is no place in a walk")
        return walking

    def text(self) -> str:
        """The cursor that `read` reads."""
        return orjson.dumps([self.page, self.parts]).decode()


def following(
    walking: Walking,
    *,
    total: int,
    rows: int,
    window: int,
    page_size: int,
    facets: Mapping[str, Mapping[str, int]],
) -> Walking | None:
    """Where to go on after a page with `rows` of `total` rows, None at the end.

    A part with more rows than the window shows is split; one that no facet splits is read as far as it can be.
    """
    rest = walking.parts[1:]
    if total > window and walking.page == 1:
        split = tuple((*walking.part, pair) for pair in _splitting(walking.part, total, facets))
        if split and len(split) + len(rest) > _MAX_PARTS:
            raise Malformed(f"the search falls into more than {_MAX_PARTS} parts")
        if split:
            return Walking(1, split + rest)
    if rows and walking.page * page_size < min(total, window):
        return Walking(walking.page + 1, walking.parts)
    return Walking(1, rest) if rest else None


def _splitting(part: Part, total: int, facets: Mapping[str, Mapping[str, int]]) -> list[tuple[str, str]]:
    """The first facet that covers all rows in smaller parts, else the one that covers most."""
    used = {name for name, _ in part}
    best: Mapping[str, int] = {}
    chosen, most = "", 0
    for name, counts in facets.items():
        covered = min(sum(counts.values()), total)
        if name not in used and counts and max(counts.values()) < total and covered > most:
            chosen, best, most = name, counts, covered
    return [(chosen, value) for value in sorted(best) if value and clean_text(value, _MAX_VALUE_CHARS) == value]
