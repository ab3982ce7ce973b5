"""`vakanz fleet`: the map of what runs where, whether it can work, and how the fleet is."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import anyio
import orjson
import typer

from keeper.fleet import plan as planning
from keeper.fleet import uptime as showing_uptime
from lib.errors import ConfigError
from lib.life.config import load
from lib.life.fleet import load_fleet, problems
from lib.life.session import open_database
from lib.life.tables import show_table
from lib.life.uptime import DAY_S, FleetUptime, fleet_uptime
from lib.store.spans import load_past

fleet_app = typer.Typer(
    no_args_is_help=True,
    help="The servers: what runs where, whether that can work, and how it is.\n\n"
    "One map (VAKANZ_FLEET, by default ./ansible/fleet.yml) says which units each server runs. `plan` checks it before "
    "a rollout, `health` decides after one, `status` shows the whole.",
)

Map = Annotated[Path | None, typer.Argument(help="The map; default: the one that VAKANZ_FLEET names.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object, for programs.")]


@fleet_app.command("plan")
def plan(path: Map = None, as_json: Json = False) -> None:
    """Show the map beside the sizes of its servers. Exit code 1, with every reason, where it cannot work.

    Needs neither database nor servers. Each domain's parts (a shard, a region, a group of sources) must be on exactly
    one server, and the measured memory of all units, with what system, keeper and services need, must be there.
    """
    found: list[str]
    try:
        fleet = load_fleet(path or load().fleet)
        found = problems(fleet)
    except ConfigError as error:
        fleet, found = None, error.problems
    if as_json:
        document = {"problems": found} if fleet is None else planning.document(fleet, found)
        typer.echo(orjson.dumps(document, option=orjson.OPT_INDENT_2))
    elif fleet is not None:
        show_table(planning.COLUMNS, planning.rows(fleet))
    for problem in found if not as_json else ():
        typer.echo(f"vakanz: {problem}", err=True)
    if found:
        raise typer.Exit(1)


@fleet_app.command("uptime")
def uptime(
    days: Annotated[int, typer.Option(min=1, max=400, help="Days of 24 hours, the last one ends now.")] = 30,
    as_json: Json = False,
) -> None:
    """Show how much of the time each daemon ran, from its heartbeats, beside the target of 99.9 %.

    A daemon is up while it beats, and for one interval (15 s) after its last beat. What is `planned` does not count:
    a stop in good order until the next beat, ten minutes at most; as long as it takes after `vakanz keeper stop`; and
    what does not run while it is held. All else is `down`, also a crash of a few seconds, and the time in which the
    database was away for 90 s or more. A daemon counts from its first beat, and until it left the map.

    `fleet` adds up the seconds of all daemons. `serving` is the time with at least one API that beat; nothing is
    planned there, for callers do not care why nobody answers. All times are on the database's clock.
    """
    found = anyio.run(_load_uptime, days)
    if as_json:
        typer.echo(orjson.dumps(showing_uptime.document(found), option=orjson.OPT_INDENT_2))
        return
    show_table(showing_uptime.COLUMNS, showing_uptime.rows(found))
    typer.echo(showing_uptime.LEGEND)


async def _load_uptime(days: int) -> FleetUptime:
    async with open_database() as database:
        return fleet_uptime(await load_past(database, days * DAY_S), days)
