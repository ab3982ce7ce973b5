"""The languages that a text says are spoken, and how well: levels of the Common European Framework, or `native`.

Reads German and English. A language counts where its level, or a word such as "Kenntnisse" or "languages", stands
beside it: "the German market" says nothing about what anybody speaks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final, Literal, NamedTuple

Level = Literal["A1", "A2", "B1", "B2", "C1", "C2", "native"]
LEVELS: Final[tuple[Level, ...]] = ("A1", "A2", "B1", "B2", "C1", "C2", "native")
_NAMES: Final = {
    "de": "deutsch|german", "en": "englisch|english", "fr": "französisch|french|français",
    "it": "italienisch|italian|italiano", "es": "spanisch|spanish|español", "pt": "portugiesisch|portuguese",
    "nl": "niederländisch|dutch", "pl": "polnisch|polish",
    "cs": "tschechisch|czech", "sk": "slowakisch|slovak", "hu": "ungarisch|hungarian", "ro": "rumänisch|romanian",
    "bg": "bulgarisch|bulgarian", "hr": "kroatisch|croatian", "sr": "serbisch|serbian", "sl": "slowenisch|slovenian",
    "uk": "ukrainisch|ukrainian", "ru": "russisch|russian", "tr": "türkisch|turkish", "ar": "arabisch|arabic",
    "fa": "persisch|persian|farsi", "el": "griechisch|greek", "sv": "schwedisch|swedish", "da": "dänisch|danish",
    "no": "norwegisch|norwegian", "fi": "finnisch|finnish", "zh": "chinesisch|chinese|mandarin",
    "ja": "japanisch|japanese", "ko": "koreanisch|korean", "hi": "hindi", "sq": "albanisch|albanian",
}  # fmt: skip
_CODES: Final = {name: code for code, names in _NAMES.items() for name in names.split("|")}
_NAME = re.compile(
    rf"(?i)(?<![\w-])({'|'.join(_CODES)})(?:-|sprach\w*)?(kenntniss?en?|e[nrs]?)?(?![\w])(?!\s+(?:gmbh|ag|market|markt))"
)
_DENIED = re.compile(r"(?i)\b(?:no|keine?)\s$")
_LEVEL = re.compile(
    r"(?i)(?<!\w)(?:(?P<cefr>[abc][12])(?!\w)|(?P<native>mutters?prach\w*|native|mother tongue|first language|"
    r"bilingual|zweisprachig)|(?P<C1>fließend\w*|fluen\w+|verhandlungssicher\w*|sehr gut\w*|very good|excellent|"
    r"hervorragend\w*|perfekt\w*|full professional|business[- ]level|proficient|stilsicher\w*|sicher\w*)|"
    r"(?P<B2>gut\w*|good|solid\w*|strong|upper[- ]intermediate|professional working)|"
    r"(?P<B1>intermediate|conversational|konversation\w*|mittel\w*|fortgeschritten\w*|working knowledge)|"
    r"(?P<A2>grundkenntnis\w*|basic\w*|basis\w*|grundlagen|elementary|anfänger\w*|beginner\w*|schulkenntnis\w*))"
)
_CUE = re.compile(
    r"(?i)kenntnis|sprach|language|wort und schrift|spoken|written|speak|communicat|command of|proficien|skills"
)
_JOINED = re.compile(r"(?i)-?[\s,/&]*(?:und|and|sowie|oder|or)?\s*")
_AHEAD = re.compile(rf"(?i)\s+(?:in\s+|of\s+)?(?:{'|'.join(_CODES)})")
_CLAUSE = re.compile(r"[^\n;.•|]+")
_BEHIND = re.compile(r"[\s:(–-]+")
_BESIDE = 45
_DENIAL_CHARS = 8


class Spoken(NamedTuple):
    """A language (ISO 639-1), how well (one of LEVELS, None where nothing says it), and where the text says so."""

    code: str
    level: Level | None
    start: int
    end: int


def find_spoken(text: str, *, listed: bool = False) -> list[Spoken]:
    """The languages in order. `listed`: the text is a list of languages, so that a bare name counts."""
    return [
        spoken for clause in _CLAUSE.finditer(text) for spoken in _of_clause(text, clause.start(), clause.end(), listed)
    ]


def at_least(level: str | None, wanted: str | None) -> bool | None:
    """Whether a level is as good as the one wanted; None where either is unknown."""
    if level is None or wanted is None:
        return None
    return LEVELS.index(level) >= LEVELS.index(wanted)


def _of_clause(text: str, start: int, end: int, listed: bool) -> Iterator[Spoken]:
    names = [name for name in _NAME.finditer(text, start, end) if not _is_denied(text, name.start())]
    if not names:
        return
    graded = _graded(text, names, list(_LEVEL.finditer(text, start, end)))
    cued = listed or _CUE.search(text, start, end) is not None
    for name in names:
        level = graded.get(name.start())
        if level is not None or cued:
            yield Spoken(_CODES[name[1].casefold()], level, name.start(), name.end())


def _is_denied(text: str, at: int) -> bool:
    """Whether "no" or "kein" stands right before a place."""
    return _DENIED.search(text, max(0, at - _DENIAL_CHARS), at) is not None


def _graded(text: str, names: Sequence[re.Match[str]], levels: Sequence[re.Match[str]]) -> dict[int, Level]:
    """Where names begin -> their level. One stands before its languages ("fluent German and English") or behind them
    ("Deutsch und Englisch fließend"); which, is told by what follows it."""
    graded: dict[int, Level] = {}
    waiting: list[re.Match[str]] = []
    ahead: Level | None = None
    before: re.Match[str] | None = None
    for one in sorted([*names, *levels], key=lambda match: match.start()):
        if one.re is _NAME:
            if before is not None and _is_apart(text, before, one):
                waiting, ahead = [], None
            if ahead is None:
                waiting.append(one)
            else:
                graded[one.start()] = ahead
        elif before is not None and before.start() in graded and _BEHIND.fullmatch(text, before.end(), one.start()):
            graded[before.start()], ahead = _grade(one), None  # "fluent English, French basic"
        elif waiting and one.start() - waiting[-1].end() <= _BESIDE and not _is_ahead(text, one):
            graded |= {name.start(): _grade(one) for name in waiting}
            waiting, ahead = [], None
        else:
            waiting, ahead = [], _grade(one)
        before = one
    return graded


def _is_apart(text: str, before: re.Match[str], name: re.Match[str]) -> bool:
    """Whether what stands before a language has nothing to do with it."""
    if before.re is _NAME:
        return _JOINED.fullmatch(text, before.end(), name.start()) is None
    return name.start() - before.end() > _BESIDE


def _is_ahead(text: str, level: re.Match[str]) -> bool:
    """Whether a level stands right before a language. Levels of the framework stand behind."""
    return level.lastgroup != "cefr" and _AHEAD.match(text, level.end()) is not None


def _grade(level: re.Match[str]) -> Level:
    said = level[0].upper() if level.lastgroup == "cefr" else level.lastgroup
    return next(one for one in LEVELS if one == said)
