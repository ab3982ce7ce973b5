"""Whole résumés against whole advertisements: how well the score tells which résumés fit a job.

The set is TalentCLEF 2026's: `queries_jobs.shared.jsonl.gz` and `corpus_resumes.jsonl.gz` (one {"id", "text"} a line)
and `qrels.shared.tsv`. Its texts are Romanian, translated by a machine: what knows German and English only, such as the
title table and the names of skills, has little to hold on to. A pair that nobody judged counts as no fit.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

from lib.errors import ConfigError
from lib.match.candidates import Candidate
from lib.match.encoder import TextEncoder, TitleEncoder
from lib.match.encoders import blend
from lib.match.lexical import Bm25, grams, words
from lib.match.profile import MAX_TEXT_CHARS, Profile, UnusableProfile, Wanted, read_profile
from lib.match.quality import Benchmark, Floats, judgements, measured, standard
from lib.match.rank import WEIGHTS, Scored, points_per_fit, rerank, score
from lib.text.language import detect
from lib.text.skills import find_skills
from lib.text.titles import clean_title, seniority

Figures = npt.NDArray[np.float64]

FOLDER = "talentclef2026_ro"
_NOW = datetime(2026, 1, 1, tzinfo=UTC)  # nothing in the set has a date
_SEEN_TITLE_CHARS = 200


class Text(msgspec.Struct, frozen=True):
    """A line of the set."""

    id: str
    text: str


def read_applicants(folder: Path) -> Benchmark:
    """Advertisements as queries, résumés as the corpus. Raises ConfigError."""
    jobs, resumes = _texts(folder / "queries_jobs.shared.jsonl.gz"), _texts(folder / "corpus_resumes.jsonl.gz")
    relevant: dict[str, dict[str, float]] = {}
    for job, resume, grade in judgements(folder / "qrels.shared.tsv"):
        if grade > 0 and job in jobs and resume in resumes:
            relevant.setdefault(job, {})[resume] = grade
    if not relevant:
        raise ConfigError([f"{folder} judges no résumé as fit for a job"])
    return Benchmark({job: text for job, text in jobs.items() if job in relevant}, resumes, relevant)


def _texts(path: Path) -> dict[str, str]:
    try:
        with gzip.open(path) as file:
            lines = msgspec.json.Decoder(Text).decode_lines(file.read())
    except (OSError, EOFError, msgspec.MsgspecError) as error:
        raise ConfigError([f"{path} cannot be read: {error}"]) from error
    return {line.id: line.text for line in lines}


@dataclass(frozen=True)
class Encoded:
    """The texts of the set, and what both encoders make of them."""

    benchmark: Benchmark
    title: TitleEncoder
    text: TextEncoder

    @property
    def jobs(self) -> list[str]:
        """Whole advertisements."""
        return list(self.benchmark.queries.values())

    @property
    def resumes(self) -> list[str]:
        """Whole résumés."""
        return list(self.benchmark.corpus.values())

    def by_words(self, terms: Callable[[str], Sequence[str]]) -> Floats:
        """BM25, (jobs, résumés)."""
        scorer = Bm25([terms(text) for text in self.resumes])
        return np.stack([scorer.scores(terms(text)) for text in self.jobs])

    @cached_property
    def texts(self) -> Floats:
        """Cosines of whole texts, (jobs, résumés): a résumé is a profile, as when it is matched."""
        cosines = self.text.encode_passages(self.jobs) @ self.text.encode_queries(self.resumes).T
        return np.asarray(cosines, dtype=np.float32)

    @cached_property
    def first_stage(self) -> list[list[Scored]]:
        """For each résumé the jobs, scored as a matcher's candidates."""
        titles = [next(iter(text.splitlines()), "")[:_SEEN_TITLE_CHARS] for text in self.jobs]
        vectors = self.title.encode(titles)
        facts = [_facts(place, title, text) for place, (title, text) in enumerate(zip(titles, self.jobs, strict=True))]
        return [self._scored(text, facts, vectors) for text in self.resumes]

    def _scored(self, resume: str, facts: Sequence[Candidate], vectors: Floats) -> list[Scored]:
        wanted: Wanted = read_profile(Profile(text=resume[:MAX_TEXT_CHARS]))
        try:
            cosines = vectors @ blend(self.title.encode(wanted.phrases))
        except UnusableProfile:
            cosines = np.zeros(len(facts), dtype=np.float32)
        seen = [msgspec.structs.replace(one, cosine=float(near)) for one, near in zip(facts, cosines, strict=True)]
        return score(wanted, seen, _NOW).shortlist

    @cached_property
    def second_stage(self) -> list[list[Scored]]:
        """The same after a look at the whole texts."""
        near = (dict(enumerate(column)) for column in self.texts.T.tolist())
        return [rerank(shortlist, similar) for shortlist, similar in zip(self.first_stage, near, strict=True)]


def _facts(place: int, title: str, text: str) -> Candidate:
    """An advertisement as a candidate: what its words say, and nothing of place and pay."""
    return Candidate(
        id=place, title=clean_title(title), company=None, city=None, country_code=None, lat=None, lon=None,
        language=detect(text), remote=None, employment=None, salary_min_eur=None, salary_max_eur=None, posted_at=_NOW,
        dated=False, seniority=seniority(title), skills=sorted(find_skills(text)) or None, cosine=0.0,
    )  # fmt: skip


def scores(stage: Sequence[Sequence[Scored]], weights: Mapping[str, float] = WEIGHTS) -> Floats:
    """(jobs, résumés): what the fits are worth at these weights."""
    table = np.zeros((max(map(len, stage)), len(stage)), dtype=np.float32)
    for column, scored in enumerate(stage):
        for one in scored:
            points = points_per_fit([name for name in one.fits if name != "semantic"], weights)
            table[one.candidate.id, column] = sum(points[name] * fit for name, fit in one.fits.items())
    return table


WAYS: Mapping[str, Callable[[Encoded], Floats]] = {
    "words (BM25)": lambda encoded: encoded.by_words(words),
    "pieces of 3-5 letters": lambda encoded: encoded.by_words(grams),
    "text model": lambda encoded: encoded.texts,
    "text model + words": lambda encoded: standard(encoded.texts) + standard(encoded.by_words(words)),
    "score, first stage": lambda encoded: scores(encoded.first_stage),
    "score, whole texts too": lambda encoded: scores(encoded.second_stage),
}


class Fitness(msgspec.Struct, frozen=True):
    """Of one way, both directions: résumés for a job (few jobs), and jobs for a résumé. Half widths are of 95 %."""

    ndcg_at_10: float
    ndcg_half_width: float
    map: float
    right_job: float
    right_job_half_width: float


def fitness(similarities: Floats, benchmark: Benchmark) -> Fitness:
    """`right_job` is the mean reciprocal rank of a fitting job, over the résumés that fit one."""
    for_jobs, for_resumes = both_ways(similarities, benchmark)
    return Fitness(
        ndcg_at_10=round(float(for_jobs[:, 2].mean()), 4),
        ndcg_half_width=_half_width(for_jobs[:, 2]),
        map=round(float(for_jobs[:, 0].mean()), 4),
        right_job=round(float(for_resumes[:, 1].mean()), 4),
        right_job_half_width=_half_width(for_resumes[:, 1]),
    )


def both_ways(similarities: Floats, benchmark: Benchmark) -> tuple[Figures, Figures]:
    """What `measured` gives with the jobs as queries, and with the résumés that fit one as queries."""
    gains = benchmark.gains()
    turned: dict[int, dict[int, float]] = {}
    for job, fitting in enumerate(gains):
        for resume, grade in fitting.items():
            turned.setdefault(resume, {})[job] = grade
    return measured([similarities], gains), measured([similarities.T[list(turned)]], turned.values())


# Student's t for 95 %: at a handful of jobs the normal approximation would promise too much.
_T = {1: 12.71, 2: 4.30, 3: 3.18, 4: 2.78, 5: 2.57, 6: 2.45, 7: 2.36, 8: 2.31, 9: 2.26}


def _half_width(figures: Figures) -> float:
    if len(figures) < 2:
        return float("nan")
    freedom = len(figures) - 1
    return round(float(_T.get(freedom, 1.96) * figures.std(ddof=1) / np.sqrt(len(figures))), 4)
