"""The order in which people read what stands on a page: columns from left to right, each from top to bottom.

The page is cut along its white space: between columns where that is possible, else at the widest gap between lines,
and both parts again (a recursive XY cut). A column of dates is none of its own: each date belongs to what stands level
with it, as in a curriculum vitae. Coordinates are points from the page's top left corner.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from statistics import median

import msgspec

_MAX_DEPTH = 24
_GUTTER_EM = 0.9
_GAP_EM = 0.8  # lines of one paragraph are closer than this
_LEVEL_EM = 0.4
_LABEL_CHARS = 32
_DATE = re.compile(
    r"(?i)(?:(?:seit|ab|bis|since|from|until)\s+)?"
    r"(?:\d{1,2}[./]|\d{4}\b|(?:jan|feb|m[aä]r|apr|ma[iy]|jun|jul|aug|sep|o[ck]t|nov|de[cz])[a-zä]*\.?\s+\d|"
    r"heute\b|present\b|today\b|laufend\b)"
)


class Box(msgspec.Struct, frozen=True, gc=False):
    """One line and where it stands; `size` is the height of its letters, ascent to descent."""

    text: str
    left: float
    top: float
    right: float
    bottom: float
    size: float


def reading_order(boxes: Sequence[Box]) -> list[list[Box]]:
    """The boxes as paragraphs, in reading order."""
    return [paragraph for part in _cut(list(boxes), 0) for paragraph in _paragraphs(part)]


def _cut(boxes: list[Box], depth: int) -> Iterator[list[Box]]:
    """Parts of a page that hold one column each."""
    if len(boxes) < 2 or depth == _MAX_DEPTH:
        yield boxes
        return
    apart = _columns(boxes)
    columns = _dates_beside(apart)
    if len(columns) > 1:
        for column in columns:
            yield from _cut(column, depth + 1)
        return
    if len(apart) > 1:
        yield boxes
        return
    above, below = _at_widest_gap(boxes)
    if not below:
        yield boxes
        return
    yield from _cut(above, depth + 1)
    yield from _cut(below, depth + 1)


def _columns(boxes: list[Box]) -> list[list[Box]]:
    gutter = _GUTTER_EM * median(box.size for box in boxes)
    columns: list[list[Box]] = []
    reach = float("-inf")
    for box in sorted(boxes, key=lambda box: box.left):
        if not columns or box.left > reach + gutter:
            columns.append([])
        columns[-1].append(box)
        reach = max(reach, box.right)
    return columns


def _dates_beside(columns: list[list[Box]]) -> list[list[Box]]:
    """The columns, those of dates put together with what they date: the column after them, for the last one before."""
    kept: list[list[Box]] = []
    dates: list[Box] = []
    for column in columns:
        if _are_dates(column):
            dates += column
        else:
            kept.append(dates + column)
            dates = []
    if dates and kept:
        kept[-1] = kept[-1] + dates
    return kept or columns


def _are_dates(column: list[Box]) -> bool:
    """Whether a column has dates, and at most as many other short lines: the headings of what they date."""
    dates = sum(_DATE.match(box.text) is not None for box in column)
    return 2 * dates >= len(column) and all(len(box.text) <= _LABEL_CHARS for box in column)


def _at_widest_gap(boxes: list[Box]) -> tuple[list[Box], list[Box]]:
    """What stands above and below the widest gap; nothing is below where no gap is wider than between lines."""
    ordered = sorted(boxes, key=lambda box: box.top)
    widest, at, reach = _GAP_EM * median(box.size for box in boxes) * 0.5, 0, ordered[0].bottom
    for position, box in enumerate(ordered):
        if box.top - reach > widest:
            widest, at = box.top - reach, position
        reach = max(reach, box.bottom)
    return (ordered[:at], ordered[at:]) if at else (ordered, [])


def _paragraphs(column: list[Box]) -> Iterator[list[Box]]:
    paragraph: list[Box] = []
    for box in _rows(column):
        before = paragraph[-1] if paragraph else box
        if box.top - before.bottom > _GAP_EM * box.size or abs(box.size - before.size) > 0.2 * box.size:
            yield paragraph
            paragraph = []
        paragraph.append(box)
    if paragraph:
        yield paragraph


def _rows(column: list[Box]) -> Iterator[Box]:
    """The boxes from top to bottom, those that stand level from left to right, a lone bullet with what follows it."""
    row: list[Box] = []
    for box in sorted(column, key=_middle):
        if row and _middle(box) - _middle(row[0]) > _LEVEL_EM * row[0].size:
            yield from _in_row(row)
            row = []
        row.append(box)
    yield from _in_row(row)


def _in_row(row: list[Box]) -> Iterator[Box]:
    bullet: Box | None = None
    for box in sorted(row, key=lambda box: box.left):
        if bullet is not None:
            box = msgspec.structs.replace(box, text=f"{bullet.text} {box.text}", left=bullet.left)
            bullet = None
        if len(box.text) == 1 and not box.text.isalnum():
            bullet = box
        else:
            yield box
    if bullet is not None:
        yield bullet


def _middle(box: Box) -> float:
    return (box.top + box.bottom) / 2
