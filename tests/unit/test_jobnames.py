"""What a title says about the job, without what it says about the contract."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.text.jobnames import job_name


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Sr. SW-Entwickler (m/w/d) in Vollzeit, ab sofort", "Senior Software-Entwickler"),
        ("HR Officer in Teilzeit 50% (m/w/d)", "HR Officer"),
        ("Sachb. Einkauf (m/w/d)", "Sachbearbeiter Einkauf"),
        ("MA Lager (gn) - 40h/Woche", "Mitarbeiter Lager"),
        ("Dipl.-Ing. Maschinenbau", "Ingenieur Maschinenbau"),
        ("Anlagenmechaniker SHK (m/w/d) ab 01.02.2026", "Anlagenmechaniker Sanitär-, Heizungs- und Klimatechnik"),
        ("Altenpfleger Voll-/Teilzeit", "Altenpfleger"),
        ("Pflegefachkraft (m/w/d) | Teilzeit | 20-30 Std./Woche", "Pflegefachkraft"),
        ("Minijob Verkäufer 603 €-Basis", "Verkäufer"),
        ("Frontend Dev (Remote)", "Frontend Developer"),
        ("PM Construction, full-time or part-time", "Project Manager Construction"),
        ("Java Developer - 100% Remote", "Java Developer"),
        ("Koch (m/w/d) - unbefristet - zum nächstmöglichen Zeitpunkt", "Koch"),
        ("Wir suchen: Koch (m/w/d) für unser Team in Hamburg", "Koch"),
        ("Fahrer bis zu 18,50 €/Stunde", "Fahrer"),
        ("Ausbildung Mechatroniker Start September 2026", "Ausbildung Mechatroniker"),
        ("Assistenz für unsere Geschäftsführung", "Assistenz für unsere Geschäftsführung"),
        # Not conditions, not abbreviations
        ("Hybrid Cloud Engineer", "Hybrid Cloud Engineer"),
        ("Zeitarbeit Disponent", "Zeitarbeit Disponent"),
        ("ASP.NET Developer", "ASP.NET Developer"),
        ("DevOps Engineer", "DevOps Engineer"),
        ("3D-Artist", "3D-Artist"),
        ("Office Manager", "Office Manager"),
        ("Marketing Manager", "Marketing Manager"),
        # Nothing else is said
        ("Teilzeit", "Teilzeit"),
        ("", ""),
    ],
)
def test_the_name_of_the_job_is_left(title: str, name: str) -> None:
    assert job_name(title) == name


@given(st.text(alphabet=st.characters(exclude_categories=()), max_size=80))
def test_any_string_gives_a_name_that_stays(title: str) -> None:
    name = job_name(title)
    name.encode("utf-8")
    assert "  " not in name
    assert len(name) <= 4 * max(1, len(title)) + 40


@pytest.mark.parametrize(
    "piece", ["(", "ab ", "1 ", "100 % ", "- ", "1,", "( / ", "für unser ", "für unser a ", "Sr. ", "voll/", "bis zu 1"]
)
def test_a_whole_text_is_read_quickly(piece: str) -> None:
    started = time.process_time()
    job_name(piece * 100_000)
    assert time.process_time() - started < 3
