"""`vakanz keeper`: the keeper itself, what runs, and what an operator wants stopped or left alone."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Annotated

import anyio
import orjson
import typer
from rich.filesize import decimal

from keeper.alerts.cli import ack, alerts, test_alert
from keeper.heartbeats import ask_to_stop, load_heartbeats
from keeper.holds import BadHold, Hold, check_target, duration_s, load_holds
from keeper.holds import hold as hold_target
from keeper.holds import release as release_target
from keeper.observed import Heartbeat
from lib.errors import ConfigError, VakanzError
from lib.life.config import load
from lib.life.fleet import load_fleet
from lib.life.person import person
from lib.life.session import open_database
from lib.life.tables import show_table

keeper_app = typer.Typer(help="What runs, and the operator's stops and holds.", no_args_is_help=True)
for command in (alerts, ack, test_alert):
    keeper_app.command()(command)

UnitName = Annotated[str, typer.Argument(help="as `status` calls it, such as descriptions@3")]
Target = Annotated[str, typer.Argument(help="a unit, a pattern of units such as 'descriptions@*', or a host")]
AsJson = Annotated[bool, typer.Option("--json", help="one JSON array")]


@keeper_app.command()
def run() -> None:
    """Keep this server's units running until SIGTERM; systemd calls this. The map (VAKANZ_FLEET) says which."""
    load()  # problems are told here, in the manner of the command line
    os.execv(sys.executable, [sys.executable, "-m", "keeper"])  # which is then no burden for as long as it runs


@keeper_app.command()
def status(as_json: AsJson = False) -> None:
    """Every daemon's last heartbeat."""
    heartbeats = anyio.run(_load)
    if as_json:
        typer.echo(orjson.dumps([asdict(beat) for beat in heartbeats]).decode())
    else:
        _show(heartbeats)


@keeper_app.command()
def stop(unit: UnitName) -> None:
    """Let a daemon drain and end; it stays stopped, also over restarts of the keeper, until `start`."""
    anyio.run(_ask_to_stop, unit, True)


@keeper_app.command()
def start(unit: UnitName) -> None:
    """Take back a `stop`, and likewise a `systemctl stop` that the keeper respects; do not wait for the next try."""
    anyio.run(_ask_to_stop, unit, False)


@keeper_app.command()
def hold(
    target: Target,
    for_: Annotated[str, typer.Option("--for", help="how long: 30m, 2h, 1d12h; 30 days at most")],
    why: Annotated[str, typer.Option("--why", help="what the others should know")],
) -> None:
    """Leave units alone for a while: the keeper neither starts nor kills them, and tells nobody about them."""
    if not why.strip():
        raise BadHold("--why: say what the others should know")
    until = anyio.run(_hold, target, duration_s(for_), " ".join(why.split()))
    typer.echo(f"{target} is left alone until {_time(until)}")


@keeper_app.command()
def release(target: Target) -> None:
    """Take back a `hold`."""
    anyio.run(_release, target)


@keeper_app.command()
def holds(as_json: AsJson = False) -> None:
    """What is left alone, until when, who wants it, and why."""
    found = anyio.run(_holds)
    if as_json:
        typer.echo(orjson.dumps([asdict(one) for one in found]).decode())
    else:
        show_table(
            ("target", "until", "by", "since", "why"),
            [(one.target, _time(one.until), one.held_by, _time(one.since), one.why) for one in found],
        )


async def _load() -> list[Heartbeat]:
    async with open_database() as database:
        return await load_heartbeats(database)


async def _ask_to_stop(unit: str, wanted: bool) -> None:
    async with open_database() as database:
        if not await ask_to_stop(database, unit, wanted):
            raise VakanzError(f"no daemon is called {unit}; `vakanz keeper status` lists them")


async def _hold(target: str, for_s: float, why: str) -> datetime:
    async with open_database() as database:
        places = {beat.unit: beat.host for beat in await load_heartbeats(database)} | dict(_planned())
        check_target(target, places.keys(), set(places.values()))
        return await hold_target(database, target, for_s, why, person(os.environ))


async def _release(target: str) -> None:
    async with open_database() as database:
        if not await release_target(database, target, person(os.environ)):
            held = ", ".join(one.target for one in await load_holds(database)) or "nothing"
            raise VakanzError(f"{target} is not held; {held} is")


async def _holds() -> list[Hold]:
    async with open_database() as database:
        return await load_holds(database)


def _planned() -> Mapping[str, str]:
    """The host of every unit on the map; none where there is no map here, for a hold must not wait for one."""
    try:
        return load_fleet(load().fleet).units
    except ConfigError:
        return {}


def _time(at: datetime) -> str:
    return at.astimezone().strftime("%Y-%m-%d %H:%M:%S %Z")


def _show(heartbeats: list[Heartbeat]) -> None:
    show_table(
        ("unit", "host", "pid", "state", "heartbeat", "progress", "memory", "status"),
        [
            (
                beat.unit, beat.host, beat.pid, beat.state + (", stop requested" if beat.stop_requested else ""),
                f"{beat.heartbeat_age_s:.0f} s ago", f"{beat.progress_age_s:.0f} s ago", decimal(beat.memory_bytes),
                beat.status,
            )
            for beat in heartbeats
        ],
    )  # fmt: skip
