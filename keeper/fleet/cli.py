"""`vakanz fleet`: the map of what runs where, whether it can work, and how the fleet is."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

import anyio
import orjson
import typer
from rich.console import Console

from keeper.fleet import overview as showing
from keeper.fleet import plan as planning
from keeper.fleet import uptime as showing_uptime
from keeper.fleet.daemons import expected, load_daemons
from keeper.fleet.health import Sign, Verdict, deaf, settle, signs
from keeper.fleet.overview import load_overview
from lib.errors import ConfigError, VakanzError
from lib.life.config import Config, load
from lib.life.fleet import Fleet, load_fleet, problems
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

_LOOK_AGAIN_S = 5.0
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


@fleet_app.command("health")
def health(
    host: Annotated[str | None, typer.Option(help="Only this server; default: all.")] = None,
    version: Annotated[str | None, typer.Option(help="Every daemon must run this version.")] = None,
    within: Annotated[float, typer.Option(min=1, max=3_600, help="Seconds that the servers have to get well.")] = 60.0,
    as_json: Json = False,
) -> None:
    """Wait until everything on a server is well, and stays so. Exit code 1, with reasons by unit, where it does not.

    Every unit that the map has there, and the server's keeper, must beat, make progress, work or be idle, and run the
    version asked for: at four looks in a row, in one and the same process, so that a crash loop does not pass. What an
    operator has stopped is left out. API units must also answer requests; they listen to their own server only, so
    that is asked on that server alone (VAKANZ_HOST), at VAKANZ_API_PORT plus the instance's number.
    """
    config = load()
    fleet = load_fleet(config.fleet)
    if host is not None and host not in fleet.hosts:
        raise VakanzError(f"the map has no host {host!r}; there are {', '.join(fleet.hosts)}")
    wanted = {unit: where for unit, where in expected(fleet).items() if host in (None, where)}
    verdict = anyio.run(_settle, config, wanted, version, within)
    if as_json:
        units = {unit: {"host": where, "reason": verdict.reasons.get(unit)} for unit, where in wanted.items()}
        document = {"well": not verdict.reasons, "seconds": round(verdict.seconds, 1), "units": units}
        typer.echo(orjson.dumps(document, option=orjson.OPT_INDENT_2))
    elif not verdict.reasons:
        typer.echo(f"{host or 'the fleet'}: all {len(wanted)} daemons are well, after {verdict.seconds:.0f} s")
    else:
        show_table(("host", "unit", "not well"), [(wanted[unit], unit, why) for unit, why in verdict.reasons.items()])
    if verdict.reasons:
        raise typer.Exit(1)


@fleet_app.command("status")
def status(
    as_json: Json = False, watch: Annotated[bool, typer.Option("--watch", help="Look again every 5 s.")] = False
) -> None:
    """Show the whole fleet: what the map expects beside what beats, holds, and open incidents.

    A row is a server: how many of its daemons are well, which versions they run, their memory beside the server's, and
    what is wrong with those that are not well. With --json and --watch, each look is one line.
    """
    config = load()
    fleet = load_fleet(config.fleet)
    with suppress(KeyboardInterrupt):  # the usual end of watching
        anyio.run(_status, config, fleet, as_json, _LOOK_AGAIN_S if watch else None)


async def _status(config: Config, fleet: Fleet, as_json: bool, again_s: float | None) -> None:
    async with open_database(config) as database:
        while True:
            document = (await load_overview(database, fleet)).document()
            if as_json:
                typer.echo(orjson.dumps(document, option=orjson.OPT_INDENT_2 if again_s is None else None))
            else:
                _show(document, anew=again_s is not None)
            if again_s is None:
                return
            await anyio.sleep(again_s)


def _show(document: Mapping[str, Any], anew: bool) -> None:
    if anew:
        Console().clear()
    show_table(showing.COLUMNS, showing.rows(document))
    if others := showing.others(document):
        show_table(("what", "where", "for", "more"), others)


async def _settle(config: Config, wanted: Mapping[str, str], version: str | None, within_s: float) -> Verdict:
    apis = {
        unit: f"http://{config.api_host}:{config.api_port + int(unit.partition('@')[2])}"
        for unit, host in wanted.items()
        if unit.startswith("api@") and host == config.host
    }
    async with open_database(config) as database:

        async def look() -> Mapping[str, Sign]:
            return signs(wanted, await load_daemons(database), version, await deaf(apis))

        return await settle(look, wanted, within_s)


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
