"""What stands around the rows of a list: where they are, how many there are, and where the next ones begin."""

from __future__ import annotations

import re
from typing import Any

from lib.errors import Malformed

_NUMBER = re.compile(r"\d{1,7}", re.ASCII)


def rows_of(body: Any, *path: str) -> list[Any]:
    """The list that is called so in a decoded answer, level by level. Raises Malformed when there is none."""
    rows = _at(body, path)
    if not isinstance(rows, list):
        raise Malformed(f"{'.'.join(path)} is {type(rows).__name__}, list expected")
    return rows


def count_of(body: Any, *path: str) -> int | None:
    """The number that is called so; None where there is none that counts anything."""
    count = _at(body, path)
    return count if isinstance(count, int) and not isinstance(count, bool) and count >= 0 else None


def need_count(body: Any, *path: str) -> int:
    """The same. Raises Malformed where there is none."""
    count = count_of(body, *path)
    if count is None:
        raise Malformed(f"{'.'.join(path)} is no count")
    return count


def number_of(cursor: str | None, first: int) -> int:
    """The page, or the row, that a cursor names; `first` for None. Raises Malformed for what is no number."""
    if cursor is None:
        return first
    if not _NUMBER.fullmatch(cursor):
        raise Malformed(f"{cursor[:80]!r} is no place in a list")
    return int(cursor)


def next_row(start: str | None, rows: int, total: int, *, most: int) -> str | None:
    """The cursor after an answer with `rows` rows from `start` on, in a list that is asked for by row.

    None at the end, after an answer without rows, and where nobody knows its start. Raises Malformed beyond `most`.
    """
    if start is None or rows == 0 or int(start) + rows >= total:
        return None
    if int(start) + rows > most:
        raise Malformed(f"more than {most} rows")
    return str(int(start) + rows)


def next_page(page: str | None, *, more: bool, most: int) -> str | None:
    """The cursor after `page` of a list that is asked for by page, where there are `more`. Raises Malformed beyond
    `most`."""
    if page is None or not more:
        return None
    if int(page) >= most:
        raise Malformed(f"more than {most} pages")
    return str(int(page) + 1)


def _at(body: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        body = body.get(name) if isinstance(body, dict) else None
    return body
