"""A small PDF file of text: a large title, then lines, as many pages as they take."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from tests.sim.posting import Posting

_LINES = 52
_HEAD = b"%PDF-1.4\n"


def pdf(title: str, lines: Sequence[str]) -> bytes:
    """The file. Characters that Windows-1252 does not have become question marks."""
    wrapped = [piece for line in lines for piece in (textwrap.wrap(line, 92) or [""])]
    pages = [wrapped[start : start + _LINES] for start in range(0, len(wrapped), _LINES)] or [[]]
    objects = list(_objects(title, pages))
    out, offsets = bytearray(_HEAD), []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    out += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)
    return bytes(out)


def pdf_of(posting: Posting) -> bytes:
    """A posting as a file: its title, its company, its main place and its text."""
    city = posting.city.english if posting.language == "en" else posting.city.name
    label = "Einsatzort" if posting.language == "de" else "Location"
    small = [posting.company.name, f"{label}: {city}"]
    for section in posting.sections():
        small += ["", section.heading, *section.paragraphs, *(f"- {line}" for line in section.bullets)]
    return pdf(posting.title, small)


def _objects(title: str, pages: Sequence[Sequence[str]]) -> Iterator[bytes]:
    kids = b" ".join(b"%d 0 R" % (4 + 2 * number) for number in range(len(pages)))
    yield b"<< /Type /Catalog /Pages 2 0 R >>"
    yield b"<< /Type /Pages /Kids [%s] /Count %d >>" % (kids, len(pages))
    yield b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>"
    for number, lines in enumerate(pages):
        content = b"BT /F1 20 Tf 50 790 Td 24 TL\n"
        if number == 0:
            content += b"".join(b"(%s) Tj T*\n" % _escaped(piece) for piece in textwrap.wrap(title, 44))
        content += b"/F1 10 Tf 13 TL T*\n"
        content += b"".join(b"(%s) Tj T*\n" % _escaped(line) for line in lines) + b"ET"
        yield (
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents %d 0 R "
            b"/Resources << /Font << /F1 3 0 R >> >> >>" % (5 + 2 * number)
        )
        yield b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content)


def _escaped(text: str) -> bytes:
    encoded = text.encode("cp1252", "replace")
    return encoded.replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)")
