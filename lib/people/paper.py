"""A person's document as we read it, whatever kind of file it came as."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

SectionKind = Literal["experience", "education", "skills", "languages", "summary", "other"]


class Section(msgspec.Struct, frozen=True):
    """A part of a résumé. `title`: its heading as it is written, empty for what stands before the first one."""

    kind: SectionKind
    title: str
    text: str


class Lines(msgspec.Struct, frozen=True):
    """What a file says, before it is divided.

    `text`: lines in reading order, paragraphs apart by an empty line. `pages`: 1 where the format has none.
    `ocr`: it was read from pictures. `sizes`: text of a line -> how large it is written, in a unit of the document's
    own; empty where the format knows no sizes. `unread`: pictures beside pages of text that were left out.
    """

    text: str
    pages: int = 1
    ocr: bool = False
    sizes: Mapping[str, float] = {}
    unread: int = 0


class Paper(msgspec.Struct, frozen=True):
    """A résumé that was read. Its sections hold its whole text, in order. `unread`: see `Lines`."""

    text: str
    pages: int
    ocr: bool
    sections: tuple[Section, ...]
    unread: int = 0
