"""Titles and texts compared by their words alone: the baseline that vectors are measured against.

BM25 as in Robertson and Zaragoza, The Probabilistic Relevance Framework (2009), with the usual k1 and b.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Collection, Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

_K1, _B = 1.2, 0.75
_WORD = re.compile(r"[^\W_]+")
_SHORTEST_PART = 4


class Bm25:
    """Documents as lists of terms: words, or pieces of words."""

    def __init__(self, documents: Sequence[Sequence[str]]) -> None:
        self._documents = len(documents)
        average = max(1.0, sum(map(len, documents)) / max(1, len(documents)))
        found: dict[str, tuple[list[int], list[float]]] = {}
        for position, terms in enumerate(documents):
            norm = _K1 * (1 - _B + _B * len(terms) / average)
            for term, count in Counter(terms).items():
                places, weights = found.setdefault(term, ([], []))
                places.append(position)
                weights.append(count * (_K1 + 1) / (count + norm))
        self._postings = {
            term: (np.array(places), np.array(weights, dtype=np.float32) * np.float32(self._rarity(len(places))))
            for term, (places, weights) in found.items()
        }

    def _rarity(self, documents: int) -> float:
        return math.log(1 + (self._documents - documents + 0.5) / (documents + 0.5))

    def scores(self, query: Sequence[str]) -> Floats:
        """One number per document; 0 where no term is shared."""
        total = np.zeros(self._documents, dtype=np.float32)
        for term, count in Counter(query).items():
            if term in self._postings:
                places, weights = self._postings[term]
                total[places] += count * weights
        return total


def words(text: str) -> list[str]:
    """Words and numbers in lower case."""
    return _WORD.findall(text.lower())


def grams(text: str) -> list[str]:
    """All pieces of three to five characters of each word, which a space marks at both ends."""
    padded = [f" {word} " for word in words(text)]
    return [word[at : at + size] for word in padded for size in (3, 4, 5) for at in range(len(word) - size + 1)]


def split_compounds(text: str, vocabulary: Collection[str]) -> list[str]:
    """Words, those that two words of `vocabulary` make up as these two: Lagerleiter, Verwaltung-s-fachkraft."""
    return [part for word in words(text) for part in _parts(word, vocabulary)]


def _parts(word: str, vocabulary: Collection[str]) -> tuple[str, ...]:
    for cut in range(_SHORTEST_PART, len(word) - _SHORTEST_PART + 1):  # the longest last word first
        first, last = word[:cut], word[cut:]
        if last in vocabulary:
            for stem in (first, first.removesuffix("s")):
                if len(stem) >= _SHORTEST_PART and stem in vocabulary:
                    return stem, last
    return (word,)
