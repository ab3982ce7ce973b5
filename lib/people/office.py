"""The text of word processors' files: DOCX (ECMA-376), ODT (OASIS OpenDocument 1.3), RTF.

The first two are ZIP archives of XML, unpacked up to a limit; what an archive says of its sizes is not believed. No
document type, entity or outer file is ever loaded.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from typing import Any

from lxml import etree
from striprtf.striprtf import rtf_to_text

from lib.people.paper import Lines
from lib.people.refusals import refused

MAX_XML_BYTES = 40_000_000
MAX_ENTRIES = 5_000
MAX_SPACES = 200
_STEP_BYTES = 1 << 16
_BODY_SIZE, _BOLD_SIZE, _HEADING_SIZE = 10.0, 11.0, 14.0  # all that matters is which is larger
_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
_OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
_SKIPPED = frozenset({
    "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback",  # says the same once more
    f"{_W}delText", f"{_W}instrText", f"{_TEXT}tracked-changes", f"{_OFFICE}annotation", f"{_TEXT}note-citation",
})  # fmt: skip
_PARAGRAPHS = frozenset({f"{_W}p", f"{_TEXT}p", f"{_TEXT}h"})
_GAPS = {f"{_W}tab": "\t", f"{_W}br": "\n", f"{_W}cr": "\n", f"{_W}noBreakHyphen": "-",
         f"{_TEXT}tab": "\t", f"{_TEXT}line-break": "\n"}  # fmt: skip
_HEADING_STYLE = re.compile(r"(?i)heading|berschrift|title|titel")
_RTF_PICTURES = re.compile(r"[0-9a-fA-F\r\n]{4096,}")


def is_docx(data: bytes) -> bool:
    """Whether a ZIP archive is a text of Word. Raises Malformed when it cannot be opened."""
    return "word/document.xml" in _names(data)


def is_odt(data: bytes) -> bool:
    """Whether a ZIP archive is a text of OpenDocument. Raises Malformed when it cannot be opened."""
    return "content.xml" in _names(data)


def read_docx(data: bytes) -> Lines:
    """Headers first: there stand name and address. Raises Malformed."""
    headers = sorted(name for name in _names(data) if re.fullmatch(r"word/header\d{1,2}\.xml", name))
    return _read(data, [*headers[:3], "word/document.xml"])


def read_odt(data: bytes) -> Lines:
    """Raises Malformed, also for a document with a password."""
    manifest = _part(data, "META-INF/manifest.xml") if "META-INF/manifest.xml" in _names(data) else b""
    if b"encryption-data" in manifest:
        raise refused("locked")
    return _read(data, ["content.xml"])


def read_rtf(data: bytes) -> Lines:
    """Raises Malformed."""
    written = _RTF_PICTURES.sub("", data.decode("ascii", "replace"))  # other letters are escaped
    try:
        return Lines(rtf_to_text(written, errors="replace"))  # type: ignore[no-untyped-call]
    except (ValueError, OverflowError, LookupError, RecursionError, TypeError) as error:  # TypeError: \uc alone
        raise refused("rtf") from error


def _names(data: bytes) -> frozenset[str]:
    with _opened(data) as archive:
        return frozenset(archive.namelist())


def _opened(data: bytes) -> zipfile.ZipFile:
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except (zipfile.BadZipFile, ValueError, OverflowError, NotImplementedError) as error:
        raise refused("damaged") from error
    if len(archive.infolist()) > MAX_ENTRIES:
        raise refused("parts")
    return archive


def _part(data: bytes, name: str) -> bytes:
    with _opened(data) as archive:
        try:
            with archive.open(name) as packed:
                part = packed.read(MAX_XML_BYTES + 1)
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError) as error:
            raise refused("damaged") from error
        except (RuntimeError, NotImplementedError) as error:  # locked, or packed in a way that nobody uses here
            raise refused("packed") from error
    if len(part) > MAX_XML_BYTES:
        raise refused("unpacks")
    return part


def _read(data: bytes, names: Iterable[str]) -> Lines:
    paragraphs = _Paragraphs()
    target: Any = paragraphs  # of bytes or text, as the stubs have it, lxml always gives text
    for name in names:
        parser = etree.XMLParser(target=target, resolve_entities=False, no_network=True, huge_tree=False)
        part = _part(data, name)
        try:
            for start in range(0, len(part), _STEP_BYTES):
                parser.feed(part[start : start + _STEP_BYTES])
            parser.close()
        except etree.XMLSyntaxError as error:
            raise refused("damaged") from error
    return Lines("\n".join(paragraphs.lines), sizes=paragraphs.sizes)


class _Paragraphs:
    """Told of elements by lxml's parser, keeps their text line by line. Both formats' elements are known by name."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.sizes: dict[str, float] = {}
        self._said: list[str] = []
        self._size = _BODY_SIZE
        self._skipping = 0
        self._depth = 0  # of paragraphs: a text box stands within one
        self._letters = self._bold = 0
        self._in_run_bold = False
        self._in_text = False

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        if self._skipping or tag in _SKIPPED:
            self._skipping += 1
        elif tag in _PARAGRAPHS:
            if self._said:
                self._end_line()
            self._depth += 1
            self._in_text = not tag.startswith(_W)
            self._size = _HEADING_SIZE if tag == f"{_TEXT}h" else _BODY_SIZE
        elif tag == f"{_W}pStyle" and _HEADING_STYLE.search(attributes.get(f"{_W}val", "")):
            self._size = _HEADING_SIZE
        elif tag == f"{_W}r":
            self._in_run_bold = False
        elif tag == f"{_W}b":
            self._in_run_bold = attributes.get(f"{_W}val", "true") not in ("0", "false")
        elif tag == f"{_W}t":
            self._in_text = True
        elif tag == f"{_TEXT}s":
            count = attributes.get(f"{_TEXT}c", "1")
            self._said.append(" " * (min(int(count), MAX_SPACES) if count.isascii() and count.isdecimal() else 1))
        elif self._depth and tag in _GAPS:
            self._said.append(_GAPS[tag])

    def end(self, tag: str) -> None:
        if self._skipping:
            self._skipping -= 1
        elif tag == f"{_W}t":
            self._in_text = False
        elif tag in _PARAGRAPHS:
            self._end_line()
            self._depth -= 1
            self._in_text = self._depth > 0 and not tag.startswith(_W)

    def data(self, text: str) -> None:
        if self._in_text and not self._skipping:
            self._said.append(text)
            self._letters += len(text)
            self._bold += len(text) if self._in_run_bold else 0

    def doctype(self, name: str, public: str | None, system: str | None) -> None:
        raise refused("doctype")

    def close(self) -> None:
        pass

    def _end_line(self) -> None:
        text = "".join(self._said).strip()
        self.lines.append(text)
        bold = self._letters > 0 and self._bold == self._letters
        if text:
            self.sizes[" ".join(text.split())] = max(self._size, _BOLD_SIZE if bold else _BODY_SIZE)
        self._said.clear()
        self._letters = self._bold = 0
