"""From candidates to an answer: one score from 0 to 100 that sorts and that a threshold may cut.

score = 70 * (weighted mean of the features) + 30 * (semantic similarity). Features that the profile says nothing about
give their weight to the others. The second stage replaces most of the semantic part by what the full texts say.

What scores less than 40 is not shown by default. In the simulated market that is where the score tells postings of the
wanted occupation best from all others (F1 .862 over titles and written profiles, with places and without; .855 at 35,
.860 at 45). Of the titles that TalentCLEF 2025 labels as related it keeps .75 in German and .87 in English, and drops
four fifths of the other nearest 500.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache

import msgspec
import numpy as np
import numpy.typing as npt

from lib.match.candidates import Candidate
from lib.match.features import features, meaning
from lib.match.profile import Wanted

SHORTLIST = 100
ANSWERS = 20
FEATURES_POINTS, SEMANTIC_POINTS = 70.0, 30.0
# Halved or doubled, none of title, skills, seniority and language moved the MRR of 280 labelled résumés by more than
# .008 (`vakanz quality resumes`), so they stand as they were set. No labelled set tells of place, pay and hours.
WEIGHTS = {
    "title": 0.36,
    "skills": 0.24,
    "place": 0.16,
    "seniority": 0.07,
    "language": 0.05,
    "salary": 0.05,
    "employment": 0.04,
    "freshness": 0.03,
}
# Of the semantic part, where the full text was compared. For 280 résumés and the jobs that fit them (TalentCLEF 2026)
# more was better: MRR .865 at .3, .884 at .6, .891 at .8, .904 at 1. But they are Romanian, of which titles' vectors
# know little.
_FULL_TEXT = 0.8
_SAME_TEXT = 0.9


class Scored(msgspec.Struct, frozen=True, gc=False):
    """A candidate, its score, the points that add up to it, and the fits (0 to 1) that the points come from."""

    candidate: Candidate
    score: float
    points: dict[str, float]
    fits: dict[str, float]


class Ranking(msgspec.Struct, frozen=True):
    """The SHORTLIST best, best first, and the scores of all others."""

    shortlist: list[Scored]
    others: npt.NDArray[np.float64]

    def found(self, shown: Sequence[Found], least: float) -> int:
        """How many reach `least`, of `shown` (what became of the shortlist) and of the others."""
        return sum(one.best.score >= least for one in shown) + int(np.count_nonzero(self.others >= least))


class Found(msgspec.Struct, frozen=True):
    """One line of an answer: the best of several copies, and the others, best first."""

    best: Scored
    copies: tuple[Scored, ...] = ()


def score(wanted: Wanted, candidates: Sequence[Candidate], now: datetime) -> Ranking:
    """The first stage; equal scores go by id, so that repeating changes nothing."""
    if not candidates:
        return Ranking([], np.empty(0))
    fits = features(wanted, candidates, now)
    fits["semantic"] = meaning(np.array([candidate.cosine for candidate in candidates]))
    weights = points_per_fit([name for name in fits if name != "semantic"])
    table = np.column_stack(list(fits.values()))
    points = np.round(table * [weights[name] for name in fits], 2)
    totals = np.round(points.sum(axis=1), 2)
    ids = np.array([candidate.id for candidate in candidates])
    order = np.lexsort((ids, -totals))
    best = order[:SHORTLIST]
    rows = zip(best.tolist(), totals[best].tolist(), points[best].tolist(), table[best].tolist(), strict=True)
    shortlist = [
        Scored(candidates[place], total, dict(zip(fits, given, strict=True)), dict(zip(fits, row, strict=True)))
        for place, total, given, row in rows
    ]
    return Ranking(shortlist, totals[order[SHORTLIST:]])


def points_per_fit(named: Sequence[str], weights: Mapping[str, float] = WEIGHTS) -> dict[str, float]:
    """Feature -> the points that a perfect fit brings, 100 in all with `semantic`."""
    whole = sum(weights[name] for name in named)
    return {name: FEATURES_POINTS * weights[name] / whole for name in named} | {"semantic": SEMANTIC_POINTS}


def _scored(candidate: Candidate, fits: dict[str, float], weights: Mapping[str, float]) -> Scored:
    points = {name: round(weights[name] * fit, 2) for name, fit in fits.items()}
    return Scored(candidate, round(sum(points.values()), 2), points, fits)


def rerank(shortlist: Sequence[Scored], similarities: Mapping[int, float]) -> list[Scored]:
    """The second stage: candidate -> similarity of its full text and the profile, for those that have one.

    Such similarities have no scale of their own. So the semantic fits of those that were compared are handed out
    anew among them, in the order of their full texts; those that were not keep their score, and both stay comparable.
    """
    compared = [one for one in shortlist if one.candidate.id in similarities]
    if len(compared) < 2:
        return list(shortlist)
    weights = points_per_fit([name for name in compared[0].fits if name != "semantic"])
    in_order = sorted(compared, key=lambda one: (-similarities[one.candidate.id], one.candidate.id))
    to_give = sorted((one.fits["semantic"] for one in compared), reverse=True)
    again = {
        one.candidate.id: _scored(
            one.candidate,
            one.fits | {"semantic": _FULL_TEXT * given + (1 - _FULL_TEXT) * one.fits["semantic"]},
            weights,
        )
        for one, given in zip(in_order, to_give, strict=True)
    }
    reranked = [again.get(one.candidate.id, one) for one in shortlist]
    return sorted(reranked, key=lambda one: (-one.score, one.candidate.id))


_TITLE_NOISE = re.compile(r"\s*\([^)]*\)|[\W\d_]+")
_WORDS = re.compile(r"[^\W\d_]{2,}")


def copy_suspects(ranked: Sequence[Scored]) -> list[int]:
    """Ids of postings that share company and title with another one: only their texts need to be looked at."""
    groups: dict[Hashable, list[int]] = {}
    for one in ranked:
        if one.candidate.company:
            groups.setdefault(_looks(one.candidate), []).append(one.candidate.id)
    return [posting for group in groups.values() if len(group) > 1 for posting in group]


def unite_copies(ranked: Sequence[Scored], texts: Mapping[int, str]) -> list[Found]:
    """Near-identical postings as one: the same company and title, and texts that prove it. Keeps the order."""
    words = {posting: frozenset(_WORDS.findall(text.lower())) for posting, text in texts.items()}
    found: list[tuple[Scored, list[Scored]]] = []
    leaders: dict[Hashable, list[int]] = {}
    for one in ranked:
        mine = words.get(one.candidate.id) if one.candidate.company else None
        alike = leaders.setdefault(_looks(one.candidate), []) if mine else []
        for position in alike:
            if mine and _near_identical(mine, words[found[position][0].candidate.id]):
                found[position][1].append(one)
                break
        else:
            alike.append(len(found))
            found.append((one, []))
    return [Found(best, tuple(copies)) for best, copies in found]


def _looks(candidate: Candidate) -> Hashable:
    return (candidate.company or "").casefold().strip(), _bare(candidate.title)


@lru_cache(maxsize=20_000)
def _bare(title: str) -> str:
    return _TITLE_NOISE.sub(" ", title.casefold()).strip()


def _near_identical(ours: frozenset[str], theirs: frozenset[str]) -> bool:
    """Texts that differ in a place or a contact share nine tenths of their words."""
    return len(ours & theirs) >= _SAME_TEXT * len(ours | theirs)
