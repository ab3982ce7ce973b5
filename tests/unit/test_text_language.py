from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.text.language import detect


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Wir suchen eine Pflegekraft für unser Team in Bern und freuen uns auf dich.", "de"),
        ("We are looking for a nurse who will join our team in Berlin.", "en"),
        ("Nous cherchons une infirmière diplômée pour notre équipe à Genève.", "fr"),
        ("Cerchiamo un infermiere per il nostro ospedale a Lugano, con esperienza.", "it"),
        ("Wij zoeken een verpleegkundige voor ons team in Amsterdam.", "nl"),
        ("Szukamy pielęgniarki do pracy w naszym zespole w Krakowie.", "pl"),
        ("Buscamos una enfermera para nuestro equipo en Madrid con experiencia.", "es"),
        ("Verkäuferin in Teilzeit gesucht", "de"),
        ("", None),
        ("12345 !!! 67", None),
        ("Manager", None),
    ],
)
def test_detect(text: str, language: str | None) -> None:
    assert detect(text) == language


def test_a_german_text_with_english_words_stays_german() -> None:
    assert detect("Als Senior Backend Engineer arbeitest du mit Python und Kubernetes an der Cloud von morgen.") == "de"


@settings(deadline=None)
@given(st.text(alphabet=st.characters(), max_size=200))
def test_any_text_is_survived(text: str) -> None:
    code = detect(text)
    assert code is None or (len(code) == 2 and code.islower())
