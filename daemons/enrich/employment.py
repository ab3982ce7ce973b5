"""The kind of employment, whether it is permanent, and where the work is done.

`employment` tells the hours where the posting does: a fixed-term job in full time is "full_time", and `permanent` tells
that it ends. It is "temporary" only where the contract is said to end and nothing is said about the hours.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from daemons.enrich.contract import MAX_EVIDENCE_CHARS, MAX_TEXT_CHARS, Facts, Finding, Provenance, Scalar, Span
from lib.text.passages import lower, matches, passages
from lib.text.workplace import find_workplace, name_workplace

_MAX_TITLE_CHARS = 500
_MAX_PLACES = 20

_SPECIAL = re.compile(
    r"(?P<working_student>werks?student|working[- ]student)"
    r"|(?P<apprenticeship>\bausbildung(?:splatz)?\b(?!s?leit)|\bazubi|\bauszubildende|\blehrling|\blehrstelle|apprentic"
    r"|\bduales? stud|\bdual study|\blernende[rn]?\b)"
    r"|(?P<internship>praktikum|praktikant|\binterns?\b|internship|\btrainee ?ship\b)"
    r"|(?P<mini_job>mini-?job|geringfügig|\b(?:450|520|538|556|603)[ -]?(?:€|euro)|marginal employment)"
    r"|(?P<freelance>freelanc|freiberuf|freie[rn]? mitarbeit|\bcontractor\b|selbst(?:st)?ändig\w* (?:handels|basis))"
)
_EITHER = re.compile(
    r"voll-? ?(?:und|oder|/|bzw\.?|o\.|&) ?-?teilzeit|teilzeitgeeignet|full[-_ ]or[-_ ]part"
    r"|full[- ]?(?:time)? ?(?:or|and|/|&) ?part[- ]?time|part[- ]?(?:time)? ?(?:or|and|/|&) ?full[- ]?time"
    r"|\b[2-9]0 ?%? ?(?:-|–|—|bis) ?100 ?%"
)
_FULL = re.compile(r"vollzeit|\bvz\b|full[-_ ]?time|\b100 ?%(?= ?(?:$|[),]|pensum|stelle|m/w|\())")
_PART = re.compile(
    r"teilzeit|\btz\b|part[-_ ]?time"
    r"|\b[2-9]0 ?%? ?(?:-|–|—|bis) ?[3-9]0 ?%|\b[2-9]0 ?%(?= ?(?:$|[),]|pensum|stelle|\())"
)
# Percentages in a text are travel and discounts; "full-time experience" is asked for, not offered.
_HOURS_IN_TEXT = re.compile(
    r"(?P<either>voll-? ?(?:und|oder|/|bzw\.?|&) ?-?teilzeit"
    r"|\b(?:möglichkeit (?:zur|auf|der|in)|option auf|auch in|auch) teilzeit"
    r"|teilzeit(?:arbeit|beschäftigung)?(?: ist| auch)? möglich|teilzeitgeeignet|teilzeitfähig|teilzeitmodelle"
    r"|part[- ]time (?:is )?(?:also )?(?:possible|welcome|an option))"
    r"|\b(?:(?P<full>vollzeit|full[- ]time)|(?P<part>teilzeit|part[- ]time))"
    r"(?! (?:\w+ )?(?:experience|status|student|studium|equivalent|employees|staff|offers|mitarbeit))"
)
_HOURS_WORDS = ("vollzeit", "teilzeit", "full-time", "full time", "part-time", "part time")
_TEMPORARY = re.compile(
    r"\btemporary\b|\btemp\b|seasonal|saison(?:al|kraft|arbeit)|zeitarbeit|\binterim\b|^contract$|aushilfe"
)
_LEAVE = r"(?:parental|maternity|paternity)(?: leave)?"
_LIMITED = re.compile(
    r"(?<!un)(?<!nicht )(?<!keine )(?<!keinen )befristet|(?<!ent)(?<!keine )befristung|fixed[- ]term"
    r"|(?<!un)limited contract|temporary (?:contract|position|role|job)|^temporary\b|\b\d{1,2}[- ]months? contract"
    r"|(?:position|role|contract|job|employment|vertrag|stelle)[^.\n]{0,30}(?<!un)(?:limited|begrenzt) (?:to|for|auf)"
    r" (?:\w+ )?(?:\d+|twelve|zwölf|one|two|zwei|ein) (?:months?|years?|monate?|jahre?)\b|zeitlich begrenzt"
    r"|(?:elternzeit|karenz|mutterschutz|mutterschafts|schwangerschafts|krankheits)-?vertretung"
    r"|vertretung[^.\n]{0,30}elternzeit|für die dauer (?:der|einer) elternzeit"
    rf"|{_LEAVE} (?:cover\b|replacement|substitut)|\b(?:to cover|covering|replacement for)(?: an?)? {_LEAVE}"
)
_UNLIMITED = re.compile(
    r"unbefristet|festanstellung|feste anstellung|^permanent|permanent (?:contract(?!s)|position|employment|role)"
    r"|offer(?:ing)? (?:only )?permanent contracts|unlimited contract|indefinite contract"
)
# "With a view to a permanent position", "Chance auf unbefristete Übernahme": the contract itself ends.
_OUTLOOK_BEFORE = re.compile(
    r"(?:chance|aussicht|option|möglichkeit|ziel|perspektive|possibilit|prospect|opportunity|view to|expectation)"
    r"[^.\n]{0,40}$"
)
_OUTLOOK_BEHIND = re.compile(r"\w{0,3} (?:übernahme|übernommen|weiterbeschäftig|verlänger)")
_CONTRACT_WORDS = (
    "befrist", "anstellung", "permanent", "fixed", "contract", "temporary", "vertretung", "begrenzt", "limited to",
    "limited for", "elternzeit", "parental", "maternity", "paternity",
)  # fmt: skip


class _Words(NamedTuple):
    """Words to read: as they stand, in small letters at the same positions, and where they come from."""

    original: str
    small: str
    stated: bool = False
    in_text: bool = False


class _Answer(NamedTuple):
    """A value, the words that say so, and where they stand when that is in the text."""

    value: str | bool
    evidence: str
    span: Span | None = None
    stated: bool = False


class EmploymentEnricher:
    """Reads the payload's own words first, then the title and the places, then the description."""

    name = "employment"
    version = 2
    fields: tuple[str, ...] = ("employment", "permanent", "remote")

    def enrich(self, posting: Facts) -> Finding:
        """The finding for one posting; a field is None where nothing is said, or both."""
        stated = _words(posting.employment_type or "", _MAX_TITLE_CHARS, stated=True)
        title = _words(posting.title, _MAX_TITLE_CHARS)
        text = _words(posting.text or "", MAX_TEXT_CHARS, in_text=True)
        permanent = _permanent(stated, title, text)
        answers = {
            "employment": _employment(stated, title, text) or _ending(permanent),
            "permanent": permanent,
            "remote": _remote(posting, title, text),
        }
        values: dict[str, Scalar] = {name: answer.value if answer else None for name, answer in answers.items()}
        provenance = {
            name: Provenance(
                kind="stated" if answer.stated else "derived",
                enricher=self.name,
                version=self.version,
                span=answer.span,
                evidence=answer.evidence[:MAX_EVIDENCE_CHARS],
            )
            for name, answer in answers.items()
            if answer is not None
        }
        return Finding(values=values, provenance=provenance)


def _words(original: str, most: int, *, stated: bool = False, in_text: bool = False) -> _Words:
    return _Words(original[:most], lower(original[:most]), stated, in_text)


def _answer(value: str | bool, words: _Words, span: Span) -> _Answer:
    return _Answer(value, words.original[slice(*span)], span if words.in_text else None, words.stated)


def _employment(stated: _Words, title: _Words, text: _Words) -> _Answer | None:
    """A special kind outranks the hours, because an internship is often stated as full time."""
    for words in (stated, title):
        match = _SPECIAL.search(words.small)
        if match is not None:
            return _answer(str(match.lastgroup), words, match.span())
    for words in (stated, title):
        answer = _hours(words) or _found("temporary", _TEMPORARY, words)
        if answer is not None:
            return answer
    return _hours_in_text(text)


def _hours(words: _Words) -> _Answer | None:
    """Full time, part time, or either, in a few words."""
    full, part = _found("full_time", _FULL, words), _found("part_time", _PART, words)
    either = _found("full_or_part_time", _EITHER, words)
    if either is None and full is not None and part is not None:
        return full._replace(value="full_or_part_time")
    return either or full or part


def _hours_in_text(text: _Words) -> _Answer | None:
    first: dict[str, Span] = {}
    for match in matches(_HOURS_IN_TEXT, text.small, passages(text.small, _HOURS_WORDS)):
        first.setdefault(str(match.lastgroup), match.span())
    if "either" in first or len(first) > 1:
        return _answer("full_or_part_time", text, first.get("either") or first["full"])
    for kind, span in first.items():
        return _answer(f"{kind}_time", text, span)
    return None


def _permanent(stated: _Words, title: _Words, text: _Words) -> _Answer | None:
    """Whether the contract has no end; None when the words say both ("at first limited, then permanent")."""
    for words in (stated, title, text):
        spans = passages(words.small, _CONTRACT_WORDS)
        limited = next(matches(_LIMITED, words.small, spans), None)
        unlimited = next(
            (match for match in matches(_UNLIMITED, words.small, spans) if not _is_outlook(words.small, match)), None
        )
        if limited and unlimited:
            return None
        match = unlimited or limited
        if match is not None:
            return _answer(match is unlimited, words, match.span())
    return None


def _is_outlook(small: str, match: re.Match[str]) -> bool:
    """Whether a permanent contract is only held out."""
    start, end = match.span()
    before = _OUTLOOK_BEFORE.search(small, max(0, start - 60), start)
    return before is not None or _OUTLOOK_BEHIND.match(small, end, end + 30) is not None


def _ending(permanent: _Answer | None) -> _Answer | None:
    """The kind of a job of which only the end is known."""
    return permanent._replace(value="temporary") if permanent is not None and permanent.value is False else None


def _remote(posting: Facts, title: _Words, text: _Words) -> _Answer | None:
    if posting.remote is not None:
        return _Answer(posting.remote, posting.remote, stated=True)
    places = (_words(place, _MAX_TITLE_CHARS) for place in posting.places[:_MAX_PLACES])
    for words in (title, *places):
        named = name_workplace(words.small)
        if named is not None:
            return _answer(named[0], words, named[1])
    found = find_workplace(text.small)
    return None if found is None else _answer(found[0], text, found[1])


def _found(value: str, pattern: re.Pattern[str], words: _Words) -> _Answer | None:
    match = pattern.search(words.small)
    return None if match is None else _answer(value, words, match.span())
