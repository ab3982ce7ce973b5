"""The lines of a text in which certain words stand.

Most lines of a posting say nothing about a given subject. Plain substring search leaves those out at a hundredth of the
cost of a regular expression, and keeps phrases from reaching over the end of a line.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TypeAlias

Span: TypeAlias = tuple[int, int]


def passages(text: str, words: Iterable[str]) -> list[Span]:
    """[start, end) of each line that holds one of `words`, in order; the case of letters counts."""
    found: set[Span] = set()
    for word in words:
        at = text.find(word)
        while at >= 0:
            end = text.find("\n", at)
            end = len(text) if end < 0 else end
            found.add((text.rfind("\n", 0, at) + 1, end))
            at = text.find(word, end)
    return sorted(found)


def matches(pattern: re.Pattern[str], text: str, spans: Iterable[Span]) -> Iterator[re.Match[str]]:
    """The matches of `pattern` that lie within one of `spans`; their positions are those in `text`."""
    for start, end in spans:
        yield from pattern.finditer(text, start, end)


def lower(text: str) -> str:
    """Small letters at the same positions: the few letters whose small form is longer stay as they are."""
    small = text.lower()
    return (
        small if len(small) == len(text) else "".join(s if len(s := letter.lower()) == 1 else letter for letter in text)
    )
