"""Small PDF files, written by hand as ISO 32000 says."""

from __future__ import annotations

import io
from collections.abc import Sequence

import pypdfium2
from PIL import Image, ImageDraw, ImageFont

Placed = tuple[float, float, float, str]


def pdf(pages: Sequence[Sequence[Placed]], *, title: str = "", turn: int = 0, encrypt: bool = False) -> bytes:
    """A file of A4 pages; each line of a page is (points from the left, points from the top, size, text)."""
    count = len(pages)
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Count {count} /Kids [{' '.join(f'{5 + 2 * n} 0 R' for n in range(count))}] >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
        b"<< /Title " + _text(title) + b" >>",
    ]
    for number, lines in enumerate(pages):
        drawn = b"\n".join(
            b"BT /F1 %.1f Tf %.1f %.1f Td %s Tj ET" % (size, left, 842 - top, _text(text))
            for left, top, size, text in lines
        )
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Rotate %d /Contents %d 0 R "
            b"/Resources << /Font << /F1 3 0 R >> >> >>" % (turn, 6 + 2 * number)
        )
        objects.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(drawn), drawn))
    return _file(objects, encrypt=encrypt)


def picture(lines: Sequence[str], *, turn: int = 0) -> Image.Image:
    """A page of 150 dots per inch with large text on it, turned counter-clockwise by `turn` degrees."""
    page = Image.new("L", (1240, 900), 255)
    pen = ImageDraw.Draw(page)
    for number, line in enumerate(lines):
        pen.text((90, 90 + 70 * number), line, fill=0, font=ImageFont.load_default(36))
    return page.rotate(turn, expand=True)


def scan(lines: Sequence[str], *, turn: int = 0) -> bytes:
    """A file that holds a picture of text."""
    held = io.BytesIO()
    picture(lines, turn=turn).save(held, "PDF", resolution=150)
    return held.getvalue()


def bound(files: Sequence[bytes]) -> bytes:
    """One file of all their pages."""
    whole, held = pypdfium2.PdfDocument.new(), io.BytesIO()
    for data in files:
        with pypdfium2.PdfDocument(data) as part:
            whole.import_pages(part)
    whole.save(held)
    whole.close()
    return held.getvalue()


def _text(text: str) -> bytes:
    for special in "\\()":
        text = text.replace(special, "\\" + special)
    return b"(" + text.encode("cp1252") + b")"


def _file(objects: Sequence[bytes], *, encrypt: bool) -> bytes:
    whole = b"%PDF-1.4\n"
    offsets = []
    for number, content in enumerate(objects, 1):
        offsets.append(len(whole))
        whole += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    start = len(whole)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    key = "41" * 32
    lock = f"/Encrypt << /Filter /Standard /V 1 /R 2 /P -4 /O <{key}> /U <{key}> >> /ID [<{key}> <{key}>]"
    trailer = f"<< /Size {len(objects) + 1} /Root 1 0 R /Info 4 0 R {lock if encrypt else ''} >>".encode()
    return whole + b"xref\n0 %d\n0000000000 65535 f \n%strailer\n%s\nstartxref\n%d\n%%%%EOF" % (
        len(objects) + 1,
        table,
        trailer,
        start,
    )
