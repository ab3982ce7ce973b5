"""Finds quotes in a text although spaces, dashes, quotation marks or case differ, and the sentences they are of."""

from __future__ import annotations

import bisect
import re
import unicodedata

from lib.people.tailoring.suggestions import Evidence

_LEAST_LETTERS = 4
_MOST_TRIES = 200  # places where the quote is a part of longer words
_SAME = str.maketrans({"‐": "-", "‑": "-", "–": "-", "—": "-", "−": "-", "„": '"', "“": '"', "”": '"', "«": '"',
                       "»": '"', "’": "'", "‘": "'", "´": "'", "`": "'", "\u00ad": None, "\u200b": None})  # fmt: skip
_BULLET = re.compile(r"[•·▪◦‣●○■□➢➤►✓✔*–-]\s")
_ENDS = re.compile(r"(?<=[.!?])[\"')\]]*\s+(?=[^\W\d_a-zäöü]|\d)|\n\s*\n|\n(?=\s*[•·▪◦‣●○■□➢➤►✓✔*–-]\s)")
_LINE = re.compile(r"\n")
_WRAPPED_CHARS = 60  # a shorter line was ended by its writer, unless the next one goes on in small letters
_GOING_ON_CHARS = 15
_ABBREVIATED = re.compile(
    r"(?i)(?:\b(?:z\.\s?b|d\.\s?h|u\.\s?a|bzw|ca|inkl|dr|prof|dipl|ing|nr|str|e\.g|i\.e|vs|st)\.|\W\w\.)$"
)


class Source:
    """A text that can be quoted."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._plain, self._places = _plain(text)
        self._bounds = _bounds(text)

    def find(self, quote: str) -> tuple[int, int] | None:
        """Where the quote stands, as whole words: [start, end). None when it does not, or says next to nothing."""
        wanted = _plain(quote)[0].strip(" .,;:\"'-")
        if sum(map(str.isalnum, wanted)) < _LEAST_LETTERS:
            return None
        at = self._plain.find(wanted)
        for _ in range(_MOST_TRIES):
            if at < 0:
                break
            end = at + len(wanted)
            if not (_within_word(self._plain, at) or _within_word(self._plain, end)):
                return self._places[at], self._places[end - 1] + 1
            at = self._plain.find(wanted, at + 1)
        return None

    def sentence(self, start: int, end: int) -> Evidence:
        """The sentence, or the sentences, that reach from `start` to `end`."""
        first = self._bounds[bisect.bisect_right(self._bounds, start) - 1]
        last = self._bounds[min(bisect.bisect_left(self._bounds, end), len(self._bounds) - 1)]
        text = self.text[first:last]
        first += len(text) - len(text.lstrip())
        text = text.strip()
        return Evidence(text, first, first + len(text))

    def sentences(self) -> list[Evidence]:
        """All sentences that say something, in order."""
        found = [self.sentence(start, end) for start, end in zip(self._bounds, self._bounds[1:], strict=False)]
        return [one for one in found if one.sentence]


def _plain(text: str) -> tuple[str, list[int]]:
    """The text as it is compared, and for each of its characters where it comes from."""
    letters: list[str] = []
    places: list[int] = []
    for place, letter in enumerate(text):
        for one in unicodedata.normalize("NFKC", letter).translate(_SAME).casefold():
            if one.isspace():
                if not letters or letters[-1] == " ":
                    continue
                one = " "
            letters.append(one)
            places.append(place)
    return "".join(letters), places


def _within_word(text: str, at: int) -> bool:
    return 0 < at < len(text) and text[at - 1].isalnum() and text[at].isalnum()


def _bounds(text: str) -> list[int]:
    """Where sentences begin, and the end of the text."""
    bounds = {0, len(text)}
    for end in _ENDS.finditer(text):
        if not _ABBREVIATED.search(text, max(0, end.start() - 8), end.start()):
            bounds.add(end.end())
    start = 0
    for newline in _LINE.finditer(text):
        line, after = text[start : newline.start()].rstrip(), text[newline.end() : newline.end() + 1]
        ended = len(line) < _WRAPPED_CHARS or line.endswith((".", "!", "?", ":"))
        if ended and not (after.islower() and len(line) >= _GOING_ON_CHARS):
            bounds.add(newline.end())
        start = newline.end()
    return sorted(bounds)
