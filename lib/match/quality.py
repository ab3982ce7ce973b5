"""How well titles are ranked: queries, a corpus and judgements in, MAP, MRR and nDCG@10 out.

Files are tab-separated (optionally .gz). Queries and corpus: id, title; a header row is recognised by its
name ("q_id", "c_id", "id", ...). Judgements follow TREC: query, (ignored), document, grade; three columns
without the ignored one are understood too. TalentCLEF 2025 task A and MELO have these forms.
"""

from __future__ import annotations

import gzip
import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

from lib.errors import ConfigError

Floats = npt.NDArray[np.float32]
Encode = Callable[[Sequence[str]], Floats]
"""Titles to unit vectors, (n, dimensions)."""
Similarities = Callable[[Sequence[str], Sequence[str]], Iterator[Floats]]
"""Encodes queries and corpus; the blocks that follow are rows in the order of the queries, (queries, corpus)."""

_HEADER_NAMES = frozenset(
    {"id", "q_id", "c_id", "qid", "cid", "query_id", "corpus_id", "doc_id", "docid", "query-id", "query"}
)
_BLOCK_OF_QUERIES = 256
_MAX_BYTES = 1_000_000_000


@dataclass(frozen=True)
class Benchmark:
    """Ids and titles in file order; `relevant` maps a query's id to graded documents (grade > 0)."""

    queries: Mapping[str, str]
    corpus: Mapping[str, str]
    relevant: Mapping[str, Mapping[str, float]]

    def judged(self) -> list[str]:
        """The titles of the queries that have a relevant document."""
        return [title for query, title in self.queries.items() if query in self.relevant]

    def gains(self) -> list[dict[int, float]]:
        """For each of these: position in the corpus -> grade."""
        places = {document: place for place, document in enumerate(self.corpus)}
        judged = (query for query in self.queries if query in self.relevant)
        return [{places[key]: grade for key, grade in self.relevant[query].items()} for query in judged]


class Case(msgspec.Struct, frozen=True):
    """A benchmark by its file names below the folder of benchmarks."""

    name: str
    queries: str
    corpus: str
    qrels: str

    def read(self, folder: Path) -> Benchmark:
        """Raises ConfigError."""
        return read_benchmark(folder / self.queries, folder / self.corpus, folder / self.qrels)


def _case(name: str, folder: str, queries: str, qrels: str) -> Case:
    return Case(name, f"{folder}/{queries}", f"{folder}/corpus_elements.tsv", f"{folder}/{qrels}")


CASES = (
    _case("TalentCLEF 2025 German", "talentclef2025/german", "queries.shared.tsv", "qrels.shared.tsv"),
    _case("TalentCLEF 2025 English", "talentclef2025/english", "queries.shared.tsv", "qrels.shared.tsv"),
    _case("MELO German", "melo/deu_q_de_c_de", "queries.tsv", "annotations.tsv"),
)


class Scores(msgspec.Struct, frozen=True):
    """Means over the judged queries; `map_half_width` is half of the 95 % interval (normal approximation)."""

    queries: int
    corpus: int
    map: float
    map_half_width: float
    mrr: float
    ndcg_at_10: float
    titles_per_s: float


def read_benchmark(queries: Path, corpus: Path, qrels: Path) -> Benchmark:
    """Raises ConfigError, naming file and line, where a file is malformed or nothing can be measured."""
    titles, documents = dict(_titles(queries)), dict(_titles(corpus))
    relevant: dict[str, dict[str, float]] = {}
    for query, document, grade in judgements(qrels):
        if grade > 0 and query in titles and document in documents:
            relevant.setdefault(query, {})[document] = grade
    if not relevant:
        raise ConfigError([f"{qrels} judges no document of the corpus as relevant to a query"])
    return Benchmark(titles, documents, relevant)


def _titles(path: Path) -> Iterator[tuple[str, str]]:
    seen = set()
    for number, cells in _rows(path):
        if len(cells) < 2:
            raise ConfigError([f"{path}, line {number}: expected an id and a title, separated by a tab"])
        if number == 1 and cells[0].lower() in _HEADER_NAMES:
            continue
        if cells[0] in seen:
            raise ConfigError([f"{path}, line {number}: id {cells[0]!r} occurs twice"])
        seen.add(cells[0])
        yield cells[0], cells[1]


def judgements(path: Path) -> Iterator[tuple[str, str, float]]:
    """(query, document, grade) line by line. Raises ConfigError."""
    for number, cells in _rows(path):
        if len(cells) < 3:
            cells = " ".join(cells).split()
        if len(cells) not in (3, 4):
            raise ConfigError([f"{path}, line {number}: expected query, 0, document, grade"])
        try:
            grade = float(cells[-1])
        except ValueError:
            grade = math.nan
        if not math.isfinite(grade):
            if number == 1 and cells[0].lower() in _HEADER_NAMES:
                continue
            raise ConfigError([f"{path}, line {number}: {cells[-1]!r} is no grade"])
        yield cells[0], cells[-2], grade


def _rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """(line number, stripped cells) of the lines that are not empty."""
    try:
        data = _content(path)
        lines = data.decode("utf-8-sig").splitlines()
    except (OSError, EOFError) as error:
        raise ConfigError([f"{path} cannot be read: {error}"]) from error
    except UnicodeDecodeError as error:
        raise ConfigError([f"{path} is not UTF-8: {error.reason} at byte {error.start}"]) from error
    for number, line in enumerate(lines, start=1):
        if line.strip():
            yield number, [cell.strip() for cell in line.split("\t")]


def _content(path: Path) -> bytes:
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
        data = file.read(_MAX_BYTES + 1)
    if len(data) > _MAX_BYTES:
        raise ConfigError([f"{path} is larger than {_MAX_BYTES // 1_000_000} MB"])
    return data


def evaluate(benchmark: Benchmark, similarities: Similarities) -> Scores:
    """Ranks the corpus for each judged query. Titles per second count the encoding only."""
    queries = benchmark.judged()
    started = time.perf_counter()
    blocks = similarities(queries, list(benchmark.corpus.values()))
    took_s = time.perf_counter() - started
    table = measured(blocks, benchmark.gains())
    precision, reciprocal, ndcg = table.mean(axis=0)
    return Scores(
        queries=len(queries),
        corpus=len(benchmark.corpus),
        map=round(float(precision), 4),
        map_half_width=round(float(1.96 * table[:, 0].std() / np.sqrt(len(queries))), 4),
        mrr=round(float(reciprocal), 4),
        ndcg_at_10=round(float(ndcg), 4),
        titles_per_s=round((len(queries) + len(benchmark.corpus)) / took_s, 1),
    )


def measured(blocks: Iterable[Floats], gains: Iterable[Mapping[int, float]]) -> npt.NDArray[np.float64]:
    """(queries, 3): average precision, reciprocal rank and nDCG@10 of each query. `gains`: document -> grade."""
    rows = (row for block in blocks for row in block)
    return np.array([_measured(row, relevant) for row, relevant in zip(rows, gains, strict=True)])


def _measured(similarity: Floats, gains: Mapping[int, float]) -> tuple[float, float, float]:
    """(average precision, reciprocal rank, nDCG@10) of one query; equal scores keep the corpus' order."""
    order = np.argsort(-similarity, kind="stable")
    places = np.empty(len(order), dtype=np.int64)
    places[order] = np.arange(1, len(order) + 1)
    ranks = np.sort(places[list(gains)])
    precision = float(np.mean(np.arange(1, len(ranks) + 1) / ranks))
    top = np.array([gains.get(int(document), 0.0) for document in order[:10]])
    discounts = 1.0 / np.log2(np.arange(2, 12))
    best = np.sort(list(gains.values()))[::-1][:10]
    ndcg = float(top @ discounts[: len(top)] / (best @ discounts[: len(best)]))
    return precision, float(1.0 / ranks[0]), ndcg


def cosines(encode_queries: Encode, encode_corpus: Encode) -> Similarities:
    """Cosines of unit vectors: what the vector index compares."""

    def similarities(queries: Sequence[str], corpus: Sequence[str]) -> Iterator[Floats]:
        rows, columns = encode_queries(queries), encode_corpus(corpus)
        starts = range(0, len(rows), _BLOCK_OF_QUERIES)
        return (rows[start : start + _BLOCK_OF_QUERIES] @ columns.T for start in starts)

    return similarities


def summed(one: Similarities, other: Similarities) -> Similarities:
    """Both, as standard scores within each query, one to one."""

    def similarities(queries: Sequence[str], corpus: Sequence[str]) -> Iterator[Floats]:
        blocks = zip(one(queries, corpus), other(queries, corpus), strict=True)
        return (standard(left) + standard(right) for left, right in blocks)

    return similarities


def standard(block: Floats) -> Floats:
    """Standard scores within each row."""
    deviations = np.maximum(block.std(axis=1, keepdims=True), np.float32(1e-9))
    return np.asarray((block - block.mean(axis=1, keepdims=True)) / deviations, dtype=np.float32)
