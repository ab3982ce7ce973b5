"""Where in a Workday board a crawl stands. A board of more than 2,000 postings is read in parts.

The search gives no row beyond the 2,000th, but the counts of its facets are true. So the board is cut by the values of
one facet into parts below that limit, and a part that is still too large is cut by another facet.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import msgspec

from lib.errors import Malformed

PAGE_SIZE = 20
WINDOW = 2_000
_LONGEST_PART = 100  # values in one part: more are refused
_MOST_VALUES = 1_500  # a facet with more is not cut by: its ids would not fit into a cursor
_MOST_PARTS = 400
_NO_CUT = frozenset({"distance"})  # has counts, and divides nothing

Part = tuple[tuple[str, tuple[str, ...]], ...]  # facets by name, each with the ids of the wanted values


class Place(msgspec.Struct, frozen=True, array_like=True):
    """The page at `offset` of a part, `total` rows long as its first page said, and the parts after it."""

    offset: int = 0
    total: int = 0
    facets: Part = ()
    later: tuple[Part, ...] = ()


def at(cursor: str | None) -> Place:
    """The place that a cursor names. Raises Malformed."""
    if cursor is None:
        return Place()
    try:
        place = msgspec.json.decode(cursor, type=Place)
    except (msgspec.DecodeError, UnicodeError) as error:
        raise Malformed(f"no cursor: {error}"[:200]) from error
    if not 0 <= place.offset < WINDOW:
        raise Malformed(f"offset {place.offset} is beyond the search's window")
    return place


def following(place: Place, rows: int, total: int | None, facets: Any) -> tuple[int | None, str | None]:
    """How many rows the whole board has, None where this page does not tell it, and the cursor of the next page.

    `rows`, `total`, `facets`: what is on the page. Only the first page of a part has a total and facets.
    """
    if place.offset:
        return None, _encoded(_next(place, rows, place.total))
    count = total or 0
    true, parts = _cut(place.facets, facets) if count >= WINDOW else (count, [])
    if parts:
        queue = (*parts, *place.later)
        if len(queue) > _MOST_PARTS:
            raise Malformed(f"a board of more than {_MOST_PARTS} parts")
        upcoming: Place | None = Place(0, 0, queue[0], queue[1:])
    else:
        upcoming = _next(place, rows, count)
    return None if place.facets or total is None else true, _encoded(upcoming)


def _encoded(place: Place | None) -> str | None:
    return None if place is None else msgspec.json.encode(place).decode()


def _next(place: Place, rows: int, count: int) -> Place | None:
    offset = place.offset + PAGE_SIZE
    if rows and offset < min(count, WINDOW):
        return Place(offset, count, place.facets, place.later)
    return Place(0, 0, place.later[0], place.later[1:]) if place.later else None


def _cut(held: Part, facets: Any) -> tuple[int | None, list[Part]]:
    """The true number of rows by the facets' counts, None where they do not tell, and the parts to read.

    Facets of which every posting has one value agree on a number: that is the true one. No parts: no facet can be cut
    by, or all rows fit into the window.
    """
    groups = {name: values for name, values in _groups(facets) if name not in _NO_CUT}
    sums = Counter(sum(values.values()) for values in groups.values())
    agreed = [(seen, number) for number, seen in sums.items() if number >= WINDOW]
    if not agreed:
        return None, []
    true = max(agreed)[1]
    known = {name for name, _ in held}
    usable = [
        (max(values.values()) >= WINDOW, len(values), name)
        for name, values in groups.items()
        if sum(values.values()) == true and name not in known and 1 < len(values) <= _MOST_VALUES
    ]
    if true == WINDOW or not usable:
        return true, []
    name = min(usable)[2]
    return true, [(*held, (name, ids)) for ids in _packed(groups[name])]


def _packed(values: dict[str, int]) -> list[tuple[str, ...]]:
    """Values in groups whose counts stay below the window, as few groups as it takes in their order."""
    packs: list[tuple[str, ...]] = []
    room = 0
    for value, count in values.items():
        if not packs or count > room or len(packs[-1]) >= _LONGEST_PART:
            packs.append(())
            room = WINDOW - 1
        packs[-1] = (*packs[-1], value)
        room -= count
    return packs


def _groups(facets: Any, depth: int = 0) -> list[tuple[str, dict[str, int]]]:
    """Facets by name with the count of each value's id; a group may hold groups in place of values."""
    found: list[tuple[str, dict[str, int]]] = []
    for group in facets if isinstance(facets, list) else []:
        values = group.get("values") if isinstance(group, dict) else None
        if not isinstance(values, list):
            continue
        if depth < 3:
            found += _groups(values, depth + 1)
        name = group.get("facetParameter")
        counted = {
            value["id"]: value["count"]
            for value in values
            if isinstance(value, dict) and _is_value(value.get("id"), value.get("count"))
        }
        if isinstance(name, str) and 0 < len(name) <= 100 and counted:
            found.append((name, counted))
    return found


def _is_value(key: Any, count: Any) -> bool:
    return (
        isinstance(key, str)
        and key.isascii()
        and key.isalnum()
        and len(key) <= 64
        and type(count) is int
        and 0 < count < 10_000_000
    )
