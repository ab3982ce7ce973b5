"""What each part of comparing titles is worth: one thing left out or added at a time, on every benchmark.

A row is compared with the first one query by query. Its difference means something where the 95 % interval of the
paired bootstrap leaves out zero and where both halves of the queries, the even and the odd ones, agree: choices are
made on the one and must hold on the other.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import islice
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

from lib.match.encoder import TextEncoder
from lib.match.features import meaning, same_words
from lib.match.lexical import Bm25, grams, split_compounds, words
from lib.match.quality import CASES, Benchmark, Floats, measured, standard
from lib.match.rank import SEMANTIC_POINTS, points_per_fit
from lib.match.static import StaticTable
from lib.text.jobnames import ABBREVIATIONS, job_name, spelt_out, without_conditions
from lib.text.titles import clean_title

Figures = npt.NDArray[np.float64]
Prepare = Callable[[str], str]

_MAP, _MRR = 0, 1
_RESAMPLED = 2_000
_FED_BACK = 5
_LEVEL = re.compile(r"\b(?:senior|junior|[sj]r\b\.?|lead|principal|staff|trainee)\s", re.IGNORECASE)
_FEMININE = re.compile(r"(?<=[^\W\d_]{2}(?:er|or|ur|nt|st|at|og))in(?:nen)?\b|(?<=\w{3})frau\b", re.IGNORECASE)
_SHORT = {full.casefold(): short for short, full in reversed(ABBREVIATIONS.items()) if " " not in full}
# Two forms of each language end in words that nothing here takes off.
_FORMS = {
    "German": (
        "{} (m/w/d) in Vollzeit",
        "Senior {} (m/w/d)",
        "{} (gn) - 40h/Woche, unbefristet",
        "{} (m/w/d) ab sofort",
        "Wir suchen: {} (all genders)",
        "{} | Teilzeit | Homeoffice möglich",
        "{} (w/m/d) für unser Team in Hamburg",
        "{}, bis zu 25 €/Stunde",
        "{} (m/w/d) mit Herz und Verstand",
        "{} - Klinikum Musterstadt",
    ),
    "English": (
        "{} (m/f/d) - full-time",
        "Senior {}",
        "{} - 40 hours/week",
        "{} (all genders) - Remote",
        "We are hiring: {}",
        "{} | part-time | start immediately",
        "{} for our team in Berlin",
        "{}, up to 60.000 EUR per year",
        "{} - make an impact",
        "{} in Berlin, Germany",
    ),
}


@dataclass
class TextModel:
    """The text model with a memory for what it has encoded: slow, and asked for the same corpus again and again."""

    encoder: TextEncoder
    _known: dict[tuple[str, ...], Floats] = field(default_factory=dict)

    def queries(self, titles: Sequence[str]) -> Floats:
        """(n, 384)."""
        return self.encoder.encode_queries(titles)

    def corpus(self, titles: Sequence[str]) -> Floats:
        """(n, 384)."""
        key = tuple(titles)
        if key not in self._known:
            self._known[key] = self.encoder.encode_passages(titles)
        return self._known[key]


@dataclass(frozen=True)
class Column:
    """A benchmark and the measure that is usual for it: an index into what `measured` gives."""

    name: str
    benchmark: Benchmark
    measure: int


class Ground:
    """One benchmark, on which rows are compared."""

    def __init__(self, column: Column, table: StaticTable, text: TextModel) -> None:
        self._column, self._table, self._text = column, table, text
        self.queries = column.benchmark.judged()
        self.corpus = list(column.benchmark.corpus.values())

    def figures(self, similarities: Floats) -> Figures:
        """The measure of each query."""
        return measured([similarities], self._column.benchmark.gains())[:, self._column.measure]

    def by_table(self, prepare: Prepare) -> Floats:
        """Cosines of the static table's vectors of prepared titles."""
        queries, corpus = ([prepare(title) for title in titles] for titles in (self.queries, self.corpus))
        return np.asarray(self._table.encode_names(queries) @ self._table.encode_names(corpus).T)

    @cached_property
    def table(self) -> Floats:
        """The same for the names of jobs: how the product compares them."""
        return self.by_table(job_name)

    @cached_property
    def text(self) -> Floats:
        """Cosines of the text model's vectors."""
        queries, corpus = ([job_name(title) for title in titles] for titles in (self.queries, self.corpus))
        return np.asarray(self._text.queries(queries) @ self._text.corpus(corpus).T)

    @cached_property
    def vocabulary(self) -> frozenset[str]:
        """All words of the corpus."""
        return frozenset(word for title in self.corpus for word in words(title))

    def by_words(self, terms: Callable[[str], Sequence[str]]) -> Floats:
        """BM25 over terms of the names of jobs."""
        scorer = Bm25([terms(job_name(title)) for title in self.corpus])
        return np.stack([scorer.scores(terms(job_name(title))) for title in self.queries])

    @cached_property
    def grams(self) -> Floats:
        """BM25 over pieces of words."""
        return self.by_words(grams)

    def split(self, title: str) -> list[str]:
        """The words of a job's name, compounds as their parts."""
        return split_compounds(job_name(title), self.vocabulary)

    def fed_back(self) -> Floats:
        """Each query once more, halfway to the mean of its nearest titles."""
        queries, corpus = self._table.encode(self.queries), self._table.encode(self.corpus)
        nearest = np.argsort(-self.table, axis=1)[:, :_FED_BACK]
        means = corpus[nearest].mean(axis=1)
        means /= np.maximum(np.linalg.norm(means, axis=1, keepdims=True), np.float32(1e-9))
        return np.asarray((queries + means) @ corpus.T)

    def scored(self) -> Floats:
        """The points of a title in the score, where a profile says nothing else: shared words, or shared meaning."""
        points = points_per_fit(["title"])
        literal = np.stack([same_words([job_name(title)], self.corpus) for title in self.queries])
        meant = meaning(self.table.astype(np.float64))
        return np.asarray(points["title"] * np.maximum(literal, meant) + SEMANTIC_POINTS * meant, dtype=np.float32)


ROWS: Mapping[str, Callable[[Ground], Floats]] = {
    "static table, names of jobs": lambda ground: ground.table,
    "titles as they stand": lambda ground: ground.by_table(str),
    "titles only cleaned": lambda ground: ground.by_table(clean_title),
    "abbreviations kept": lambda ground: ground.by_table(lambda title: without_conditions(clean_title(title))),
    "conditions kept": lambda ground: ground.by_table(lambda title: spelt_out(clean_title(title))),
    "level words dropped": lambda ground: ground.by_table(lambda title: _LEVEL.sub("", job_name(title))),
    "feminine forms folded": lambda ground: ground.by_table(lambda title: _FEMININE.sub("", job_name(title))),
    "compounds split": lambda ground: ground.by_table(lambda title: " ".join(ground.split(title))),
    "words (BM25)": lambda ground: ground.by_words(words),
    "words, compounds split": lambda ground: ground.by_words(ground.split),
    "pieces of 3-5 letters": lambda ground: ground.grams,
    "text model": lambda ground: ground.text,
    "table + text model": lambda ground: standard(ground.table) + standard(ground.text),
    "table + pieces": lambda ground: standard(ground.table) + 0.3 * standard(ground.grams),
    "all three": lambda ground: standard(ground.table) + standard(ground.text) + 0.3 * standard(ground.grams),
    "feedback": Ground.fed_back,
    "title's part of the score": Ground.scored,
}


class Cell(msgspec.Struct, frozen=True):
    """A mean, and how it differs from the first row's: in all, the 95 % interval, on even and on odd queries."""

    mean: float
    difference: float
    low: float
    high: float
    even: float
    odd: float

    @property
    def matters(self) -> bool:
        """Whether the difference is no accident of the queries."""
        return (self.low > 0 or self.high < 0) and self.even * self.odd > 0


def columns(folder: Path) -> list[Column]:
    """The benchmarks, and TalentCLEF with its corpus dressed up as advertisements. Every third query of MELO.

    Raises ConfigError."""
    german, english, melo = (case.read(folder) for case in CASES)
    fewer = dict(islice(melo.queries.items(), 0, None, 3))
    return [
        Column("TalentCLEF de", german, _MAP),
        Column("TalentCLEF en", english, _MAP),
        Column("MELO de (MRR)", replace(melo, queries=fewer), _MRR),
        Column("advertised de", advertised(german, "German"), _MAP),
        Column("advertised en", advertised(english, "English"), _MAP),
    ]


def advertised(benchmark: Benchmark, language: str) -> Benchmark:
    """The same with a corpus as employers would write it: abbreviated, with hours, markers, pay and the like."""
    forms = _FORMS[language]
    titles = {
        document: forms[position % len(forms)].format(_shortened(title))
        for position, (document, title) in enumerate(benchmark.corpus.items())
    }
    return replace(benchmark, corpus=titles)


def _shortened(title: str) -> str:
    return " ".join(_SHORT.get(word.casefold(), word) for word in title.split())


def ablate(benchmarks: Sequence[Column], table: StaticTable, text: TextEncoder) -> Iterator[tuple[str, str, Cell]]:
    """(row, column, cell), column by column."""
    model = TextModel(text)
    for column in benchmarks:
        ground = Ground(column, table, model)
        first = None
        for name, similarities in ROWS.items():
            figures = ground.figures(similarities(ground))
            first = figures if first is None else first
            yield name, column.name, compared(figures, first)


def compared(figures: Figures, first: Figures) -> Cell:
    """`figures` against those of another way, of the same queries. The bootstrap always draws the same samples."""
    differences = figures - first
    drawn = np.random.default_rng(0).integers(0, len(differences), (_RESAMPLED, len(differences)))
    low, high = np.percentile(differences[drawn].mean(axis=1), (2.5, 97.5))
    even, odd = differences[::2], differences[1::2] if len(differences) > 1 else differences
    parts = (figures.mean(), differences.mean(), low, high, even.mean(), odd.mean())
    return Cell(*(round(float(part), 4) for part in parts))
