"""What a text calls the job: lines about a person, and résumés that begin with a name and an address."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.match.phrases import title_phrases

_GERMAN = """Sebastian Gruber
Hauptstraße 12, 4020 Linz
sebastian.gruber@beispiel.example | 0664 1234567

Berufserfahrung
September 2018 - Dezember 2023
Kassier, Spar Österreich, Linz
Oktober 2015 – heute
Lagerarbeiter, Hofer KG
"""
_ENGLISH = """Eleanor Matthews
12 Apartment Road, Leicester
eleanor.matthews@mail.example | linkedin.com/in/eleanor-matthews

EXPERIENCE
Cashier
Tesco
March 2019 - present
"""
_OFFICE = """Lebenslauf
Thomas Keller
Walter-Benjamin-Platz 3, 10629 Berlin
geboren am 3. November 1985 in Münster

Berufserfahrung
seit Dezember 2020 Buchhaltung bei Firma Winter GmbH
2015 - September 2020 Sachbearbeitung Finanzen
"""


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("Ich bin Softwareentwickler mit Java und SQL.", "Softwareentwickler"),
        ("I am a registered nurse with ten years in intensive care.", "registered nurse"),
        ("Max Muster\nProjektleiter Bau\nmax@muster.example\nSeit 2010 auf Baustellen", "Projektleiter Bau"),
        ("Suche Stelle als Koch in Bern", "Koch"),
        ("Position: Senior Data Engineer\nSkills: Python", "Senior Data Engineer"),
    ],
)
def test_the_most_title_like_phrase_comes_first(text: str, title: str) -> None:
    assert title_phrases(text)[0] == title


@pytest.mark.parametrize(
    ("resume", "titles"),
    [
        (_GERMAN, ("Lagerarbeiter", "Kassier")),
        (_ENGLISH, ("Cashier",)),
        (_OFFICE, ("Buchhaltung", "Sachbearbeitung Finanzen")),
    ],
)
def test_names_addresses_and_months_are_no_titles(resume: str, titles: tuple[str, ...]) -> None:
    assert set(title_phrases(resume)) == set(titles)


def test_who_gives_an_address_with_the_job_is_still_read() -> None:
    assert title_phrases("Maurer, 4020 Linz") == ("Maurer",)
    assert title_phrases("Tel. 0664 123456, ich bin Maurer aus 4020 Linz")[0] == "Maurer"
    assert title_phrases("2019 Maurer bei Bau Keller") == ("2019 Maurer",)


def test_a_text_without_any_title_is_its_own_phrase() -> None:
    assert title_phrases("xyz abc") == ("xyz abc",)


@settings(deadline=None, max_examples=50)
@given(st.text(min_size=1))
def test_any_text_has_up_to_three_phrases(text: str) -> None:
    assert 1 <= len(title_phrases(text)) <= 3
