"""Reads pictures of text with tesseract (the Debian packages tesseract-ocr and tesseract-ocr-deu).

Source: tesseract(1). A picture goes in on standard input and a table of words comes back, so no file is written.
"""

from __future__ import annotations

import csv
import io
import shutil
import subprocess
from collections import defaultdict
from statistics import fmean

from PIL import Image

from lib.errors import Malformed, VakanzError
from lib.text.columns import Box

LANGUAGES = "deu+eng"
_READ_S = 60.0
_SURE = 60.0  # mean confidence of a page that was read the right way up; upside down gives 20 to 40
_GARBAGE = 40.0
_TURNS = (Image.Transpose.ROTATE_90, Image.Transpose.ROTATE_270, Image.Transpose.ROTATE_180)


class OcrMissing(VakanzError):
    """Pictures cannot be read on this machine; the work is to be set aside until somebody has installed the reader."""


def read_picture(picture: Image.Image) -> list[list[Box]]:
    """Paragraphs of lines, in pixels, in reading order; pages that lie on their side or stand on their head are turned.

    Raises OcrMissing, Malformed when the reading fails or takes too long.
    """
    program = shutil.which("tesseract")
    if program is None:
        raise OcrMissing("this document is a picture: apt install tesseract-ocr tesseract-ocr-deu, then try again")
    found, confidence = _read(program, picture, layout="1")
    if confidence >= _SURE:
        return found
    # The turn of a page with few words is often not recognised.
    readings = [(found, confidence)] + [_read(program, picture.transpose(turn), layout="3") for turn in _TURNS]
    return max(readings, key=lambda reading: reading[1])[0]


def _read(program: str, picture: Image.Image, *, layout: str) -> tuple[list[list[Box]], float]:
    """The lines of a picture and the mean confidence (0 to 100) of its letters. `layout`: tesseract's --psm."""
    pixels = io.BytesIO()
    picture.save(pixels, "PPM")
    command = [program, "stdin", "stdout", "-l", LANGUAGES, "--psm", layout, "tsv"]
    try:
        done = subprocess.run(command, input=pixels.getvalue(), capture_output=True, timeout=_READ_S)
    except subprocess.TimeoutExpired as error:
        raise Malformed(f"a picture that could not be read within {_READ_S:g} s") from error
    if done.returncode:
        complaint = done.stderr.decode(errors="replace")
        if "loading language" in complaint or "load any languages" in complaint:
            raise OcrMissing("tesseract does not know German: apt install tesseract-ocr-deu, then try again")
        raise Malformed(f"tesseract gave up with status {done.returncode}: {complaint[-200:].strip()}")
    return _lines(done.stdout.decode(errors="replace"))


def _lines(table: str) -> tuple[list[list[Box]], float]:
    """Paragraphs out of tesseract's table, one row per word; lines that it merely guesses are left out."""
    words: defaultdict[tuple[str, ...], dict[str, list[dict[str, str]]]] = defaultdict(lambda: defaultdict(list))
    confidences = []
    for row in csv.DictReader(io.StringIO(table), delimiter="\t", quoting=csv.QUOTE_NONE):
        if row["level"] == "5" and row["text"].strip():
            words[row["page_num"], row["block_num"], row["par_num"]][row["line_num"]].append(row)
            confidences += [float(row["conf"])] * len(row["text"])
    paragraphs = [[_line(line) for line in lines.values() if _is_sure(line)] for lines in words.values()]
    return [paragraph for paragraph in paragraphs if paragraph], fmean(confidences) if confidences else 0.0


def _is_sure(line: list[dict[str, str]]) -> bool:
    return fmean(float(word["conf"]) for word in line) >= _GARBAGE


def _line(words: list[dict[str, str]]) -> Box:
    lefts, tops, widths, heights = (
        [float(word[name]) for word in words] for name in ("left", "top", "width", "height")
    )
    return Box(
        text=" ".join(word["text"] for word in words),
        left=min(lefts),
        top=min(tops),
        right=max(left + width for left, width in zip(lefts, widths, strict=True)),
        bottom=max(top + height for top, height in zip(tops, heights, strict=True)),
        size=max(min(side) for side in zip(widths, heights, strict=True)),  # a turned word is higher than wide
    )
