"""The occupations that travel with Vakanz, for answers before any taxonomy is imported.

`seed.csv` holds 300 common occupations of our own choosing with German and English names; its codes are facts of the
three classifications. A title is compared with all names, by its pieces of words and by its static vector.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from lib.match.encoder import TitleEncoder
from lib.people.occupation.corpus import Occupation
from lib.people.occupation.features import BUCKETS, rarity_of, title_row, weighed
from lib.people.occupation.guesses import Guess, Taxonomy
from lib.people.occupation.heads import Chances, softmax

_FILE = Path(__file__).with_name("seed.csv")
_SHOWN = 4
Likeness = npt.NDArray[np.float32]
# Fitted on 6,000 names of ESCO and the BA: how sharply likeness tells unit groups apart, and from which likeness on the
# best one is more often right than wrong.
_SHARPNESS, _TRUST, _HALF = 30.0, 4.0, 0.65


class Named(NamedTuple):
    """One occupation with all its names."""

    occupation: Occupation
    names: tuple[str, ...]


@cache
def seed() -> Sequence[Named]:
    """The occupations of the file, by rising ISCO code."""
    with _FILE.open(encoding="utf-8", newline="") as file:
        return tuple(
            Named(
                Occupation(row["de"], row["en"], row["isco"], row["kldb"] or None, row["soc"] or None),
                (row["de"], row["en"], *filter(None, row["others"].split("|"))),
            )
            for row in csv.DictReader(file)
        )


class Seeded:
    """Answers with the seed alone; ready in a tenth of a second."""

    taxonomy: Taxonomy = "seed"

    def __init__(self, encoder: TitleEncoder) -> None:
        self._encoder = encoder
        self._occupations = [named.occupation for named in seed()]
        units = [one.isco for one in self._occupations]
        self._first_of_unit = [units.index(unit) for unit in dict.fromkeys(units)]
        names = [name for named in seed() for name in named.names]
        rows = [title_row(name) for name in names]
        self._rarity = rarity_of(rows)
        rows = [weighed(row, self._rarity) for row in rows]
        self._columns, self._values = (np.concatenate(parts) for parts in zip(*rows, strict=True))
        self._names = np.cumsum([0, *(len(columns) for columns, _ in rows)])[:-1]  # where each name's columns start
        self._first_names = np.cumsum([0, *(len(named.names) for named in seed())])[:-1]  # and each occupation's names
        self._vectors = encoder.encode(names)

    def rank(self, phrases: Sequence[str], text: str, language: str | None) -> list[list[Guess]]:
        """See `Classifier`. The text says nothing to the seed."""
        return [self._of_phrase(phrase, language) for phrase in phrases]

    def _of_phrase(self, phrase: str, language: str | None) -> list[Guess]:
        if not len(title_row(phrase)[0]):
            return []
        likeness = self.likeness(phrase)
        chances = self.chances(likeness)
        best = np.argsort(-chances, kind="stable")[:_SHOWN]
        return [self._guess(unit, float(chances[unit]), likeness, language) for unit in best.tolist()]

    def likeness(self, phrase: str) -> Likeness:
        """How like the best name of each occupation a phrase is, (occupations,): half by letters, half by meaning."""
        columns, values = weighed(title_row(phrase), self._rarity)
        asked = np.zeros(BUCKETS, dtype=np.float32)
        asked[columns] = values
        letters = np.add.reduceat(self._values * asked[self._columns], self._names)
        meaning = self._vectors @ self._encoder.encode([phrase])[0]
        return np.maximum.reduceat((letters + meaning) / 2.0, self._first_names)

    def chances(self, likeness: Likeness) -> Chances:
        """The probability of each ISCO unit group of the seed; together less than one: it may be none of them."""
        units = np.maximum.reduceat(likeness, self._first_of_unit)
        trust = 1.0 / (1.0 + np.exp(_TRUST * (_HALF - units.max())))
        return np.asarray(trust * softmax(_SHARPNESS * units))

    def _guess(self, unit: int, chance: float, likeness: Likeness, language: str | None) -> Guess:
        first, last = [*self._first_of_unit, len(self._occupations)][unit : unit + 2]
        one = self._occupations[first + int(np.argmax(likeness[first:last]))]
        return Guess(title=one.title(language), kldb=one.kldb, isco=one.isco, soc=one.soc, confidence=round(chance, 3))
