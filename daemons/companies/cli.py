"""`vakanz companies`: finding companies and boards at large."""

from __future__ import annotations

from typing import Annotated

import orjson
import typer

from daemons.companies.geo_cli import geo_app
from daemons.companies.guesses import guess
from daemons.companies.index_cli import index_app

companies_app = typer.Typer(no_args_is_help=True, help="Companies: find them and their boards.")
companies_app.add_typer(index_app, name="commoncrawl")
companies_app.add_typer(geo_app, name="geo")
Json = Annotated[bool, typer.Option("--json", help="One JSON object per line, for programs.")]


@companies_app.command("guess")
def guess_tenants(name: Annotated[str, typer.Argument(help="A company's name.")], json: Json = False) -> None:
    """Tenants that a company's name may have got: the last resort, where no page leads to a board.

    Nothing is asked. With VAKANZ_GUESS_SLUGS=true the search of the map keeps such guesses as candidates, and
    `vakanz companies commoncrawl check` asks about them like about all others.
    """
    for source, tenant in guess(name):
        typer.echo(orjson.dumps({"source": source, "tenant": tenant}) if json else f"{source}:{tenant}")
