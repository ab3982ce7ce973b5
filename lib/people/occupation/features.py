"""What the classifier sees of a title and of a text: hashed pieces of words.

A title gives its words, its pairs of neighbouring words and the runs of three to five characters within each word; a
text gives its words alone, cut to a stem's length. Both kinds are hashed to one space of BUCKETS columns.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from math import log
from typing import TypeAlias
from zlib import crc32

import numpy as np
import numpy.typing as npt

from lib.text.titles import clean_title

BUCKETS = 1 << 18
_RUNS = (3, 4, 5)
_TITLE_WORDS = 24
_WORD_CHARS = 40
_TEXT_CHARS = 20_000
_STEM_CHARS = 8
_LEVELS = frozenset({"senior", "junior", "sr", "jr", "lead", "principal", "gelernter", "gelernte", "examinierte"})
_WORD = re.compile(r"[^\W_]+(?:[#+]+)?")

Columns = npt.NDArray[np.int64]
Values = npt.NDArray[np.float32]
Rarity = npt.NDArray[np.float16]  # (BUCKETS,)
Row: TypeAlias = tuple[Columns, Values]


def title_row(title: str) -> Row:
    """A title's columns, sorted, each counting one; none for a title without a letter. Words that name a level count
    only where there are no others. Total."""
    words = [word[:_WORD_CHARS] for word in _WORD.findall(clean_title(title).lower())[:_TITLE_WORDS]]
    words = [word for word in words if word not in _LEVELS] or words
    columns = np.array(sorted({_bucket(piece) for piece in _title_pieces(words)}), dtype=np.int64)
    return columns, np.ones(len(columns), dtype=np.float32)


def text_row(text: str) -> Row:
    """A text's columns, sorted, each counting one plus the logarithm of how often its words stand there. Total."""
    counts = Counter(word[:_STEM_CHARS] for word in _WORD.findall(text[:_TEXT_CHARS].lower()) if len(word) > 2)
    buckets: Counter[int] = Counter()
    for word, count in counts.items():
        buckets[_bucket(f"text {word}")] += count
    columns = np.array(sorted(buckets), dtype=np.int64)
    return columns, np.array([1.0 + log(buckets[column]) for column in columns.tolist()], dtype=np.float32)


def rarity_of(rows: Iterable[Row]) -> Rarity:
    """Inverse document frequencies of the columns, zero for those of no row."""
    seen, count = np.zeros(BUCKETS), 0
    for columns, _ in rows:
        seen[columns] += 1
        count += 1
    return np.where(seen > 0, np.log((count + 1) / (seen + 1)) + 1.0, 0.0).astype(np.float16)


def weighed(row: Row, rarity: Rarity) -> Row:
    """The row with each column times its rarity, and then of unit length; all zeros where every column is unseen."""
    columns, values = row
    values = values * rarity[columns].astype(np.float32)
    return columns, np.asarray(values / max(float(np.linalg.norm(values)), 1e-9), dtype=np.float32)


def _title_pieces(words: list[str]) -> Iterator[str]:
    for first, second in zip(words, words[1:], strict=False):
        yield f"{first} {second}"
    for word in words:
        yield f" {word} "
        edged = f"<{word}>"
        for length in _RUNS:
            for start in range(len(edged) - length + 1):
                yield edged[start : start + length]


def _bucket(piece: str) -> int:
    return crc32(piece.encode("utf-8", "surrogatepass")) % BUCKETS
