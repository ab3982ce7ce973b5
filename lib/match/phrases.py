"""What a free text calls the job that a person does or looks for: a few lines, or a whole résumé."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from lib.text.titles import clean_title

_MAX_PHRASES = 3
_MAX_CHARS = 8_000
_MAX_LINES = 60
_MAX_WORDS = 7
_HEAD_LINES = 10
_BEGINNING_CHARS = 200

_CUE = re.compile(
    r"(?:\b(?:als|as an?|position|beruf|rolle|stelle|role|title|jobtitel|berufsbezeichnung|gesucht|wanted|"
    r"looking for(?: an?)?|suche(?: eine?)?(?: stelle| job| arbeit)?(?: als)?|i am an?|i'm an?|ich bin|"
    r"gelernter?|examinierter?)\b)"
    r"[:\s]+([^\n,.;:!?()]{3,80})",
    re.IGNORECASE,
)
# Words that name who does a job, and endings that such words have, but people's names too.
_OCCUPATION = re.compile(
    r"\b[^\W\d_]*(?:kraft|kauf(?:mann|frau)|leit(?:er|erin|ung)|manager(?:in)?|ingenieur(?:in)?|arzt|ärztin|köchin|koch|"
    r"helfer(?:in)?|entwickler(?:in)?|technik(?:er|erin)|mechanik(?:er|erin)|elektronik(?:er|erin)|verkäufer(?:in)?|"
    r"pfleg(?:er|erin)|schwester|lehr(?:er|erin)|fahrer(?:in)?|berater(?:in)?|buchhalt(?:er|erin|ung)|assisten(?:t|tin|z)|"
    r"arbeiter(?:in)?|sachbearbeitung|engineer|developer|nurse|analyst|clerk|chef|cook|driver|assistant|accountant|scientist|officer|"
    r"designer|consultant|architect|technician|teacher|administrator|specialist|representative|erzieher(?:in)?|"
    r"angestellter?|therapeut(?:in)?|sachbearbeiter(?:in)?|referent(?:in)?|informatiker(?:in)?|jurist(?:in)?|"
    r"anwalt|anwältin|controller(?:in)?|programmierer(?:in)?|monteur(?:in)?|therapist|physician|lawyer|director|"
    r"head of)s?\b",
    re.IGNORECASE,
)
_AGENT = re.compile(r"\b(?!(?:master|semester)\b)[^\W\d_]{4,}(?:er|eur|ist|ant|ent|ator|or)(?:in)?\b", re.IGNORECASE)
_STOPS = re.compile(
    r"\s+(?:mit|bei|in|im|und suche|seit|für(?!\s(?-i:[A-ZÄÖÜ]))|aus|who|with|at|for|since|based|from|and looking|"
    r"auf|zum|zur|near|der|die|das|welche[rs]?)\s.*|\s*\([^)]*$",
    re.IGNORECASE,
)
_APART = re.compile(r"[,;.!?|•·\t]|\s[-–—]\s")
_ADDRESS = re.compile(r"[^\s@]{1,64}@\S+|\b(?:https?://|www\.)\S+|\b[\w-]{1,63}\.[a-z]{2,24}/\S*", re.IGNORECASE)
_PHONE_OR_POSTCODE = re.compile(
    r"\+\d[\d ()/-]{6,}\d|\b0\d{2,}[ /-]\d{3,}|\b(?!(?:19|20)\d\d\b)(?:[A-Z]{1,2}-)?\d{4,5} (?=[^\W\d_])"
)
_DATE = re.compile(
    r"\b(?:(?:jan|feb|mär|mar|apr|mai|may|jun|jul|aug|sep|okt|oct|nov|dez|dec)[a-zä]{0,6}\.?\s+(?:19|20)\d\d"
    r"|present|heute|aktuell|today)\b",
    re.IGNORECASE,
)


class _Piece(NamedTuple):
    """`cued`: it follows words like "I am a". `personal`: it may be a name or an address."""

    text: str
    cued: bool
    personal: bool


def title_phrases(text: str) -> tuple[str, ...]:
    """Up to three phrases of `text` that look most like a job's title, best first; how it begins when none does.

    Names of people and towns end like those of occupations: Keller, Münster. So where a résumé says who somebody is,
    only words count that surely name a job, unless there is no other phrase.
    """
    scored: dict[str, float] = {}
    doubtful: dict[str, float] = {}
    for position, piece in enumerate(_pieces(text)):
        said = f" {piece.text} " if piece.cued else f"{piece.text} "  # "I look for", "in Vienna"
        cleaned = clean_title(_STOPS.sub("", said).strip())
        words = cleaned.split()
        if not words or len(words) > _MAX_WORDS or len(cleaned) < 3:
            continue
        named = 3.0 if _OCCUPATION.search(cleaned) else 1.0 if _may_name(cleaned) else 0.0
        if piece.cued or named:
            score = 3.0 * piece.cued + named + 1.0 * (len(words) <= 4) - 0.02 * position
            kept = doubtful if piece.personal and not piece.cued and named < 3.0 else scored
            kept[cleaned] = max(score, kept.get(cleaned, score))
    kept = scored or doubtful
    best = sorted(kept, key=lambda phrase: -kept[phrase])[:_MAX_PHRASES]
    return tuple(best) or _beginning(text)


def _beginning(text: str) -> tuple[str, ...]:
    """How the text begins, and what of that stands before its first comma or "with"."""
    whole = " ".join(text.split())[:_BEGINNING_CHARS]
    first = _STOPS.sub("", f"{_APART.split(whole, maxsplit=1)[0]} ").strip()
    return (whole, first) if first and first != whole and len(first.split()) <= _MAX_WORDS else (whole,)


def _may_name(phrase: str) -> bool:
    """Whether it ends like an occupation and does not begin like a place or a time."""
    return _AGENT.search(phrase) is not None and not _STOPS.match(f" {phrase} ")


def _pieces(text: str) -> Iterator[_Piece]:
    """Pieces of the first lines, without dates and electronic addresses."""
    lines = [line for line in text[:_MAX_CHARS].splitlines() if line.strip()][:_MAX_LINES]
    head = _head(lines)
    for number, line in enumerate(lines):
        said = _DATE.sub("|", _ADDRESS.sub("|", line))
        for cue in _CUE.finditer(said):
            yield _Piece(cue[1], True, False)
        for piece in _APART.split(said):
            yield _Piece(piece.strip(), False, number < head)


def _head(lines: Sequence[str]) -> int:
    """How many lines say who and where somebody is: up to the last early one with an address or a telephone number."""
    reached = (
        number
        for number, line in enumerate(lines[:_HEAD_LINES], start=1)
        if _ADDRESS.search(line) or _PHONE_OR_POSTCODE.search(line)
    )
    return max(reached, default=0)
