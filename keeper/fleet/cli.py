"""`vakanz fleet`: the map of what runs where, whether it can work, and how the fleet is."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import orjson
import typer

from keeper.fleet import plan as planning
from lib.errors import ConfigError
from lib.life.config import load
from lib.life.fleet import load_fleet, problems
from lib.life.tables import show_table

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
