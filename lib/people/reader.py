"""The document reader: a résumé's bytes go in, its text in sections comes out.

Files are read in a process of their own with limits (`lib.life.sandbox`), few at a time; who finds all places taken is
told to come back instead of waiting. What a résumé says reaches no log and no message.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager

from lib.errors import Malformed, VakanzError
from lib.life.confined import Limits
from lib.life.sandbox import Crashed, OutOfMemory, Sandbox, TimedOut, TooMuchOutput
from lib.people.formats import read_lines
from lib.people.paper import Lines, Paper
from lib.people.sections import divide
from lib.text.cutwords import joined, marked
from lib.text.ocr import OcrMissing

MAX_CHARS = 50_000  # as long as a profile may be; ten dense pages have 40,000
LIMITS = Limits(memory_bytes=1 << 30, cpu_s=40, wall_s=50.0, output_bytes=2_000_000)
_WAITING = 4  # for each that is being read
_RETRY_S = 5.0
_BLANK = re.compile(r"[^\S\n]+")
_LINE_ENDS = re.compile(r"\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_GAPS = re.compile(r"\n{3,}")
_BEYOND_LIMITS = (Crashed, OutOfMemory, TimedOut, TooMuchOutput)


class Unreadable(VakanzError):
    """The file cannot be read; the message tells its sender what to do, and nothing of what the file says."""


class Busy(VakanzError):
    """All places are taken: ask again after `retry_after_s` seconds."""

    def __init__(self, retry_after_s: float) -> None:
        super().__init__("too many documents are being read at the moment, please try again")
        self.retry_after_s = retry_after_s


class Reader:
    """Reads documents, `concurrency` at a time; a few more may wait."""

    def __init__(self, concurrency: int, limits: Limits = LIMITS) -> None:
        self._sandbox = Sandbox(limits, concurrency=concurrency)
        self._free = concurrency * (1 + _WAITING)

    @contextmanager
    def place(self) -> Iterator[None]:
        """A place for one document, from its first byte on. Raises Busy."""
        if self._free == 0:
            raise Busy(_RETRY_S)
        self._free -= 1
        try:
            yield
        finally:
            self._free += 1

    async def read(self, data: bytes) -> Paper:
        """The document's text. To be called in a `place`. Raises Unreadable, OcrMissing."""
        try:
            return await self._sandbox.call(read_paper, data, errors=(Malformed, OcrMissing))
        except _BEYOND_LIMITS as error:
            raise Unreadable(
                "the document is damaged or takes too much work to read: save it again as a simple PDF or as text"
            ) from error
        except Malformed as error:
            raise Unreadable(str(error)) from error


def read_paper(data: bytes) -> Paper:
    """Reads and divides a document, with no limits to its time and memory. Raises Malformed, OcrMissing."""
    found = read_lines(data)
    text = tidy(found.text)
    if not any(map(str.isalnum, text)):
        raise Malformed("there is no text in the document: send one with text, or a sharper picture")
    if len(text) > MAX_CHARS:
        raise Malformed(f"the document has more than {MAX_CHARS} letters: send the résumé without its attachments")
    sections = divide(Lines(text, found.pages, found.ocr, found.sizes))
    return Paper(text, found.pages, found.ocr, sections)


def tidy(text: str) -> str:
    """Cut words and ligatures made whole, nothing that cannot be shown or stored, single spaces and empty lines."""
    text = unicodedata.normalize("NFKC", _LINE_ENDS.sub("\n", text))
    shown = "".join(letter if letter == "\n" else _shown(letter) for letter in text)
    lines = [line.strip() for line in _BLANK.sub(" ", shown).split("\n")]
    return _GAPS.sub("\n\n", joined(map(marked, lines))).strip()


def _shown(letter: str) -> str:
    """The letter; a space for a control, private or surrogate character, nothing for one that only steers others."""
    if letter.isascii() and letter.isprintable():
        return letter
    category = unicodedata.category(letter)
    return letter if category[0] != "C" else "" if category == "Cf" else " "
