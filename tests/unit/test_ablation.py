"""Differences between ways of comparing titles: which of them mean something, and that every way runs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from lib.match.ablation import ROWS, Column, TextModel, ablate, advertised, columns, compared
from lib.match.cli import quality_app
from lib.match.quality import Benchmark, Floats
from lib.match.static import StaticTable

SMALL = Benchmark(
    {"1": "Koch", "2": "Softwareentwickler", "3": "Lagerleiter"},
    {"a": "Köchin", "b": "Java Developer", "c": "Leiter Lager", "d": "Zahnarzt", "e": "Küchenchef", "f": "Maurer"},
    {"1": {"a": 1.0, "e": 1.0}, "2": {"b": 1.0}, "3": {"c": 1.0}},
)


class Lengths:
    """A text model that knows how long texts are, and how often it was asked for a corpus."""

    def __init__(self) -> None:
        self.passages = 0

    def encode_queries(self, texts: Sequence[str]) -> Floats:
        angles = np.array([len(text) for text in texts], dtype=np.float32)
        return np.stack([np.cos(angles), np.sin(angles)], axis=1)

    def encode_passages(self, texts: Sequence[str]) -> Floats:
        self.passages += 1
        return self.encode_queries(texts)


def test_a_difference_matters_where_nearly_all_queries_agree() -> None:
    first = np.linspace(0.1, 0.9, 40)
    better = compared(first + 0.05, first)
    assert better.difference == better.low == better.high == better.even == better.odd == 0.05
    assert better.matters
    assert not compared(first, first).matters


def test_a_difference_of_one_query_does_not_matter() -> None:
    first = np.full(40, 0.5)
    lucky = first.copy()
    lucky[0] = 1.0
    cell = compared(lucky, first)
    assert cell.low == 0.0
    assert not cell.matters


def test_halves_that_disagree_make_a_difference_doubtful() -> None:
    first = np.zeros(200)
    one_half = np.where(np.arange(200) % 2 == 0, 0.5, -0.05)
    cell = compared(one_half, first)
    assert cell.low > 0
    assert (cell.even, cell.odd) == (0.5, -0.05)
    assert not cell.matters


def test_every_way_is_measured_and_a_corpus_is_encoded_once() -> None:
    text = Lengths()
    benchmarks = [Column("plain", SMALL, 0), Column("again", SMALL, 1)]
    cells = {(row, column): cell for row, column, cell in ablate(benchmarks, StaticTable.load(), text)}
    assert len(cells) == len(ROWS) * 2
    assert text.passages == 1
    assert cells["static table, names of jobs", "again"].mean == 1.0
    assert cells["words (BM25)", "plain"].mean < cells["words, compounds split", "plain"].mean
    assert all(0 <= cell.mean <= 1 for cell in cells.values())


@pytest.mark.parametrize("language", ["German", "English"])
def test_names_of_jobs_withstand_advertising_better_than_titles(language: str) -> None:
    corpus = {str(place): title for place, title in enumerate(["Koch", "Maurer", "Zahnarzt", "Fahrer", "Nurse"] * 2)}
    dressed = advertised(Benchmark({}, corpus, {}), language)
    assert all(title != corpus[key] for key, title in dressed.corpus.items())
    ground = StaticTable.load()
    plain = ground.encode(list(corpus.values()))
    named, as_they_stand = (
        ground.encode(list(dressed.corpus.values())),
        ground.encode_names(list(dressed.corpus.values())),
    )
    assert (plain * named).sum(axis=1).mean() > (plain * as_they_stand).sum(axis=1).mean() + 0.1


def _write(folder: Path, queries: str, judgements: str) -> None:
    folder.mkdir(parents=True)
    lines = {
        queries: "".join(f"{key}\t{title}\n" for key, title in SMALL.queries.items()),
        "corpus_elements.tsv": "".join(f"{key}\t{title}\n" for key, title in SMALL.corpus.items()),
        judgements: "".join(f"{key}\t0\t{other}\t1\n" for key, found in SMALL.relevant.items() for other in found),
    }
    for name, text in lines.items():
        (folder / name).write_text(text, "utf-8")


def test_the_command_prints_a_table_and_json(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for language in ("german", "english"):
        _write(tmp_path / "talentclef2025" / language, "queries.shared.tsv", "qrels.shared.tsv")
    _write(tmp_path / "melo" / "deu_q_de_c_de", "queries.tsv", "annotations.tsv")
    assert [len(column.benchmark.judged()) for column in columns(tmp_path)] == [3, 3, 1, 3, 3]
    monkeypatch.setattr("lib.match.encoder.load_text_encoder", lambda *_: Lengths())
    result = CliRunner().invoke(quality_app, ["ablate", str(tmp_path)])
    assert result.exit_code == 0
    *table, line = result.stdout.splitlines()
    assert set(json.loads(line)) == set(ROWS)
    assert any("feedback" in row for row in table)


def test_a_folder_without_benchmarks_is_one_clear_line(tmp_path: Path) -> None:
    result = CliRunner().invoke(quality_app, ["ablate", str(tmp_path)])
    assert result.exit_code == 1
    assert "cannot be read" in result.stderr


def test_the_text_model_remembers_a_corpus() -> None:
    encoder = Lengths()
    model = TextModel(encoder)
    assert np.array_equal(model.corpus(["a", "bb"]), model.corpus(["a", "bb"]))
    model.corpus(["a"])
    assert encoder.passages == 2
