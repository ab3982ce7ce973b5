"""The taxonomies' published files become one corpus, and the commands that do it."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lib.errors import ConfigError
from lib.match.training.taxonomies import Exclusions, title_digest
from lib.people.occupation.cli import occupations_app
from lib.people.occupation.corpus import Corpus, Labelled, Occupation
from lib.people.occupation.files import CARD, CORPUS, MODEL
from lib.people.occupation.importing import read_folder
from lib.people.occupation.model import Model

_ESCO = "conceptUri,iscoGroup,preferredLabel,altLabels,description\n"
_REAL = Path(os.environ.get("VAKANZ_REAL_DATA", Path(__file__).parents[3] / "shared" / "data")) / "taxonomies"


def _workbook(path: Path, rows: list[tuple[str, str, str]]) -> None:
    """A sheet with a code, a masculine and a feminine name in columns B, E and F."""
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    strings = [text for row in rows for text in row]
    cells = [
        "".join(f'<c r="{column}{at}" t="s"><v>{3 * at + place}</v></c>' for place, column in enumerate("BEF"))
        for at in range(len(rows))
    ]
    with zipfile.ZipFile(path, "w") as book:
        shared = "".join(f"<si><t>{text}</t></si>" for text in strings)
        book.writestr("xl/sharedStrings.xml", f'<sst xmlns="{main}">{shared}</sst>')
        data = "".join(f"<row>{row}</row>" for row in cells)
        book.writestr(
            "xl/worksheets/sheet1.xml", f'<worksheet xmlns="{main}"><sheetData>{data}</sheetData></worksheet>'
        )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """All five taxonomies, as they are published, with two occupations each."""
    for name in ("esco_de", "esco_en", "onet", "ba", "auxco"):
        (tmp_path / name).mkdir()
    (tmp_path / "esco_de" / "occupations_de.csv").write_text(
        _ESCO + 'urn:cook,5120,Koch/Köchin,"Küchenkraft\nBeikoch",Köche kochen.\n'
        'urn:driver,8332,Fahrer/Fahrerin,"Busfahrer\nLkw-Fahrer",Fahrer fahren.\n',
        "utf-8",
    )
    (tmp_path / "esco_en" / "occupations_en.csv").write_text(
        _ESCO
        + 'urn:cook,5120,cook,"kitchen cook\nline cook",Cooks cook.\nurn:driver,8332,driver,bus driver,They drive.\n',
        "utf-8",
    )
    (tmp_path / "onet" / "Occupation_Data.txt").write_text(
        "O*NET-SOC Code\tTitle\tDescription\n35-2014.00\tCooks\tPrepare food.\n53-3032.00\tDrivers\tDrive them.\n"
    )
    (tmp_path / "onet" / "Alternate_Titles.txt").write_text(
        "O*NET-SOC Code\tAlternate Title\n35-2014.00\tLine Cook\n35-2014.00\tKitchen Cook\n53-3032.00\tDriver\n"
    )
    (tmp_path / "onet" / "Sample_of_Reported_Titles.txt").write_text(
        "O*NET-SOC Code\tReported Job Title\n35-2014.00\tGrill Cook\n"
    )
    _workbook(
        tmp_path / "ba" / "Gesamtberufsliste.xlsx",
        [
            ("B 29302-100", "Koch", "Köchin"),
            ("B 29302-101", "Beikoch", "Beiköchin"),
            ("B 52122-100", "Fahrer", "Fahrerin"),
        ],
    )
    with (tmp_path / "ba" / "vam_beruf_kurz.csv").open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, quoting=csv.QUOTE_ALL)
        for code, name in (
            ("B 29302-102", "Hotelkoch/Hotelköchin"),
            ("B 29302-100", "Koch/Köchin"),
            ("B 41104-900", "Bachelor of Science - Mathematik"),
        ):
            rows.writerow(["1", code, "t", "1", "2", "0", "2", "E", "0", name, name, name.upper()])
    (tmp_path / "auxco" / "auxco_categories.csv").write_text(
        "auxco_id,title,task,task_description,default_kldb_id,default_isco_id\n"
        "1,Koch/Köchin,Speisen zubereiten,z.B. kochen,29302,5120\n2,Hilfskraft,Helfen,z.B. helfen,-0030,-030\n",
        "utf-8",
    )
    return tmp_path


def test_names_carry_the_codes_that_somebody_states(folder: Path) -> None:
    corpus = read_folder(folder, Exclusions())
    assert Labelled("Küchenkraft", "esco_de", "5120", "29302", "35-2014.00") in corpus.names
    assert Labelled("Köchin", "kldb", "5120", "29302") in corpus.names  # AuxCo puts all cooks into 5120
    assert Labelled("Fahrerin", "kldb", None, "52122") in corpus.names  # and says nothing of drivers
    assert Labelled("Hotelkoch", "kldb", "5120", "29302") in corpus.names
    assert Labelled("Grill Cook", "onet", None, None, "35-2014.00") in corpus.names
    assert not [name for name in corpus.names if "Bachelor" in name.text]


def test_an_occupation_gets_codes_that_two_of_its_names_agree_on(folder: Path) -> None:
    corpus = read_folder(folder, Exclusions())
    assert Occupation("Koch", "cook", "5120", "29302", "35-2014.00") in corpus.occupations
    assert Occupation("Fahrer", "driver", "8332", "52122", None) in corpus.occupations  # one English name is not enough


def test_descriptions_and_codes_without_a_form_are_told_apart(folder: Path) -> None:
    texts = {text.text: text for text in read_folder(folder, Exclusions()).texts}
    assert texts["Cooks cook."].isco == "5120"
    assert texts["Drive them."].soc == "53-3032.00"
    assert texts["Koch/Köchin\nSpeisen zubereiten\nz.B. kochen"].kldb == "29302"
    assert texts["Hilfskraft\nHelfen\nz.B. helfen"].isco is None


def test_what_is_excluded_is_never_read(folder: Path) -> None:
    corpus = read_folder(folder, Exclusions(frozenset({"urn:driver"}), frozenset({title_digest("Beikoch")})))
    assert {one.de for one in corpus.occupations} == {"Koch"}
    assert "Beikoch" not in {name.text for name in corpus.names}


@pytest.mark.parametrize(
    ("pattern", "told"),
    [
        ("occupations_*", "ESCO"),
        ("Occupation_Data.txt", "O\\*NET"),
        ("*.xlsx", "BA"),
        ("auxco_categories.csv", "AuxCo"),
    ],
)
def test_a_missing_taxonomy_is_named(folder: Path, pattern: str, told: str) -> None:
    for path in folder.rglob(pattern):
        path.unlink()
    with pytest.raises(ConfigError, match=told):
        read_folder(folder, Exclusions())


def test_rows_of_another_format_are_refused(folder: Path) -> None:
    (folder / "ba" / "vam_beruf_kurz.csv").write_text('"a","b"\n')
    with pytest.raises(ConfigError, match="no occupations of the BA"):
        read_folder(folder, Exclusions())


def test_import_and_train_by_command(folder: Path, tmp_path: Path) -> None:
    pytest.importorskip("sklearn", reason="training needs the extra `train`")
    home, call = tmp_path / "home", CliRunner().invoke
    imported = call(occupations_app, ["import", str(folder), "--home", str(home)], catch_exceptions=False)
    assert imported.exit_code == 0, imported.output
    assert Corpus.load(home / "models" / CORPUS) == read_folder(folder, Exclusions())
    trained = call(occupations_app, ["train", "--home", str(home)], catch_exceptions=False)
    assert trained.exit_code == 0, trained.output
    assert "29302" in Model.load(home / "models" / MODEL).heads["kldb"].codes
    card = (home / "models" / CARD).read_text("utf-8")
    assert "| isco | 2 | 2 |" in card
    assert "CC BY 4.0" in card


def test_measuring_prints_a_table_and_lines_for_programs(folder: Path) -> None:
    pytest.importorskip("sklearn", reason="training needs the extra `train`")
    with (folder / "onet" / "Alternate_Titles.txt").open("a") as file:
        file.writelines(f"35-2014.00\tCook number {n}x\n53-3032.00\tDriver number {n}y\n" for n in range(40))
    told = CliRunner().invoke(occupations_app, ["measure", str(folder), "--json"], catch_exceptions=False)
    assert told.exit_code == 0, told.output
    assert '"classification":"soc"' in told.output


def test_asking_needs_no_training_library() -> None:
    """What the service imports is numpy alone, whatever is installed beside it."""
    code = (
        "import sys, lib.people.hermes, lib.people.occupation.model, lib.people.occupation.seed\n"
        "print(sorted({'sklearn', 'scipy'} & sys.modules.keys()))"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert told.stdout.strip() == "[]"


@pytest.mark.skipif(not _REAL.is_dir(), reason=f"{_REAL} holds no real taxonomies (VAKANZ_REAL_DATA)")
def test_the_real_files_are_read() -> None:
    corpus = read_folder(_REAL, Exclusions())
    counts = corpus.counts()
    least = {"esco_de": 10_000, "esco_en": 30_000, "onet": 50_000, "kldb": 40_000}
    assert all(counts[source] > names for source, names in least.items())
    assert sum(one.kldb is not None for one in corpus.occupations) > 500
    assert sum(one.soc is not None for one in corpus.occupations) > 500
