"""Salary phrases in German and English: where they stand, how much they say, for which period.

A phrase is an amount or a range with a currency (or in thousands) that the words around it say is pay. Amounts about
something else (revenue, vouchers, bonuses, budgets) are left out by those words. Numbers are found first and looked at
from there, so that the time is linear in the text.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Literal, TypeAlias

import msgspec

Period: TypeAlias = Literal["year", "month", "week", "day", "hour"]

MAX_CHARS = 200_000
MAX_NUMBERS = 2_000
MAX_SPANS = 20
_LEFT = 70
_RIGHT = 45
_RIGHT_BEHIND = 14
_MORE_CHARS = 140

_CURRENCIES = {
    "€": "EUR", "eur": "EUR", "euro": "EUR", "euros": "EUR", "teur": "EUR", "t€": "EUR", "chf": "CHF", "tchf": "CHF",
    "sfr": "CHF", "sfr.": "CHF", "franken": "CHF", "$": "USD", "us$": "USD", "usd": "USD", "£": "GBP", "gbp": "GBP",
    "pln": "PLN", "zł": "PLN", "sek": "SEK", "dkk": "DKK", "nok": "NOK", "czk": "CZK", "huf": "HUF", "ron": "RON",
    "cad": "CAD", "ca$": "CAD", "aud": "AUD", "inr": "INR", "₹": "INR", "jpy": "JPY", "¥": "JPY", "sgd": "SGD",
}  # fmt: skip
_CURRENCY = "|".join(sorted(map(re.escape, _CURRENCIES), key=len, reverse=True))
_BEFORE = re.compile(rf"(?<![^\W\d_])({_CURRENCY})[ \u00a0]{{0,2}}$", re.IGNORECASE)
_AFTER = re.compile(rf"[ \u00a0]{{0,2}}({_CURRENCY})(?![^\W\d_])", re.IGNORECASE)
_NUMBER = re.compile(
    r"(?<![\d.,])(?:\d{1,3}(?:[.,'’ \u00a0\u202f]\d{3}){1,2}(?!\d)|\d{1,7}(?!\d))"
    r"(?:[.,](?:\d{1,2}(?![\d])|[-–—]{1,2}))?"
)
_THOUSAND = re.compile(r"[ \u00a0]?(?:k|T|Tsd\.?|tausend|thousand)(?![^\W\d_])", re.IGNORECASE)
_NO_PAY_UNIT = re.compile(
    r"[ \u00a0]?(?:%|mio|mill|mrd|bn\b|b\b|m\b|mm\b|million|billion|trillion|t\b(?! ?€)"
    r"|\+? ?(?:mitarbeit|employees|kund)|[ \u00a0]?(?:uhr|km|m²|qm)\b)",
    re.IGNORECASE,
)
_DASH = re.compile(
    r"(?:\s?(?:/|per|pro)\s?(?:hr?|hour|std|stunde|day|tag|month|monat|year|jahr)\.?)?"
    r"[ \t\u00a0\u202f]{0,2}(?:-|–|—|‑|−|~|bis(?: zu)?|to|und|and)[ \t\u00a0\u202f]{0,2}",
    re.IGNORECASE,
)

_PAY = re.compile(
    r"gehalt|gehälter|lohn|löhne|vergüt|salary|salaries|\bpay\b|compensation|verdien|brutto|entgelt|\bwages?\b|einkommen|"
    r"bezahl|\bote\b|remuneration|honorar|\bsatz\b|tagessatz|stundensatz|\brates?\b|hiring range|\bbase\b|"
    r"kollektivvertrag|\bkv\b|tarif|\bearn|\bgross\b|mindestgrund|\bpackage|besoldung|pensum|fixum|fixgehalt"
)
_OTHER = re.compile(
    r"prämie|bonus|bonifikation|gutschein|zuschuss|budget|umsatz|revenue|funding|invest|finanzierung|\braised|voucher|"
    r"sachbezug|sachleistung|ticket|zulage|zuschlag|referral|allowance|stipend|willkommens|sign[- ]?on|rabatt|discount|"
    r"spesen|€-basis|\bwert\b|worth|kosten|beitrag|ausstattung|equipment|setup|kindergarten|\bvwl\b|vermögenswirksam|"
    r"altersvorsorge|essens|mitarbeiter werben|empfehlung|volumen|\bassets|pro kind|urlaubsgeld|weihnachtsgeld|kredit|"
    r"\bloans?\b|additional|zusätzlich|differential|guthaben|credit|erstattung|sponsor|fördersumme|geschenk|\bcard\b|"
    r"karte|\bmerchandise|customers|transaktion|valuation|bewertung|\bmatch|contribut|donat|reimburse|\bsaves?\b|spar|\bbilanz|401|"
    r"weiterbildung|fortbildung|\blearning|lernbudget|fitness|mobilit|jobrad|spende|umzug|relocation|fixkosten|quota|pipeline"
)
_PLUS = re.compile(r"[\n.,;:+&]|\bplus\b|zzgl|zuzüglich|\bund\b|\band\b|\binkl|sowie|excluding|exkl")
_PERIODS: tuple[tuple[Period, str], ...] = (
    ("hour", r"stunde|stündl|stundenl|stundens|\bhour|hourly|/ ?h\b|/ ?hr|/ ?std|\bstd\b|die std"),
    ("day", r"pro tag|per day|/ ?tag\b|/ ?day|tagessatz|day rate|daily rate|tageslohn"),
    ("week", r"pro woche\b|per week|/ ?woche|weekly (?:pay|wage|salary)|wochenlohn"),
    ("month", r"monat|month|mtl|\bp\.? ?m\b|/ ?mon|miesi"),
    ("year", r"(?<!lehr)(?<!ausbildungs)(?<!berufs)jahr|year|annu|\bp\.? ?a\b|jährl|\bote\b"),
)
_PERIOD = re.compile("|".join(f"(?P<{name}>{words})" for name, words in _PERIODS))
# A number without a currency is pay only where its period follows at once; else it may be a postal code.
_TIMED_BARE = re.compile(
    r"(?:,[-–])? ?(?:brutto |gross )?(?:/ ?|pro |per |im |an? |p\. ?)?(?:monat|month|jahr|jährl|year|annu|m\.|a\.)",
    re.IGNORECASE,
)
_ASIDE = re.compile(r"\([^()]*\)")
_EURO_SIZED = frozenset({"EUR", "CHF", "USD", "GBP", "CAD", "AUD", "SGD", None})
_PLAUSIBLE: dict[Period, tuple[float, float]] = {
    "hour": (4, 300),
    "day": (60, 2_500),
    "week": (150, 6_000),
    "month": (350, 20_000),
    "year": (8_000, 2_000_000),
}
# Times that belong to the work, not to the pay: "38,5 Stunden pro Woche", "30 Tage Urlaub im Jahr", "5 years of".
_OTHER_TIMES = re.compile(
    r"\d+ ?(?:-|–)? ?(?:h\b|stunden|std\.?|hours?|wochenstunden|tagen?|days?)[^.,;\n\d]{0,25}?"
    r"(?:woche|week|monat|month|jahr|year)"
    r"|\d+ ?(?:wochenstunden|stunden\b|hours\b)|\d\+? ?(?:years?|jahren?)\b"
)
_PAYMENTS = re.compile(
    r"(?<!\d)(1[2-6]) ?(?:x|×|mal|monatsgeh|monatsl|gehälter|salaries|times)|(?:x|×) ?(1[2-6])(?!\d)"
)
_FLOOR = re.compile(
    r"(?:\bab(?! sofort)|\bfrom|mindestens|starting at|minimum|mind\.|at least|beginnt bei|über)[^\d]{0,12}$"
    r"|(?:mindest(?:ge|grund|lohn|brutto|jahres|monats|ent)|kollektivvertrag|\bkv\b|minimum"
    r"|collective (?:bargaining )?agreement)[^\d\n]{0,60}$"
)
# Austrian adverts state the minimum of the collective agreement, and that more is paid.
_MORE = re.compile(r"überzahl|overpay|over-payment|marktkonforme mehr")
_MORE_RIGHT = re.compile(r" ?(?:\+(?! ?[\d$€£])|or more|und mehr|aufwärts|upwards|and up\b)")
_SENTENCE = re.compile(r"[.!?…] +(?=[A-ZÄÖÜ])|\n")
_CEILING = re.compile(r"(?:bis zu|\bup to|maximal|max\.|\bbis)[^\d]{0,8}$")


class SalarySpan(msgspec.Struct, frozen=True, kw_only=True):
    """One salary phrase: pay in major units, `text[start:end]` are its words.

    `currency` None: only thousands are stated ("45k-60k"). `payments`: monthly salaries in a year, where stated.
    """

    min: float | None
    max: float | None
    currency: str | None
    period: Period
    start: int
    end: int
    payments: int | None = None


class _Amount(msgspec.Struct, gc=False):
    value: float
    start: int
    end: int
    currency: str | None
    thousands: bool


def find_salaries(text: str) -> list[SalarySpan]:
    """The salary phrases of a text, in order of appearance; at most MAX_SPANS."""
    spans: list[SalarySpan] = []
    text = text[:MAX_CHARS]
    amounts = list(_amounts(text))
    at = 0
    while at < len(amounts) and len(spans) < MAX_SPANS:
        low = amounts[at]
        high = amounts[at + 1] if at + 1 < len(amounts) and _is_range(text, low, amounts[at + 1]) else None
        at += 1 if high is None else 2
        span = _span(text, low, high)
        if span is not None:
            spans.append(span)
    return spans


def _amounts(text: str) -> Iterator[_Amount]:
    """The numbers of a text that could be money, with the currency and the thousands written at them."""
    for count, number in enumerate(_NUMBER.finditer(text)):
        if count >= MAX_NUMBERS:
            return
        start, end = number.span()
        thousands = _THOUSAND.match(text, end)
        after = _AFTER.match(text, thousands.end() if thousands else end)
        before = _BEFORE.search(text, max(0, start - 9), start)
        if not before and start and text[start - 1].isalpha():
            continue  # part of a word or a code
        if thousands is not None and number[0] in ("401", "403") and not (before or after):
            continue  # pension plans of the United States
        if thousands is not None:
            end = thousands.end()
        elif after is None and _NO_PAY_UNIT.match(text, end):
            continue
        code = (after or before or [None, None])[1]
        if after is not None:
            end = after.end()
            if _NO_PAY_UNIT.match(text, end):
                continue
        in_thousands = thousands is not None or (code or "").lower() in ("teur", "t€", "tchf")
        yield _Amount(
            value=_value(number[0]) * (1_000 if in_thousands else 1),
            start=before.start(1) if before else start,
            end=end,
            currency=_CURRENCIES[code.lower()] if code else None,
            thousands=in_thousands,
        )


def _value(digits: str) -> float:
    digits = re.sub(r"[ '’\u00a0\u202f]|[.,][-–—]+$", "", digits)
    whole, point, rest = digits.rpartition(max(".", ",", key=digits.rfind))
    if point and len(rest) < 3:
        return float(re.sub(r"[.,]", "", whole) + "." + rest)
    return float(re.sub(r"[.,]", "", digits))


def _is_range(text: str, low: _Amount, high: _Amount) -> bool:
    between = text[low.end : high.start]
    if not _DASH.fullmatch(between):
        return False
    if low.currency and high.currency and low.currency != high.currency and not _same_dollar(low, high):
        return False
    if between.strip().lower() in ("und", "and"):
        return re.search(r"zwischen|between", text[max(0, low.start - 20) : low.start], re.IGNORECASE) is not None
    return True


def _same_dollar(low: _Amount, high: _Amount) -> bool:
    """Whether a bare dollar sign meets the name of another dollar ("$137,000 - $189,000 CAD")."""
    return low.currency == "USD" and high.currency in ("CAD", "AUD", "SGD")


def _span(text: str, low: _Amount, high: _Amount | None) -> SalarySpan | None:
    last = high or low
    currency = last.currency or low.currency
    if currency is None and not last.thousands and (low.value < 1_000 or not _TIMED_BARE.match(text, last.end)):
        return None
    first_value = low.value * (1_000 if last.thousands and not low.thousands and low.value < 1_000 else 1)
    values = (first_value, last.value)
    left = text[max(0, low.start - _LEFT) : low.start].lower()
    right = text[last.end : last.end + _RIGHT].lower()
    if not 0 < min(values) <= max(values) < 10_000_000 or max(values) > 20 * min(values):
        return None
    if _is_other(left, right) or not _is_pay(values, left, right, currency, thousands=last.thousands):
        return None
    period = _period(values, currency, *_sentence_around(text, low.start, last.end))
    if period is None:
        return None
    bottom: float | None = min(values)
    top: float | None = max(values)
    if high is None and (_FLOOR.search(left) or _is_open(text, last.end)):
        top = None
    elif high is None and _CEILING.search(left):
        bottom = None
    payments = _PAYMENTS.search(right) or _PAYMENTS.search(left[-25:])
    return SalarySpan(
        min=bottom,
        max=top,
        currency=currency,
        period=period,
        start=low.start,
        end=last.end,
        payments=int(payments[1] or payments[2]) if payments and period == "month" else None,
    )


def _is_other(left: str, right: str) -> bool:
    """Whether the words say that the amount is no pay: the nearest word to the left, or one right behind it."""
    line = left.rsplit("\n", 1)[-1]
    clause = _ASIDE.sub(" ", line if line.strip() else left)
    others = [match.end() for match in _OTHER.finditer(clause)]
    if others and others[-1] > max((match.end() for match in _PAY.finditer(clause)), default=-1):
        return True
    behind = _PLUS.split(right[:35], maxsplit=1)[0]
    return _OTHER.search(behind) is not None


def _is_pay(values: tuple[float, float], left: str, right: str, currency: str | None, *, thousands: bool) -> bool:
    """Whether enough speaks for pay: words about pay, a period right behind, or a yearly range."""
    worded = _PAY.search(left) is not None or _PAY.search(right) is not None
    timed = _PERIOD.search(right[:20]) is not None
    low, high = values
    if currency is None:
        return worded or (thousands and low < high <= min(3 * low, 400_000))
    return worded or timed or 15_000 <= low < high <= 4 * low


def _is_open(text: str, end: int) -> bool:
    """Whether more than the amount that ends there may be paid."""
    right = text[end : end + _MORE_CHARS].lower()
    return _MORE_RIGHT.match(right) is not None or _MORE.search(right) is not None


def _sentence_around(text: str, start: int, end: int) -> tuple[str, str]:
    """What stands before and behind an amount in its sentence; before, the line above where the amount begins one."""
    left = text[max(0, start - _LEFT) : start].rstrip()
    before = _SENTENCE.split(left)[-1]
    behind = _SENTENCE.split(text[end : end + _RIGHT], maxsplit=1)[0]
    return before.lower(), behind.lower()


def _period(values: tuple[float, float], currency: str | None, before: str, behind: str) -> Period | None:
    """The nearest period named behind the amount, else before it, that makes sense for it; else the usual one.

    None when the words right behind the amount name a period in which nobody is paid so much or so little.
    """
    right = list(_PERIOD.finditer(_OTHER_TIMES.sub(_blank, behind)))
    left = list(_PERIOD.finditer(_OTHER_TIMES.sub(_blank, before)))
    for match in right + left[::-1]:
        period: Period = match.lastgroup  # type: ignore[assignment]
        least, most = _PLAUSIBLE[period] if currency in _EURO_SIZED else (0.0, math.inf)
        if least <= values[0] <= values[1] <= most:
            return period
        if right and match is right[0] and match.start() <= _RIGHT_BEHIND:
            return None
    return usual_period(max(values), currency)


def _blank(match: re.Match[str]) -> str:
    return " " * len(match[0])


def usual_period(value: float, currency: str | None) -> Period | None:
    """The period of an amount whose size leaves no doubt, where salaries are written in units of about one euro."""
    if currency in ("JPY", "INR", "HUF", "CZK"):
        return "year" if value >= 200_000 else None
    if value >= 20_000:
        return "year"
    if 1_200 <= value < 15_000:
        return "month"
    return "hour" if 9 <= value <= 120 else None
