"""`vakanz companies geo`: the search of the map by hand, and how far its regions are."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from typing import Annotated

import anyio
import orjson
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from daemons.companies import places
from daemons.companies.actor import search_one, visit_some
from daemons.companies.places import RegionCounts
from daemons.companies.regions import REGIONS
from lib.errors import ConfigError
from lib.life import logs
from lib.life.fetching import fetcher
from lib.life.session import open_database, open_stores
from lib.life.tables import show_table
from lib.text.gazetteer import home_places

geo_app = typer.Typer(
    no_args_is_help=True,
    help="Companies on the map: place by place, their sites, and the boards behind those.\n\n"
    "The daemons geo@0 to geo@24, one per region, do this on their own once VAKANZ_OVERPASS names a server, such as "
    "https://overpass-api.de/api/interpreter (a request every ten seconds, one at a time; for more, run a server of "
    "your own). A place is searched again after 90 days; no site is visited twice within 90 days.",
)
Json = Annotated[bool, typer.Option("--json", help="One JSON object per line, for programs.")]


@geo_app.command("regions")
def regions(json: Json = False) -> None:
    """The 25 regions, and how far each is."""

    async def work() -> list[RegionCounts]:
        async with open_database() as database:
            return await places.counts(database)

    known = {row.region: row for row in anyio.run(work)}
    rows = [known.get(number, RegionCounts(number, 0, 0, 0, 0, 0, 0)) for number in range(len(REGIONS))]
    if json:
        for row in rows:
            typer.echo(orjson.dumps(asdict(row) | {"name": REGIONS[row.region].name}))
        return
    show_table(
        ("unit", "region", "places", "searched", "sites", "visited", "boards", "careers pages"),
        [
            (
                f"geo@{row.region}", REGIONS[row.region].name, f"{row.places:,}", f"{row.searched:,}", f"{row.sites:,}",
                f"{row.looked:,}", f"{row.boards:,}", f"{row.careers:,}",
            )
            for row in rows
        ],
    )  # fmt: skip


@geo_app.command("run")
def run(
    region: Annotated[int, typer.Argument(min=0, max=len(REGIONS) - 1, help="Which region; see `regions`.")],
    count: Annotated[int, typer.Option("--places", min=1, help="Search so many due places, largest first.")] = 1,
    json: Json = False,
) -> None:
    """Search due places of a region now, and visit the sites that were found."""
    done = anyio.run(_run, range(region, region + 1), count)
    typer.echo(orjson.dumps(done) if json else f"{done['places']} places searched, {done['sites']} sites visited")


async def _run(region: range, count: int) -> dict[str, int]:
    async with open_stores() as (config, database, cache), fetcher(config, cache, database) as client:
        logs.configure(config.log_format, config.log_level)
        if not config.overpass:
            raise ConfigError(["overpass: set VAKANZ_OVERPASS to the address of a server of maps"])
        done: Counter[str] = Counter(places=0, sites=0)
        await places.add_places(database, await anyio.to_thread.run_sync(home_places), region)
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        console = Console(stderr=True)
        with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bars:
            searched, visited = bars.add_task("places", total=count), bars.add_task("sites", total=None)
            while done["places"] < count:
                if await search_one(database, client, config, f"{config.host}:cli", region) is None:
                    break
                done["places"] += 1
                bars.advance(searched)
            while some := await visit_some(database, client, config, region):
                done["sites"] += some
                bars.advance(visited, some)
        return dict(done)
