"""`vakanz keeper`: what runs, and the operator's stop."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import anyio
import orjson
import typer
from rich.filesize import decimal

from keeper.heartbeats import ask_to_stop, load_heartbeats
from keeper.observed import Heartbeat
from lib.errors import VakanzError
from lib.life.session import open_database
from lib.life.tables import show_table

keeper_app = typer.Typer(help="What runs, and the operator's stop.", no_args_is_help=True)

UnitName = Annotated[str, typer.Argument(help="as `status` calls it, such as descriptions@3")]


@keeper_app.command()
def status(as_json: Annotated[bool, typer.Option("--json", help="one JSON array")] = False) -> None:
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
    """Take back a `stop`."""
    anyio.run(_ask_to_stop, unit, False)


async def _load() -> list[Heartbeat]:
    async with open_database() as database:
        return await load_heartbeats(database)


async def _ask_to_stop(unit: str, wanted: bool) -> None:
    async with open_database() as database:
        if not await ask_to_stop(database, unit, wanted):
            raise VakanzError(f"no daemon is called {unit}; `vakanz keeper status` lists them")


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
