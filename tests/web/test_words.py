"""The two catalogues, and how numbers, days and money are written."""

from __future__ import annotations

import re
import tomllib
from datetime import UTC, datetime, timedelta, timezone
from importlib.resources import files
from string import Formatter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.web.words import TONGUES, negotiate, words

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def _texts(tongue: str) -> dict[str, str]:
    return dict(words(tongue)._texts)  # type: ignore[arg-type]


def test_both_catalogues_have_the_same_keys_with_the_same_fields() -> None:
    german, english = map(_texts, TONGUES)
    assert german.keys() == english.keys()
    for key in german:
        assert _fields(german[key]) == _fields(english[key]), key
        assert german[key].strip()
        assert english[key].strip()


def _fields(text: str) -> set[str | None]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def test_templates_and_handlers_ask_for_texts_that_are_there() -> None:
    folder = files("api.web")
    sources = [
        one.read_text() for part in ("templates", ".") for one in folder.joinpath(part).iterdir() if one.is_file()
    ]
    keys = _texts("de").keys()
    asked = {
        key for text in sources for key in re.findall(r"""\b(?:t|said|words_of\(request\))\(["']([a-z_.]+)["']""", text)
    }
    counted = {key for text in sources for key in re.findall(r"""\.count\(["']([a-z_.]+)["']""", text)}
    assert len(asked) > 80
    assert {key for key in asked if not key.endswith(".")} - keys == set()
    assert {f"{key}.{form}" for key in counted for form in ("one", "many")} - keys == set()


def test_no_text_is_left_over() -> None:
    folder = files("api.web")
    text = "".join(
        one.read_text() for part in ("templates", ".") for one in folder.joinpath(part).iterdir() if one.is_file()
    )
    groups = {
        "part",
        "country",
        "tongue",
        "remote",
        "employment",
        "period",
        "level",
        "tier",
        "field",
        "degree",
        "state",
    }
    groups |= {"fluency", "ago", "problem", "posting", "live"}  # their keys are put together
    catalogue = tomllib.loads(folder.joinpath("texts", "de.toml").read_text())
    left = [
        f"{group}.{key}"
        for group in catalogue.keys() - groups
        for key in catalogue[group]
        if not re.search(rf"""["']{group}\.{key}["']""", text)
    ]
    assert left == []


@pytest.mark.parametrize(
    ("header", "tongue"),
    [
        ("", "de"), ("*", "de"), ("de", "de"), ("en-GB,en;q=0.9,de;q=0.8", "en"), ("de-AT, en;q=0.5", "de"),
        ("en;q=0.3, de;q=0.7", "de"), ("fr-CH, fr;q=0.9", "en"), ("fr, de;q=0.2", "de"), ("de;q=0, en;q=0.1", "en"),
        ("en;q=x", "en"), (";;,,", "de"),
    ],
)  # fmt: skip
def test_the_browsers_language_is_taken(header: str, tongue: str) -> None:
    assert negotiate(header) == tongue


@given(st.text(max_size=3_000))
def test_any_header_gives_a_language(header: str) -> None:
    assert negotiate(header) in TONGUES


def test_numbers_money_and_days_are_written_as_people_do() -> None:
    german, english = words("de"), words("en")
    assert (german.number(1234.5, 1), english.number(1234.5, 1)) == ("1.234,5", "1,234.5")
    assert (german.pay(45_000, 60_000), english.pay(None, 60_000, "CHF")) == ("45.000 – 60.000 €", "60,000 CHF")
    assert (german.pay(50_000, 50_000), german.pay(None, None)) == ("50.000 €", "")
    late = datetime(2026, 3, 1, 0, 30, tzinfo=timezone(timedelta(hours=2)))
    assert (german.when(late), english.when(late)) == ("28.2.2026", "28 Feb 2026")
    assert [german.ago(NOW - timedelta(days=days), NOW) for days in (0, 1, 40)] == [
        "heute",
        "vor 1 Tag",
        "vor 40 Tagen",
    ]
    assert english.ago(NOW + timedelta(days=3), NOW) == "today"
    assert english.known("remote", "on the moon") == "on the moon"
