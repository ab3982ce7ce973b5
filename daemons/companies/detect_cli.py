"""`vakanz board detect`: which board is behind an address or a saved page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import anyio
import orjson
import typer

from daemons.companies.detection import Found, best, in_address, in_page
from daemons.companies.looking import PAGE_BYTES, look
from daemons.sources import SOURCES
from lib.life import logs
from lib.life.fetching import fetcher
from lib.life.session import open_stores
from lib.life.tables import show_table

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
    found = anyio.run(find_boards, what) if "://" in what else in_page(_saved(what), url)
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
    found = in_address(url)
    if found is not None:
        return (found,)
    async with open_stores() as (config, database, cache), fetcher(config, cache, database) as client:
        logs.configure(config.log_format, config.log_level)
        return (await look(client, url)).found


def _saved(name: str) -> bytes:
    """As much of a saved page as would be fetched of it."""
    try:
        with Path(name).open("rb") as file:
            return file.read(PAGE_BYTES)
    except OSError as error:
        raise typer.BadParameter(f"{name}: {error.strerror}; an address begins with https://") from error


def _show(found: Sequence[Found], chosen: Found | None) -> None:
    show_table(
        ("", "system", "tenant", "how", "evidence", "times", "board"),
        [
            (
                "*" if one == chosen else "",
                SOURCES[one.source].title,
                one.tenant,
                one.how,
                one.evidence,
                one.times,
                one.url,
            )
            for one in found
        ],
    )
