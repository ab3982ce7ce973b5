"""Which kind of file some bytes are, told by what they hold, and the reader of each kind.

What a file is called and what its sender declares is never looked at. Files are hostile: `read_lines` belongs where a
crash or an endless loop costs nothing.
"""

from __future__ import annotations

import codecs
import re

from lib.people.office import is_docx, is_odt, read_docx, read_odt, read_rtf
from lib.people.paper import Lines
from lib.people.pictures import read_pictures
from lib.people.refusals import Reason, refused
from lib.text.documents import MAX_PAGES, is_pdf, read_document
from lib.text.html import clean_html, plain_text

_PICTURES = re.compile(rb"\x89PNG\r\n\x1a\n|\xff\xd8\xff|II\*\x00|MM\x00\*|RIFF....WEBP", re.DOTALL)
_OTHERS: tuple[tuple[re.Pattern[bytes], Reason], ...] = (
    (
        re.compile(rb"....ftyp(?:heic|heix|hevc|mif1|msf1|avif)", re.DOTALL),
        "heic",
    ),
    (re.compile(rb"GIF8[79]a|BM.{12}[\x0c\x28\x7c]\x00\x00\x00", re.DOTALL), "bitmap"),
    (re.compile(rb"Rar!|7z\xbc\xaf|\x1f\x8b|BZh|\xfd7zXZ"), "archived"),
)
_COMPOUND = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # Microsoft's compound file: old Word, or anything with a password
_LOCKED = "EncryptedPackage".encode("utf-16-le")
_MARKUP = re.compile(rb"\s*(?:<!doctype html|<html)", re.IGNORECASE)
_BINARY = re.compile("[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f\ufffd]")
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


def read_lines(data: bytes) -> Lines:
    """What the file says. Raises Malformed, whose message tells its sender what to do, and OcrMissing."""
    if is_pdf(data):
        return _read_pdf(data)
    if _PICTURES.match(data):
        return read_pictures(data)
    if data.startswith(b"PK"):
        return _read_archive(data)
    if data.lstrip()[:5] == b"{\\rtf":
        return read_rtf(data)
    if data.startswith(_COMPOUND):
        if _LOCKED in data:
            raise refused("locked")
        raise refused("old_word")
    for pattern, reason in _OTHERS:
        if pattern.match(data):
            raise refused(reason)
    text = _decoded(data)
    return Lines(plain_text(clean_html(text)) if _MARKUP.match(data) else text)


def _read_pdf(data: bytes) -> Lines:
    document = read_document(data)
    if document.pages > MAX_PAGES:
        raise refused("pages")
    if document.scan and document.unread:
        raise refused("scans")
    sizes = {line.text: line.size for line in document.lines}
    return Lines(document.text, document.pages, document.ocr, {} if document.ocr else sizes, document.unread)


def _read_archive(data: bytes) -> Lines:
    if is_docx(data):
        return read_docx(data)
    if is_odt(data):
        return read_odt(data)
    raise refused("archive")


def _decoded(data: bytes) -> str:
    """Plain text in one of the encodings that people's programs write."""
    encoding = next((name for bom, name in _BOMS if data.startswith(bom)), "utf-8")
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        text = data.decode("cp1252", "replace")
    if len(_BINARY.findall(text)) * 50 > len(text):
        raise refused("unknown")
    return text
