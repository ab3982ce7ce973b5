"""What is done in the process apart: a document's bytes become its text in sections.

It loads libraries for a dozen formats, so only that process imports it, and who asks for it.
"""

from __future__ import annotations

import re
import unicodedata

from lib.people.formats import read_lines
from lib.people.paper import Lines, Paper
from lib.people.refusals import refused
from lib.people.sections import divide
from lib.text.cutwords import joined, marked

MAX_CHARS = 50_000  # as long as a profile may be; ten dense pages have 40,000
_BLANK = re.compile(r"[^\S\n]+")
_LINE_ENDS = re.compile(r"\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_CUT_APART = re.compile(r"(?<=[^\W\d_][-\u2010])\n\n(?=[a-zäöüß])")  # of wide lines a scan makes paragraphs
_GAPS = re.compile(r"\n{3,}")


def read_paper(data: bytes) -> Paper:
    """Reads and divides a document, with no limits to its time and memory. Raises Malformed, OcrMissing."""
    found = read_lines(data)
    text = tidy(found.text)
    if not any(map(str.isalnum, text)):
        raise refused("no_text")
    if len(text) > MAX_CHARS:
        raise refused("long")
    sections = divide(Lines(text, found.pages, found.ocr, found.sizes))
    return Paper(text, found.pages, found.ocr, sections, found.unread)


def tidy(text: str) -> str:
    """Cut words and ligatures made whole, nothing that cannot be shown or stored, single spaces and empty lines."""
    text = unicodedata.normalize("NFKC", _LINE_ENDS.sub("\n", text))
    shown = "".join(letter if letter == "\n" else _shown(letter) for letter in text)
    stripped = "\n".join(line.strip() for line in _BLANK.sub(" ", shown).split("\n"))
    whole = _CUT_APART.sub("\n", _GAPS.sub("\n\n", stripped))
    return joined(map(marked, whole.split("\n"))).strip()


def _shown(letter: str) -> str:
    """The letter; a space for a control, private or surrogate character, nothing for one that only steers others."""
    if letter.isascii() and letter.isprintable():
        return letter
    category = unicodedata.category(letter)
    return letter if category[0] != "C" else "" if category == "Cf" else " "
