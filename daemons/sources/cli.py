"""The command line of the sources: which there are, and what one of them reads in saved payloads."""

from __future__ import annotations

import sys
import zlib
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, NoReturn

import msgspec
import orjson
import typer

from daemons.sources import SOURCES, UnknownSource, source
from lib.errors import Gone, Malformed, Refused, VakanzError
from lib.net.messages import Request, Response
from lib.posting.contract import DetailSource, Page, Posting, Source, fill_row, merge_rows
from lib.text.html import html_to_text

source_app = typer.Typer(help="Job-board systems: list them, read saved payloads.", no_args_is_help=True)

_MAX_BYTES = 500_000_000
_GZIP = b"\x1f\x8b"


@source_app.command("list")
def list_sources(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object per line.")] = False,
) -> None:
    """Show the systems that Vakanz reads."""
    for one in SOURCES.values():
        facts = {
            "name": one.name,
            "title": one.title,
            "every_s": int(one.every.total_seconds()),
            "completeness": one.completeness.name.lower(),
            "detail": isinstance(one, DetailSource),
        }
        typer.echo(
            orjson.dumps(facts).decode() if as_json else f"{one.name:<18}{one.title:<18}{one.completeness.value}"
        )


@source_app.command()
def parse(
    name: Annotated[str, typer.Argument(help="The source, e.g. greenhouse.")],
    files: Annotated[list[str], typer.Argument(help="Saved payloads, plain or gzip; - is standard input.")],
    tenant: Annotated[str, typer.Option(help="The board's token in its address.")],
) -> None:
    """Read saved payloads and write their postings as JSON lines.

    Several files are the pages of one list, merged by id. A saved detail fills its row of the list, or stands alone.
    What could not be read is told on standard error.
    """
    try:
        reader = source(name)
        reader.board_url(tenant)
    except (UnknownSource, Refused) as error:
        raise typer.BadParameter(str(error)) from error
    board = _Board(reader, tenant)
    for file in files:
        try:
            board.add(_read(file))
        except OSError as error:
            _fail(f"{file}: {error.strerror or error}")
        except (VakanzError, zlib.error) as error:
            _fail(f"{file}: {error}")
    for row in board.rows():
        typer.echo(_line(row))
    for note in board.notes():
        typer.echo(note, err=True)


class _Board:
    """What the saved payloads of one board say together."""

    def __init__(self, reader: Source, tenant: str) -> None:
        self._reader = reader
        self._tenant = tenant
        self._pages: list[Page] = []
        self._details: dict[str, Posting] = {}
        self._gone: set[str] = set()

    def add(self, body: bytes) -> None:
        """One more payload. Raises Malformed when it is neither a page nor a detail."""
        # An empty set of parameters: nobody knows what was asked, so nothing is derived from it.
        response = Response(request=Request(url="saved:"), url="saved:", status=200, headers={}, body=body)
        try:
            self._pages.append(self._reader.parse(self._tenant, response))
        except Malformed as no_page:
            if not isinstance(self._reader, DetailSource):
                raise
            self._add_detail(self._reader, response, no_page)

    def _add_detail(self, reader: DetailSource, response: Response, no_page: Malformed) -> None:
        try:
            row = reader.parse_detail(self._tenant, response)
        except Gone:
            self._gone.add(str(response.json_object().get("id")))
        except Malformed as no_detail:
            raise Malformed(f"neither a list ({no_page}) nor a detail ({no_detail})") from no_detail
        else:
            self._details[row.external_id] = row

    def rows(self) -> Iterable[Posting]:
        """The postings, in the order of the lists; a detail fills its row or stands alone."""
        listed = {row.external_id: row for row in merge_rows(row for page in self._pages for row in page.rows)}
        for key, detail in self._details.items():
            listed[key] = fill_row(listed.get(key, detail), detail)
        return [row for key, row in listed.items() if key not in self._gone]

    def notes(self) -> Iterable[str]:
        """What a person should know beside the rows, a line each."""
        unknown = sum((Counter(page.unknown) for page in self._pages), Counter[str]())
        for page in self._pages:
            for rejected in page.rejected:
                yield f"rejected: {rejected.reason}: {rejected.raw[:160]}"
        if skipped := sum(page.skipped for page in self._pages):
            yield f"skipped: {skipped} not listed"
        for key in sorted(self._gone):
            yield f"gone: {key} is no longer active"
        if unknown:
            yield "unknown fields: " + ", ".join(f"{field} ({count})" for field, count in unknown.most_common(20))
        total = max((page.total for page in self._pages if page.total is not None), default=None)
        read = sum(len(page.rows) + len(page.rejected) + page.skipped for page in self._pages)
        if total is not None and total != read:
            yield f"incomplete: the list declares {total} rows, {read} are here"


def _read(file: str) -> bytes:
    """The payload, decompressed. Raises OSError, zlib.error, Malformed when it is cut or beyond all limits."""
    raw = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    if not raw.startswith(_GZIP):
        return raw
    unpacker = zlib.decompressobj(wbits=31)
    body = unpacker.decompress(raw, _MAX_BYTES)
    if not unpacker.eof:
        raise Malformed(f"the gzip stream is cut or holds more than {_MAX_BYTES} bytes")
    return body


def _line(row: Posting) -> bytes:
    fields: dict[str, Any] = msgspec.to_builtins(row, builtin_types=())
    html = fields.pop("html")
    fields["text"] = None if html is None else html_to_text(html)
    return orjson.dumps(fields)


def _fail(message: str) -> NoReturn:
    typer.echo(f"error: {' '.join(message.split())}", err=True)
    raise typer.Exit(1)
