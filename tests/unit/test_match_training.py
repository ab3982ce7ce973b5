"""Training of the title table: its gradient, its pairs, what it must not see."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path

import numpy as np
import pytest

from lib.errors import ConfigError
from lib.match.static import Tokens, means
from lib.match.training.pairs import PairSampler
from lib.match.training.recipe import train
from lib.match.training.table import LazyAdam, loss_and_gradients, thinned, token_gradients
from lib.match.training.taxonomies import Exclusions, Taxonomies, read_exclusions, read_taxonomies
from lib.match.weights import builtin_weights

_ESCO = "conceptUri,iscoGroup,preferredLabel,altLabels,description\n"
_SHEET = (
    '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>{}</sheetData></worksheet>'
)
_STRINGS = '<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">{}</sst>'


@pytest.fixture
def folders(tmp_path: Path) -> dict[str, Path]:
    """A tiny ESCO (two languages), O*NET and KldB."""
    names = ("de", "en", "onet")
    paths = {name: tmp_path / name for name in names}
    for path in paths.values():
        path.mkdir()
    (paths["de"] / "occupations_de.csv").write_text(
        _ESCO
        + 'urn:cook,5120,Koch/Köchin,"Küchenkraft\nBeikoch",Köche kochen.\n'
        + 'urn:baker,7512,Bäcker/Bäckerin,"Konditor\nBrotbäcker",Bäcker backen.\n'
        + "urn:kept,2512,Softwareentwickler,Programmierer,Sie programmieren.\n",
        "utf-8",
    )
    (paths["en"] / "occupations_en.csv").write_text(
        _ESCO
        + 'urn:cook,5120,cook,"kitchen cook\nline cook",Cooks cook.\nurn:baker,7512,baker,bread baker,Bakers bake.\n',
        "utf-8",
    )
    (paths["onet"] / "Occupation_Data.txt").write_text("O*NET-SOC Code\tTitle\tDescription\n35-2014.00\tCooks\tx\n")
    (paths["onet"] / "Alternate_Titles.txt").write_text("O*NET-SOC Code\tAlternate Title\n35-2014.00\tBanquet Cook\n")
    (paths["onet"] / "Sample_of_Reported_Titles.txt").write_text(
        "O*NET-SOC Code\tReported Job Title\n35-2014.00\tChef\n"
    )
    strings = ["B 29301-100", "Koch", "Köchin", "B 29301-101", "Imbisskoch", "Imbissköchin"]
    cells = "".join(
        f'<c r="{column}{row}" t="s"><v>{3 * row + place}</v></c>'
        for row in (0, 1)
        for place, column in enumerate("BEF")
    )
    rows = "".join(f"<row>{part}</row>" for part in (cells[: len(cells) // 2], cells[len(cells) // 2 :]))
    paths["kldb"] = tmp_path / "berufe.xlsx"
    with zipfile.ZipFile(paths["kldb"], "w") as book:
        book.writestr("xl/sharedStrings.xml", _STRINGS.format("".join(f"<si><t>{text}</t></si>" for text in strings)))
        book.writestr("xl/worksheets/sheet1.xml", _SHEET.format(rows))
    return paths


def _read(folders: dict[str, Path], without: Exclusions) -> Taxonomies:
    return read_taxonomies([folders["de"], folders["en"]], folders["onet"], folders["kldb"], without)


def test_names_are_read_by_occupation(folders: dict[str, Path]) -> None:
    taxonomies = _read(folders, Exclusions())
    assert taxonomies.esco["urn:cook"].names["de"] == ["Koch", "Köchin", "Küchenkraft", "Beikoch"]
    assert taxonomies.esco["urn:cook"].names["en"] == ["cook", "kitchen cook", "line cook"]
    assert taxonomies.onet == {"35-2014.00": ["Cooks", "Banquet Cook", "Chef"]}
    assert taxonomies.kldb == {"29301": [("Koch", "Köchin"), ("Imbisskoch", "Imbissköchin")]}


def test_what_is_kept_for_measuring_is_never_read(folders: dict[str, Path], tmp_path: Path) -> None:
    concepts, titles = tmp_path / "concepts.txt", tmp_path / "titles.sha256"
    concepts.write_text("urn:kept\n")
    titles.write_text(
        "".join(hashlib.sha256(t.encode()).hexdigest() + "\n" for t in ("küchenkraft", "chef", "imbissköchin"))
    )
    taxonomies = _read(folders, read_exclusions(concepts, titles))
    assert "urn:kept" not in taxonomies.esco
    assert not {"Küchenkraft", "Chef", "Imbissköchin", "Softwareentwickler"} & set(taxonomies.names())
    assert "Koch" in taxonomies.names()


@pytest.mark.parametrize("broken", ["folder", "column", "workbook"])
def test_a_broken_taxonomy_is_a_clear_error(folders: dict[str, Path], broken: str) -> None:
    match broken:
        case "folder":
            (folders["onet"] / "Alternate_Titles.txt").unlink()
        case "column":
            (folders["de"] / "occupations_de.csv").write_text("a,b\n1,2\n")
        case _:
            folders["kldb"].write_bytes(b"PK not a zip")
    with pytest.raises(ConfigError):
        _read(folders, Exclusions())


def test_pairs_share_an_occupation_and_negatives_do_not(folders: dict[str, Path]) -> None:
    taxonomies = _read(folders, Exclusions())
    names = taxonomies.names()
    sampler = PairSampler(taxonomies, {name: place for place, name in enumerate(names)})
    batch = sampler.draw(200, np.random.default_rng(5))
    cooks = {
        name for name in names if "ook" in name.lower() or "och" in name or name in ("Köchin", "Chef", "Küchenkraft")
    }
    cooks.add("Imbissköchin")
    for left, right in zip(batch.left, batch.right, strict=True):
        assert left != right
        assert (names[left] in cooks) == (names[right] in cooks)
    assert batch.allowed.diagonal().all()
    equal = batch.right[:, None] == batch.right[None, :]
    np.fill_diagonal(equal, False)
    assert not batch.allowed[equal].any()


def test_the_gradient_is_that_of_the_loss() -> None:
    rng = np.random.default_rng(1)
    table = rng.normal(size=(9, 4))
    tokens = Tokens(np.array([0, 1, 2, 2, 3, 4, 5, 6, 7, 8, 1]), np.array([0, 2, 3, 5, 7, 9, 11]))
    allowed = np.ones((3, 3), dtype=bool)
    allowed[0, 2] = False

    def loss(values: np.ndarray) -> float:
        vectors = means(values[tokens.ids], tokens).astype(np.float64)
        return loss_and_gradients(vectors[:3], vectors[3:], allowed, 5.0)[0]

    vectors = means(table[tokens.ids], tokens)
    _, left, right = loss_and_gradients(vectors[:3], vectors[3:], allowed, 5.0)
    rows, gradients = token_gradients(tokens, np.concatenate((left, right)))
    assert rows.tolist() == list(range(9))
    for row in range(9):
        for column in range(4):
            step = np.zeros_like(table)
            step[row, column] = 1e-2
            slope = (loss(table + step) - loss(table - step)) / 2e-2
            assert gradients[row, column] == pytest.approx(slope, abs=2e-3)


def test_adam_moves_only_touched_rows_and_reaches_the_minimum() -> None:
    table = np.ones((3, 2), dtype=np.float32)
    adam = LazyAdam(table)
    for _ in range(300):
        adam.step(np.array([1]), 2 * table[[1]], 0.05)
    assert np.abs(table[1]).max() < 0.05
    assert (table[[0, 2]] == 1).all()


def test_thinning_keeps_a_token_of_every_title() -> None:
    tokens = Tokens(np.arange(60), np.arange(0, 61, 3))
    kept = thinned(tokens, 0.95, np.random.default_rng(0))
    assert (np.diff(kept.starts) >= 1).all()
    assert len(kept.ids) < 30
    owners = np.repeat(np.arange(20), np.diff(kept.starts))
    assert (kept.ids // 3 == owners).all()


def test_training_learns_and_repeats_itself(folders: dict[str, Path]) -> None:
    taxonomies, weights = _read(folders, Exclusions()), builtin_weights()
    losses: list[float] = []
    first = train(taxonomies, weights, 7, losses.append, steps=25)
    again = train(taxonomies, weights, 7, lambda _: None, steps=25)
    assert np.mean(losses[-5:]) < 0.8 * np.mean(losses[:5])
    assert np.array_equal(first.rows, again.rows)
    cook, kitchen, baker = first.encode(["Koch", "kitchen cook", "bread baker"])
    assert cook @ kitchen > cook @ baker
