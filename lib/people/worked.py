"""For how long somebody worked: as a text says it in years, and as the dates of its jobs add up."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

_NUMERALS = {
    word: number
    for number, words in enumerate(
        ("one ein einem", "two zwei", "three drei", "four vier", "five fünf", "six sechs", "seven sieben", "eight acht",
         "nine neun", "ten zehn", "eleven elf", "twelve zwölf"), 1)
    for word in words.split()
}  # fmt: skip
_YEARS = re.compile(
    rf"(?i)(?<![\w.,])(\d{{1,2}}|{'|'.join(_NUMERALS)})"
    r"(?:\s?\+|\s?(?:-|–|bis|to)\s?\d{1,2})?[ -]*(?:jahre?n?\b|jährig|years?\b|yrs\b)"
)
_EXPERIENCE = re.compile(r"(?i)erfahrung|experience|praxis|tätig|working|worked|im beruf|berufsjahre")
_NEAR = 60
# What takes years and is no work, before them ("vor sechs Jahren") and behind ("six years old").
_IDLE_BEFORE = re.compile(r"(?i)\b(?:vor|in|ago|aged?|bin|am|wohn\w*|leb\w*|liv\w+|nach)\b[^,;.]{0,12}$|i['’]m\s*$")
_IDLE_BEHIND = re.compile(
    r"(?i)[^,;.]{0,20}\b(?:alt|old|ago|jung|young|pause|break|elternzeit|parental|leave|wohn\w*|leb\w*|liv\w+|studi\w+|stud(?:y|ies)|"
    r"ausbildung|lehre|schule|school|university|garantie)\b"
)
_FIRST_YEAR = 1950
_MONTHS = {
    name: number
    for number, names in enumerate(
        ("jan", "feb", "mär mar mrz", "apr", "mai may", "jun", "jul", "aug", "sep", "okt oct", "nov", "dez dec"), 1
    )
    for name in names.split()
}
_POINT = r"(?:(?:(?:\d{1,2}\.\s?)?(\d{1,2})\s?[./-]\s?|([^\W\d_]{3,9})\.?\s+)?((?:19|20)\d\d))"
_RANGE = re.compile(
    rf"(?i)(?<!\d){_POINT}\s*(?:-|–|—|bis|to|until)\s*(?:{_POINT}|(heute|present|today|now|jetzt|aktuell|laufend|current))(?!\d)"
    rf"|(?<!\w)(seit|since)\s+{_POINT}(?!\d)"
)


class Worked(NamedTuple):
    """Years of all jobs together, overlapping ones once, and where their dates stand."""

    years: float
    spans: tuple[tuple[int, int], ...]


def years_said(text: str) -> float | None:
    """The years of experience that a sentence speaks of, the least where it says "3 to 5"; None where it does not."""
    for found in _YEARS.finditer(text):
        around = text[max(0, found.start() - _NEAR) : found.end() + _NEAR]
        if _EXPERIENCE.search(around):
            return float(_NUMERALS.get(found[1].casefold()) or int(found[1]))
    return None


def years_told(text: str) -> float | None:
    """The years that a person names without a word on what they were, "sechs Jahre Chirurgie"; None without any."""
    for found in _YEARS.finditer(text):
        before, behind = text[max(0, found.start() - _NEAR) : found.start()], text[found.end() : found.end() + _NEAR]
        if not _IDLE_BEFORE.search(before) and not _IDLE_BEHIND.match(behind):
            return float(_NUMERALS.get(found[1].casefold()) or int(found[1]))
    return None


def years_worked(text: str, today: date) -> Worked:
    """What the spans of dates in `text` add up to. To be given the part of a résumé that is about work."""
    spans = list(_spans(text, today))
    months = {month for first, last, _ in spans for month in range(first, last)}
    return Worked(round(len(months) / 12, 1), tuple(place for _, _, place in spans))


def _spans(text: str, today: date) -> Iterator[tuple[int, int, tuple[int, int]]]:
    """First month and the month after the last, counted from the year 0, and where they are written."""
    now = today.year * 12 + today.month
    for found in _RANGE.finditer(text):
        since = found[8] is not None
        first = _month(*found.group(9, 10, 11) if since else found.group(1, 2, 3), last=False)
        open_end = since or found[7] is not None
        last = now if open_end else _month(*found.group(4, 5, 6), last=True)
        if first is not None and last is not None and _FIRST_YEAR * 12 <= first < last <= now + 1:
            yield first, last, found.span()


def _month(number: str | None, name: str | None, year: str, *, last: bool) -> int | None:
    """A month as a number; of a year alone its first one, or the one in which it was over."""
    if number is not None:
        month = int(number)
    elif name is not None:
        month = _MONTHS.get(name[:3].casefold(), 0)
    else:
        return int(year) * 12 + 1  # "2014 - 2018" is four years, not five
    return int(year) * 12 + month + last if 1 <= month <= 12 else None
