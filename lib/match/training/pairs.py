"""Pairs of names of one occupation, drawn at random from the taxonomies."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lib.match.training.taxonomies import Taxonomies

Ids = npt.NDArray[np.int64]

GERMAN, ENGLISH = "de", "en"


@dataclass(frozen=True)
class Kind:
    """One way of being alike. `groups[i]` holds the two sides' title positions; a pair takes one of each side.

    `share` is the kind's relative weight. Groups are drawn in proportion to their size.
    """

    share: float
    groups: Sequence[tuple[Ids, Ids]]

    @property
    def chances(self) -> npt.NDArray[np.float64]:
        """The probability of each group."""
        sizes = np.array([len(left) + len(right) for left, right in self.groups], dtype=np.float64)
        return np.asarray(sizes / sizes.sum())


@dataclass(frozen=True)
class Batch:
    """Title positions (n,) of both sides; `allowed[i, j]`: j may serve as a wrong answer to i (or is i itself)."""

    left: Ids
    right: Ids
    allowed: npt.NDArray[np.bool_]


class PairSampler:
    """Draws batches. The same generator state gives the same batches.

    Shares are those that were measured best for German and English titles: within and across the languages of an
    ESCO concept, an O*NET occupation, both genders of a KldB name, one KldB group of five digits, one ISCO group.
    """

    def __init__(self, taxonomies: Taxonomies, positions: dict[str, int]) -> None:
        def at(names: Iterable[str]) -> Ids:
            return np.array([positions[name] for name in names], dtype=np.int64)

        concepts = [
            {language: at(names) for language, names in concept.names.items()} for concept in taxonomies.esco.values()
        ]
        isco: dict[str, list[Ids]] = defaultdict(list)
        for concept, names in zip(taxonomies.esco.values(), concepts, strict=True):
            isco[concept.isco].extend(names.values())
        kldb = [at(masculine for masculine, _ in pairs) for pairs in taxonomies.kldb.values()]
        genders = [at(pair) for pairs in taxonomies.kldb.values() for pair in pairs if pair[0] != pair[1]]
        self._kinds = [
            Kind(0.25, _within(names[GERMAN] for names in concepts if GERMAN in names)),
            Kind(0.20, _within(names[ENGLISH] for names in concepts if ENGLISH in names)),
            Kind(
                0.20, [(n[GERMAN], n[ENGLISH]) for n in concepts if len(n.get(GERMAN, ())) and len(n.get(ENGLISH, ()))]
            ),
            Kind(0.30, _within(at(names) for names in taxonomies.onet.values())),
            Kind(0.08, _within(genders)),
            Kind(0.20, _within(kldb)),
            Kind(0.10, _within(np.concatenate(names) for names in isco.values())),
        ]
        shares = np.array([kind.share for kind in self._kinds])
        self._shares = shares / shares.sum()
        self._chances = [kind.chances for kind in self._kinds]
        self._first_key = np.cumsum([0, *(len(kind.groups) for kind in self._kinds)])

    def draw(self, size: int, rng: np.random.Generator) -> Batch:
        """`size` pairs of two different titles each."""
        counts = rng.multinomial(size, self._shares)
        left, right, keys = [], [], []
        for number, (kind, count) in enumerate(zip(self._kinds, counts, strict=True)):
            for group in rng.choice(len(kind.groups), count, p=self._chances[number]):
                ours, theirs = kind.groups[group]
                if ours is theirs:
                    a, b = rng.choice(len(ours), 2, replace=False)
                else:
                    a, b = rng.integers(len(ours)), rng.integers(len(theirs))
                left.append(ours[a])
                right.append(theirs[b])
                keys.append(self._first_key[number] + group)
        return _batch(np.array(left), np.array(right), np.array(keys))


def _within(groups: Iterable[Ids]) -> list[tuple[Ids, Ids]]:
    return [(group, group) for group in (np.unique(group) for group in groups) if len(group) > 1]


def _batch(left: Ids, right: Ids, keys: Ids) -> Batch:
    """A title of the same group, or the same title in another group, is no wrong answer."""
    alike = keys[:, None] == keys[None, :]
    alike |= (right[:, None] == right[None, :]) | (left[:, None] == left[None, :])
    allowed = ~alike
    np.fill_diagonal(allowed, True)
    return Batch(left, right, allowed)
