"""Marks the words of a posting's text that met a profile. Pure.

The markup is what `clean_html` writes: tags without `>` inside, everything else escaped. Only text is touched, between
two tags at a time, and it is escaped anew.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from html import escape, unescape
from itertools import pairwise

from lib.text.skills import find_mentions

_TAG = re.compile(r"(<[^>]*>)")
_MAX_WORDS = 40
_LEAST_LETTERS = 3

Span = tuple[int, int]


def mark(html: str, skills: frozenset[str], words: Sequence[str]) -> str:
    """The same markup with the mentions of `skills` (canonical names) and the whole `words` in <mark>."""
    pattern = _pattern(words)
    pieces = _TAG.split(html)
    pieces[::2] = (_marked(unescape(piece), skills, pattern) for piece in pieces[::2])
    return "".join(pieces)


def _marked(text: str, skills: frozenset[str], words: re.Pattern[str] | None) -> str:
    if not text or text.isspace():
        return escape(text, quote=False)
    spans = [(start, end) for skill, start, end in find_mentions(text) if skill in skills]
    if words is not None:
        spans += [match.span() for match in words.finditer(text)]
    united = _united(spans)
    edges = [0, *(edge for span in united for edge in span), len(text)]
    parts = [escape(text[start:end], quote=False) for start, end in pairwise(edges)]
    parts[1::2] = (f"<mark>{part}</mark>" for part in parts[1::2])
    return "".join(parts)


def _united(spans: Iterable[Span]) -> list[Span]:
    """The same characters in spans that neither overlap nor touch, in order."""
    united: list[Span] = []
    for start, end in sorted(spans):
        if united and start <= united[-1][1]:
            united[-1] = united[-1][0], max(end, united[-1][1])
        else:
            united.append((start, end))
    return united


def _pattern(words: Sequence[str]) -> re.Pattern[str] | None:
    """Whole words in any case, the longest first; None without any worth marking."""
    worth = {word.strip() for word in words[:_MAX_WORDS] if len(word.strip()) >= _LEAST_LETTERS}
    longest_first = sorted(worth, key=lambda word: (-len(word), word))
    if not longest_first:
        return None
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, longest_first))})(?!\w)", re.IGNORECASE)
