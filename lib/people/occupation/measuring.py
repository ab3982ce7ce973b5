"""How often the classifier is right about names that it never saw, and whether it knows how often.

A tenth of the names is kept back, all forms of a name together (`corpus.stem`), and the model is trained anew on the
rest. The baseline is the code of the most similar name of that rest by character n-grams.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import sqrt
from typing import Literal

import msgspec
import numpy as np
import numpy.typing as npt

from lib.people.occupation.codes import SCHEMES, Classification
from lib.people.occupation.corpus import Corpus, Labelled, kept_for
from lib.people.occupation.features import title_row, weighed
from lib.people.occupation.heads import Chances
from lib.people.occupation.model import Model
from lib.people.occupation.seed import Seeded
from lib.people.occupation.training import matrix_of

Codes = npt.NDArray[np.str_]

MEASURING = "measuring"
# Which names say what for certain: ESCO its ISCO group, the BA's list its KldB code, O*NET its own.
TRUTHS: tuple[tuple[Classification, str], ...] = (
    ("isco", "esco_de"),
    ("isco", "esco_en"),
    ("kldb", "kldb"),
    ("soc", "onet"),
)
_BATCH = 256
_BINS = 10


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """`digits`: of the code that are compared; `half_width`: of the accuracy's 95 % interval; `calibration`: expected
    error of the confidence in ten bins of equal size, None below the last level."""

    method: Literal["svm", "seed"]
    classification: str
    source: str
    digits: int
    names: int
    accuracy: float
    half_width: float
    macro_f1: float
    calibration: float | None
    baseline: float | None


def sides(corpus: Corpus) -> tuple[Corpus, list[Labelled]]:
    """What may be learned from, and the names that are kept for measuring: no name in any form is on both sides."""
    kept = [name for name in corpus.names if kept_for(MEASURING, name.text)]
    return corpus.where(lambda name: not kept_for(MEASURING, name.text)), kept


def measure(model: Model, learned: Corpus, kept: Sequence[Labelled], most: int) -> Iterator[Measured]:
    """For each taxonomy, its language and level, on at most `most` of its kept names."""
    for kind, source in TRUTHS:
        titles, truth = _asked(kind, source, kept, most)
        if titles:
            told, chances = predictions(model, kind, titles)
            nearest = baseline(learned, model, kind, titles)
            yield from _levels("svm", kind, source, truth, told, chances, nearest)


def measure_seed(seeded: Seeded, kept: Sequence[Labelled], most: int) -> Iterator[Measured]:
    """The same of what answers before anything is imported; it says ISCO codes of common occupations only."""
    for kind, source in TRUTHS:
        titles, truth = _asked(kind, source, kept, most)
        if titles and kind == "isco":
            best = [
                (ranked[0].isco or "", ranked[0].confidence) if ranked else ("", 0.0)
                for ranked in seeded.rank(titles, "", None)
            ]
            told, chances = np.array([code for code, _ in best]), np.array([chance for _, chance in best])
            yield from _levels("seed", kind, source, truth, told, chances, None)


def _asked(kind: Classification, source: str, kept: Sequence[Labelled], most: int) -> tuple[list[str], Codes]:
    """The titles to ask for, and their true codes."""
    ours = [name for name in kept if name.source == source and name.code(kind)]
    chosen = [ours[at] for at in np.random.default_rng(0).permutation(len(ours))[:most].tolist()]
    return [name.text for name in chosen], np.array([name.code(kind) for name in chosen])


def predictions(model: Model, kind: Classification, titles: Sequence[str]) -> tuple[Codes, Chances]:
    """The most probable code of each title, and its probability."""
    head = model.heads[kind]
    chances = [head.chances(model.title_scores(kind, title)) for title in titles]
    best = [int(np.argmax(row)) for row in chances]
    return np.array([head.codes[at] for at in best]), np.array([row[at] for row, at in zip(chances, best, strict=True)])


def baseline(learned: Corpus, model: Model, kind: Classification, titles: Sequence[str]) -> Codes:
    """The code of the learned name that shares most n-grams with each title, by the cosine of their TF-IDF rows."""
    known = [name for name in learned.names if name.code(kind)]
    codes = np.array([name.code(kind) for name in known])
    theirs = matrix_of([weighed(title_row(name.text), model.title_rarity) for name in known]).T.tocsr()
    ours = matrix_of([weighed(title_row(title), model.title_rarity) for title in titles])
    found = [(ours[at : at + _BATCH] @ theirs).toarray().argmax(axis=1) for at in range(0, len(titles), _BATCH)]
    return np.asarray(codes[np.concatenate(found)])


def _levels(
    method: Literal["svm", "seed"],
    kind: Classification,
    source: str,
    truth: Codes,
    told: Codes,
    chances: Chances,
    nearest: Codes | None,
) -> Iterator[Measured]:
    """One row for each level of the classification; the confidence is that of whole codes."""
    for digits in SCHEMES[kind].levels:
        true, said = truth.astype(f"U{digits}"), told.astype(f"U{digits}")
        right = true == said
        accuracy = float(right.mean())
        whole = digits == SCHEMES[kind].levels[-1]
        yield Measured(
            method=method,
            classification=kind,
            source=source,
            digits=digits,
            names=len(true),
            accuracy=round(accuracy, 3),
            half_width=round(1.96 * sqrt(accuracy * (1.0 - accuracy) / len(true)), 3),
            macro_f1=round(macro_f1(true, said), 3),
            calibration=round(calibration_error(chances, right), 3) if whole else None,
            baseline=None if nearest is None else round(float((true == nearest.astype(true.dtype)).mean()), 3),
        )


def macro_f1(truth: Codes, told: Codes) -> float:
    """The mean F1 of the codes that are true of some name."""
    scores = []
    for code in np.unique(truth):
        hits = float(((truth == code) & (told == code)).sum())
        scores.append(2.0 * hits / float((truth == code).sum() + (told == code).sum()))
    return float(np.mean(scores))


def calibration_error(chances: Chances, right: npt.NDArray[np.bool_]) -> float:
    """How far the mean probability is from the share of right ones, over ten bins of as many names each."""
    bins = np.array_split(np.argsort(chances, kind="stable"), _BINS)
    gaps = [abs(float(chances[one].mean() - right[one].mean())) * len(one) for one in bins if len(one)]
    return sum(gaps) / len(chances)
