"""What is read out of a person's text, with the seed's occupations."""

from __future__ import annotations

import time
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.match.static import StaticTable
from lib.people.hermes import name_occupation, read, sections_of
from lib.people.occupation.guesses import Guess, Taxonomy
from lib.people.occupation.seed import Seeded
from lib.people.reading import Reading
from lib.text.gazetteer import load_gazetteer
from tests.unit.papers import ENGLISH, GERMAN, lines

TODAY = date(2026, 11, 22)
RESUME = """Musterstraße 12
80331 München

Berufserfahrung
03/2019 – heute  Senior Softwareentwicklerin, Beispiel GmbH
Entwicklung mit Java und PostgreSQL. Keine Erfahrung mit COBOL oder Perl, aber mit Docker.
01.07.2015 - 28.02.2019 Programmiererin bei Muster AG, Augsburg
06/2014 - 12/2015 Werkstudentin

Ausbildung
2010 - 2014 Bachelor of Science Informatik
2014 - 2015 Master of Science Informatik

Sprachen
Deutsch: Muttersprache
Englisch: verhandlungssicher
Französisch Grundkenntnisse
"""


@pytest.fixture(scope="module")
def seeded() -> Seeded:
    return Seeded(StaticTable.load())


def _read(seeded: Seeded, text: str) -> Reading:
    return read(sections_of(text), seeded, load_gazetteer(), TODAY)


def test_a_german_resume_is_read_whole(seeded: Seeded) -> None:
    reading = _read(seeded, RESUME)
    occupation = reading.occupation
    assert occupation is not None
    assert (occupation.title, occupation.isco, occupation.kldb) == ("Softwareentwickler", "2512", "43414")
    assert (occupation.soc, occupation.taxonomy) == ("15-1252.00", "seed")
    assert {skill.name for skill in reading.skills} == {"Java", "PostgreSQL", "Docker"}
    assert all(skill.name in skill.sentence for skill in reading.skills)
    assert reading.seniority == "senior"
    assert reading.years == 12.4  # June 2014 until today, 2015's half year of two jobs once
    assert [(one.code, one.level) for one in reading.languages] == [("de", "native"), ("en", "C1"), ("fr", "A2")]
    assert reading.degree is not None
    assert (reading.degree.level, reading.degree.sentence) == ("master", "2014 - 2015 Master of Science Informatik")
    assert [place.name for place in reading.places] == ["München"]


def test_the_profile_can_be_matched_and_tells_neither_address_nor_what_is_denied(seeded: Seeded) -> None:
    profile = _read(seeded, RESUME).profile
    assert profile.title is not None
    assert "Softwareentwicklerin" in profile.title
    assert profile.location == "München"
    assert set(profile.skills) == {"Java", "PostgreSQL", "Docker"}
    assert "Musterstraße" not in profile.text
    assert "COBOL" not in profile.text
    assert "Docker" in profile.text


def test_a_line_of_english_is_enough(seeded: Seeded) -> None:
    reading = _read(seeded, "Registered nurse, 8 years of experience in intensive care, based in Hamburg. German B2.")
    assert reading.occupation is not None
    assert (reading.occupation.title, reading.occupation.isco) == ("registered nurse", "2221")
    assert (reading.years, reading.places[0].name) == (8.0, "Hamburg")
    assert [(one.code, one.level, one.sentence) for one in reading.languages] == [("de", "B2", "German B2.")]


@pytest.mark.parametrize(
    ("text", "isco", "title", "years"),
    [
        ("Pflegefachkraft mit sechs Jahren Chirurgie und Wundmanagement", "2221", "Pflegefachkraft", 6),
        ("Erzieherin, staatlich anerkannt, 9 Jahre in Kita, davon 3 als Gruppenleitung", "5311", "Erzieherin", 9),
        ("Sales representative, 7 yrs in medical devices. Vienna", "3322", "Sales representative", 7),
        ("Fachkraft für Lagerlogistik, Staplerschein. Bremen", "4321", "Fachkraft für Lagerlogistik", None),
        ("Head of Finance, 15 yrs, IFRS. Master in Accounting. Zug", "1211", "Head of Finance", 15),
        ("Full-stack developer (React, Node.js), 4+ years", "2512", "Full-stack developer", 4),
        ("Zimmermann mit Meisterbrief, Dachstühle, Abbund, Rosenheim", "7115", "Zimmermann", None),
        ("Koch, 12 Jahre, kein Barista mehr seit 2018", "5120", "Koch", 12),
        ("Koch, 30 Jahre alt, wohne seit 10 Jahren in Wien", "5120", "Koch", None),
        ("Cook, 30 years old, came here 4 years ago", "5120", "Cook", None),
        ("Physiotherapeutin, Lymphdrainage, Teilzeit 25h, suche in Luzern", "2264", "Physiotherapeutin", None),
    ],
)
def test_a_few_words_are_enough(seeded: Seeded, text: str, isco: str, title: str, years: float | None) -> None:
    reading = _read(seeded, text)
    assert reading.occupation is not None
    assert (reading.occupation.isco, reading.profile.title, reading.years) == (isco, title, years)


def test_what_is_wished_for_or_denied_is_not_there(seeded: Seeded) -> None:
    reading = _read(
        seeded, "Schulabgänger, suche Ausbildung als Koch.\nSprachen\nDeutsch (Muttersprache), kein Englisch"
    )
    assert reading.degree is None
    assert [one.code for one in reading.languages] == ["de"]


@pytest.mark.parametrize(("parts", "isco"), [(GERMAN, "2512"), (ENGLISH, "2221")])
def test_resumes_in_both_languages(seeded: Seeded, parts: tuple[tuple[str, list[str]], ...], isco: str) -> None:
    reading = _read(seeded, "\n".join(lines(parts)))
    assert reading.occupation is not None
    assert reading.occupation.isco == isco
    assert reading.degree is not None
    assert reading.degree.level == "bachelor"
    assert {"de", "en"} == {one.code for one in reading.languages}


def test_dates_of_schooling_are_no_work(seeded: Seeded) -> None:
    assert _read(seeded, "Ausbildung\n2010 - 2014 Bachelor of Science Informatik").years is None


def test_what_nobody_knows_is_null(seeded: Seeded) -> None:
    reading = _read(seeded, "xqz wvvk qqjx")
    assert reading.occupation is None
    assert (reading.years, reading.degree, reading.seniority) == (None, None, None)
    assert (reading.skills, reading.languages, reading.places) == ((), (), ())


class Fixed:
    """Answers every phrase with the confidences given for it."""

    taxonomy: Taxonomy = "imported"

    def __init__(self, confidences: dict[str, list[float]]) -> None:
        self._confidences = confidences

    def rank(self, phrases: list[str], text: str, language: str | None) -> list[list[Guess]]:
        return [
            [
                Guess(title=phrase, kldb=None, isco=f"{n}", soc=None, confidence=one)
                for n, one in enumerate(self._confidences[phrase])
            ]
            for phrase in phrases
        ]


@pytest.mark.parametrize(
    ("confidences", "phrase", "others"),
    [
        ({"a": [0.6, 0.2, 0.01], "b": [0.9]}, "a", 1),  # the first likely one, and what else it may be
        ({"a": [0.3], "b": [0.4, 0.3]}, "b", 1),  # none is likely: the likeliest
        ({"a": [0.8, 0.2]}, "a", 0),  # sure enough
        ({"a": [], "b": [0.25]}, "b", 0),
    ],
)
def test_which_phrase_is_believed(confidences: dict[str, list[float]], phrase: str, others: int) -> None:
    named, occupation = name_occupation(list(confidences), "", Fixed(confidences), "de")
    assert occupation is not None
    assert (named, len(occupation.alternatives)) == (phrase, others)


def test_an_unlikely_one_is_no_answer() -> None:
    assert name_occupation(["a", "b"], "", Fixed({"a": [0.1], "b": [0.19]}), "de") == ("a", None)
    assert name_occupation([], "", Fixed({}), None) == ("", None)


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=400))
def test_any_text_is_read(seeded: Seeded, text: str) -> None:
    reading = _read(seeded, text)
    assert len(reading.profile.text) <= len(text) + 10


@pytest.mark.parametrize(
    "piece",
    ["seit ", "kein ", "C++ ", "80331 Köln am ", "1/2019 - ", "2019 - 2020\n", "als Koch\n", "Skills: a\n", "\x00"],
)
def test_repeated_pieces_take_linear_time(seeded: Seeded, piece: str) -> None:
    """Quadratic work would take minutes for the 50,000 characters that are read."""
    started = time.process_time()
    _read(seeded, piece * (60_000 // len(piece)))
    assert time.process_time() - started < 10.0
