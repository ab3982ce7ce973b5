"""The kind of employment, whether it is permanent, and where the work is done."""

from __future__ import annotations

import re
from typing import NamedTuple

from daemons.enrich.contract import MAX_EVIDENCE_CHARS, MAX_TEXT_CHARS, Facts, Finding, Provenance, Scalar, Span

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
    r"\b(?:(?P<either>voll-? ?(?:und|oder|/|bzw\.?|&) ?-?teilzeit)|(?P<full>vollzeit|full[- ]time)"
    r"|(?P<part>teilzeit|part[- ]time))(?! (?:\w+ )?(?:experience|status|student|studium|equivalent))"
)
_TEMPORARY = re.compile(
    r"\btemporary\b|\btemp\b|seasonal|saison(?:al|kraft|arbeit)|zeitarbeit|\binterim\b|^contract$|aushilfe"
)
_LIMITED = re.compile(
    r"(?<!un)befristet|befristung|fixed[- ]term|limited contract|temporary (?:contract|position|role)"
    r"|elternzeitvertretung|^temporary\b|zeitlich begrenzt"
)
_UNLIMITED = re.compile(
    r"unbefristet|festanstellung|feste anstellung|^permanent|permanent (?:contract|position|employment|role)"
    r"|unlimited contract|indefinite contract"
)
_CONTRACT_WORDS = ("befrist", "anstellung", "permanent", "fixed", "contract", "temporary", "vertretung", "begrenzt")

_ONSITE = re.compile(
    r"\b(?:no|not|keine?|keinen|nicht) (?:fully )?(?:remote|home[- ]?office|mobile arbeit)"
    r"|(?:remote|home[- ]?office)[^.\n]{0,20}(?:nicht möglich|not possible|ausgeschlossen)"
    r"|\bon-?site only|fully on-?site|100 ?% (?:on-?site|vor ort|präsenz)|ausschließlich vor ort"
    r"|(?:5|five) days (?:a|per) week in (?:the|our) office"
)
_REMOTE = re.compile(
    r"(?:100 ?%|fully|full|completely|komplett|vollständig|rein|ausschließlich)[- ](?:remote|home[- ]?office)"
    r"|remote[- ]first|work from anywhere|\bremote (?:position|role|job|opportunity|stelle)\b"
    r"|(?:role|position|job|stelle) (?:is|ist) (?:a )?(?:fully |100 ?% )?remote\b|deutschlandweit remote"
)
_HYBRID = re.compile(
    r"\bhybrid(?:e[srnm]?)?[- ](?:work|working|arbeit\w*|model|modell|role|position|setup|office|schedule|arrangement)"
    r"|\bhybrid (?:in|from|aus)\b|(?:remote|home[- ]?office)[- ](?:möglichkeit|option|anteil|tage|regelung|days)"
    r"|(?:tage?|days?|%)[^.\n]{0,25}(?:home[- ]?office|remote|mobil\w* arbeiten|from home)"
    r"|(?:möglichkeit|option)[^.\n]{0,30}(?:home[- ]?office|remote|mobil\w* arbeiten)|mobiles arbeiten"
    r"|teilweise (?:remote|home)|partly remote|partially remote|home[- ]?office möglich"
)
_PLACE_WORDS = ("remote", "home", "hybrid", "mobil", "site", "vor ort", "anywhere", "in the office", "in our office")
_REMOTE_WORD = re.compile(
    r"(?<![\w-])(?:remote(?! (?:sensing|control|desktop|hands|access|monitoring|diagnos|support|maintenance))"
    r"|home[- ]?office|telearbeit)(?![\w])"
)
_HYBRID_WORD = re.compile(r"(?<![\w-])hybrid(?![- ]?(?:cloud|fahrzeug|antrieb|vehicle|powertrain|app|drive)|\w)")


class _Answer(NamedTuple):
    """A value, the words that say so, and where they stand when that is in the text."""

    value: str | bool
    evidence: str
    span: Span | None = None
    stated: bool = False


class EmploymentEnricher:
    """Reads the payload's own words first, then the title and the places, then the description."""

    name = "employment"
    version = 1
    fields: tuple[str, ...] = ("employment", "permanent", "remote")

    def enrich(self, posting: Facts) -> Finding:
        """The finding for one posting; a field is None where nothing is said, or both."""
        title = posting.title[:_MAX_TITLE_CHARS].lower()
        stated = (posting.employment_type or "")[:_MAX_TITLE_CHARS].lower()
        text = _lower((posting.text or "")[:MAX_TEXT_CHARS])
        answers = {
            "employment": _employment(stated, title, text),
            "permanent": _permanent(stated, title, text),
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


def _employment(stated: str, title: str, text: str) -> _Answer | None:
    """A special kind outranks the hours, because an internship is often stated as full time."""
    for words, is_stated in ((stated, True), (title, False)):
        match = _SPECIAL.search(words)
        if match is not None:
            return _Answer(str(match.lastgroup), match[0], stated=is_stated)
    for words, is_stated in ((stated, True), (title, False)):
        hours = _hours(words) or _found("temporary", _TEMPORARY.search(words))
        if hours is not None:
            return _Answer(hours.value, hours.evidence, stated=is_stated)
    return _hours_in_text(text)


def _hours(words: str) -> _Answer | None:
    """Full time, part time, or either, in a few words."""
    full, part = _FULL.search(words), _PART.search(words)
    either = _EITHER.search(words) or (full if part else None)
    return _found("full_or_part_time", either) or _found("full_time", full) or _found("part_time", part)


def _hours_in_text(text: str) -> _Answer | None:
    if "zeit" not in text and "time" not in text:
        return None
    first: dict[str, re.Match[str]] = {}
    for match in _HOURS_IN_TEXT.finditer(text):
        first.setdefault(str(match.lastgroup), match)
    if "either" in first or len(first) > 1:
        match = first.get("either") or first["full"]
        return _Answer("full_or_part_time", match[0], match.span())
    for kind, match in first.items():
        return _Answer(f"{kind}_time", match[0], match.span())
    return None


def _permanent(stated: str, title: str, text: str) -> _Answer | None:
    """Whether the contract has no end; None when the words say both ("at first limited, then permanent")."""
    for words, is_stated, in_text in ((stated, True, False), (title, False, False), (text, False, True)):
        if not any(word in words for word in _CONTRACT_WORDS):
            continue
        limited, unlimited = _LIMITED.search(words), _UNLIMITED.search(words)
        if limited and unlimited:
            return None
        match = unlimited or limited
        if match is not None:
            return _Answer(match is unlimited, match[0], match.span() if in_text else None, is_stated)
    return None


def _remote(posting: Facts, title: str, text: str) -> _Answer | None:
    if posting.remote is not None:
        return _Answer(posting.remote, posting.remote, stated=True)
    for words in (title, *(place[:_MAX_TITLE_CHARS].lower() for place in posting.places[:_MAX_PLACES])):
        answer = _found("hybrid", _HYBRID_WORD.search(words)) or _found("remote", _REMOTE_WORD.search(words))
        if answer is not None:
            return answer
    if any(word in text for word in _PLACE_WORDS):
        for value, pattern in (("onsite", _ONSITE), ("remote", _REMOTE), ("hybrid", _HYBRID)):
            match = pattern.search(text)
            if match is not None:
                return _Answer(value, match[0], match.span())
    return None


def _found(value: str, match: re.Match[str] | None) -> _Answer | None:
    return None if match is None else _Answer(value, match[0])


def _lower(text: str) -> str:
    """Small letters at the same positions; a few letters have a longer small form, and spans must fit the text."""
    lower = text.lower()
    return lower if len(lower) == len(text) else "".join(small if len(small := c.lower()) == 1 else c for c in text)
