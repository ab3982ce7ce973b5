"""What a PDF says: its text in reading order, its title, how large each line is written.

pdfium cuts a page into lines; they are put into order here, because a file holds them in the order in which somebody
placed them. Pages without text are pictures, and `lib.text.ocr` reads those. Files are hostile: call `read_document`
where a crash or an endless loop costs nothing (`lib.life.documents`).
"""

from __future__ import annotations

import ctypes
import re
import time
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from statistics import median

import msgspec
import pypdfium2
import pypdfium2.raw as pdfium
from PIL import Image

from lib.errors import Malformed
from lib.text.columns import Box, reading_order
from lib.text.cutwords import CUT, HYPHENS, joined, marked
from lib.text.ocr import OcrMissing, read_picture

MAX_BYTES = 50_000_000
MAX_PAGES = 30
MAX_PICTURES = 5
MAX_PAGE_CHARS = 30_000
_MIN_CHARS = 40  # what has less is a picture with a stamp or a page number on it
_FILLED = 0.5  # of a page by pictures, beside pages of text: less is a portrait, or a logo
_PICTURES_S = 75.0  # no picture is begun later
_DOTS_PER_POINT = 300 / 72
_MAX_PIXELS = 12_000_000
_SPLIT_EM = 1.6  # a wider gap within a line parts two columns that happen to stand level
_CUT = "\x02\ufffe"  # pdfium's own sign for a hyphen at a line's end, after which it goes on without a new line
# What programs write when nobody gave the document a title.
_DEFAULT = re.compile(
    r"(?i)(?:powerpoint-präsentation|powerpoint presentation|microsoft (?:word|powerpoint) - .*|untitled.*|unbenannt.*|"
    r"(?:dokument|document|präsentation|folie|seite) ?\d*|.*\.(?:docx?|pptx?|indd|pdf|odt|rtf|cdr|ai|pub|xlsx?))"
)


class Line(msgspec.Struct, frozen=True, gc=False):
    """One line as it stands on the page; `size` is the height of its letters in points, ascent to descent."""

    text: str
    size: float


class Document(msgspec.Struct, frozen=True):
    """`text`: lines in reading order, paragraphs apart by an empty line. `pages`: how many the file has, of which the
    first MAX_PAGES were read. `title`, `author`: what the file says that it is called and by whom, None without or with
    a program's default. `ocr`: pages were read that are pictures. `unread`: so many more are, beyond the first
    MAX_PICTURES, beyond the time, or beside pages of text where no picture can be read. `scan`: all pages are."""

    text: str
    pages: int
    title: str | None
    author: str | None
    ocr: bool
    lines: tuple[Line, ...]
    unread: int = 0
    scan: bool = False


def is_pdf(data: bytes) -> bool:
    """Whether the bytes begin as a PDF file does; readers allow some rubbish before it."""
    return b"%PDF-" in data[:1024]


def read_document(data: bytes, clock: Callable[[], float] = time.monotonic) -> Document:
    """Reads a PDF file. Raises Malformed (no PDF, broken, encrypted, too large, nothing to read), OcrMissing."""
    if len(data) > MAX_BYTES:
        raise Malformed(f"a document of {len(data)} bytes")
    try:
        with pypdfium2.PdfDocument(data) as document:
            return _read(document, clock)
    except pypdfium2.PdfiumError as error:
        if getattr(error, "err_code", None) == pdfium.FPDF_ERR_PASSWORD:
            raise Malformed("the document is encrypted: save it without a password") from error
        raise Malformed(f"not a readable PDF: {error}") from error


def _read(document: pypdfium2.PdfDocument, clock: Callable[[], float]) -> Document:
    pages = [document[number] for number in range(min(len(document), MAX_PAGES))]
    written = [reading_order(list(_boxes(page))) for page in pages]
    pictured = _pictured(pages, written)
    seen = _read_pictures(pages, pictured, clock)
    paragraphs = [paragraph for at, page in enumerate(written) for paragraph in seen.get(at, page)]
    if not paragraphs:
        raise Malformed("the document has nothing to read in it")
    return Document(
        text="\n\n".join(joined(box.text for box in paragraph) for paragraph in paragraphs),
        pages=len(document),
        title=_told(document, "Title"),
        author=_told(document, "Author"),
        ocr=any(seen.values()),
        lines=tuple(Line(box.text.replace(CUT, "-"), round(box.size, 1)) for one in paragraphs for box in one),
        unread=len(pictured) - len(seen),
        scan=len(pictured) == len(pages),
    )


def _pictured(pages: Sequence[pypdfium2.PdfPage], written: Sequence[list[list[Box]]]) -> list[int]:
    """Which pages are pictures: all of a document without text, else those that pictures fill."""
    letters = [sum(len(box.text) for paragraph in page for box in paragraph) for page in written]
    bare = sum(letters) < _MIN_CHARS
    return [at for at, page in enumerate(pages) if letters[at] < _MIN_CHARS and (bare or _is_filled(page))]


def _is_filled(page: pypdfium2.PdfPage) -> bool:
    left, bottom, right, top = page.get_bbox()
    space, area = (right - left) * (top - bottom), 0.0
    for part in page.get_objects([pdfium.FPDF_PAGEOBJ_IMAGE, pdfium.FPDF_PAGEOBJ_FORM], max_depth=1):
        if part.type == pdfium.FPDF_PAGEOBJ_IMAGE or any(page.get_objects([pdfium.FPDF_PAGEOBJ_IMAGE], form=part)):
            x, y, to_x, to_y = part.get_bounds()
            area += max(0.0, min(right, to_x) - max(left, x)) * max(0.0, min(top, to_y) - max(bottom, y))
    return bool(area >= _FILLED * space)


def _read_pictures(
    pages: Sequence[pypdfium2.PdfPage], pictured: Sequence[int], clock: Callable[[], float]
) -> Mapping[int, list[list[Box]]]:
    """The paragraphs of the first pages that are pictures, by the page's place. Raises OcrMissing and Malformed where
    there is nothing else to read."""
    seen: dict[int, list[list[Box]]] = {}
    until = clock() + _PICTURES_S
    for at in pictured[:MAX_PICTURES]:
        if clock() >= until:
            break
        try:
            seen[at] = _seen(pages[at])
        except (OcrMissing, Malformed):
            if len(pictured) == len(pages):
                raise
    return seen


def _told(document: pypdfium2.PdfDocument, key: str) -> str | None:
    value = _clean(document.get_metadata_value(key)[:300])
    return None if not value or _DEFAULT.fullmatch(value) else value


def _boxes(page: pypdfium2.PdfPage) -> Iterator[Box]:
    """The lines of a page as pdfium finds them, cut where columns stand level."""
    turn, (width, height) = page.get_rotation(), page.get_size()
    text = page.get_textpage()
    glyphs: list[_Glyph] = []
    for index in range(min(text.count_chars(), MAX_PAGE_CHARS)):
        letter = _letter(pdfium.FPDFText_GetUnicode(text.raw, index))
        if letter == "\n" or letter in _CUT:
            yield from _line(glyphs, cut=letter in _CUT)
            glyphs = []
        elif letter == " " or letter.isprintable() or letter in HYPHENS:
            glyph = _glyph(text, index, letter, turn, width, height)
            if glyphs and glyph is not None and _stands_apart(glyphs, glyph):
                yield from _line(glyphs)
                glyphs = []
            if glyph is not None:
                glyphs.append(glyph)
    yield from _line(glyphs)


class _Glyph(msgspec.Struct, frozen=True, gc=False):
    letter: str
    left: float
    top: float
    right: float
    bottom: float


def _letter(code: int) -> str:
    return chr(code) if 0 < code < 0xD800 or 0xDFFF < code < 0x110000 else " "


def _glyph(
    text: pypdfium2.PdfTextPage, index: int, letter: str, turn: int, width: float, height: float
) -> _Glyph | None:
    """A letter and its place on the page as it is shown; None for one that has no place."""
    box = pdfium.FS_RECTF()
    if not pdfium.FPDFText_GetLooseCharBox(text.raw, index, ctypes.byref(box)):
        return None
    left, top, right, bottom = box.left, box.top, box.right, box.bottom
    if turn == 90:
        return _Glyph(letter, bottom, left, top, right)
    if turn == 180:
        return _Glyph(letter, width - right, bottom, width - left, top)
    if turn == 270:
        return _Glyph(letter, width - top, height - right, width - bottom, height - left)
    return _Glyph(letter, left, height - top, right, height - bottom)


def _stands_apart(glyphs: list[_Glyph], glyph: _Glyph) -> bool:
    inked = [one for one in glyphs[-3:] if one.letter != " "]
    if glyph.letter == " " or not inked or not any(one.letter.isalnum() for one in glyphs[:8]):
        return False  # the last case: a bullet and what it stands before
    before = inked[-1]
    return glyph.left - before.right > _SPLIT_EM * max(glyph.bottom - glyph.top, 1.0)


def _line(glyphs: list[_Glyph], *, cut: bool = False) -> Iterator[Box]:
    """The line that the glyphs make, with a soft hyphen where a word is cut; nothing when they are blank."""
    inked = [one for one in glyphs if one.letter != " "]
    if not inked:
        return
    words = "".join(one.letter for one in glyphs).rstrip()
    if words[-1] in HYPHENS and words[-2:-1].isalpha():
        words, cut = words[:-1], True
    text = _clean(words)
    if text:
        yield Box(
            text=f"{text}{CUT}" if cut else text,
            left=min(one.left for one in inked),
            top=min(one.top for one in inked),
            right=max(one.right for one in inked),
            bottom=max(one.bottom for one in inked),
            size=median(one.bottom - one.top for one in inked),
        )


def _clean(text: str) -> str:
    """Ligatures as letters, no control or private characters, single spaces."""
    kept = (" " if unicodedata.category(one)[0] == "C" else one for one in unicodedata.normalize("NFKC", text))
    return " ".join("".join(kept).split())


def _seen(page: pypdfium2.PdfPage) -> list[list[Box]]:
    """The lines of a page that is a picture. Raises OcrMissing, Malformed."""
    width, height = page.get_size()
    if width <= 0 or height <= 0 or max(width, height) > 50 * min(width, height):
        return []
    scale = min(_DOTS_PER_POINT, (_MAX_PIXELS / (width * height)) ** 0.5)
    picture: Image.Image = page.render(scale=scale, grayscale=True).to_pil()
    return [
        [Box(marked(box.text), box.left, box.top, box.right, box.bottom, box.size / scale) for box in paragraph]
        for paragraph in read_picture(picture)
    ]
