"""Pay: what a posting truly offers, and the many ways in which German and English texts say it."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Literal

from tests.sim.occupations import Occupation

Period = Literal["year", "month", "hour"]


@dataclass(frozen=True)
class Pay:
    """Gross pay in major units. `max` is None for "from ..."; min equals max where one amount is said."""

    min: float
    max: float | None
    currency: str
    period: Period

    def truth(self) -> dict[str, float | str | None]:
        """As a plain object with the keys min, max, currency, period."""
        return {"min": self.min, "max": self.max, "currency": self.currency, "period": self.period}


Phrases = dict[str, dict[str, tuple[str, ...]]]

_STATED = {"DE": 0.45, "AT": 0.85, "CH": 0.4}  # Austrian law asks for the minimum pay in every advert
_SWISS_FACTOR = 1.55
_HOURS_A_YEAR = 1_950
_YEAR: Phrases = {
    "de": {
        "range": (
            "{a} € - {b} € brutto im Jahr",
            "zwischen {a} und {b} Euro Jahresgehalt",
            "Jahresgehalt {a}–{b} EUR",
            "{a} € bis {b} € p. a.",
            "EUR {a} - EUR {b} brutto jährlich",
        ),
        "from": ("ab {a} Euro brutto im Jahr", "mindestens {a} € Jahresbrutto"),
        "one": ("{a} € brutto jährlich", "Jahresbruttogehalt {a} EUR"),
    },
    "en": {
        "range": (
            "€{a} - €{b} gross per year",
            "EUR {a}–{b} per annum",
            "between {a} and {b} euros a year",
            "€{a} to €{b} annually",
        ),
        "from": ("from €{a} gross per year", "at least EUR {a} per year"),
        "one": ("€{a} per year", "EUR {a} gross annually"),
    },
}
_MONTH: Phrases = {
    "de": {
        "range": ("{a} - {b} Euro brutto im Monat", "{a} € bis {b} € monatlich (brutto)"),
        "from": ("ab {a} € brutto im Monat", "mindestens {a} Euro monatlich"),
        "one": ("{a} € brutto im Monat", "{a} Euro/Monat"),
    },
    "en": {
        "range": ("€{a} - €{b} gross per month", "EUR {a} to {b} monthly"),
        "from": ("from €{a} gross per month", "at least {a} euros a month"),
        "one": ("€{a} gross per month", "EUR {a} per month"),
    },
}
_HOUR: Phrases = {
    "de": {
        "range": ("{a} € bis {b} € pro Stunde", "Stundenlohn {a} - {b} Euro"),
        "from": ("ab {a} Euro pro Stunde", "Stundenlohn ab {a} €"),
        "one": ("{a} €/Std.", "{a} Euro brutto die Stunde"),
    },
    "en": {
        "range": ("€{a} to €{b} per hour", "an hourly wage of {a} - {b} euros"),
        "from": ("from €{a} per hour", "at least €{a} an hour"),
        "one": ("€{a} per hour", "€{a} an hour"),
    },
}
_SWISS: Phrases = {
    "de": {
        "range": ("CHF {a}–{b}", "Jahreslohn CHF {a} bis {b}", "CHF {a} - {b} pro Jahr"),
        "from": ("ab CHF {a} pro Jahr", "mindestens CHF {a} im Jahr"),
        "one": ("CHF {a} im Jahr",),
    },
    "en": {
        "range": ("CHF {a}–{b}", "CHF {a} to CHF {b} per year", "CHF {a} - {b} annually"),
        "from": ("from CHF {a} per year",),
        "one": ("CHF {a} per year",),
    },
}
_AUSTRIAN: Phrases = {
    "de": {
        "range": ("EUR {a},- bis EUR {b},- brutto/Monat (14x)",),
        "from": (
            "ab EUR {a},- brutto/Monat (14x)",
            "Mindestgehalt laut Kollektivvertrag EUR {a},- brutto pro Monat (14x)",
        ),
        "one": ("EUR {a},- brutto/Monat (14x)",),
    },
    "en": {
        "range": ("EUR {a} to EUR {b} gross per month (14x)",),
        "from": ("a collective agreement minimum of EUR {a} gross per month (14 times a year)",),
        "one": ("EUR {a} gross per month (14 payments)",),
    },
}
_FRAMES = {
    "de": ("Gehalt: {pay}.", "Wir zahlen {pay}.", "Vergütung: {pay}", "Ihr Verdienst: {pay}.", "Lohn: {pay}."),
    "en": ("Salary: {pay}.", "Pay: {pay}", "We pay {pay}.", "The salary for this role is {pay}.", "Our offer: {pay}."),
}


def draw_pay(
    occupation: Occupation, country: str, employment: str, rng: Random, *, certain: bool = False
) -> Pay | None:
    """What a posting offers, or None where it does not say (about half). `certain`: it does say."""
    if rng.random() >= _STATED[country] and not certain:
        return None
    low, high = occupation.pay
    factor = _SWISS_FACTOR if country == "CH" else 1.0
    start = rng.uniform(low, (low + high) / 2) * factor
    end = start * rng.uniform(1.08, 1.3)
    currency = "CHF" if country == "CH" else "EUR"
    period, divisor, step = _unit(country, employment, high, rng)
    if employment == "internship":
        start, end = 12 * rng.uniform(600, 1_000) * factor, 12 * rng.uniform(1_100, 1_600) * factor
    minimum = max(step, round(start / divisor / step) * step)
    maximum = max(minimum + step, round(end / divisor / step) * step)
    shape = rng.random()
    if shape < 0.62:
        return Pay(minimum, maximum, currency, period)
    return Pay(minimum, None if shape < 0.85 else minimum, currency, period)


def raised(pay: Pay, times: int) -> Pay:
    """`pay` after so many raises."""
    more = {"year": 1_000, "month": 100, "hour": 0.5}[pay.period] * times
    return Pay(pay.min + more, None if pay.max is None else pay.max + more, pay.currency, pay.period)


def _unit(country: str, employment: str, high: int, rng: Random) -> tuple[Period, float, float]:
    """Period, yearly pay divided by what, rounded to what."""
    if country == "CH":
        return ("month", 12, 50) if employment == "internship" else ("year", 1, 1_000)
    if employment == "internship":
        return "month", 12, 50
    if country == "AT":
        return ("month", 14, 10) if rng.random() < 0.7 else ("year", 1, 500)
    if high < 46_000 and rng.random() < 0.5:
        return "hour", _HOURS_A_YEAR, 0.25
    return ("month", 12, 50) if high < 58_000 and rng.random() < 0.5 else ("year", 1, 500)


def pay_sentence(pay: Pay, country: str, language: str, rng: Random) -> str:
    """`pay` in words."""
    shape = "from" if pay.max is None else "one" if pay.max == pay.min else "range"
    phrase = rng.choice(_table(pay, country)[language][shape])
    style = _style(pay, language, rng)
    said = phrase.format(a=_amount(pay.min, style), b=_amount(pay.max or 0, style))
    return rng.choice(_FRAMES[language]).format(pay=said)


def _table(pay: Pay, country: str) -> Phrases:
    if pay.currency == "CHF" and pay.period == "year":
        return _SWISS
    if pay.currency == "CHF":
        return {
            language: {
                shape: tuple(p.replace("€", "CHF ").replace("Euro", "CHF").replace("EUR", "CHF") for p in phrases)
                for shape, phrases in table.items()
            }
            for language, table in _MONTH.items()
        }
    if country == "AT" and pay.period == "month" and pay.min >= 1_500:
        return _AUSTRIAN
    by_period: dict[str, Phrases] = {"year": _YEAR, "month": _MONTH, "hour": _HOUR}
    return by_period[pay.period]


def _style(pay: Pay, language: str, rng: Random) -> str:
    """Separator of thousands and of decimals, two characters."""
    if pay.currency == "CHF":
        return rng.choice(("'.", "’."))
    return rng.choice((".,", ".,", ".,", " ,")) if language == "de" else ",."


def _amount(value: float, style: str) -> str:
    if value < 100:
        return f"{value:.2f}".replace(".", style[1])
    return f"{round(value):,}".replace(",", style[0])
