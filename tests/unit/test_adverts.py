"""Title, employer and places of adverts: invented lines, and real documents against a reviewed table."""

from __future__ import annotations

import json
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.text.adverts import Advert, read_advert
from lib.text.documents import Document, Line, read_document
from lib.text.employers import employer
from lib.text.gazetteer import fold, load_gazetteer
from lib.text.titles import clean_title

REAL = Path(os.environ.get("VAKANZ_REAL_DATA", Path(__file__).parents[2].parent / "shared" / "data"))
PDFS = REAL / "pages" / "german_pdf"
REVIEWED: dict[str, dict[str, Any]] = json.loads((Path(__file__).parents[1] / "real" / "pdf.json").read_bytes())
BODY = ["Wir bieten Ihnen ein angenehmes Umfeld.", "Sie haben eine abgeschlossene Ausbildung.", "Wir freuen uns."] * 3


def advert(*large: str, body: list[str] = BODY, title: str | None = None, author: str | None = None) -> Advert:
    lines = [Line(text, 20.0) for text in large] + [Line(text, 10.0) for text in body]
    document = Document("\n".join(line.text for line in lines), 1, title, author, False, tuple(lines))
    return read_advert(document, load_gazetteer())


@pytest.mark.parametrize(
    ("large", "title"),
    [
        (["Koch (m/w/d)"], "Koch (m/w/d)"),
        (["Werde Teil unseres Teams!", "Elektroniker für Betriebstechnik"], "Elektroniker für Betriebstechnik"),
        (["Stellenausschreibung", "Sachbearbeiterin im Bauamt"], "Sachbearbeiterin im Bauamt"),
        (["Stellenangebot: Pflegefachkraft (w/m/d)"], "Pflegefachkraft (w/m/d)"),
        (["Mitarbeiter (m/w/d) Kennziffer 2024/17"], "Mitarbeiter (m/w/d)"),
        (["Techniker für Anlagen (”’/W"], "Techniker für Anlagen"),
        (["Komm zu uns!"], None),
        (["STELLENAUSSCHREIBUNG"], None),
        (["Zwanzig Jahre Erfahrung"], None),
        (["m/w/d"], None),
        ([], None),
    ],
)
def test_titles(large: list[str], title: str | None) -> None:
    assert advert(*large).title == title


@pytest.mark.parametrize(
    ("lines", "company"),
    [
        (["Die Muster Bau GmbH & Co. KG sucht Verstärkung."], "Muster Bau GmbH & Co. KG"),
        (["Bei unserem Kunden Schraub AG.", "Wir: Personal Nord GmbH", "jobs@personal-nord.de"], "Personal Nord GmbH"),
        (["Im Haus des Kunden Schraub AG", "Wir: Personal Nord GmbH"], "Personal Nord GmbH"),
        (["Anton AG", "Berta AG"], None),
        (["Anton AG", "Berta AG", "Bewerbung an jobs@berta.de"], "Berta AG"),
        (["An der Technischen Universität Dresden ist eine Stelle frei."], "Technischen Universität Dresden"),
        (["Volksbank Mitte eG IBAN DE00", "Spenden willkommen"], None),
        (["Ein Studium an einer Hochschule ist erwünscht"], None),
        (["nordwind sucht dich", "www.nordwind.de"], "nordwind"),
        (["Bewerbung an koch.stelle@gmail.com"], None),
    ],
)
def test_employers(lines: list[str], company: str | None) -> None:
    assert employer(lines) == company


@pytest.mark.parametrize(
    ("body", "places"),
    [
        (["Einsatzort: Leipzig", "Firmensitz 70178 Stuttgart"], ("Leipzig",)),
        (["Standorte: Köln, Bonn und Aachen"], ("Köln", "Bonn", "Aachen")),
        (["Munich or Remote"], ("München",)),
        (["Wir suchen in Stuttgart ab sofort"], ("Stuttgart",)),
        ([*BODY, *BODY, "Werkstraße 1", "70178 Stuttgart"], ("Stuttgart",)),
        ([*BODY, *BODY, "70178 Stuttgart", "50667 Köln"], ()),
        (["Essen und Trinken frei"], ()),
        (["Wir sind ein Team"], ()),
    ],
)
def test_places(body: list[str], places: tuple[str, ...]) -> None:
    assert advert("Koch (m/w/d)", body=body).places == places


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(st.text(max_size=200), st.floats(0, 1e4, allow_nan=False)), max_size=30))
def test_any_lines_are_survived(lines: list[tuple[str, float]]) -> None:
    document = Document("", 1, None, None, False, tuple(Line(text, size) for text, size in lines))
    read_advert(document, load_gazetteer())


@pytest.mark.parametrize(
    "piece", ["A", "Aa ", "www.", "@a.", "A & ", "in A", "12345 A", "Kunden ", "m/", "a-", "GmbH "]
)
def test_long_lines_cost_little(piece: str) -> None:
    load_gazetteer()
    started = time.process_time()
    advert(*[piece * 200] * 5, body=[piece * (30_000 // len(piece))] * 3)
    assert time.process_time() - started < 10


def _verdicts() -> Iterator[tuple[str, str, str, object, object]]:
    """Every field of every real document: (file, field, verdict, what is true, what was found)."""
    for name, true in REVIEWED.items():
        found = read_advert(read_document((PDFS / name).read_bytes()), load_gazetteer())
        right = found.title is not None and fold(clean_title(found.title)) in [
            fold(clean_title(t)) for t in true["title"]
        ]
        yield name, "title", _verdict(found.title, right, true["title"]), true["title"], found.title
        yield (
            name,
            "company",
            _verdict(found.company, found.company in true["company"], true["company"]),
            true["company"],
            found.company,
        )
        places = list(found.places)
        yield name, "places", _verdict(places, places == true["places"], true["places"]), true["places"], places


def _verdict(found: object, right: bool, true: list[str]) -> str:
    if not found:
        return "missing" if true else "rightly none"
    return "right" if right else "wrong"


def test_real_documents(capsys: pytest.CaptureFixture[str]) -> None:
    if not PDFS.exists():
        pytest.skip("no real documents here; set VAKANZ_REAL_DATA")
    verdicts = list(_verdicts())
    counts = Counter((field, verdict) for _, field, verdict, _, _ in verdicts)
    with capsys.disabled():
        for field in ("title", "company", "places"):
            told = {verdict: counts[field, verdict] for verdict in ("right", "wrong", "missing", "rightly none")}
            sys.stdout.write(f"\n{len(REVIEWED)} documents, {field}: {told}")
    faults = [verdict for verdict in verdicts if verdict[2] in ("wrong", "missing")]
    assert counts["title", "right"] >= 22 and counts["title", "wrong"] == 0, faults
    assert counts["company", "right"] >= 20 and counts["company", "wrong"] <= 1, faults
    assert counts["places", "right"] >= 21 and counts["places", "wrong"] == 0, faults
