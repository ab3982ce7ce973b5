"""The document reader: a résumé's bytes go in, its text in sections comes out.

Files are read in a process of their own with limits (`lib.life.sandbox`), few at a time; who finds all places taken is
told to come back instead of waiting. What a résumé says reaches no log and no message.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from lib.errors import Malformed, VakanzError
from lib.life.confined import Limits
from lib.life.sandbox import Crashed, OutOfMemory, Sandbox, TimedOut, TooMuchOutput
from lib.people.paper import Paper
from lib.people.refusals import REFUSALS

LIMITS = Limits(memory_bytes=450 << 20, cpu_s=60, wall_s=100.0, output_bytes=2_000_000)
_WAITING = 4  # for each that is being read
_RETRY_S = 5.0
_BEYOND_LIMITS = (Crashed, OutOfMemory, TimedOut, TooMuchOutput)


class Unreadable(VakanzError):
    """The file cannot be read; the message tells its sender what to do, and nothing of what the file says."""


class NoPictures(VakanzError):
    """The document is a picture, and nothing is installed here that reads pictures."""


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
        """The document's text. To be called in a `place`. Raises Unreadable, NoPictures."""
        from lib.people.apart import read_paper
        from lib.text.ocr import OcrMissing

        try:
            return await self._sandbox.call(read_paper, data, errors=(Malformed, OcrMissing))
        except OcrMissing as error:
            raise NoPictures("pictures cannot be read here at the moment: send a document with text") from error
        except _BEYOND_LIMITS as error:
            raise Unreadable(REFUSALS["work"]["en"]) from error
        except Malformed as error:
            raise Unreadable(str(error)) from error
