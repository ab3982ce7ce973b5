"""The command line of the sources: which there are, and what one of them reads in saved payloads."""

from __future__ import annotations

import sys
import zlib
from collections import Counter
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Annotated, Any, NoReturn

import anyio
import msgspec
import orjson
import typer
from rich.console import Console
from rich.table import Table

from daemons.crawl.metered import switched_on
from daemons.sources import SOURCES, UnknownSource, source
from lib.errors import Gone, Malformed, Refused, VakanzError
from lib.life.config import load
from lib.life.session import open_database
from lib.net.messages import Request, Response
from lib.posting.boards import Yield, yields
from lib.posting.contract import DetailSource, Page, Posting, Source, fill_row, merge_rows
from lib.text.html import html_to_text

source_app = typer.Typer(help="Job-board systems: list them, read saved payloads.", no_args_is_help=True)

_MAX_BYTES = 500_000_000
_GZIP = b"\x1f\x8b"


@source_app.command("list")
def list_sources(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object per line.")] = False,
) -> None:
    """Show the catalogue: which systems there are, which are on, how sure their facts are, and what they bring.

    "Confidence" says what a source is written after; "yield" is the number of postings on the last complete lists. A
    source that is off says below the table what has to be decided before it is used.
    """
    yields, on = anyio.run(_state)
    lines = [_facts(one, yields.get(one.name), one.name in on) for one in SOURCES.values()]
    if as_json:
        for line in lines:
            typer.echo(orjson.dumps(line))
        return
    table = Table(box=None, padding=(0, 1, 0, 0))
    for name in ("source", "status", "confidence", "text", "boards", "failing", "last run", "yield"):
        right = name in ("boards", "failing", "yield")
        table.add_column(name, justify="right" if right else "left", no_wrap=True)
    for line in lines:
        at = line["last_run"]
        table.add_row(
            line["name"], "on" if line["on"] else "[yellow]off[/]", line["confidence"],
            "detail" if line["detail"] else "list", str(line["boards"]), str(line["failing"] or ""),
            "never" if at is None else f"{at:%m-%d %H:%M}", f"{line['yield']:,}" if at else "",
        )  # fmt: skip
    console = Console()
    console.print(table)
    off = [line for line in lines if not line["on"]]
    for line in off:
        console.print(f"\n[yellow]{line['name']}[/] is off: {line['consent']}", highlight=False)
    if off:
        names = ",".join(line["name"] for line in off)
        console.print(f"\nOnce you have decided: VAKANZ_CONSENTED_SOURCES={names}", highlight=False)


def _facts(one: Source, found: Yield | None, on: bool) -> dict[str, Any]:
    return {
        "name": one.name,
        "title": one.title,
        "on": on,
        "consent": one.consent,
        "confidence": one.confidence.name.lower(),
        "confidence_why": one.confidence.value,
        "completeness": one.completeness.name.lower(),
        "detail": isinstance(one, DetailSource),
        "every_s": int(one.every.total_seconds()),
        "boards": found.boards if found else 0,
        "failing": found.failing if found else 0,
        "last_run": found.last_run if found else None,
        "last_complete": found.last_complete if found else None,
        "yield": found.listed if found else 0,
    }


async def _state() -> tuple[dict[str, Yield], Collection[str]]:
    """What each source has brought, and which are on. Where nothing was ever set up, nothing is started to ask."""
    config = load()
    on = switched_on(config).keys()
    if not config.dsn and not config.home.exists():
        return {}, on
    async with open_database(config) as database:
        return {one.source: one for one in await yields(database)}, on


@source_app.command()
def parse(
    name: Annotated[str, typer.Argument(help="The source, e.g. greenhouse.")],
    files: Annotated[list[str], typer.Argument(help="Saved payloads, plain or gzip; - is standard input.")],
    tenant: Annotated[str, typer.Option(help="The board's token in its address.")],
    cursor: Annotated[
        str | None, typer.Option(help="What the page was asked with, for systems whose pages are not all alike.")
    ] = None,
    detail_of: Annotated[
        str | None, typer.Option("--id", help="The files are details of this posting, which do not say its id.")
    ] = None,
) -> None:
    """Read saved payloads and write their postings as JSON lines.

    Several files are the pages of one list, merged by id. A saved detail fills its row of the list, or stands alone.
    What could not be read is told on standard error.
    """
    try:
        reader = source(name)
        reader.board_url(tenant)
        asked = _asked(reader, tenant, cursor, detail_of)
    except (UnknownSource, Refused, Malformed) as error:
        raise typer.BadParameter(str(error)) from error
    board = _Board(reader, tenant, asked, detail_of)
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


def _asked(reader: Source, tenant: str, cursor: str | None, detail_of: str | None) -> Request:
    """The request that the payloads answer; one without parameters where nobody says, so nothing is derived from it."""
    if detail_of is not None:
        if not isinstance(reader, DetailSource):
            raise Malformed(f"{reader.title} has no details: its lists have the texts")
        return reader.detail_request(tenant, detail_of, "")
    return Request(url="saved:") if cursor is None else reader.request(tenant, cursor)


class _Board:
    """What the saved payloads of one board say together."""

    def __init__(self, reader: Source, tenant: str, asked: Request, detail_of: str | None) -> None:
        self._reader = reader
        self._tenant = tenant
        self._asked = asked
        self._detail_of = detail_of
        self._pages: list[Page] = []
        self._details: dict[str, Posting] = {}
        self._gone: set[str] = set()

    def add(self, body: bytes) -> None:
        """One more payload. Raises Malformed when it is neither a page nor a detail."""
        response = Response(request=self._asked, url=self._asked.url, status=200, headers={}, body=body)
        if self._detail_of is not None and isinstance(self._reader, DetailSource):
            self._add_detail(self._reader, response)
            return
        try:
            self._pages.append(self._reader.parse(self._tenant, response))
        except Malformed as no_page:
            if not isinstance(self._reader, DetailSource):
                raise
            try:
                self._add_detail(self._reader, response)
            except Malformed as no_detail:
                raise Malformed(f"neither a list ({no_page}) nor a detail ({no_detail})") from no_detail

    def _add_detail(self, reader: DetailSource, response: Response) -> None:
        try:
            row = reader.parse_detail(self._tenant, response)
        except Gone as gone:
            identity = self._detail_of or response.json_object().get("id")
            if not identity:
                raise Malformed("its posting is gone, and nothing says which it was") from gone
            self._gone.add(str(identity))
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
        if self._pages and self._pages[-1].cursor is not None:
            yield f"the list goes on: the next page is read with --cursor {self._pages[-1].cursor}"
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
