"""The text of photographs and scans of paper: PNG, JPEG, TIFF (with several pages) and WebP."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator

from PIL import Image, ImageOps, ImageSequence

from lib.people.paper import Lines
from lib.people.refusals import refused
from lib.text.cutwords import joined, marked
from lib.text.ocr import read_picture

FORMATS = ("PNG", "JPEG", "TIFF", "WEBP")
MAX_PICTURES = 5
_MAX_PIXELS = 50_000_000  # as the file says, before anything is unpacked; large telephones take 48 million
_READ_PIXELS = 12_000_000  # A4 at 300 dots per inch has nine million
_SMALL = 1_600  # pixels of the longer side: letters of a screenshot are too small to be told apart
_DAMAGED = (OSError, SyntaxError, ValueError, EOFError, OverflowError, struct.error, KeyError, IndexError)


def read_pictures(data: bytes) -> Lines:
    """Each picture of the file is a page. Raises Malformed, OcrMissing."""
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as file:
            pages = [_readable(frame) for frame in _frames(file)]
    except Image.DecompressionBombError as error:
        raise refused("pixels") from error
    except _DAMAGED as error:
        raise refused("picture") from error
    paragraphs = [paragraph for page in pages for paragraph in read_picture(page)]
    text = "\n\n".join(joined(marked(box.text) for box in paragraph) for paragraph in paragraphs)
    return Lines(text, pages=len(pages), ocr=True)


def _frames(file: Image.Image) -> Iterator[Image.Image]:
    for number, frame in enumerate(ImageSequence.Iterator(file)):
        if number == MAX_PICTURES:
            raise refused("pictures")
        if frame.width * frame.height > _MAX_PIXELS:
            raise refused("pixels")
        yield frame


def _readable(frame: Image.Image) -> Image.Image:
    """In grey on white, upright as the camera says, of a size that letters can be told apart at."""
    if frame.has_transparency_data:
        faded = frame.convert("LA")
        grey = Image.composite(faded.getchannel("L"), Image.new("L", faded.size, 255), faded.getchannel("A"))
    else:
        frame.draft("L", frame.size)  # JPEG only: colours are not even unpacked
        grey = frame.convert("L")
    scale = min(1.0, (_READ_PIXELS / (grey.width * grey.height)) ** 0.5)
    if max(grey.size) < _SMALL:
        scale = min(3.0, _SMALL / max(grey.size))
    size = max(1, round(grey.width * scale)), max(1, round(grey.height * scale))
    grey.info["exif"] = frame.info.get("exif", b"")
    return ImageOps.exif_transpose(grey if size == grey.size else grey.resize(size, Image.Resampling.LANCZOS))
