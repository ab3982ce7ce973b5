"""Small files of word processors, written by hand as their standards say, and a résumé to write with them."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from html import escape

Part = tuple[str, Sequence[str]]

GERMAN: Sequence[Part] = (
    ("", ["Anna Beispiel", "Musterweg 1, 12345 Musterstadt", "anna@example.org"]),
    ("Kurzprofil", ["Softwareentwicklerin mit acht Jahren Erfahrung in Java und SQL."]),
    (
        "Berufserfahrung",
        ["01/2019 – heute", "Softwareentwicklerin bei der Beispiel GmbH", "Umstellung von 14 Diensten auf Kubernetes"],
    ),
    ("Ausbildung", ["2010 – 2014", "Bachelor of Science in Informatik, TU Musterstadt", "Note 1,7"]),
    ("Sprachen", ["Deutsch (Muttersprache)", "Englisch C1"]),
    ("EDV-Kenntnisse", ["Java, SQL, Docker, Kubernetes", "MS Office"]),
    ("Interessen", ["Klettern, Schach"]),
)
ENGLISH: Sequence[Part] = (
    ("", ["Sam Sample", "1 Example Road, Leeds", "sam@example.org"]),
    ("Professional Summary", ["Nurse with six years in intensive care."]),
    ("Work Experience", ["2018 - present", "Staff Nurse, Example Hospital", "Trained 12 new colleagues"]),
    ("Education & Training", ["2015 - 2018", "Bachelor of Nursing, University of Sampleton"]),
    ("Technical Skills", ["Ventilation, wound care, triage"]),
    ("Languages", ["English (native)", "German B2"]),
    ("References", ["On request"]),
)


def lines(parts: Sequence[Part]) -> list[str]:
    """The résumé as plain lines, an empty one before each heading."""
    return [line for heading, body in parts for line in (["", heading] if heading else []) + list(body)]


def zipped(files: Mapping[str, bytes]) -> bytes:
    """A ZIP archive."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return held.getvalue()


def docx(parts: Sequence[Part], *, table: bool = False) -> bytes:
    """A text of Word; in a table of one row for each part where that is asked."""
    body = ""
    for heading, words in parts:
        style = '<w:pPr><w:pStyle w:val="berschrift1"/></w:pPr>' if heading else ""
        written = f"<w:p>{style}{_run(heading)}</w:p>" + "".join(f"<w:p>{_run(line)}</w:p>" for line in words)
        body += f"<w:tbl><w:tr><w:tc>{written}</w:tc></w:tr></w:tbl>" if table else written
    space = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
    return zipped({
        "[Content_Types].xml": b"<Types/>",
        "word/document.xml": f"<w:document {space}><w:body>{body}</w:body></w:document>".encode(),
    })  # fmt: skip


def odt(parts: Sequence[Part]) -> bytes:
    """A text of OpenDocument."""
    body = ""
    for heading, words in parts:
        body += f"<text:h>{escape(heading)}</text:h>" if heading else ""
        body += "".join(f"<text:p><text:span>{escape(line)}</text:span></text:p>" for line in words)
    space = (
        'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
        'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"'
    )
    content = f"<office:document-content {space}><office:body><office:text>{body}</office:text></office:body>"
    return zipped({
        "mimetype": b"application/vnd.oasis.opendocument.text",
        "content.xml": f"{content}</office:document-content>".encode(),
    })  # fmt: skip


def rtf(parts: Sequence[Part]) -> bytes:
    """A text of WordPad."""
    written = "".join(rf"{''.join(map(_rtf, line))}\par " for line in lines(parts))
    return (r"{\rtf1\ansi\ansicpg1252\uc1{\fonttbl{\f0\fswiss Arial;}}\f0 " + written + "}").encode("ascii")


def _run(text: str) -> str:
    """Cut in two, as Word does wherever somebody typed later."""
    half = len(text) // 2
    return "".join(f'<w:r><w:t xml:space="preserve">{escape(one)}</w:t></w:r>' for one in (text[:half], text[half:]))


def _rtf(letter: str) -> str:
    return letter if letter.isascii() else rf"\u{ord(letter)}?"
