"""Rows of the files that taxonomies are published as: text with a header, gzipped or not, and workbooks."""

from __future__ import annotations

import csv
import gzip
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from lxml import etree

from lib.errors import ConfigError

_SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def found(folder: Path, pattern: str) -> list[Path]:
    """The files of a folder whose names fit, sorted. Raises ConfigError where there is none."""
    paths = sorted(folder.glob(pattern))
    if not paths:
        raise ConfigError([f"{folder} holds no file {pattern}"])
    return paths


def table(path: Path, columns: tuple[str, ...], delimiter: str) -> Iterator[tuple[str, ...]]:
    """The named columns of each row; the first row is the header. Raises ConfigError where a column is missing."""
    text = text_of(path)
    quotes: Literal[0, 3] = csv.QUOTE_MINIMAL if delimiter == "," else csv.QUOTE_NONE
    reader = csv.DictReader(text, delimiter=delimiter, quoting=quotes)
    missing = set(columns).difference(reader.fieldnames or ())
    if missing:
        raise ConfigError([f"{path} has no column {sorted(missing)[0]!r}"])
    for row in reader:
        yield tuple(row[column] or "" for column in columns)


def text_of(path: Path) -> io.StringIO:
    """A UTF-8 file, unpacked where its name ends in .gz. Raises ConfigError where it cannot be read."""
    try:
        data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        return io.StringIO(data.decode("utf-8-sig"), newline="")
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise ConfigError([f"{path} cannot be read: {error}"]) from error


def workbook_rows(path: Path) -> Iterator[dict[str, str]]:
    """Cells of all sheets of an .xlsx file by column letter. Raises ConfigError where it is none."""
    try:
        with zipfile.ZipFile(path) as book:
            strings = [
                "".join(text.text or "" for text in item.iter(_SHEET + "t"))
                for item in etree.fromstring(book.read("xl/sharedStrings.xml"))
            ]
            sheets = [book.read(name) for name in sorted(book.namelist()) if name.startswith("xl/worksheets/sheet")]
    except (OSError, KeyError, zipfile.BadZipFile, etree.XMLSyntaxError) as error:
        raise ConfigError([f"{path} is not a workbook (.xlsx): {error}"]) from error
    for sheet in sheets:
        for row in etree.fromstring(sheet).iter(_SHEET + "row"):
            cells = {}
            for cell in row:
                value = cell.findtext(_SHEET + "v")
                if value is not None:
                    column = (cell.get("r") or "").rstrip("0123456789")
                    cells[column] = strings[int(value)] if cell.get("t") == "s" else value
            yield cells
