"""Salary phrases, and what they come to in a year."""

from __future__ import annotations

import csv
import gzip
import math
import os
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.text.money import find_salaries
from lib.text.rates import RATES_PER_EUR, yearly

REAL = Path(os.environ.get("VAKANZ_REAL_DATA", Path(__file__).parents[2].parent / "shared" / "data"))


@pytest.mark.parametrize(
    ("text", "low", "high", "currency", "period"),
    [
        ("55.000 € - 65.000 € brutto im Jahr", 55_000, 65_000, "EUR", "year"),
        ("ab 18,50 Euro pro Stunde", 18.5, None, "EUR", "hour"),
        ("CHF 95'000–110'000", 95_000, 110_000, "CHF", "year"),
        ("EUR 3.200,- brutto/Monat (14x)", 3_200, 3_200, "EUR", "month"),
        ("45k-60k", 45_000, 60_000, None, "year"),
        ("60–80 TEUR", 60_000, 80_000, "EUR", "year"),
        ("Gehalt: $120,000", 120_000, 120_000, "USD", "year"),
        ("€60K – €80K", 60_000, 80_000, "EUR", "year"),
        ("Salary: 50.000 - 60.000 EUR p.a.", 50_000, 60_000, "EUR", "year"),
        ("Stundenlohn 14,50 €", 14.5, 14.5, "EUR", "hour"),
        ("Wir zahlen zwischen 3.500 und 4.200 € brutto monatlich", 3_500, 4_200, "EUR", "month"),
        ("Jahresgehalt von 48 000 €", 48_000, 48_000, "EUR", "year"),
        ("up to €90,000 per year", None, 90_000, "EUR", "year"),
        ("Tagessatz 650 €", 650, 650, "EUR", "day"),
        ("$130,000.00 - $150,000.00/per year", 130_000, 150_000, "USD", "year"),
        ("$137,000—$189,000 CAD", 137_000, 189_000, "CAD", "year"),
        ("$34/hr - $48/hr", 34, 48, "USD", "hour"),
        ("Das Mindestgehalt beträgt EUR 2.450,00 brutto pro Monat", 2_450, None, "EUR", "month"),
        ("Mindestgehalt laut Kollektivvertrag EUR 5.220,- brutto (14x)", 5_220, None, "EUR", "month"),
        ("KV-Minimum: EUR 2.630 brutto", 2_630, None, "EUR", "month"),
        ("a collective agreement minimum of EUR 2,630 gross per month", 2_630, None, "EUR", "month"),
        ("Gehalt EUR 3.000 brutto. Bereitschaft zur Überzahlung je nach Erfahrung.", 3_000, None, "EUR", "month"),
        ("mind. EUR 2.500 brutto", 2_500, None, "EUR", "month"),
        ("Kollektivvertrag: EUR 2.500 bis EUR 3.000 brutto", 2_500, 3_000, "EUR", "month"),
        ("Salary: CHF 80'000–99'000.", 80_000, 99_000, "CHF", "year"),
        ("Lohn: CHF 80'000–99'000.\nBis zu 3 Tage Homeoffice pro Woche", 80_000, 99_000, "CHF", "year"),
        ("Gehalt: 4.000 €.\n2 Tage Homeoffice pro Woche", 4_000, 4_000, "EUR", "month"),
        ("Gehalt: 3.500 € bei 30 Tagen Urlaub im Jahr", 3_500, 3_500, "EUR", "month"),
        ("Gehalt: 2.900 € bei 38,5 Wochenstunden", 2_900, 2_900, "EUR", "month"),
        ("Wir zahlen 17,25 Euro pro Stunde.\n- 29 Tage Urlaub", 17.25, 17.25, "EUR", "hour"),
        ("Salary from $135,000 per year to $160,000 per year", 135_000, 160_000, "USD", "year"),
        ("Einstiegsgehalt von 2.800 Euro bei 38,5 Stunden pro Woche", 2_800, 2_800, "EUR", "month"),
        ("60.000 € plus Bonus Jahresgehalt", 60_000, 60_000, "EUR", "year"),
        ("Gehaltsspanne: 65-80k €", 65_000, 80_000, "EUR", "year"),
        ("EUR45.000 brutto/Jahr", 45_000, 45_000, "EUR", "year"),
        ("Annual base salary (excluding equity and bonus): $201,365—$236,900", 201_365, 236_900, "USD", "year"),
    ],
)
def test_find(text: str, low: float | None, high: float | None, currency: str | None, period: str) -> None:
    spans = find_salaries(text)
    assert [(span.min, span.max, span.currency, span.period) for span in spans] == [(low, high, currency, period)]


@pytest.mark.parametrize(
    "text",
    [
        "2 Mio. Umsatz",
        "Umsatz von 20.000.000 € im Jahr",
        "50 € Tankgutschein im Monat",
        "500 € Prämie",
        "1000,00 € (brutto) Willkommensprämie",
        "1.000 Mitarbeiter",
        "Tel. 030 1234567",
        "01.01.2024 - 31.12.2024",
        "80331 München",
        "401k",
        "competitive pay, 401K and stock plans",
        "3.000€ Development Budget",
        "Weiterbildungsbudget von 1.500 € pro Jahr",
        "$10 billion in revenue",
        "a $400M Series D",
        "Up to 4000 EUR employee referral bonus",
        "steuerfreier Sachbezug 50 Euro monatlich",
        "Deutschlandticket für 49 €",
        "30 Tage Urlaub im Jahr",
        "24/7, 8-17 Uhr, 3-5 Jahre, ISO 9001",
        "Gehalt nach Tarif. Ihr Büro: 6300 Zug. 3 Tage im Monat von zu Hause",
        "Gehalt: 17.000 €",
        "Gehalt: 5 € pro Monat",
        "1.000 € pro Jahr für Weiterbildung",
        "Our software, based in Berlin, costs 300 €",
        "",
    ],
)
def test_other_amounts_are_no_pay(text: str) -> None:
    assert find_salaries(text) == []


def test_span_and_payments() -> None:
    text = "Gehalt: EUR 3.200,- brutto/Monat (14x), Vollzeit"
    (span,) = find_salaries(text)
    assert text[span.start : span.end] == "EUR 3.200,-"
    assert span.payments == 14


def test_yearly_in_three_currencies() -> None:
    pay = yearly(3_000, 4_000, currency="EUR", period="month", country="AT")
    assert pay is not None and (pay.min, pay.max) == (42_000, 56_000)
    swiss = yearly(None, 100_000, currency="CHF", period="year")
    assert swiss is not None and swiss.min is None and swiss.min_eur is None
    assert swiss.max_chf == 100_000 and swiss.max_eur == round(100_000 / RATES_PER_EUR["CHF"])
    stated = yearly(3_000, 3_000, currency="EUR", period="month", country="AT", payments=12)
    assert stated is not None and stated.min == 36_000
    assert yearly(60_000, 50_000, currency="EUR", period="year") == yearly(
        50_000, 60_000, currency="EUR", period="year"
    )


@pytest.mark.parametrize("low", [-1.0, 0.0, math.nan, math.inf, 1e12, 5.0])
def test_absurd_pay_is_none(low: float) -> None:
    assert yearly(low, None, currency="EUR", period="year") is None


def test_nothing_stated_or_an_unknown_currency_is_none() -> None:
    assert yearly(None, None, currency="EUR", period="year") is None
    assert yearly(50_000, None, currency="XYZ", period="year") is None


@settings(deadline=None)
@given(st.text(alphabet=st.sampled_from("0123456789.,'€$k -–/bisundGehaltEURCHFMonat\n\u00a0\x00\ud800"), max_size=200))
def test_any_text_is_survived(text: str) -> None:
    for span in find_salaries(text):
        assert 0 <= span.start < span.end <= len(text)
        assert all(side is None or 0 < side < 10_000_000 for side in (span.min, span.max))
        yearly(span.min, span.max, currency=span.currency or "EUR", period=span.period)


@pytest.mark.parametrize(
    "piece", ["1", "1 ", "1.000", "1.000 €-", "€", "k", "1k€", " ", "gehalt 1€ ", "1'", "9,-", "zwischen 1 und ", "("]
)
def test_long_texts_end_soon(piece: str) -> None:
    started = time.process_time()
    find_salaries(piece * (200_000 // len(piece)))
    assert time.process_time() - started < 10


def test_real_salary_strings_are_found() -> None:
    path = REAL / "strings" / "salaries.tsv.gz"
    if not path.exists():
        pytest.skip("no real salary strings here (VAKANZ_REAL_DATA)")
    with gzip.open(path, "rt") as file:
        texts = [row[1] for row in csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)]
    found = [text for text in texts if find_salaries(text)]
    assert len(found) >= 0.95 * len(texts), sorted(set(texts) - set(found))
