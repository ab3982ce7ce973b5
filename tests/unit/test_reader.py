"""Résumés of all formats: read in sections and in order, refused with a word on what to do, never a crash."""

from __future__ import annotations

import io
import os
import re
import shutil
import struct
import time
import zipfile
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFont

from lib.errors import Malformed
from lib.life.confined import Limits
from lib.people import pictures
from lib.people.apart import MAX_CHARS, read_paper, tidy
from lib.people.headings import kind_of_heading
from lib.people.office import MAX_XML_BYTES
from lib.people.paper import Lines, Paper
from lib.people.reader import Reader, Unreadable
from lib.people.refusals import REFUSALS, Reason, explain
from lib.people.sections import divide
from lib.text.documents import MAX_PAGES, MAX_PICTURES
from lib.text.ocr import OcrMissing
from tests.unit.papers import ENGLISH, GERMAN, Part, docx, lines, odt, rtf, zipped
from tests.unit.portable import Placed, bound, pdf, scan

REAL = Path(os.environ.get("VAKANZ_REAL_DATA") or Path(__file__).parents[2].parent / "shared" / "data") / "resumes"
KINDS = {
    "Berufserfahrung": "experience", "Ausbildung": "education", "Sprachen": "languages", "EDV-Kenntnisse": "skills",
    "Kurzprofil": "summary", "Interessen": "other", "Work Experience": "experience", "Technical Skills": "skills",
    "Education & Training": "education", "Languages": "languages", "Professional Summary": "summary",
    "References": "other", "": "other",
}  # fmt: skip
needs_tesseract = pytest.mark.skipif(shutil.which("tesseract") is None, reason="tesseract is not installed")


def as_pdf(parts: Sequence[Part]) -> bytes:
    """In one column."""
    drawn: list[Placed] = []
    for at, line in enumerate(lines(parts)):
        drawn += [(60, 60 + 15 * at, 14 if line in KINDS else 10, line)] if line else []
    return pdf([drawn])


def as_columns(parts: Sequence[Part]) -> bytes:
    """Name and address across the page, skills and languages at the left, the rest at the right."""
    drawn: list[Placed] = [(60, 40 + 14 * at, 12, line) for at, line in enumerate(parts[0][1])]
    left = [part for part in parts[1:] if KINDS[part[0]] in ("skills", "languages", "other")]
    for x, column in ((60, left), (260, [part for part in parts[1:] if part not in left])):
        top = 120.0
        for heading, words in column:
            drawn.append((x, top, 14, heading))
            drawn += [(x, top + 18 + 14 * at, 10, line) for at, line in enumerate(words)]
            top += 18 + 14 * len(words) + 16
    return pdf([drawn])


def as_text(parts: Sequence[Part]) -> bytes:
    return "\r\n".join(lines(parts)).encode("cp1252")


WRITERS: Sequence[Callable[[Sequence[Part]], bytes]] = (as_pdf, as_columns, docx, odt, rtf, as_text)


@pytest.mark.parametrize("write", WRITERS)
@pytest.mark.parametrize("parts", [GERMAN, ENGLISH], ids=["de", "en"])
def test_each_format_gives_the_same_sections(write: Callable[[Sequence[Part]], bytes], parts: Sequence[Part]) -> None:
    paper = read_paper(write(parts))
    found = {section.title: section for section in paper.sections}
    assert {title: section.kind for title, section in found.items()} == {title: KINDS[title] for title, _ in parts}
    for title, words in parts:
        assert found[title].text.replace("-\n", "-").split() == " ".join(words).split()
    assert (paper.pages, paper.ocr) == (1, False)


def test_sections_hold_the_whole_text_in_order() -> None:
    paper = read_paper(docx(GERMAN, table=True))
    joined = " ".join(f"{section.title} {section.text}" for section in paper.sections)
    assert joined.split() == paper.text.split()


@pytest.mark.parametrize(
    ("heading", "kind"),
    [
        ("BERUFLICHER WERDEGANG", "experience"),
        ("2. Ausbildung und Weiterbildung:", "education"),
        ("■ Sprachen & EDV", "languages"),
        ("S K I L L S", "skills"),
        ("Work Experience / Internships", "experience"),
        ("ABOUT ME", "summary"),
        ("Fort- und Weiterbildung", "education"),
        ("Hobbys und Interessen", "other"),
        ("Erfahrung im Umgang mit Kunden", None),
        ("Skills in Python and Java", None),
        ("", None),
        ("—", None),
    ],
)
def test_headings_are_known_in_all_their_forms(heading: str, kind: str | None) -> None:
    assert kind_of_heading(heading) == kind


def test_a_heading_may_stand_before_its_words() -> None:
    sections = divide(Lines("Anna\nSprachen: Deutsch, Englisch\nKenntnisse: Java\nProgrammiersprachen im Team: Java"))
    assert [(section.kind, section.title, section.text) for section in sections] == [
        ("other", "", "Anna"),
        ("languages", "Sprachen", "Deutsch, Englisch"),
        ("skills", "Kenntnisse", "Java\nProgrammiersprachen im Team: Java"),
    ]


def test_a_stranger_that_looks_like_the_headings_is_one() -> None:
    text = "ANNA BEISPIEL\nEXPERIENCE\nNurse\nMY GARDEN\nRoses\nEDUCATION\nSchool\nSKILLS\nTriage"
    assert [section.title for section in divide(Lines(text))] == ["", "EXPERIENCE", "MY GARDEN", "EDUCATION", "SKILLS"]


def test_texts_are_tidied() -> None:
    assert tidy("Soft\u00adware\u200b \ufb01t\x00 \ud800x\t y\r\n\n\n\nEnt-\nwicklung und Deutsch-\nund") == (
        "Software fit x y\n\nEntwicklung und Deutsch- und"
    )


@needs_tesseract
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "WEBP"])
def test_pictures_are_read(kind: str) -> None:
    paper = read_paper(_photograph(kind))
    assert paper.ocr and paper.pages == 1
    assert [section.kind for section in paper.sections] == ["other", "experience", "languages"]
    assert "Softwareentwicklerin" in paper.text


@needs_tesseract
def test_a_scan_is_read_and_its_cut_words_are_made_whole() -> None:
    drawn = ["Anna Beispiel", "", "Berufserfahrung", "Betreuung aller Daten-", "banken der Werkstatt"]
    paper = read_paper(scan(drawn))
    assert paper.ocr
    assert "Datenbanken" in paper.text


@needs_tesseract
def test_scanned_pages_behind_pages_of_text_are_read_up_to_a_number() -> None:
    """A person's certificates must not keep the pages of text from being read."""
    certificate = scan(["Zertifikate", "Scrum Master seit 2021"])
    paper = read_paper(bound([as_pdf(GERMAN), certificate]))
    assert (paper.ocr, paper.pages, paper.unread) == (True, 2, 0)
    assert paper.sections[-1].title == "Zertifikate"
    assert "Scrum Master" in paper.sections[-1].text
    crowded = read_paper(bound([as_pdf(GERMAN), *[scan(["Zeugnis"])] * 6]))
    assert (crowded.pages, crowded.unread) == (7, 1)
    with pytest.raises(Malformed, match="too many scanned pages"):
        read_paper(bound([scan(["Zeugnis"])] * 6))


def _photograph(kind: str) -> bytes:
    page = Image.new("RGBA" if kind == "PNG" else "RGB", (1240, 700), (255, 255, 255, 0) if kind == "PNG" else "white")
    pen = ImageDraw.Draw(page)
    text = ["Anna Beispiel", "", "Berufserfahrung", "Softwareentwicklerin in Musterstadt", "", "Sprachen", "Deutsch"]
    for number, line in enumerate(text):
        pen.text((90, 60 + 80 * number), line, fill="black", font=ImageFont.load_default(38))
    held = io.BytesIO()
    page.save(held, kind)
    return held.getvalue()


def _bomb() -> bytes:
    """A hundred megabytes of one element, a thousandth of that when packed."""
    space = b'<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>'
    return zipped({"word/document.xml": space + b"<w:p/>" * 17_000_000})


def _many_parts() -> bytes:
    return zipped({f"word/{number}.xml": b"" for number in range(6_000)} | {"word/document.xml": b"<x/>"})


def _laughing() -> bytes:
    entities = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10 if n else "ha"}">' for n in range(12))
    return zipped({"word/document.xml": f"<!DOCTYPE x [{entities}]><x>&l11;</x>".encode()})


def _huge_picture() -> bytes:
    """A PNG file that says it has 40,000 x 40,000 pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 40_000, 40_000, 1, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    )


def _many_pictures() -> bytes:
    held = io.BytesIO()
    pages = [Image.new("1", (10, 10)) for _ in range(7)]
    pages[0].save(held, "TIFF", save_all=True, append_images=pages[1:])
    return held.getvalue()


def _locked_zip() -> bytes:
    """As ZIP says that a part is encrypted: bit 0 of its flags, in both of its headers."""
    data = bytearray(docx(GERMAN))
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = data.find(signature)
        while at >= 0:
            data[at + offset] |= 1
            at = data.find(signature, at + 4)
    return bytes(data)


REFUSED: Sequence[tuple[str, Callable[[], bytes], str]] = (
    ("nothing", lambda: b"", "no text"),
    ("blank", lambda: b" \n\t ", "no text"),
    ("program", lambda: b"\x7fELF" + bytes(range(256)) * 8, "nobody knows"),
    ("old word", lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512), "Word 97-2003"),
    ("locked word", lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"), "password"),
    ("locked pdf", lambda: pdf([[(60, 60, 12, "secret")]], encrypt=True), "password"),
    ("locked part", _locked_zip, "password"),
    ("locked odt", lambda: zipped({"content.xml": b"", "META-INF/manifest.xml": b"<encryption-data/>"}), "password"),
    ("broken pdf", lambda: b"%PDF-1.7\nnothing", "PDF"),
    ("archive", lambda: zipped({"cv.pdf": b"%PDF-"}), "archive"),
    ("cut archive", lambda: docx(GERMAN)[:200], "damaged"),
    ("broken xml", lambda: zipped({"word/document.xml": b"<a><b></a>"}), "damaged"),
    ("bomb", _bomb, "unpacks to more"),
    ("many parts", _many_parts, "too many parts"),
    ("entities", _laughing, "declares a type"),
    ("huge picture", _huge_picture, "pixels"),
    ("many pictures", _many_pictures, "more than 5 pictures"),
    ("photograph", lambda: b"\x00\x00\x00\x18ftypheic" + bytes(64), "JPEG"),
    ("gif", lambda: b"GIF89a" + bytes(64), "PNG"),
    ("packed", lambda: b"\x1f\x8b" + bytes(64), "unpack"),
    ("too long", lambda: b"word " * (MAX_CHARS // 5 + 10), "attachments"),
    (
        "too many pages",
        lambda: pdf([[(60, 80, 12, f"page {n} of many, with enough text")] for n in range(31)]),
        "30 pages",
    ),
)


@pytest.mark.parametrize(("make", "says"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_what_cannot_be_read_is_refused_with_a_word_on_what_to_do(make: Callable[[], bytes], says: str) -> None:
    with pytest.raises(Malformed, match=says):
        read_paper(make())


@pytest.mark.parametrize("make", [row[1] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_why_is_said_in_german_too(make: Callable[[], bytes]) -> None:
    with pytest.raises(Malformed) as refused:
        read_paper(make())
    told = explain(str(refused.value), "de")
    assert told != REFUSALS["work"]["de"]
    assert re.search(r"Sie|senden", told)
    assert explain(str(refused.value), "en") == str(refused.value)


def test_what_is_refused_for_its_size_is_told_the_limit() -> None:
    limits: Sequence[tuple[Reason, str]] = (
        ("pages", f" {MAX_PAGES} "),
        ("scans", f" {MAX_PICTURES}"),
        ("pictures", f" {pictures.MAX_PICTURES} "),
        ("unpacks", f" {MAX_XML_BYTES // 1_000_000} MB"),
        ("long", f" {MAX_CHARS // 1_000}"),
    )
    for reason, limit in limits:
        assert all(limit in text for text in REFUSALS[reason].values()), reason


def test_what_nobody_translated_is_told_as_damage() -> None:
    assert explain("a message of some library", "de") == REFUSALS["work"]["de"]


async def test_limits_hold_where_a_file_is_read_apart() -> None:
    reader = Reader(1, Limits(memory_bytes=1 << 30, cpu_s=1, wall_s=3.0))
    started = time.monotonic()
    for data in (_object_stream(), _bomb()):
        with pytest.raises(Unreadable) as refused:
            await reader.read(data)
        assert "aaaa" not in str(refused.value)
    assert time.monotonic() - started < 12
    assert (await reader.read(as_text(GERMAN))).sections


def _object_stream() -> bytes:
    """A PDF whose page draws 80 MB of text, packed."""
    drawn = zlib.compress(b"BT /A 9 Tf (aaaa aaaa aaaa aaaa) Tj ET\n" * 2_000_000, 1)
    objects = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font 6 0 R >> >>",
        b"<< /Length %d /Filter /FlateDecode >>\nstream\n%s\nendstream" % (len(drawn), drawn),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        b"<< /A 5 0 R >>",
    )
    body = b"".join(b"%d 0 obj\n%s\nendobj\n" % pair for pair in enumerate(objects, 1))
    return b"%PDF-1.4\n" + body + b"trailer\n<< /Root 1 0 R >>\n"


def _well_formed(paper: Paper) -> None:
    paper.text.encode()
    assert paper.text.strip() == paper.text and paper.sections and "\x00" not in paper.text


@pytest.mark.parametrize("whole", [docx(GERMAN), odt(ENGLISH), rtf(GERMAN), as_text(GERMAN), as_columns(ENGLISH)])
@settings(deadline=None, max_examples=40)
@given(data=st.data())
def test_a_spoilt_file_is_read_or_refused(whole: bytes, data: st.DataObject) -> None:
    spoilt = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 8))):
        spoilt[data.draw(st.integers(0, len(spoilt) - 1))] = data.draw(st.integers(0, 255))
    _read_or_refuse(bytes(spoilt))


@settings(deadline=None, max_examples=150)
@given(st.binary(max_size=400))
@example(b"{\\rtf1 \\u99999999? }")
@example(b"{\\rtf1 \\uc Anna}")
@example(b"II*\x00" + bytes(20))
@example(b"\xff\xfe" + "Anna\ud800".encode("utf-16-le", "surrogatepass"))
@example(b"<html><body>" + b"<b>" * 100 + b"Anna")
@example(b"PK\x05\x06" + bytes(18))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    _read_or_refuse(data)


def _read_or_refuse(data: bytes) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", "")  # reading pictures would only take time
        try:
            paper = read_paper(data)
        except (Malformed, OcrMissing):
            return
    _well_formed(paper)


@settings(deadline=None, max_examples=100)
@given(
    st.lists(st.sampled_from(["SKILLS", "Sprachen: Deutsch", "", "x" * 200, "Beruf", "a, b", "•", "É"]), max_size=60)
)
def test_dividing_loses_nothing(written: list[str]) -> None:
    text = "\n".join(written)
    joined = " ".join(f"{section.title} {section.text}" for section in divide(Lines(text)))
    assert joined.replace(":", "").split() == text.replace(":", "").split()


@pytest.mark.parametrize("text", ["a-\n" * 16_000, " " * 49_000, "S K I L L S " * 4_000, "(" * 49_000, "1. " * 16_000])
def test_no_text_takes_long(text: str) -> None:
    started = time.monotonic()
    divide(Lines(tidy(text + "\nend")))
    assert time.monotonic() - started < 2


@pytest.mark.skipif(not (REAL / "pdf").is_dir(), reason=f"no real résumés in {REAL}")
def test_real_resumes_have_their_sections() -> None:
    expected = {
        "modern-single-column.pdf": ["other", "summary", "experience", "education", "other", "skills", "skills"],
        "single-column.pdf": ["other", "summary", "experience", "education", "other", "skills", "skills"],
        "openresume-resume.pdf": ["other", "experience", "education", "other", "skills"],
    }
    right = wrong = 0
    for name, kinds in expected.items():
        found = [section.kind for section in read_paper((REAL / "pdf" / name).read_bytes()).sections]
        right += sum(a == b for a, b in zip(found, kinds, strict=False))
        wrong += abs(len(found) - len(kinds)) + sum(a != b for a, b in zip(found, kinds, strict=False))
    print(f"{len(expected)} real résumés: {right} sections right, {wrong} wrong")  # noqa: T201
    assert wrong == 0


def test_an_archive_that_lies_about_its_size_is_read_to_the_limit_only() -> None:
    data = bytearray(docx(GERMAN))
    with zipfile.ZipFile(io.BytesIO(bytes(data))) as archive:
        at = archive.getinfo("word/document.xml").header_offset
    data[at + 22 : at + 26] = struct.pack("<I", 1 << 31)
    _read_or_refuse(bytes(data))
