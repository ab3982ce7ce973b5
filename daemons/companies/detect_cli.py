"""`vakanz board detect`: which board is behind an address or a saved page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import anyio
import orjson
import typer
from rich.console import Console
from rich.table import Table

from daemons.companies.detection import Found, best, in_page
from daemons.companies.looking import look
from daemons.sources import SOURCES
from lib.life.fetching import fetcher
from lib.life.session import open_stores

Json = Annotated[bool, typer.Option("--json", help="One JSON object per line, for programs.")]


def detect_board(
    what: Annotated[str, typer.Argument(metavar="FILE|URL", help="Address of a page, or a saved HTML file.")],
    url: Annotated[str, typer.Option(help="For a file: where it was saved from.")] = "https://saved.invalid/",
    json: Json = False,
) -> None:
    """Say which board is behind an address or a saved page, and what proves it.

    A page is fetched only where its address alone does not say it, such as https://www.acme.de/karriere. The mark *
    stands beside the board of the page's owner, where that can be told. Exit code 1 where nothing is found.
    """
    path = Path(what)
    found = in_page(path.read_bytes(), url) if path.is_file() else anyio.run(find_boards, what)
    chosen = best(found)
    if json:
        for one in found:
            typer.echo(orjson.dumps(asdict(one) | {"url": one.url, "best": one == chosen}))
    elif found:
        _show(found, chosen)
    else:
        typer.echo("no board of a known system")
    if not found:
        raise typer.Exit(1)


async def find_boards(url: str) -> Sequence[Found]:
    """The boards behind an address, the surest first. Raises ConfigError, and what fetching raises."""
    async with open_stores() as (config, database, cache), fetcher(config, cache, database) as client:
        return (await look(client, url)).found


def _show(found: Sequence[Found], chosen: Found | None) -> None:
    table = Table("", "system", "tenant", "how", "evidence", "times", "board")
    for one in found:
        mark = "*" if one == chosen else ""
        table.add_row(mark, SOURCES[one.source].title, one.tenant, one.how, one.evidence, str(one.times), one.url)
    Console().print(table)
