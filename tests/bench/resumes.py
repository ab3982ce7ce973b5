"""Résumés: pages of text in a second, a scanned page, and one file from its bytes to its sections in a process apart.

Bounds: pdfium's own plain text of the same pages, tesseract alone on the same picture, a bare interpreter's start.
"""

from __future__ import annotations

import io
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

import pypdfium2

from lib.people.apart import read_paper
from lib.people.reader import Reader
from lib.text.ocr import LANGUAGES
from tests.bench.lab import Lab
from tests.bench.rows import Row, Target, in_turns, stopwatch
from tests.sim.pdf import pdf

_PAGES = 10
_DENSITY = 300 / 72
_JOB = (
    "{year} - {after}",
    "Softwareentwicklerin bei der Beispiel GmbH in Musterstadt",
    "- Entwicklung und Betrieb von Diensten in Java und SQL auf Kubernetes, Betreuung der Datenbanken",
    "- Einarbeitung neuer Kolleginnen und Kollegen, Absprachen mit dem Vertrieb und dem Einkauf",
    "",
)


async def measure(lab: Lab) -> list[Row]:
    """All rows; those of pictures only where tesseract is installed."""
    file = _resume(_PAGES)
    pages, plain = await in_turns(
        lab.rounds,
        lambda: _per_second(lambda: read_paper(file), _PAGES),
        lambda: _per_second(lambda: _plain(file), _PAGES),
    )
    rows = [
        Row.of_rounds(
            pages, plain, name="résumé: PDF text in sections", unit="pages/s", bound="pages/s, pdfium's plain text",
            n=f"{_PAGES} pages", target=Target(">=", 20, of="figure"),
        )
    ]  # fmt: skip
    one, reader = _resume(1), Reader(1)
    apart, bare = await in_turns(lab.rounds, lambda: _read_apart(reader, one), _start)
    rows.append(
        Row.of_rounds(
            apart, bare, name="résumé: one page, in a process apart", unit="s", bound="s, an interpreter's start",
            n="one page of PDF", target=Target("<=", 1.0, of="figure"),
        )
    )  # fmt: skip
    if shutil.which("tesseract") is not None:
        picture = _picture(one)
        read, alone = await in_turns(
            lab.rounds, lambda: _seconds(lambda: read_paper(picture)), lambda: _seconds(lambda: _tesseract(picture))
        )
        rows.append(
            Row.of_rounds(
                read, alone, name="résumé: a scanned page", unit="s", bound="s, tesseract alone",
                n="A4 at 300 dots per inch", target=Target("<=", 1.5),
            )
        )  # fmt: skip
    return rows


def _resume(pages: int) -> bytes:
    jobs = [line.format(year=2000 - at, after=2001 - at) for at in range(10 * pages) for line in _JOB]
    return pdf("Anna Beispiel", ["Berufserfahrung", *jobs[: 52 * pages - 20], "Sprachen", "Deutsch, Englisch C1"])


def _picture(file: bytes) -> bytes:
    with pypdfium2.PdfDocument(file) as document:
        held = io.BytesIO()
        document[0].render(scale=_DENSITY, grayscale=True).to_pil().save(held, "PNG")
        return held.getvalue()


def _plain(file: bytes) -> None:
    with pypdfium2.PdfDocument(file) as document:
        for page in document:
            page.get_textpage().get_text_range()


def _tesseract(picture: bytes) -> None:
    command = ["tesseract", "stdin", "stdout", "-l", LANGUAGES, "--psm", "1", "tsv"]
    subprocess.run(command, input=picture, capture_output=True, check=True)


async def _per_second(work: Callable[[], object], count: int) -> float:
    return count / await _seconds(work)


async def _seconds(work: Callable[[], object]) -> float:
    with stopwatch() as watch:
        work()
    return watch.seconds


async def _read_apart(reader: Reader, file: bytes) -> float:
    began = time.perf_counter()
    with reader.place():
        await reader.read(file)
    return time.perf_counter() - began


async def _start() -> float:
    """The median of a few, because one alone says little."""
    return statistics.median([await _seconds(_interpreter) for _ in range(3)])


def _interpreter() -> None:
    subprocess.run([sys.executable, "-P", "-c", "pass"], check=True)
