"""Single values as boards write them, sensible and absurd."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.posting.contract import Salary
from lib.posting.countries import country_code
from lib.posting.links import read_link, web_url
from lib.posting.markup import paragraphs, section
from lib.posting.values import (
    amount,
    any_remote,
    currency,
    language,
    moment,
    moment_ms,
    period,
    places,
    salary,
    salary_span,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-07-16T11:55:32-04:00", datetime(2026, 7, 16, 15, 55, 32, tzinfo=UTC)),
        ("2026-06-08T02:11:28.000Z", datetime(2026, 6, 8, 2, 11, 28, tzinfo=UTC)),
        ("2026-06-08", datetime(2026, 6, 8, tzinfo=UTC)),
        (" 2026-06-08 10:00 ", datetime(2026, 6, 8, 10, tzinfo=UTC)),
        ("0000-00-00", None),
        ("0001-01-01T00:00:00+14:00", None),
        ("9999-12-31T23:59:59-14:00", None),
        ("99999-01-01", None),
        ("1970-01-01T00:00:00Z", None),
        ("2026-02-30", None),
        ("yesterday", None),
        ("", None),
        (None, None),
    ],
)
def test_moments(text: str | None, expected: datetime | None) -> None:
    assert moment(text) == expected


@pytest.mark.parametrize("absurd", [-1, 0, 10**30, float("nan"), float("inf"), 253402300800000, 1764205361, None])
def test_absurd_milliseconds(absurd: float | None) -> None:
    assert moment_ms(absurd) is None


def test_milliseconds() -> None:
    assert moment_ms(1764205361939) == datetime(2025, 11, 27, 1, 2, 41, 939000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (5, 5.0),
        ("60000.00", 60000.0),
        (" 12 ", 12.0),
        ("60.000,00", None),
        ("1_0", None),
        ("nan", None),
        ("٣", None),
        (0, None),
    ]
    + [(absurd, None) for absurd in (-1, True, 1e13, float("nan"), float("inf"), 10**400, "-5", "", None, [], {})],
)
def test_amounts(value: Any, expected: float | None) -> None:
    assert amount(value) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 YEAR", "year"),
        ("per-hour-wage", "hour"),
        ("per-year-salary", "year"),
        ("MONTHLY", "month"),
        ("annual", "year"),
        ("daily", "day"),
        ("weekly", "week"),
        ("2 WEEK", None),
        ("NONE", None),
        (None, None),
    ],
)
def test_periods(text: str | None, expected: str | None) -> None:
    assert period(text) == expected


def test_salaries() -> None:
    assert salary(3, 2, "eur", "yearly") == Salary(min=2.0, max=3.0, currency="EUR", period="year")
    assert salary(-5, 7, "euro", None) == Salary(max=7.0)
    assert salary(None, None, "EUR", "yearly") is None
    assert salary(1, 2, "EUR", "2 WEEK") is None


def test_spans() -> None:
    low, high = Salary(min=1.0, max=2.0, currency="EUR"), Salary(min=1.5, currency="EUR")
    assert salary_span([low, None, high]) == Salary(min=1.0, max=2.0, currency="EUR")
    assert salary_span([low, Salary(min=1.0, currency="CHF")]) is None
    assert salary_span([None]) is None


def test_languages_currencies_countries() -> None:
    assert [language(tag) for tag in ("de", "DE-at", "en_US", "deu", "Deutsch", None)] == [
        "de",
        "de",
        "en",
        None,
        None,
        None,
    ]
    assert [currency(code) for code in ("eur", " CHF ", "€", "EURO", None)] == ["EUR", "CHF", None, None, None]
    names = ("Germany", "Österreich", "SCHWEIZ", "de", "UK", "GB", "Großbritannien", "Nowhere", "", None)
    assert [country_code(name) for name in names] == ["DE", "AT", "CH", "DE", "GB", "GB", "GB", None, None, None]


def test_places_and_remote() -> None:
    assert places([" Bad  Homburg ", None, "", "Wien", "Wien"]) == ("Bad Homburg", "Wien")
    assert len(places(str(number) for number in range(1_000))) == 100
    for name in ("Remote", "Homeoffice", "home office (DE)", "Remote - US", "100% remote", "Fully Remote, Germany"):
        assert any_remote(["Berlin", name]), name
    for name in ("Berlin", "Remote or Berlin", "Remoteville", "Berlin (remote possible)"):
        assert not any_remote([name]), name


def test_links() -> None:
    link = read_link("Jobs.Lever.co/acme/1?for=b&for=c#x")
    assert link is not None
    assert (link.host, link.segments, link.query) == ("jobs.lever.co", ("acme", "1"), {"for": "b"})
    assert web_url(" https://a.example/x ") == "https://a.example/x"
    for bad in ("javascript:alert(1)", "ftp://a.example", "https://", "https://a b", "https://[", "x" * 9_000, None):
        assert web_url(bad) is None


@given(text=st.text())
def test_links_never_raise(text: str) -> None:
    read_link(text)
    web_url(text)


def test_markup_is_escaped() -> None:
    assert paragraphs("a < b\r\nc\r\n\r\n\r\nd") == "<p>a &lt; b<br>c</p><p>d</p>"
    assert section("A & B", "<p>x</p>") == "<h3>A &amp; B</h3><p>x</p>"
    assert section("A", "  ") == ""
