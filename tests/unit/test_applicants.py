"""Résumés against advertisements through the score's own path, on a set of invented lines."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from lib.errors import ConfigError
from lib.match.applicants import WAYS, Encoded, both_ways, fitness, read_applicants, scores
from lib.match.cli import quality_app
from lib.match.encoder import load_title_encoder
from lib.match.quality import Floats
from lib.match.rank import WEIGHTS
from lib.match.tuning import tuned

JOBS = {
    "j1": "Softwareentwickler Java\nWir arbeiten mit Java, Docker und SQL in einem Team.",
    "j2": "Koch\nSie kochen für unsere Gäste im Restaurant und leiten die Küche.",
}
RESUMES = {
    "r1": "Koch\nIch habe in Restaurants gekocht und die Küche geleitet.",
    "r2": "Softwareentwickler\nJava, Docker, SQL und Linux seit sechs Jahren.",
    "r3": "Java-Entwicklerin\nErfahrung mit Java und SQL in Banken.",
    "r4": "Maurer\nRohbau und Sanierung von Altbauten.",
}
FITTING = {"j1": ["r2", "r3"], "j2": ["r1"]}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    home = tmp_path / "talentclef2026_ro"
    home.mkdir()
    for name, texts in {"queries_jobs.shared": JOBS, "corpus_resumes": RESUMES}.items():
        lines = "".join(json.dumps({"id": key, "text": text}) + "\n" for key, text in texts.items())
        (home / f"{name}.jsonl.gz").write_bytes(gzip.compress(lines.encode()))
    pairs = "".join(f"{job}\t0\t{resume}\t1\n" for job, fitting in FITTING.items() for resume in fitting)
    (home / "qrels.shared.tsv").write_text(pairs, "utf-8")
    return tmp_path


class Cooks:
    """A text model that tells cooks from programmers."""

    def encode_queries(self, texts: Sequence[str]) -> Floats:
        return np.array([[float("Küche" in text), float("Java" in text)] for text in texts], dtype=np.float32)

    encode_passages = encode_queries


def test_the_score_finds_those_that_fit(folder: Path) -> None:
    benchmark = read_applicants(folder / "talentclef2026_ro")
    assert list(benchmark.queries) == ["j1", "j2"]
    encoded = Encoded(benchmark, load_title_encoder(), Cooks())
    for name, way in WAYS.items():
        found = fitness(way(encoded), benchmark)
        assert found.ndcg_at_10 > 0.9, name
        assert found.right_job == 1.0, name
    first = scores(encoded.first_stage)
    assert first.shape == (2, 4)
    assert [one.score for one in encoded.first_stage[1]] == pytest.approx(sorted(first[:, 1], reverse=True), abs=0.05)


def test_weights_are_moved_one_at_a_time(folder: Path) -> None:
    benchmark = read_applicants(folder / "talentclef2026_ro")
    encoded = Encoded(benchmark, load_title_encoder(), Cooks())
    moved = tuned(encoded.second_stage, benchmark)
    assert "title x 0.5" in moved
    assert "skills x 2" in moved
    assert not any(name.startswith(("place", "salary")) for name in moved)  # nothing in the set says anything of them
    assert all(cell.difference == 0 for cell in moved["as they are"].values())
    only_title = scores(encoded.first_stage, dict.fromkeys(WEIGHTS, 0.0) | {"title": 1.0})
    assert only_title.max() <= 100.01


def test_both_directions_are_measured() -> None:
    from lib.match.quality import Benchmark

    benchmark = Benchmark({"j1": "", "j2": ""}, {"r1": "", "r2": "", "r3": ""}, {"j1": {"r2": 1.0}, "j2": {"r1": 1.0}})
    similarities = np.array([[0.9, 0.8, 0.1], [0.1, 0.7, 0.0]], dtype=np.float32)
    for_jobs, for_resumes = both_ways(similarities, benchmark)
    assert for_jobs[:, 1].tolist() == [0.5, 0.5]
    assert for_resumes[:, 1].tolist() == [1.0, 0.5]


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("corpus_resumes.jsonl.gz", b"not gzip", "cannot be read"),
        ("corpus_resumes.jsonl.gz", gzip.compress(b'{"id": 1}\n', mtime=0), "cannot be read"),
        ("qrels.shared.tsv", b"j1\t0\tr9\t1\n", "no résumé"),
    ],
)
def test_a_malformed_set_is_one_clear_line(folder: Path, file: str, content: bytes, message: str) -> None:
    (folder / "talentclef2026_ro" / file).write_bytes(content)
    with pytest.raises(ConfigError, match=message):
        read_applicants(folder / "talentclef2026_ro")


def test_the_command_prints_two_tables_and_json(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lib.match.encoder.load_text_encoder", lambda *_: Cooks())
    result = CliRunner().invoke(quality_app, ["resumes", str(folder)])
    assert result.exit_code == 0
    printed = json.loads(result.stdout.splitlines()[-1])
    assert set(printed["ways"]) == set(WAYS)
    assert "title x 2" in printed["weights"]
