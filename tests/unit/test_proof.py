"""Suggestions against a résumé: what it proves stays with its exact sentence, everything else is dropped."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.match.encoder import TextEncoder, load_text_encoder
from lib.people.tailoring.facts import numbers
from lib.people.tailoring.proof import MAX_CHARS, prove
from lib.people.tailoring.quoting import Source
from lib.people.tailoring.suggestions import Claim, Dropped

GERMAN = """Anna Beispiel

Kurzprofil
Softwareentwicklerin mit acht Jahren Erfahrung in Java und SQL.

Berufserfahrung
01/2019 – heute
Softwareentwicklerin bei der Beispiel GmbH
• Umstellung von 14 Diensten auf Kubernetes, dadurch Ausfallzeit um
30 % gesenkt
• Einarbeitung von 3 neuen Kolleginnen
Keine Erfahrung mit Rust.

Ausbildung
Bachelor of Science in Informatik, TU Musterstadt (2010 - 2014)

Sprachen
Englisch C1
"""
ENGLISH = """SUMMARY
Nurse with six years in intensive care.

EXPERIENCE
2018 - present
Staff Nurse, Example Hospital
- Trained 12 new colleagues and cut waiting times by 18%
- Managed a budget of $1.5 million
"""
TELLING = [
    (GERMAN, "Softwareentwicklerin mit acht Jahren Erfahrung in Java und SQL.", ["acht Jahren Erfahrung in Java"]),
    (GERMAN, "Ich bringe 8 Jahre Erfahrung in Java und SQL mit.", ["acht Jahren Erfahrung in Java und SQL"]),
    (
        GERMAN,
        "Seit 2019 bin ich Softwareentwicklerin bei der Beispiel GmbH.",
        ["01/2019 - heute", "bei der Beispiel GmbH"],
    ),
    (GERMAN, "Ich habe 14 Dienste auf Kubernetes umgestellt.", ["Umstellung von 14 Diensten auf Kubernetes"]),
    (GERMAN, "Dadurch habe ich die Ausfallzeit um 30 % gesenkt.", ["dadurch Ausfallzeit um 30 % gesenkt"]),
    (GERMAN, "Ich habe 3 neue Kolleginnen eingearbeitet.", ["Einarbeitung von 3 neuen Kolleginnen"]),
    (ENGLISH, "I trained twelve new colleagues.", ["trained 12 new colleagues"]),
    (ENGLISH, "As a nurse, I have six years in intensive care.", ["Nurse with six years in intensive care"]),
    (ENGLISH, "I managed a budget of 1.5m dollars.", ["Managed a budget of $1.5 million"]),
]
INVENTING = [
    (GERMAN, "Ich habe 40 Dienste auf Kubernetes umgestellt.", ["14 Diensten auf Kubernetes"], "'40'"),
    (GERMAN, "Ich habe 14 Jahre Erfahrung mit Kubernetes.", ["14 Diensten auf Kubernetes"], "'14'"),
    (GERMAN, "Ich leitete ein Team von 3 Kolleginnen.", ["Einarbeitung von 3 neuen Kolleginnen"], "leading"),
    (
        GERMAN,
        "Ich war bei Google als Softwareentwicklerin.",
        ["Softwareentwicklerin bei der Beispiel GmbH"],
        "'Google'",
    ),
    (GERMAN, "Ich habe Erfahrung mit Rust.", ["Erfahrung mit Rust"], "denies"),
    (GERMAN, "Ich habe einen Master in Informatik.", ["Bachelor of Science in Informatik"], "'Master'"),
    (GERMAN, "Ich habe Erfahrung mit Terraform.", ["Umstellung von 14 Diensten auf Kubernetes"], "Terraform"),
    (GERMAN, "Ich spreche Englisch auf C2.", ["Englisch C1"], "'c2'"),
    (GERMAN, "Ich habe Dienste umgestellt und Schiffe versenkt.", ["Umstellung von 14 Diensten"], "'Schiffe'"),
    (GERMAN, "Ich bin ausgezeichnete Expertin für Java.", ["Erfahrung in Java und SQL"], "sign of"),
    (GERMAN, "Ich habe Java gelernt.", ["zwanzig Jahre Java bei IBM"], "does not stand"),
    (GERMAN, "Ich habe Java gelernt.", [], "does not stand"),
    (GERMAN, "Ich habe Java gelernt.", ["in"], "does not stand"),
    (GERMAN, "Ich kann Java. <script>alert(1)</script>", ["Erfahrung in Java"], "plain sentence"),
    (GERMAN, "Siehe https://example.org für Java.", ["Erfahrung in Java"], "plain sentence"),
    (GERMAN, "", ["Erfahrung in Java"], "plain sentence"),
    (ENGLISH, "I trained 120 new colleagues.", ["Trained 12 new colleagues"], "'120'"),
    (ENGLISH, "I trained 12 new colleagues at Mercy General.", ["Trained 12 new colleagues"], "'Mercy'"),
    (
        ENGLISH,
        "I trained new colleagues and wrote poems for kings.",
        ["Trained 12 new colleagues"],
        "some of its words",
    ),
    (ENGLISH, "I cut costs by 12%.", ["Trained 12 new colleagues and cut waiting times by 18%"], "'12'"),
    (ENGLISH, "I managed a budget of $15 million.", ["Managed a budget of $1.5 million"], "'15000000'"),
    (ENGLISH, "I am a certified nurse.", ["Nurse with six years in intensive care"], "a certificate"),
    (ENGLISH, "Initrode praised the nurse.", ["Nurse with six years in intensive care"], "'Initrode'"),
]


@pytest.mark.parametrize(("resume", "text", "quotes"), TELLING)
def test_what_the_resume_proves_stays(resume: str, text: str, quotes: list[str]) -> None:
    found = prove("summary", text, quotes, Source(resume), None)
    assert isinstance(found, Claim), found
    for one in found.evidence:
        assert resume[one.start : one.end] == one.sentence


@pytest.mark.parametrize(("resume", "text", "quotes", "why"), INVENTING)
def test_what_it_does_not_prove_is_dropped(resume: str, text: str, quotes: list[str], why: str) -> None:
    found = prove("letter", text, quotes, Source(resume), None)
    assert isinstance(found, Dropped)
    assert why in found.why


TRANSLATED = [
    ("I migrated 14 services to Kubernetes.", "Umstellung von 14 Diensten auf Kubernetes", True),
    ("I trained three new colleagues.", "Einarbeitung von 3 neuen Kolleginnen", True),
    ("I have eight years of experience in Java.", "Entwicklerin mit acht Jahren Erfahrung in Java", True),
    ("I hold a Bachelor of Science from TU Musterstadt.", "Bachelor of Science, TU Musterstadt", True),
    ("I documented the care of patients.", "Dokumentation der Pflege von Patienten", True),
    ("I prepared monthly accounts with DATEV.", "Erstellung der Monatsabschlüsse mit DATEV", True),
    ("Ich habe 12 neue Kollegen eingearbeitet.", "Trained 12 new colleagues", True),
    ("Ich habe die Antwortzeit um 60 % gesenkt.", "Reduced response time by 60%", True),
    ("Ich habe bei Siemens 12 neue Kollegen eingearbeitet.", "Trained 12 new colleagues", False),
    ("I cured cancer and speak with dolphins.", "Umstellung von 14 Diensten auf Kubernetes", False),
    ("I migrated 14 services to Kubernetes and cured cancer.", "Umstellung von 14 Diensten auf Kubernetes", False),
    ("I sold cars to three customers.", "Einarbeitung von 3 neuen Kolleginnen", False),
    ("I fired three colleagues.", "Einarbeitung von 3 neuen Kolleginnen", False),
    ("I negotiated contracts with suppliers.", "Betreuung von Patienten auf der Intensivstation", False),
    ("I defended clients in court.", "Erstellung der Monatsabschlüsse mit DATEV", False),
    ("I have eight years of experience at Initech.", "Entwicklerin mit acht Jahren Erfahrung", False),
    ("Ich habe ein Krankenhaus gebaut.", "Designed and implemented a pipeline using Kafka", False),
    ("Ich habe Kunden am Telefon beraten.", "Coached 3 junior engineers", False),
]  # fmt: skip


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TextEncoder]:
    yield load_text_encoder("builtin", tmp_path_factory.mktemp("models"), 1)


def test_a_translation_must_mean_what_its_evidence_means(encoder: TextEncoder) -> None:
    def closeness(one: str, other: str) -> float:
        vectors = encoder.encode_queries([one, other])
        return float(vectors[0] @ vectors[1])

    kept = [
        isinstance(prove("letter", text, [said], Source(f"{said}\n"), closeness), Claim) for text, said, _ in TRANSLATED
    ]
    assert [text for (text, _, true), keeps in zip(TRANSLATED, kept, strict=True) if true != keeps] == []


@pytest.mark.parametrize(
    ("quote", "found"),
    [
        ("“14  diensten AUF Kubernetes”", "14 Diensten auf Kubernetes"),
        ("01/2019 - heute", "01/2019 – heute"),
        ("ausfallzeit um 30 %", "Ausfallzeit um\n30 %"),
        ("Kubernete", None),
        ("ubernetes", None),
        ("", None),
        ("C1", None),
    ],
)
def test_quotes_are_found_as_people_write_them(quote: str, found: str | None) -> None:
    place = Source(GERMAN).find(quote)
    assert (None if place is None else GERMAN[slice(*place)]) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("6 years, 12 nurses", {("6", "years"), ("12", "people")}),
        ("zwölf neue Kolleginnen", {("12", "people")}),
        ("1.200 Euro and 1,5 Mio. €", {("1200", "money"), ("1500000", "money")}),
        ("03.2019 bis 2021", {("3", ""), ("2019", ""), ("2021", "")}),
        ("50K+ transactions, 99.99% uptime", {("50000", ""), ("99.99", "percent")}),
        ("ein C1, B2B", {("c1", ""), ("b2b", "")}),
    ],
)
def test_numbers_are_read_with_what_they_count(text: str, found: set[tuple[str, str]]) -> None:
    assert numbers(text) == found


@settings(deadline=None, max_examples=200)
@given(st.text(max_size=300), st.lists(st.text(max_size=60), max_size=4), st.text(max_size=200))
def test_nothing_that_is_kept_is_without_evidence(resume: str, quotes: list[str], text: str) -> None:
    found = prove("summary", text, [*quotes, resume[3:40]], Source(resume), None)
    if isinstance(found, Claim):
        assert found.evidence
        assert all(resume[one.start : one.end] == one.sentence for one in found.evidence)
        assert {number for number, _ in numbers(found.text)} <= {
            number for one in found.evidence for number, _ in numbers(one.sentence)
        }


@pytest.mark.parametrize(
    "text", ["a" * 50_000, "1" * 50_000, "- \n" * 16_000, "a.b " * 12_000, "B2 " * 16_000, "„" * 50_000]
)
def test_no_resume_takes_long(text: str) -> None:
    started = time.monotonic()
    prove("summary", text[:MAX_CHARS], [text[:MAX_CHARS]] * 6, Source(text), None)
    assert time.monotonic() - started < 3


def test_a_quote_of_everything_proves_nothing() -> None:
    long = "\n".join(f"Zeile {number} mit vielen Wörtern darin." for number in range(200))
    assert isinstance(prove("summary", "Zeile mit Wörtern.", [long], Source(long), None), Dropped)
