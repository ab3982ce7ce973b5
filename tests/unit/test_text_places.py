"""Place fields as boards write them."""

from __future__ import annotations

import csv
import gzip
import os
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.text.gazetteer import fold, load_gazetteer
from lib.text.places import PlaceMatch, resolve

REAL = Path(os.environ.get("VAKANZ_REAL_DATA", Path(__file__).parents[2].parent / "shared" / "data"))


def place(text: str, hint: str | None = None) -> tuple[str | None, str | None, str] | None:
    match = resolve(load_gazetteer(), [text], hint)
    return match and (match.city, match.region, match.country)


@pytest.mark.parametrize(
    ("text", "city", "region", "country"),
    [
        ("Berlin, Germany", "Berlin", "Berlin", "DE"),
        ("München", "München", "Bayern", "DE"),
        ("Munich", "München", "Bayern", "DE"),
        ("Muenchen", "München", "Bayern", "DE"),
        ("Wien, Österreich", "Wien", "Wien", "AT"),
        ("Zürich (Hybrid)", "Zürich", "Zürich", "CH"),
        ("DE - Frankfurt am Main", "Frankfurt am Main", "Hessen", "DE"),
        ("Frankfurt/Main", "Frankfurt am Main", "Hessen", "DE"),
        ("Frankfurt", "Frankfurt am Main", "Hessen", "DE"),
        ("Frankfurt (Oder)", "Frankfurt (Oder)", "Brandenburg", "DE"),
        ("80331 München", "München", "Bayern", "DE"),
        ("CH-8001 Zürich", "Zürich", "Zürich", "CH"),
        ("Linz, AT", "Linz", "Oberösterreich", "AT"),
        ("Basel-Stadt", "Basel", "Basel-Stadt", "CH"),
        ("Freiburg i. Br.", "Freiburg im Breisgau", "Baden-Württemberg", "DE"),
        ("Freiburg", "Freiburg im Breisgau", "Baden-Württemberg", "DE"),
        ("Halle (Saale)", "Halle (Saale)", "Sachsen-Anhalt", "DE"),
        ("Großraum Stuttgart", "Stuttgart", "Baden-Württemberg", "DE"),
        ("Berlin-Kreuzberg", "Berlin", "Berlin", "DE"),
        ("Altona, Hamburg", "Hamburg", "Hamburg", "DE"),
        ("Genf", "Genève", "Genève", "CH"),
        ("Geneva", "Genève", "Genève", "CH"),
        ("Genève", "Genève", "Genève", "CH"),
        ("Sankt Pölten", "St. Pölten", "Niederösterreich", "AT"),
        ("St. Pölten", "St. Pölten", "Niederösterreich", "AT"),
        ("Delsberg", "Delémont", "Jura", "CH"),
        ("Bozen", "Bolzano", None, "IT"),
        ("Bern, BE", "Bern", "Bern", "CH"),
        ("Ulm", "Ulm", "Baden-Württemberg", "DE"),
        ("Hybrid Work in Munich Office", "München", "Bayern", "DE"),
        ("Germany - Frankfurt", "Frankfurt am Main", "Hessen", "DE"),
        ("Vaduz", "Vaduz", None, "LI"),
        ("London, UK", "London", None, "GB"),
        ("San Francisco, CA", "San Francisco", "California", "US"),
        ("Warschau", "Warsaw", None, "PL"),
        ("Remote - Germany", None, None, "DE"),
        ("Remote in USA", None, None, "US"),
        ("Deutschlandweit", None, None, "DE"),
        ("Bayern", None, "Bayern", "DE"),
        ("NRW", None, "Nordrhein-Westfalen", "DE"),
        ("Broomfield, CO", None, "Colorado", "US"),
    ],
)
def test_resolve(text: str, city: str | None, region: str | None, country: str) -> None:
    assert place(text) == (city, region, country)


@pytest.mark.parametrize("text", ["", "Remote", "Home Office", "3 Locations", "N/A", "Europe", "weltweit", ", - /()"])
def test_words_that_name_no_place(text: str) -> None:
    assert place(text) is None


def test_the_hint_decides_between_places_of_one_name() -> None:
    assert place("Freiburg", "CH") == ("Fribourg", "Fribourg", "CH")
    assert place("Remote", "DE") == (None, None, "DE")
    assert place("Baden", "AT") == ("Baden", "Niederösterreich", "AT")
    assert place("Baden", "CH") == ("Baden", "Aargau", "CH")


def test_words_that_name_a_country_outrank_the_hint() -> None:
    assert place("Wien, Österreich", "DE") == ("Wien", "Wien", "AT")


def test_the_first_text_with_a_city_wins() -> None:
    match = resolve(load_gazetteer(), ["Remote", "Germany", "Graz", "Wien"], None)
    assert match is not None and (match.city, match.text) == ("Graz", "Graz")
    assert match.lat == pytest.approx(47.07, abs=0.05) and match.lon == pytest.approx(15.44, abs=0.05)


def test_fold_meets_spellings() -> None:
    assert fold("St. Gallen") == fold("Sankt Gallen")
    assert fold("ZÜRICH") == fold("Zu\u0308rich") == "zurich"


@settings(deadline=None)
@given(st.lists(st.text(alphabet=st.characters(), max_size=80), max_size=4), st.sampled_from([None, "DE", "XX"]))
def test_any_texts_are_survived(texts: list[str], hint: str | None) -> None:
    match = resolve(load_gazetteer(), texts, hint)
    assert match is None or isinstance(match, PlaceMatch)


@pytest.mark.parametrize("text", ["Berlin " * 50_000, "(" * 200_000, "a-" * 100_000, "1" * 200_000, ",;|" * 70_000])
def test_long_texts_end_soon(text: str) -> None:
    started = time.process_time()
    resolve(load_gazetteer(), [text] * 100, None)
    assert time.process_time() - started < 8


def test_real_strings_of_the_home_countries_resolve() -> None:
    path = REAL / "strings" / "locations.tsv.gz"
    if not path.exists():
        pytest.skip("no real location strings here (VAKANZ_REAL_DATA)")
    with gzip.open(path, "rt") as file:
        texts = [row[1] for row in csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)]
    names = {"DE": ("german", "deutschland"), "AT": ("austria", "österreich"), "CH": ("switzerland", "schweiz")}
    home = [
        (text, code) for text in texts for code, words in names.items() if any(word in text.lower() for word in words)
    ]
    home = [
        (text, code) for text, code in home if "germantown" not in text.lower() and not any(c in text for c in ";|")
    ]
    right = [(text, code) for text, code in home if (found := place(text)) and found[2] == code]
    assert len(home) > 20
    assert len(right) >= 0.95 * len(home), [pair for pair in home if pair not in right]
    assert sum(place(text) is not None for text in texts) >= 0.9 * len(texts)
