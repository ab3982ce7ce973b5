"""Whether a suggested sentence says nothing but what the résumé says. Pure, strict, and no friend of the writer.

The writer is not trusted: it may have read a hostile posting. A sentence stays when each of its quotes stands in the
résumé and the sentences quoted there have every number with what it counts, every name, every skill and every weighty
word (leading, degree, award, ...) of it. What cannot be decided is dropped.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from lib.people.tailoring.facts import capitalised, denies, numbers, weighty, words
from lib.people.tailoring.plain import NOUNS, PLAIN
from lib.people.tailoring.quoting import Source
from lib.people.tailoring.suggestions import Claim, Dropped, Evidence, Part
from lib.text.skills import find_skills

MAX_CHARS = 600
MAX_QUOTES = 6
_MAX_EVIDENCE_CHARS = 1_500
CLOSE = 0.55  # centred cosine of the builtin text encoder; see tests/unit/test_proof.py
_RELATED = 0.3  # of each clause alone
_CLAUSE_WORDS = 2
_SHARED = 0.5  # of a sentence's own words; the rest is how it is put
_STEM = 5
_LEAST_WORD = 4
_LEAST_ROOT = 4
_CLAUSE = re.compile(r"[,;:–]\s|\b(?:and|und|sowie|while|where|which|wobei|indem|but|aber)\b")
_APART = re.compile(r"[^\w]+")
_PARTICIPLE = re.compile(
    r"^(ab|an|auf|aus|be|bei|ein|her|hin|mit|nach|über|um|unter|vor|weg|zu|zusammen|weiter)ge(?=\w{4})"
)
_ENDING = re.compile(r"(?:innen|ungen|ung|ing|in|er|en|em|es|et|ed|ly|e|n|s|t|d)$")
Closeness = Callable[[str, str], float]
_BREAKS = re.compile(r"[\n\r<>{}\[\]|\\`]|https?:|www\.|@")

_ORDINARY = re.compile(r".{3,}(?:ung|ungen|heit|heiten|keit|keiten|schaft|schaften|tion|tionen|tät|nis|nisse|nissen)")


def prove(part: Part, text: str, quotes: Sequence[str], resume: Source, closeness: Closeness | None) -> Claim | Dropped:
    """The sentence with its evidence, or why it is not believed.

    `closeness`: of the meaning of two texts, where the sentence is in another language than the résumé, so that their
    plain words cannot be compared; None where they can.
    """
    text = " ".join(text.split())
    evidence = _evidence(quotes, resume)
    if not text or len(text) > MAX_CHARS or _BREAKS.search(text):
        return Dropped(part, text[:MAX_CHARS], "it is no plain sentence of usual length")
    if not evidence:
        return Dropped(part, text, "what it quotes does not stand in the résumé")
    shown = "\n".join(one.sentence for one in evidence)
    why = _unproven(text, shown, closeness)
    return Dropped(part, text, why) if why else Claim(part, text, evidence)


def _evidence(quotes: Sequence[str], resume: Source) -> tuple[Evidence, ...]:
    """The sentences of the quotes that stand in the résumé, each once, in order."""
    told = dict.fromkeys(quotes[:MAX_QUOTES])
    places = [place for quote in told if len(quote) <= MAX_CHARS and (place := resume.find(quote))]
    found = {resume.sentence(*place) for place in places}
    kept = sorted(found, key=lambda one: one.start)
    return tuple(kept) if sum(len(one.sentence) for one in kept) <= _MAX_EVIDENCE_CHARS else ()


def _unproven(text: str, shown: str, closeness: Closeness | None) -> str | None:
    """The first fact of a sentence that its evidence does not have."""
    if denies(shown) and not denies(text):
        return "its evidence denies something"
    if lacking := sorted(number for number, unit in numbers(text) - numbers(shown)):
        return f"its evidence does not say {lacking[0]!r} of the same thing"
    if lacking := sorted(find_skills(text) - find_skills(shown)):
        return f"its evidence does not name {lacking[0]}"
    if lacking := sorted(weighty(text) - weighty(shown)):
        return f"its evidence shows no sign of {lacking[0]}"
    known = Vocabulary(shown)
    if lacking := [name for name in _names(text, translated=closeness is not None) if not known.has(name)]:
        return f"its evidence does not name {lacking[0]!r}"
    if closeness is None:
        strange = [clause for clause in (text, *_clauses(text)) if not _is_said(clause, known)]
        return "some of its words are not those of its evidence" if strange else None
    if closeness(text, shown) < CLOSE or any(closeness(clause, shown) < _RELATED for clause in _clauses(text)):
        return "it does not mean what its evidence means"
    return None


def _clauses(text: str) -> list[str]:
    """The parts of a sentence that may each claim something, where it has several."""
    parts = [part for part in _CLAUSE.split(text) if len(words(part)) >= _CLAUSE_WORDS]
    return parts if len(parts) > 1 else []


def _is_said(clause: str, known: Vocabulary) -> bool:
    own = [word for word in words(clause) if word.casefold() not in PLAIN and len(word) >= _LEAST_WORD]
    return sum(map(known.resembles, own)) >= _SHARED * len(own)


def _names(text: str, *, translated: bool) -> list[str]:
    """Words with a capital that may be names. German nouns have one too: of a translation those are passed over that
    end as only ordinary nouns do, or are well known."""
    names = [word for word in capitalised(text) if word.casefold() not in PLAIN]
    if not translated:
        return names
    return [word for word in names if not _ORDINARY.fullmatch(word) and word.casefold() not in NOUNS]


class Vocabulary:
    """The words of some text, their roots, and the parts that hyphens hold together."""

    def __init__(self, text: str) -> None:
        self._roots = {_root(part) for word in words(text) for part in _parts(word)}
        self._beginnings = {root[:_STEM] for root in self._roots if len(root) >= _STEM}

    def has(self, word: str) -> bool:
        """Whether the text has the word, in any of its forms."""
        return all(_root(part) in self._roots for part in _parts(word))

    def resembles(self, word: str) -> bool:
        """Whether the text has the word, one of the same stem, or a compound of it."""
        root = _root(word.casefold())
        if self.has(word) or root[:_STEM] in self._beginnings:
            return True
        return len(root) >= _STEM and any(root in one or (len(one) >= _STEM and one in root) for one in self._roots)


def _parts(word: str) -> list[str]:
    return [part for part in _APART.split(word.casefold()) if part]


def _root(word: str) -> str:
    """The word without its endings, German and English ones; "eingearbeitet" has that of "Einarbeitung"."""
    word = _PARTICIPLE.sub(r"\1", word)
    for _ in range(3):
        shorter = _ENDING.sub("", word)
        if len(shorter) < _LEAST_ROOT or shorter == word:
            return word
        word = shorter
    return word
