"""`vakanz companies commoncrawl`: boards out of the Common Crawl index, in four steps that go on where they ended."""

from __future__ import annotations

import csv
import random
import sys
from collections.abc import Iterable, Mapping
from contextlib import AsyncExitStack
from dataclasses import asdict, fields
from pathlib import Path
from typing import Annotated, Literal, TextIO

import anyio
import orjson
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from daemons.companies import candidates
from daemons.companies.candidates import Candidate
from daemons.companies.checking import check_all
from daemons.companies.domains import KEPT_OUT
from daemons.companies.scanning import Scanned, Scanner, is_remote, table_of
from daemons.crawl.metered import MeteredSource, switched_on
from daemons.sources import SOURCES
from daemons.sources import source as named
from lib.errors import Malformed
from lib.life import logs
from lib.life.fetching import fetcher
from lib.life.session import open_database, open_stores
from lib.life.tables import show_table
from lib.posting.contract import Source

index_app = typer.Typer(
    no_args_is_help=True,
    help="Boards out of the Common Crawl index, in four steps: scan, check, export, register.\n\n"
    "scan reads parts of the index and keeps each tenant once; check asks each tenant's list; export writes what came "
    "of it; register makes boards of the live ones. Every step goes on where it was stopped.\n\n"
    "A whole crawl: vakanz companies commoncrawl scan "
    "https://data.commoncrawl.org/crawl-data/CC-MAIN-2026-25/cc-index-table.paths.gz",
)
Json = Annotated[bool, typer.Option("--json", help="One JSON object per line, for programs.")]
State = Literal["new", "live", "empty", "gone", "unknown", "registered"]


@index_app.command("scan")
def scan(
    parts: Annotated[
        list[str],
        typer.Argument(
            help="Parquet parts or CDX lines (.jsonl, .gz) as files, folders or addresses; a list of them "
            "(cc-index-table.paths.gz); or a crawl by name (CC-MAIN-2026-25, latest), read through the index API."
        ),
    ],
    source: Annotated[list[str] | None, typer.Option(help="Only this system; may be given several times.")] = None,
    again: Annotated[bool, typer.Option("--again", help="Parts that were scanned already, too.")] = False,
    json: Json = False,
) -> None:
    """Read parts of the index and keep every tenant that their addresses name. Parts scanned before are skipped."""
    table = table_of(source or ())
    for name in sorted({one.name for found in table.values() for one in found} & KEPT_OUT.keys()):
        typer.echo(f"note: {KEPT_OUT[name]}", err=True)
    anyio.run(_scan, parts, table, again, json)


async def _scan(names: list[str], table: Mapping[str, tuple[Source, ...]], again: bool, json: bool) -> None:
    async with AsyncExitStack() as stack:
        config, database, cache = await stack.enter_async_context(open_stores())
        logs.configure(config.log_format, config.log_level)
        client = (
            await stack.enter_async_context(fetcher(config, cache, database)) if any(map(is_remote, names)) else None
        )
        with _progress() as bars:
            parts_bar, bar = bars.add_task("parts", total=None), bars.add_task("", total=None)
            scanner = Scanner(
                database, client, config.home / "index", random.Random(), table,
                lambda what, done, whole: bars.update(bar, description=what[-40:], completed=done, total=whole),
            )  # fmt: skip
            parts = [part for name in names for part in await scanner.parts(name)]
            known = set() if again else await candidates.scanned(database, parts, scanner.domains)
            bars.update(parts_bar, total=len(parts), completed=len(known))
            broken = 0
            for part in parts:
                if part not in known:
                    try:
                        _tell(await scanner.scan(part), json)
                    except Malformed as error:  # those after it are as good as ever
                        broken += 1
                        typer.echo(f"{part[-70:]}: {error}", err=True)
                    bars.advance(parts_bar)
        if not json:
            typer.echo(f"{len(parts) - len(known) - broken} parts scanned, {len(known)} were known")
        if broken:
            raise typer.Exit(1)


def _tell(done: Scanned, json: bool) -> None:
    if json:
        typer.echo(orjson.dumps(asdict(done)))
    else:
        broken = f", {done.broken} unreadable" if done.broken else ""
        typer.echo(
            f"{done.address[-70:]}: {done.rows:,} captures, {done.matched:,} of known domains{broken}; "
            f"{done.tenants:,} tenants, {done.new:,} new"
        )


@index_app.command("check")
def check_candidates(
    source: Annotated[list[str] | None, typer.Option(help="Only this system; may be given several times.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="Ask about so many at the most.")] = 1_000_000,
    json: Json = False,
) -> None:
    """Ask each new candidate's list once: live with its postings, empty, gone, or unknown (asked again tomorrow)."""
    names = [named(name).name for name in source or ()]
    counts = anyio.run(_check, names, limit)
    said = ", ".join(f"{state} {count}" for state, count in counts.items()) or "no candidate is new or due"
    typer.echo(orjson.dumps(counts) if json else said)


async def _check(names: list[str], limit: int) -> dict[str, int]:
    async with open_stores() as (config, database, cache), fetcher(config, cache, database) as client:
        logs.configure(config.log_format, config.log_level)
        on = switched_on(config)
        # What a day's grant is for is the operator's searches, not candidates that somebody's pages name.
        free = [name for name, system in on.items() if not isinstance(system, MeteredSource)]
        chosen = [name for name in free if not names or name in names]
        if left_out := sorted(set(names) - set(chosen)):
            typer.echo(f"note: {', '.join(left_out)}: off or metered, candidates are not asked about", err=True)
        with _progress() as bars:
            whole = min(limit, await candidates.count_to_check(database, chosen))
            bar = bars.add_task("asking", total=whole)
            return await check_all(database, client, chosen, limit, lambda: bars.advance(bar))


@index_app.command("export")
def export(
    csv_file: Annotated[Path, typer.Option("--csv", help="The file to write; - for standard output.")] = Path("-"),
    state: Annotated[State | None, typer.Option(help="Only candidates in this state.")] = None,
) -> None:
    """Write all candidates with what is known of them as CSV."""

    async def work() -> list[Candidate]:
        async with open_database() as database:
            return await candidates.listed(database, state)

    rows = anyio.run(work)
    if str(csv_file) == "-":
        write_csv(sys.stdout, rows)
        return
    try:
        with csv_file.open("w", encoding="utf-8", newline="") as file:
            write_csv(file, rows)
    except OSError as error:
        raise typer.BadParameter(f"{csv_file}: {error.strerror}", param_hint="--csv") from error
    typer.echo(f"{len(rows)} candidates in {csv_file}")


def write_csv(file: TextIO, rows: Iterable[Candidate]) -> None:
    """Writes candidates, each with its board's address where the system is known here."""
    writer = csv.DictWriter(file, [*(one.name for one in fields(Candidate)), "board_url"])
    writer.writeheader()
    for row in rows:
        system = SOURCES.get(row.source)
        writer.writerow(asdict(row) | {"board_url": system.board_url(row.tenant) if system else ""})


@index_app.command("register")
def register(json: Json = False) -> None:
    """Make boards of all live candidates; the crawl daemon finds them due at once."""

    async def work() -> int:
        async with open_database() as database:
            return await candidates.register(database)

    count = anyio.run(work)
    typer.echo(orjson.dumps({"registered": count}) if json else f"{count} boards registered")


@index_app.command("status")
def status(json: Json = False) -> None:
    """How many candidates of each system are in which state."""

    async def work() -> list[tuple[str, str, int, int]]:
        async with open_database() as database:
            return await candidates.counts(database)

    rows = anyio.run(work)
    if json:
        for source, state, count, postings in rows:
            line = {"source": source, "state": state, "candidates": count, "postings": postings}
            typer.echo(orjson.dumps(line))
        return
    show_table(
        ("source", "state", "candidates", "postings"),
        [(source, state, f"{count:,}", f"{postings:,}") for source, state, count, postings in rows],
    )


def _progress() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
