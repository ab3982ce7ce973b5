"""What postings ask for and résumés say: languages, degrees, years, and both held against each other."""

from __future__ import annotations

import time
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.people.degrees import find_degrees
from lib.people.spoken import at_least, find_spoken
from lib.people.tailoring.demands import Posting, analyse
from lib.people.tailoring.quoting import Source
from lib.people.worked import years_said, years_worked

TODAY = date(2026, 11, 22)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Deutsch (Muttersprache), Englisch C1", [("de", "native"), ("en", "C1")]),
        ("Fließende Deutsch- und gute Englischkenntnisse", [("de", "C1"), ("en", "B2")]),
        ("Fluent in German and English, basic French", [("de", "C1"), ("en", "C1"), ("fr", "A2")]),
        ("Sie sprechen verhandlungssicher Englisch.", [("en", "C1")]),
        ("Deutsch und Englisch fließend, Französisch: gut", [("de", "C1"), ("en", "C1"), ("fr", "B2")]),
        ("Englisch C1 Deutsch C2", [("en", "C1"), ("de", "C2")]),
        ("Sehr gute Deutschkenntnisse in Wort und Schrift, Englisch von Vorteil", [("de", "C1"), ("en", None)]),
        ("German - native, English - fluent", [("de", "native"), ("en", "C1")]),
        ("Languages: English, Italian", [("en", None), ("it", None)]),
        ("Wir sind ein Team der German Market GmbH.", []),
        ("Grundkenntnisse in Polnisch", [("pl", "A2")]),
        ("Italiano B1, Français C1", [("it", "B1"), ("fr", "C1")]),
        ("Verhandlungssicher Englisch, Französisch Grundkenntnisse", [("en", "C1"), ("fr", "A2")]),
        ("Fluent German (C2), good English, no French", [("de", "C2"), ("en", "B2")]),
    ],
)
def test_languages_are_found_with_their_level(text: str, found: list[tuple[str, str | None]]) -> None:
    assert [(one.code, one.level) for one in find_spoken(text)] == found
    assert all(text[one.start : one.end] for one in find_spoken(text))


def test_levels_are_compared_where_both_are_known() -> None:
    assert at_least("native", "C2") and at_least("B2", "B2") and at_least("B1", "B2") is False
    assert at_least(None, "B2") is None and at_least("B2", None) is None


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Bachelor of Science in Informatik", ["bachelor"]),
        ("Abgeschlossenes Hochschulstudium", ["bachelor"]),
        ("Diplom-Ingenieur (FH), später PhD", ["master", "doctor"]),
        ("Abgeschlossene kaufmännische Ausbildung oder Studium", ["vocational", "bachelor"]),
        ("Industriemeister Metall", ["advanced vocational"]),
        ("Frau Dr. Beispiel freut sich auf Sie", []),
        ("diplomatisches Geschick", []),
        ("Tischlergeselle, examiniert 2009", ["vocational", "vocational"]),
    ],
)
def test_degrees_are_found(text: str, found: list[str]) -> None:
    assert [one.name for one in find_degrees(text)] == found


@pytest.mark.parametrize(
    ("text", "years"),
    [
        ("Mindestens 3 Jahre Berufserfahrung", 3),
        ("3-5 years of experience in sales", 3),
        ("Fünf Jahre Praxis im Beruf", 5),
        ("mehrjährige Erfahrung", None),
        ("Seit 25 Jahren gibt es uns", None),
    ],
)
def test_years_of_experience_are_read(text: str, years: float | None) -> None:
    assert years_said(text) == years


@pytest.mark.parametrize(
    ("text", "years"),
    [
        ("01/2019 – heute", 7.9),
        ("seit 03.2020", 6.8),
        ("2014 - 2018", 4.0),
        ("Jan 2020 - Dec 2020\nJuly 2020 to December 2021", 2.0),
        ("12/2019 - 01/2018", 0.0),
        ("13/2019 - 01/2020", 0.0),
        ("1800 - 1900", 0.0),
        ("2030 - 2040", 0.0),
    ],
)
def test_spans_add_up_and_overlap_once(text: str, years: float) -> None:
    assert years_worked(text, TODAY).years == pytest.approx(years, abs=0.11)


def _posting(text: str, **how: str | None) -> Posting:
    given = {"title": "Pflegefachkraft", "company": None, "city": None, "remote": None, "language": "de"}
    return Posting(id=1, text=text, **(given | how))  # type: ignore[arg-type]


def test_a_demand_is_met_missing_or_open() -> None:
    resume = Source("Berufserfahrung\n2010 - 2012\nKoch\n\nSprachen\nEnglisch\n\nKenntnisse\nPython")
    found = analyse(
        _posting("Python und Java.\nEnglisch C1.\nDrei Jahre Berufserfahrung.\nEin Bachelor.", city="Bern"),
        resume,
        TODAY,
    )
    assert {one.wanted: one.met for one in found} == {
        "Python": True, "Java": False, "en C1": None, "3": False, "bachelor": False, "Bern": None,
    }  # fmt: skip
    for one in found:
        assert bool(one.evidence) == (one.met is True or one.wanted in ("en C1", "3"))
        assert all(resume.text[shown.start : shown.end] == shown.sentence for shown in one.evidence)


@pytest.mark.parametrize("denied", ["Keine Erfahrung mit Java", "Docker kenne ich, Java nicht"])
def test_what_a_resume_denies_is_not_met(denied: str) -> None:
    (found,) = analyse(_posting("Java"), Source(denied), TODAY)
    assert found.met is False


@pytest.mark.parametrize(
    ("asked", "gaps"),
    [
        ("- Kenntnisse in mindestens einer der Sprachen Python, Java, Kotlin oder Go und SQL", {"SQL"}),
        ("Python/Java or Kotlin, Docker", {"Docker"}),
        ("Java, Kotlin or Scala", {"Java", "Kotlin", "Scala"}),
        ("Python und Java", {"Java"}),
    ],
)
def test_one_of_several_will_do(asked: str, gaps: set[str]) -> None:
    found = analyse(_posting(asked), Source("Ich kann Python."), TODAY)
    assert {one.wanted for one in found if not one.met} == gaps
    assert {one.quote for one in found} == {asked.removeprefix("- ")}


@settings(deadline=None, max_examples=100)
@given(st.text(max_size=400), st.text(max_size=400))
def test_any_texts_are_analysed(posting: str, resume: str) -> None:
    analyse(_posting(posting), Source(resume), TODAY)


@pytest.mark.parametrize(
    "text", ["Deutsch " * 6_000, "3 " * 20_000, "seit " * 10_000, "2014 - " * 6_000, "Java\n" * 9_000]
)
def test_no_text_takes_long(text: str) -> None:
    started = time.monotonic()
    analyse(_posting(text), Source(text), TODAY)
    assert time.monotonic() - started < 6
