"""How well postings fit what is wanted: one number from 0 to 1 per feature and posting.

A feature that the profile says nothing about is left out; what a posting does not say counts as UNKNOWN, which is
less than a good fit and more than a bad one. Everything is computed over all candidates at once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from rapidfuzz import fuzz, process

from lib.match.candidates import Candidate
from lib.match.profile import EITHER_HOURS, Wanted

Fits = npt.NDArray[np.float64]
Candidates = Sequence[Candidate]

UNKNOWN = 0.3
EARTH_KM = 6371.0
# Cosines of two titles' vectors: below the first they have nothing to do with each other, from the second on they
# name the same occupation. What is left then puts the very words before their neighbours: with one fit for all of
# them the right label of MELO came first less often (MRR .51 instead of .60).
UNRELATED, SAME, _SAME_FIT = 0.1, 0.72, 0.95
# Ratios of two titles' characters: unrelated ones reach the first by chance.
_CHANCE, _LITERAL = 55.0, 100.0
_NEAR_KM, _FAR_KM = 10.0, 60.0
_ENOUGH_SKILLS = 8
_FEW_SKILLS = 5
_FRESH_DAYS = 45.0
_LEVELS = {"intern": 0, "trainee": 1, "junior": 2, "mid": 3, "senior": 4, "lead": 5, "head": 6}
_NOT_WORDS = re.compile(r"\s*\([^)]*\)|[\W_]+")


def meaning(cosines: Fits) -> Fits:
    """Cosines of title vectors as fits."""
    known = np.nan_to_num(cosines)  # NaN: no known word
    fits: Fits = np.interp(known, (UNRELATED, SAME, 1.0), (0.0, _SAME_FIT, 1.0))
    return fits


def title(wanted: Wanted, candidates: Candidates) -> Fits:
    """The same words, or the same meaning in others."""
    literal = same_words(wanted.phrases, [candidate.title for candidate in candidates])
    return np.maximum(literal, meaning(np.array([candidate.cosine for candidate in candidates])))


def same_words(phrases: Sequence[str], titles: Sequence[str]) -> Fits:
    """How nearly each title has the words of one of the phrases."""
    wanted, found = [_folded(phrase) for phrase in phrases], [_folded(title) for title in titles]
    both = (process.cdist(wanted, found, scorer=scorer) for scorer in (fuzz.token_set_ratio, fuzz.token_sort_ratio))
    ratios = np.mean(list(both), axis=0).max(axis=0).astype(np.float64)
    fits: Fits = np.clip((ratios - _CHANCE) / (_LITERAL - _CHANCE), 0.0, 1.0)
    return fits


@lru_cache(maxsize=20_000)  # many postings share their titles, and are compared again and again
def _folded(text: str) -> str:
    return _NOT_WORDS.sub(" ", text.lower()).strip()


def skills(wanted: Wanted, candidates: Candidates) -> Fits | None:
    """How many of the wanted skills are asked for, against what both name.

    A posting that names few skills counts as if it named some more: covering all of one is no achievement.
    """
    if not wanted.skills:
        return None
    ours = wanted.skills
    enough = min(len(ours), _ENOUGH_SKILLS)
    fits = np.full(len(candidates), UNKNOWN)
    for position, candidate in enumerate(candidates):
        if candidate.skills is not None:
            shared = len(ours.intersection(candidate.skills))
            fits[position] = min(1.0, 2.0 * shared / (enough + max(len(candidate.skills), _FEW_SKILLS)))
    return fits


def place(wanted: Wanted, candidates: Candidates) -> Fits | None:
    """Near, or remote within the country. Without coordinates of the wanted place its country decides."""
    if wanted.country is None:
        return None
    same_country = np.array([candidate.country_code == wanted.country for candidate in candidates])
    remote = np.array([candidate.remote == "remote" for candidate in candidates])
    if wanted.lat is None or wanted.lon is None:
        fits = np.where(same_country, 1.0, 0.0)
    else:
        away = distances(wanted.lat, wanted.lon, candidates)
        beyond = np.maximum(away - _NEAR_KM, 0.0) / _FAR_KM
        fits = np.where(np.isnan(away), np.where(same_country, UNKNOWN, 0.0), 1.0 / (1.0 + beyond**2))
    unknown = np.array([candidate.country_code is None for candidate in candidates])
    fits = np.where(remote & (same_country | unknown), np.maximum(fits, 0.9), fits)
    return np.where(unknown & ~remote, UNKNOWN, fits)


def distances(lat: float, lon: float, candidates: Candidates) -> Fits:
    """Great-circle distances in km; NaN where a posting has no coordinates."""
    lats = np.radians(np.array([one.lat for one in candidates], dtype=np.float64))  # None becomes NaN
    lons = np.radians(np.array([one.lon for one in candidates], dtype=np.float64))
    here = np.radians((lat, lon))
    chord = np.sin((lats - here[0]) / 2) ** 2 + np.cos(here[0]) * np.cos(lats) * np.sin((lons - here[1]) / 2) ** 2
    away: Fits = 2 * EARTH_KM * np.arcsin(np.sqrt(np.clip(chord, 0.0, 1.0)))
    return away


def seniority(wanted: Wanted, candidates: Candidates) -> Fits | None:
    """Levels that titles state, by the steps between them; a title without one may mean any."""
    if wanted.seniority is None:
        return None
    ours = _LEVELS[wanted.seniority]
    steps = np.array([abs(_LEVELS.get(candidate.seniority or "mid", 3) - ours) for candidate in candidates])
    return np.maximum(1.0 - steps / 3.0, 0.0)


def language(wanted: Wanted, candidates: Candidates) -> Fits | None:
    """Written in the profile's own language."""
    if wanted.language is None:
        return None
    return _equal(wanted.language, [candidate.language for candidate in candidates])


def employment(wanted: Wanted, candidates: Candidates) -> Fits | None:
    """The wanted kind of employment."""
    if wanted.employment is None:
        return None
    kinds = [candidate.employment for candidate in candidates]
    return _equal(wanted.employment, [wanted.employment if kind == EITHER_HOURS else kind for kind in kinds])


def _equal(ours: str, theirs: Sequence[str | None]) -> Fits:
    return np.array([UNKNOWN if one is None else float(one == ours) for one in theirs])


def salary(wanted: Wanted, candidates: Candidates) -> Fits | None:
    """The upper end of the pay against the wanted one; a fifth below it is no fit any more."""
    if wanted.salary_eur is None:
        return None
    most = [one.salary_max_eur if one.salary_max_eur is not None else one.salary_min_eur for one in candidates]
    share = np.array(most, dtype=np.float64) / wanted.salary_eur
    return np.where(np.isnan(share), UNKNOWN, np.clip((share - 0.8) / 0.2, 0.0, 1.0))


def freshness(now: datetime, candidates: Candidates) -> Fits:
    """From 1 for a posting of today to 0 for one that is as old as postings get."""
    age_days = np.array([(now - candidate.posted_at).total_seconds() / 86_400 for candidate in candidates])
    fits: Fits = np.clip(1.0 - age_days / _FRESH_DAYS, 0.0, 1.0)
    return fits


_ASKED: Mapping[str, Callable[[Wanted, Candidates], Fits | None]] = {
    "title": title,
    "skills": skills,
    "place": place,
    "seniority": seniority,
    "language": language,
    "salary": salary,
    "employment": employment,
}


def features(wanted: Wanted, candidates: Candidates, now: datetime) -> dict[str, Fits]:
    """Feature -> fits of all candidates, for those features that the profile says something about."""
    found = {name: feature(wanted, candidates) for name, feature in _ASKED.items()}
    return {name: fits for name, fits in found.items() if fits is not None} | {"freshness": freshness(now, candidates)}
