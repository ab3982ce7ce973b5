"""Claimed skills, denied skills, and the places that somebody names."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.people.claims import claimed, find_claims, sentences
from lib.people.degrees import find_degrees
from lib.people.whereabouts import find_places
from lib.text.gazetteer import load_gazetteer


@pytest.mark.parametrize(
    ("text", "skills"),
    [
        ("Keine Erfahrung mit Java", set()),
        ("Keine Erfahrung mit Java oder Python.", set()),
        ("keine Java-Kenntnisse, aber Python", {"Python"}),
        ("Ich habe noch nie mit SAP gearbeitet", set()),
        ("I have never used Docker or Kubernetes", set()),
        ("No experience with Java, but three years of Python", {"Python"}),
        ("I do not know Java", set()),
        ("Excel: keine", set()),
        ("mit SAP habe ich keine Erfahrung", set()),
        ("weder Java noch Python", set()),
        ("DATEV und Excel sehr gut, SAP leider keine Erfahrung", {"DATEV", "Excel"}),
        ("Docker kenne ich, Kubernetes nicht", {"Docker"}),
        ("Java, Kotlin: keine", set()),
        ("keine Java-Kenntnisse, Docker gut", {"Docker"}),
        ("keine Kenntnisse in Java, Docker", set()),
        ("I can't use Docker and don't know Java", set()),
        ("Java: gut, Docker: keine", {"Java"}),
        ("mit Java habe ich, anders als mit Docker, keine Erfahrung", set()),
        ("Nicht nur Java, sondern auch Python", {"Java", "Python"}),
        ("Not only Java but also Python", {"Java", "Python"}),
        ("Java, Python und Docker", {"Java", "Python", "Docker"}),
        ("Keine Erfahrung mit Java.\nPython seit 2015", {"Python"}),
        ("Experience without any gaps: Java", {"Java"}),
    ],
)
def test_what_is_denied_is_no_skill(text: str, skills: set[str]) -> None:
    assert {skill.name for skill in find_claims(text)} == skills


def test_a_skill_comes_with_the_first_sentence_that_claims_it() -> None:
    (java,) = find_claims("Bisher kein Java. Seit Mai lerne ich Java.\nJava")
    assert java.sentence == "Seit Mai lerne ich Java."


def test_evidence_is_short() -> None:
    (python,) = find_claims("Python " + "und so weiter " * 100)
    assert len(python.sentence) == 300


@given(st.text(max_size=300))
def test_any_text_falls_into_sentences(text: str) -> None:
    for sentence in sentences(text):
        assert sentence == sentence.strip() != ""
        assert len(claimed(sentence)) <= len(sentence) + 1


def test_ordinals_and_short_forms_end_no_sentence() -> None:
    text = "2. Staatsexamen. Dipl.-Ing. RWTH Aachen. Seit 2012. Danach Wien"
    assert list(sentences(text)) == ["2. Staatsexamen.", "Dipl.-Ing. RWTH Aachen.", "Seit 2012.", "Danach Wien"]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Erzieherin, 9 Jahre in Kita. Köln.", ["Köln"]),
        ("Jurist, LL.M. London, jetzt in Düsseldorf", ["Düsseldorf", "London"]),
        ("Arzt. Bern oder Basel. Rund um Bern", ["Bern", "Basel"]),
        ("Pflegehelferin. Klagenfurt", ["Klagenfurt am Wörthersee"]),
        ("Koch. St. Gallen", ["St. Gallen"]),
        ("Tischler, Vorarlberg (Dornbirn)", ["Dornbirn"]),
        ("10115 Berlin", ["Berlin"]),
        ("A-1010 Wien\nlebte in Hamburg", ["Wien", "Hamburg"]),
        ("Wohnort: Köln", ["Köln"]),
        ("Based in Zürich, moving to Bern", ["Zürich", "Bern"]),
        ("Koch, München", ["München"]),
        ("Ich suche Arbeit im Raum Stuttgart.", ["Stuttgart"]),
        ("Essen kochen und Halle putzen", []),
        ("", []),
    ],
)
def test_places(text: str, names: list[str]) -> None:
    assert [place.name for place in find_places(text, load_gazetteer())] == names


@pytest.mark.parametrize(
    ("text", "degrees"),
    [
        ("certified Scrum Master", []),
        ("Master Data Management, Masterplan", []),
        ("Verkaufsförderung und Promotion", []),
        ("Promotion in Chemie", ["doctor"]),
        ("Doktorandin", []),
        ("Dr. rer. nat.", ["doctor"]),
        ("Diplomat", []),
        ("Diplom-Ingenieur, M.Sc.", ["master", "master"]),
        ("Meisterbrief, Berufsausbildung", ["advanced vocational", "vocational"]),
    ],
)
def test_what_only_sounds_like_a_degree_is_none(text: str, degrees: list[str]) -> None:
    assert [degree.name for degree in find_degrees(text)] == degrees
