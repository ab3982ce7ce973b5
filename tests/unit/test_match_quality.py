"""Ranking measures against values worked out by hand, and the files they are read from."""

from __future__ import annotations

import gzip
import json
import math
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from lib.errors import ConfigError
from lib.match.cli import quality_app
from lib.match.quality import CASES, Benchmark, Floats, cosines, evaluate, read_benchmark, summed
from lib.match.static import StaticTable

_REAL = Path(os.environ.get("VAKANZ_REAL_DATA", Path(__file__).parents[3] / "shared" / "data")) / "matching"


def _fixed(table: list[list[float]]) -> object:
    def similarities(queries: Sequence[str], corpus: Sequence[str]) -> Iterator[Floats]:
        rows = np.array(table, dtype=np.float32)
        assert rows.shape == (len(queries), len(corpus))
        return iter((rows[:1], rows[1:]))

    return similarities


def test_measures_are_those_worked_out_by_hand() -> None:
    benchmark = Benchmark(
        {"q1": "a", "unjudged": "b", "q2": "c"},
        {"d1": "w", "d2": "x", "d3": "y", "d4": "z"},
        {"q1": {"d1": 1.0, "d3": 1.0}, "q2": {"d4": 2.0, "d1": 1.0}},
    )
    scores = evaluate(benchmark, _fixed([[0.9, 0.8, 0.7, 0.1], [0.1, 0.9, 0.2, 0.5]]))
    first = (1 / 1 + 2 / 3) / 2
    second = (1 / 2 + 2 / 4) / 2
    gain = (2 / math.log2(3) + 1 / math.log2(5)) / (2 / math.log2(2) + 1 / math.log2(3))
    other = (1 + 1 / math.log2(4)) / (1 + 1 / math.log2(3))
    assert scores.map == pytest.approx((first + second) / 2, abs=1e-4)
    assert scores.mrr == pytest.approx((1 + 0.5) / 2, abs=1e-4)
    assert scores.ndcg_at_10 == pytest.approx((gain + other) / 2, abs=1e-4)
    assert (scores.queries, scores.corpus) == (2, 4)


def test_equal_similarities_keep_the_corpus_order() -> None:
    benchmark = Benchmark({"q": "a"}, {"d1": "x", "d2": "y"}, {"q": {"d2": 1.0}})
    assert evaluate(benchmark, _fixed([[0.5, 0.5]])).mrr == 0.5


def test_the_sum_of_two_rankings_is_of_standard_scores() -> None:
    both = summed(_fixed([[1.0, 0.0, 0.0]]), _fixed([[0.0, 500.0, 100.0]]))
    (row,) = (row for block in both(["q"], ["a", "b", "c"]) for row in block)
    assert row.sum() == pytest.approx(0.0, abs=1e-5)
    assert row.argmax() == 1
    assert row[0] > row[2] - 2


@pytest.mark.parametrize("header", [True, False])
@pytest.mark.parametrize("packed", [True, False])
def test_both_known_file_forms_are_read(tmp_path: Path, header: bool, packed: bool) -> None:
    queries, corpus, qrels = tmp_path / "q.tsv", tmp_path / "c.tsv", tmp_path / "r.tsv"
    queries.write_text(("q_id\tjobtitle\n" if header else "") + "1\tKoch\r\n2\tBäcker\n\n", "utf-8")
    text = ("c_id\tjobtitle\n" if header else "") + "1\tKöchin\n2\tDreher\n"
    if packed:
        corpus = tmp_path / "c.tsv.gz"
        corpus.write_bytes(gzip.compress(text.encode()))
    else:
        corpus.write_text("\ufeff" + text, "utf-8")
    qrels.write_text("1\t0\t1\t1\n1 0 2 0\n9\t0\t1\t1\n", "utf-8")
    benchmark = read_benchmark(queries, corpus, qrels)
    assert benchmark == Benchmark({"1": "Koch", "2": "Bäcker"}, {"1": "Köchin", "2": "Dreher"}, {"1": {"1": 1.0}})


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("q.tsv", b"1 Koch\n", "line 1"),
        ("q.tsv", b"1\tKoch\n1\tKoch\n", "twice"),
        ("c.tsv", b"\xff\xfe\x00", "UTF-8"),
        ("c.tsv.gz", b"not gzip", "cannot be read"),
        ("r.tsv", b"1\t0\t1\t1\n1\t0\t1\tmany\n", "no grade"),
        ("r.tsv", b"1\n", "line 1"),
        ("r.tsv", b"", "judges no document"),
        ("r.tsv", b"7\t0\t8\t1\n", "judges no document"),
    ],
)
def test_a_malformed_file_is_one_clear_line(tmp_path: Path, file: str, content: bytes, message: str) -> None:
    files = {"q.tsv": b"1\tKoch\n", "c.tsv": b"1\tKoch\n", "r.tsv": b"1\t0\t1\t1\n"}
    kind = file.split(".")[0]
    for name, good in files.items():
        (tmp_path / name).write_bytes(good)
    (tmp_path / file).write_bytes(content)
    paths = [tmp_path / (file if name.startswith(kind) else name) for name in files]
    with pytest.raises(ConfigError, match=message):
        read_benchmark(*paths)
    options = zip(("--queries", "--corpus", "--qrels"), map(str, paths), strict=True)
    result = CliRunner().invoke(quality_app, ["titles", *(part for option in options for part in option)])
    assert result.exit_code == 1
    assert result.stderr.count("\n") == 1
    assert message in result.stderr


def test_the_command_prints_one_json_line(tmp_path: Path) -> None:
    for name, text in {"q": "1\tKoch (m/w/d)\n", "c": "1\tKöchin\n2\tDachdecker\n", "r": "1\t0\t1\t1\n"}.items():
        (tmp_path / name).write_text(text, "utf-8")
    arguments = ["titles", "--queries", f"{tmp_path}/q", "--corpus", f"{tmp_path}/c", "--qrels", f"{tmp_path}/r"]
    result = CliRunner().invoke(quality_app, arguments)
    assert result.exit_code == 0
    assert json.loads(result.stdout)["map"] == 1.0


@pytest.mark.parametrize(("case", "floor"), [(CASES[0], 0.36), (CASES[1], 0.53)], ids=["german", "english"])
def test_the_first_stage_reaches_its_target(case: object, floor: float) -> None:
    if not (_REAL / case.queries).exists():
        pytest.skip(f"real benchmark data is not at {_REAL}")
    table = StaticTable.load()
    assert evaluate(case.read(_REAL), cosines(table.encode, table.encode)).map >= floor
