"""Readings of single values that boards write in many ways: times, money, periods, languages, places.

Every function takes what a payload holds and gives None where it makes no sense (year 0, a negative salary, a
number in a text field), so that one absurd value never costs its row.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from lib.posting.contract import Period, Salary
from lib.text.money import find_salaries

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# No job board is older, and 9999-12-31 means "open-ended".
_EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
_LATEST = datetime(2100, 1, 1, tzinfo=UTC)
_MAX_AMOUNT = 1e12
_MAX_PLACES = 100
_MAX_PLACE_CHARS = 200
_FIGURES = re.compile(r"(\d{1,4})[./-](\d{1,2})[./-](\d{1,4})(?!\d)", re.ASCII)
_DECIMAL = re.compile(r"\d{1,13}(?:\.\d{1,9})?", re.ASCII)
_CURRENCY = re.compile(r"[A-Z]{3}")
_LANGUAGE = re.compile(r"([a-z]{2})(?:[-_][a-z0-9_-]{1,16})?", re.IGNORECASE | re.ASCII)
_PERIOD = re.compile(r"(?:1 |per[- ])?(year|month|week|day|hour)(?:ly)?(?:[- ](?:salary|wage))?", re.ASCII)
_IRREGULAR_PERIODS: dict[str, Period] = {"annual": "year", "annually": "year", "daily": "day"}
# "Remote", "Remote - US", "100% Home Office (DE)"; not "Remote or Berlin", which leaves the choice.
_REMOTE_PLACE = re.compile(
    r"(?:fully |100 ?% )?(?:remote|home[ -]?office)(?: work)?(?:\s*[-\u2013\u2014:,(].*)?", re.IGNORECASE
)


def line(text: str | None) -> str | None:
    """`text` on one line without surplus blanks; None when nothing is left."""
    return (" ".join(text.split()) or None) if text else None


def moment(text: str | None) -> datetime | None:
    """An ISO 8601 date or time as aware UTC; one without an offset is read as UTC."""
    if not text:
        return None
    try:
        read = datetime.fromisoformat(text.strip())
        return _plausible(read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC))
    except (ValueError, OverflowError):
        return None


def moment_ms(milliseconds: float | None) -> datetime | None:
    """Unix milliseconds as aware UTC."""
    if milliseconds is None or not math.isfinite(milliseconds):
        return None
    try:
        return _plausible(_EPOCH + timedelta(milliseconds=milliseconds))
    except OverflowError:
        return None


def moment_s(seconds: float | None) -> datetime | None:
    """Unix seconds as aware UTC."""
    return None if seconds is None else moment_ms(seconds * 1_000)


def day(text: str | None, order: Literal["dmy", "mdy", "ymd"]) -> datetime | None:
    """A date in figures ("31.12.26", "12/31/2026") as midnight UTC; `order` says which figure is what.

    Years of two digits are of this century. Anything after the date ("08:00", "Uhr") is not read.
    """
    found = _FIGURES.match((text or "").strip())
    if found is None:
        return None
    figures = dict(zip(order, map(int, found.groups()), strict=True))
    year = figures["y"] + (2_000 if figures["y"] < 100 else 0)
    try:
        return _plausible(datetime(year, figures["m"], figures["d"], tzinfo=UTC))
    except ValueError:
        return None


def _plausible(read: datetime) -> datetime | None:
    return read if _EARLIEST <= read < _LATEST else None


def amount(value: Any) -> float | None:
    """A positive amount from a number or a plain decimal text ("60000.00"); boards write 0 for "not stated"."""
    if isinstance(value, str):
        value = float(value.strip()) if _DECIMAL.fullmatch(value.strip()) else None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < _MAX_AMOUNT:
        return None
    return float(value)


def currency(text: str | None) -> str | None:
    """An ISO 4217 code in upper case, from a code in any case."""
    code = (text or "").strip().upper()
    return code if _CURRENCY.fullmatch(code) else None


def period(text: str | None) -> Period | None:
    """The time that a salary is paid for: "yearly", "1 YEAR", "per-year-salary", "annual" are all "year"."""
    word = (text or "").strip().lower()
    found = _PERIOD.fullmatch(word)
    return found[1] if found else _IRREGULAR_PERIODS.get(word)  # type: ignore[return-value]


def salary(low: Any, high: Any, code: str | None, per: str | None) -> Salary | None:
    """A salary from raw parts, bounds in the right order; None without any amount.

    None, too, when `per` names a period that we do not know ("2 WEEK"): read as another one it would mislead.
    """
    least, most = amount(low), amount(high)
    known = period(per)
    if (least is None and most is None) or (line(per) and known is None):
        return None
    if least is not None and most is not None and least > most:
        least, most = most, least
    return Salary(min=least, max=most, currency=currency(code), period=known)


def salary_span(ranges: Iterable[Salary | None]) -> Salary | None:
    """One salary from the lowest to the highest of several (zones, tiers); None when they differ in currency or
    period, because no single range says what was stated."""
    stated = [one for one in ranges if one is not None]
    if len({(one.currency, one.period) for one in stated}) != 1:
        return None
    lows = [one.min for one in stated if one.min is not None]
    highs = [one.max for one in stated if one.max is not None]
    return Salary(
        min=min(lows, default=None),
        max=max(highs, default=None),
        currency=stated[0].currency,
        period=stated[0].period,
    )


def salary_phrase(text: str | None) -> Salary | None:
    """The salary that a field of free text states ("€60k - €70k / year"); None when it states none, or several."""
    # Said by the field's name: a bare amount is pay here.
    found = find_salaries(f"Salary: {text}") if line(text) else []
    if len(found) != 1:
        return None
    return salary(found[0].min, found[0].max, found[0].currency, found[0].period)


def language(text: str | None) -> str | None:
    """ISO 639-1 in lower case from a tag such as "de", "de-AT" or "en_US"."""
    found = _LANGUAGE.fullmatch((text or "").strip())
    return found[1].lower() if found else None


def places(names: Iterable[str | None]) -> tuple[str, ...]:
    """The names that say something, each once, in their order."""
    said = (line(name) for name in names)
    return tuple(dict.fromkeys(name[:_MAX_PLACE_CHARS] for name in said if name))[:_MAX_PLACES]


def any_remote(names: Iterable[str]) -> bool:
    """Whether one of the places is no place but says "Remote" or "Homeoffice"."""
    return any(_REMOTE_PLACE.fullmatch(name) for name in names)
