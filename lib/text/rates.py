"""What pay of any period and currency comes to in a year, in its own currency, in euro and in Swiss francs.

The exchange rates are a fixed table, nothing fetches or renews them: rounded reference values as of RATES_DATE, written
down by hand in the manner of the European Central Bank's euro reference rates and not checked against them since. They
make postings comparable to a few per cent; nobody is paid by them. An operator should replace the table with current
rates, change RATES_DATE, and raise the version of the enricher `salary`, which then converts the past again.
"""

from __future__ import annotations

import math
from datetime import date

import msgspec

from lib.text.money import Period

# Units of the currency for one euro, rounded to three digits.
RATES_DATE = date(2025, 12, 31)
RATES_PER_EUR = {
    "EUR": 1.0,
    "CHF": 0.931,
    "USD": 1.18,
    "GBP": 0.873,
    "PLN": 4.22,
    "CZK": 24.2,
    "SEK": 10.8,
    "NOK": 11.8,
    "DKK": 7.47,
    "HUF": 385.0,
    "RON": 5.10,
    "CAD": 1.61,
    "AUD": 1.76,
    "JPY": 184.0,
    "INR": 106.0,
    "SGD": 1.51,
}

# Full time, 52 weeks of 40 hours; a day rate is a freelancer's, who is not booked on holidays.
_PER_YEAR: dict[Period, float] = {"year": 1, "month": 12, "week": 52, "day": 220, "hour": 2_080}
# Collective agreements in Austria pay a holiday and a Christmas salary; monthly pay there is stated without them.
_MONTHS = {"AT": 14}
MIN_YEARLY_EUR = 2_000
MAX_YEARLY_EUR = 2_000_000


class YearlyPay(msgspec.Struct, frozen=True, kw_only=True):
    """Gross pay of a full-time year, whole units; a side is None where nothing is said about it."""

    currency: str
    min: int | None
    max: int | None
    min_eur: int | None
    max_eur: int | None
    min_chf: int | None
    max_chf: int | None


def yearly(
    low: float | None,
    high: float | None,
    *,
    currency: str,
    period: Period,
    country: str | None = None,
    payments: int | None = None,
) -> YearlyPay | None:
    """The yearly range; None when it is absurd (negative, no number, below or above any full-time pay) or the
    currency has no rate.

    `payments`: how many monthly salaries a year has where the posting says so; else 14 in Austria, 12 elsewhere.
    """
    rate = RATES_PER_EUR.get(currency)
    sides = [side for side in (low, high) if side is not None]
    if rate is None or not sides or not all(math.isfinite(side) and side > 0 for side in sides):
        return None
    factor = _PER_YEAR[period]
    if period == "month":
        factor = payments or _MONTHS.get(country or "", 12)
    if not all(MIN_YEARLY_EUR <= side * factor / rate <= MAX_YEARLY_EUR for side in sides):
        return None
    if low is not None and high is not None and low > high:
        low, high = high, low
    return YearlyPay(
        currency=currency,
        min=_whole(low, factor),
        max=_whole(high, factor),
        min_eur=_whole(low, factor / rate),
        max_eur=_whole(high, factor / rate),
        min_chf=_whole(low, factor / rate * RATES_PER_EUR["CHF"]),
        max_chf=_whole(high, factor / rate * RATES_PER_EUR["CHF"]),
    )


def _whole(side: float | None, factor: float) -> int | None:
    return None if side is None else round(side * factor)
