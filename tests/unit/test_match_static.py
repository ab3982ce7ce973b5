"""The shipped title table: shape, meaning, hostile titles."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.errors import ConfigError
from lib.match.encoder import load_title_encoder
from lib.match.static import MODEL_DIR, StaticTable

_TABLE = StaticTable.load()


def _likeness(one: str, other: str) -> float:
    left, right = _TABLE.encode([one, other])
    return float(left @ right)


def test_vectors_are_unit_float32_of_256_dimensions() -> None:
    vectors = load_title_encoder().encode(["Koch (m/w/d)", "Data Engineer", "Pflegefachkraft"])
    assert vectors.shape == (3, 256)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-5)


@pytest.mark.parametrize(
    ("title", "same_job", "another_job"),
    [
        ("Krankenschwester", "Gesundheits- und Krankenpfleger (m/w/d)", "Softwareentwickler"),
        ("Softwareentwickler", "software developer", "Dachdecker"),
        ("LKW-Fahrer", "truck driver", "Steuerberater"),
        ("Köchin", "Koch", "Friseur"),
        ("accountant", "Buchhalter", "nurse"),
    ],
)
def test_the_same_job_is_nearer_also_across_languages(title: str, same_job: str, another_job: str) -> None:
    assert _likeness(title, same_job) > _likeness(title, another_job) + 0.2


def test_titles_are_cleaned_before_they_are_compared() -> None:
    assert _likeness("Verkäufer/in (m/w/d)", "Verkäufer") == pytest.approx(1.0, abs=1e-6)


def test_a_vector_does_not_depend_on_its_neighbours() -> None:
    titles = ["Koch", "", "(m/w/d)", "Elektroniker für Betriebstechnik"] * 700
    together = _TABLE.encode(titles)
    alone = np.concatenate([_TABLE.encode([title]) for title in titles[:4]])
    assert np.allclose(together[:4], alone, atol=1e-6)
    assert np.allclose(together[-4:], alone, atol=1e-6)


def test_a_title_that_names_nothing_is_zero() -> None:
    assert not _TABLE.encode(["", "(m/w/d)", "\x00\n"]).any()
    assert _TABLE.encode([]).shape == (0, 256)


@given(st.text(alphabet=st.characters(exclude_categories=()), max_size=60))
def test_any_string_gives_a_finite_vector(title: str) -> None:
    (vector,) = _TABLE.encode([title])
    assert np.isfinite(vector).all()
    assert np.linalg.norm(vector) == pytest.approx(1.0, abs=1e-4) or not vector.any()


def test_the_model_fits_its_budget() -> None:
    assert sum(path.stat().st_size for path in MODEL_DIR.iterdir()) <= 10_000_000


def test_saved_and_loaded_again_it_is_the_same(tmp_path: Path) -> None:
    _TABLE.save(tmp_path, "copy")
    titles = ["Koch", "Data Engineer"]
    assert np.array_equal(StaticTable.load(tmp_path).encode(titles), _TABLE.encode(titles))


@pytest.mark.parametrize("damage", ["missing", "cut", "short", "no json"])
def test_a_damaged_model_is_a_clear_error(tmp_path: Path, damage: str) -> None:
    folder = tmp_path / "model"
    shutil.copytree(MODEL_DIR, folder)
    match damage:
        case "missing":
            (folder / "rows.npy").unlink()
        case "cut":
            (folder / "rows.npy").write_bytes((MODEL_DIR / "rows.npy").read_bytes()[:5000])
        case "short":
            np.save(folder / "rows.npy", np.load(MODEL_DIR / "rows.npy")[:-1])
        case _:
            (folder / "tokenizer-0.json").write_text("{", "utf-8")
    with pytest.raises(ConfigError, match="title model"):
        StaticTable.load(folder)


def test_importing_the_encoder_module_is_cheap() -> None:
    code = "import sys, lib.match.encoder; print({'numpy', 'openvino', 'tokenizers'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "set()"
