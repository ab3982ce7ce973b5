from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.text.skills import find_skills


@pytest.mark.parametrize(
    ("text", "skills"),
    [
        ("Java und JavaScript", {"Java", "JavaScript"}),
        ("Erfahrung mit React.js, node.js und PostgreSQL.", {"React", "Node.js", "PostgreSQL"}),
        ("C++ and C#", {"C++", "C#"}),
        ("Kenntnisse in Python, R und SQL", {"Python", "R", "SQL"}),
        ("Go, Rust, C", {"Golang", "Rust", "C"}),
        ("SAP-Kenntnisse von Vorteil", {"SAP"}),
        ("Gabelstaplerschein und Führerschein B", {"Staplerschein", "Führerschein Klasse B"}),
        ("Examinierte Pflegefachkraft", {"Pflegeexamen"}),
        ("no prior experience with Java needed; Python required", {"Python"}),
        ("no Java", set()),
        ("keine SAP-Kenntnisse erforderlich", set()),
        ("Englisch ist nicht erforderlich", set()),
        ("Let's go! Vitamin C, R-Gespräch", set()),
        ("the rest of the day we excel at swift answers", set()),
        ("Javascripting pythonesque", set()),
        ("", set()),
    ],
)
def test_find(text: str, skills: set[str]) -> None:
    assert find_skills(text) == skills


@settings(deadline=None)
@given(st.text(alphabet=st.characters(), max_size=200))
def test_any_text_is_survived(text: str) -> None:
    find_skills(text)


@pytest.mark.parametrize("piece", ["no ", "java ", "java C ", "C ", "a", "kein ", "nicht "])
def test_long_texts_end_soon(piece: str) -> None:
    started = time.process_time()
    find_skills(piece * (200_000 // len(piece)))
    assert time.process_time() - started < 5
