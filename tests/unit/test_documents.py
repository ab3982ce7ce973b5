"""PDF files of all kinds: in columns, turned, pictures, broken, locked, too long."""

from __future__ import annotations

import io
import itertools
import shutil
import time
from collections.abc import Sequence
from pathlib import Path

import pypdfium2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.errors import Malformed
from lib.life.confined import Limits
from lib.life.documents import read_apart
from lib.life.sandbox import Sandbox
from lib.text.columns import Box, reading_order
from lib.text.documents import MAX_PAGES, MAX_PICTURES, is_pdf, read_document
from lib.text.ocr import OcrMissing
from tests.unit.portable import Placed, bound, pdf, picture, scan

HEAD: list[Placed] = [(60, 80, 24, "Koch (m/w/d) in Vollzeit")]
LEFT: list[Placed] = [(60, 140 + 14 * row, 11, f"linke Spalte, Zeile {row}") for row in range(6)]
RIGHT: list[Placed] = [(330, 140 + 14 * row, 11, f"rechte Spalte, Zeile {row}") for row in range(6)]
SCANNED = ["Elektroniker (m/w/d) gesucht", "Wir suchen zum Sommer Verstärkung", "für unser Team in der Werkstatt"]

needs_tesseract = pytest.mark.skipif(shutil.which("tesseract") is None, reason="tesseract is not installed")


def texts(boxes: Sequence[Sequence[Box]]) -> list[str]:
    return [box.text for paragraph in boxes for box in paragraph]


def test_columns_are_read_one_after_the_other_however_they_were_drawn() -> None:
    rows = [line for pair in zip(RIGHT, LEFT, strict=True) for line in pair]
    document = read_document(pdf([rows + HEAD]))
    assert [line.text for line in document.lines] == [line[3] for line in HEAD + LEFT + RIGHT]
    assert document.lines[0].size > 2 * document.lines[1].size
    assert (document.pages, document.ocr) == (1, False)


@pytest.mark.parametrize("turn", [90, 180, 270])
def test_sizes_and_order_hold_on_pages_that_are_shown_turned(turn: int) -> None:
    upright = read_document(pdf([HEAD + LEFT]))
    turned = read_document(pdf([HEAD + LEFT], turn=turn))
    assert {line.text for line in turned.lines} == {line.text for line in upright.lines}


def test_cut_words_are_made_whole_but_pairs_are_left() -> None:
    lines = ["Kenntnisse in der Software-", "entwicklung, Deutsch-", "und Englischkenntnisse, SAP-", "Erfahrung"]
    document = read_document(pdf([[(60, 100 + 14 * row, 11, text) for row, text in enumerate(lines)]]))
    assert document.text == "Kenntnisse in der Softwareentwicklung, Deutsch- und Englischkenntnisse, SAP-Erfahrung"


@pytest.mark.parametrize(
    ("given", "title"),
    [
        ("Stellenangebot - Koch (m/w/d)", "Stellenangebot - Koch (m/w/d)"),
        ("PowerPoint-Präsentation", None),
        ("Microsoft Word - Anzeige_final.docx", None),
        ("anzeige_2.indd", None),
        ("", None),
    ],
)
def test_a_programs_default_is_no_title(given: str, title: str | None) -> None:
    assert read_document(pdf([HEAD + LEFT], title=given)).title == title


def test_only_the_first_pages_are_read() -> None:
    document = read_document(pdf([[(60, 80, 12, f"page {number} of many, with enough text")] for number in range(50)]))
    assert document.pages == 50
    assert len(document.lines) == MAX_PAGES


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "not a readable PDF"),
        (b"<html>no</html>", "not a readable PDF"),
        (pdf([HEAD])[:300], "not a readable PDF"),
        (pdf([HEAD], encrypt=True), "encrypted"),
    ],
)
def test_what_cannot_be_read_is_malformed(data: bytes, message: str) -> None:
    with pytest.raises(Malformed, match=message):
        read_document(data)


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_a_spoilt_file_is_read_or_malformed(data: st.DataObject) -> None:
    whole = bytearray(pdf([HEAD + LEFT + RIGHT], title="Koch"))
    for _ in range(data.draw(st.integers(1, 8))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", "")  # where no text is left, reading pictures would only take time
        try:
            document = read_document(bytes(whole))
        except (Malformed, OcrMissing):
            return
    document.text.encode()
    assert all(line.text.strip() for line in document.lines)


def test_is_pdf() -> None:
    assert is_pdf(pdf([HEAD]))
    assert is_pdf(b"\r\n\xef\xbb\xbf" + pdf([HEAD]))
    assert not is_pdf(b"<!doctype html><title>%PDF</title>")


@needs_tesseract
@pytest.mark.parametrize("turn", [0, 90, 180, 270])
async def test_a_picture_of_text_is_read_whichever_way_it_lies(turn: int) -> None:
    document = await read_apart(scan(SCANNED, turn=turn), Sandbox())
    assert document.ocr
    found = document.text.replace("ii", "ü")
    assert "Elektroniker (m/w/d) gesucht" in found
    assert "Werkstatt" in found


@needs_tesseract
async def test_scanned_pages_among_pages_of_text_are_read_where_they_stand() -> None:
    document = await read_apart(bound([pdf([HEAD + LEFT]), scan(SCANNED), pdf([RIGHT])]), Sandbox())
    assert (document.ocr, document.pages, document.unread) == (True, 3, 0)
    first, middle, last = (document.text.index(word) for word in ("linke Spalte", "Werkstatt", "rechte Spalte"))
    assert first < middle < last


def test_pages_of_text_need_no_reader_of_pictures(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Not for a portrait on an empty page either."""
    monkeypatch.setenv("PATH", str(tmp_path))
    portrait = bound([pdf([HEAD + LEFT]), _portrait()])
    assert not read_document(portrait).ocr
    beside = read_document(bound([pdf([HEAD + LEFT]), scan(SCANNED)]))
    assert (beside.ocr, beside.unread, beside.scan) == (False, 1, False)
    assert "linke Spalte" in beside.text
    with pytest.raises(OcrMissing):
        read_document(scan(SCANNED))


def _portrait() -> bytes:
    """A page with a picture on a fifth of it."""
    page = pypdfium2.PdfDocument.new()
    held = io.BytesIO()
    picture(SCANNED).convert("RGB").save(held, "JPEG")
    drawn = pypdfium2.PdfImage.new(page)
    drawn.load_jpeg(held)
    drawn.set_matrix(pypdfium2.PdfMatrix().scale(300, 330))
    sheet = page.new_page(595, 842)
    sheet.insert_obj(drawn)
    sheet.gen_content()
    out = io.BytesIO()
    page.save(out)
    page.close()
    return out.getvalue()


@needs_tesseract
def test_pictures_are_read_up_to_a_number_and_a_time() -> None:
    scans = bound([pdf([HEAD + LEFT]), *[scan(["Zeugnis"])] * (MAX_PICTURES + 2)])
    assert read_document(scans).unread == 2
    ticks = itertools.count(step=40.0)  # begun at 0, so at 40 one more is begun, and at 80 none
    slow = read_document(scans, lambda: next(ticks))
    assert slow.unread == MAX_PICTURES + 1
    assert "linke Spalte" in slow.text


async def test_without_the_reader_the_message_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(OcrMissing, match="apt install tesseract-ocr tesseract-ocr-deu"):
        await read_apart(scan(SCANNED), Sandbox())


async def test_without_german_the_message_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    reader = tmp_path / "tesseract"
    reader.write_text("#!/bin/sh\necho \"Failed loading language 'deu'\" >&2\nexit 1\n")
    reader.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(OcrMissing, match="apt install tesseract-ocr-deu"):
        await read_apart(scan(SCANNED), Sandbox())


async def test_a_broken_file_is_malformed_apart_as_well() -> None:
    with pytest.raises(Malformed, match="encrypted"):
        await read_apart(pdf([HEAD], encrypt=True), Sandbox(Limits(wall_s=20.0)))


def test_reading_order_takes_crowded_pages_in_stride() -> None:
    boxes = [Box(f"{x} {y}", x * 3.0, y * 3.0, x * 3.0 + 2, y * 3.0 + 2, 2.0) for x in range(80) for y in range(80)]
    started = time.process_time()
    assert len(texts(reading_order(boxes))) == len(boxes)
    assert time.process_time() - started < 10


@given(
    st.lists(
        st.builds(
            lambda left, top, width, size: Box("x y", left, top, left + width, top + size, size),
            st.floats(-1e4, 1e4),
            st.floats(-1e4, 1e4),
            st.floats(0, 1e3),
            st.floats(0, 100),
        ),
        max_size=40,
    )
)
def test_every_line_comes_out_once(boxes: list[Box]) -> None:
    assert sorted(map(id, (box for one in reading_order(boxes) for box in one))) == sorted(map(id, boxes))


TABULAR: list[Placed] = [
    (60, 100, 12, "Bildung"),
    (60, 120, 10, "10/2010 - 07/2014"), (200, 120, 10, "Studium der Informatik"), (200, 133, 10, "Bachelor of Science"),
    (60, 160, 12, "Beruf"),
    (60, 180, 10, "seit 2014"), (200, 180, 10, "Entwicklerin"), (200, 193, 10, "Betreuung der Daten-"),
    (200, 206, 10, "banken"),
]  # fmt: skip


@pytest.mark.parametrize("mirrored", [False, True])
def test_dates_stay_with_what_they_date(mirrored: bool) -> None:
    """Also where they stand at the right, which puts each behind the first line of what it dates."""
    places = {60: 360 if mirrored else 60, 200: 60 if mirrored else 200}
    drawn = [(left if size == 12 else places[int(left)], top, size, text) for left, top, size, text in TABULAR]
    lines = read_document(pdf([drawn])).text.split()
    assert lines.index("Bildung") < lines.index("10/2010") < lines.index("Beruf") < lines.index("seit")
    assert abs(lines.index("10/2010") - lines.index("Studium")) <= 3
    assert "Datenbanken" in lines
