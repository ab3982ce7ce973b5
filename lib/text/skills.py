"""Skills, tools and certificates that a text names, each under one canonical name.

One compiled pattern passes over the text. Names that are also ordinary words or letters (Go, R, C) count only in their
own case and beside other skills. What a text says is not needed ("no Java", "keine SAP-Kenntnisse erforderlich") is
left out.
"""

from __future__ import annotations

import bisect
import re
from typing import NamedTuple

from lib.text.skillnames import AMBIGUOUS, CASED, SKILLS

MAX_CHARS = 200_000

_CANONICAL = {
    name.casefold(): canonical
    for canonical, names in SKILLS.items()
    for name in (canonical, *filter(None, names.split("|")))
}
_EDGE_BEFORE = r"(?<![\w+#.])"
_EDGE_AFTER = r"(?![\w+#]|\.\w)"


def _trie_pattern(names: list[str]) -> str:
    """One pattern for all names that shares their beginnings, the longest name winning at each place."""
    rests: dict[str, list[str]] = {}
    for name in names:
        if name:
            rests.setdefault(name[0], []).append(name[1:])
    branches = [re.escape(first) + _trie_pattern(rest) for first, rest in sorted(rests.items())]
    if not branches:
        return ""
    choice = branches[0] if len(branches) == 1 and "" not in names else f"(?:{'|'.join(branches)})"
    return f"{choice}?" if "" in names else choice


_NAMES = re.compile(
    rf"{_EDGE_BEFORE}{_trie_pattern(list(_CANONICAL))}"
    rf"(?:[- ]?(?:kenntnisse[n]?|kenntnis|skills|erfahrung(?:en)?))?{_EDGE_AFTER}"
)
_LETTERS = re.compile(rf"{_EDGE_BEFORE}(?:{'|'.join(map(re.escape, AMBIGUOUS))}){_EDGE_AFTER}")
_NOT_BEFORE = re.compile(
    r"(?:\bno|\bnot|\bwithout|\bkein(?:e|en|er|em)?|\bohne|\bnicht|\bneither|\bnor|\bweder|\bnoch|don['’]t need)"
    r"(?:[ \u00a0]+(?:need|prior|previous|any|vorherige|vorkenntnisse|kenntnisse|erfahrung|experience|knowledge"
    r"|required|of|in|mit|with|for|von|die|the|zwingend|tiefe|deep|an)){0,4}[ \u00a0]+$"
)
_NOT_BEHIND = re.compile(
    r"^[^.,;:\n]{0,25}(?:nicht (?:erforderlich|nötig|notwendig|zwingend|vorausgesetzt|benötigt)"
    r"|not (?:required|needed|necessary)|kein muss|unnecessary)"
)
_NEIGHBOUR = 30


class Mention(NamedTuple):
    """Where a text names a skill: its canonical name, and the characters [start, end)."""

    skill: str
    start: int
    end: int


def find_skills(text: str) -> set[str]:
    """Canonical names of the skills that `text` (its first MAX_CHARS characters) asks for or offers."""
    return {mention.skill for mention in find_mentions(text)}


def find_mentions(text: str) -> list[Mention]:
    """Every place where `text` (its first MAX_CHARS characters) asks for or offers a skill."""
    text = text[:MAX_CHARS]
    lower = text.lower()
    if len(lower) != len(text):  # a letter whose small form is longer; positions must agree
        lower = "".join(_small(letter) for letter in text)
    found = []
    for match in _NAMES.finditer(lower):
        start, end = match.span()
        name = _known(match[0])
        cased = CASED.get(name)
        if (cased is None or text.startswith(cased, start)) and not _is_negated(lower, start, end):
            found.append(Mention(_CANONICAL[name], start, end))
    starts, ends = [mention.start for mention in found], [mention.end for mention in found]
    for letter in _LETTERS.finditer(text):
        start, end = letter.span()
        follower = bisect.bisect_left(starts, end)
        near = (follower < len(starts) and starts[follower] - end <= _NEIGHBOUR) or (
            follower > 0 and start - ends[follower - 1] <= _NEIGHBOUR
        )
        if near and not _is_negated(lower, start, end):
            found.append(Mention(AMBIGUOUS[letter[0]], start, end))
    return found


def _small(letter: str) -> str:
    small = letter.lower()
    return small if len(small) == 1 else letter


def _known(words: str) -> str:
    """The name in matched words, which may end in "-Kenntnisse"."""
    while words not in _CANONICAL:
        words = words[:-1].rstrip("- ")
    return words


def _is_negated(lower: str, start: int, end: int) -> bool:
    return (
        _NOT_BEFORE.search(lower, max(0, start - 45), start) is not None
        or _NOT_BEHIND.search(lower[end : end + 60]) is not None
    )
