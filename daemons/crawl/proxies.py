"""`vakanz proxy`: the proxies that sources are asked through, what they cost, and whether they do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import anyio
import orjson
import typer

from lib.life import logs, proxying
from lib.life.config import load
from lib.life.session import open_database
from lib.life.tables import show_table
from lib.net.proxies.address import parse
from lib.store.proxies import Spend, load_spend

proxy_app = typer.Typer(no_args_is_help=True, help="Proxies: which there are, what they carried, whether they work.")
Json = Annotated[bool, typer.Option("--json", help="One JSON object per line, for programs.")]

_MONTH = timedelta(days=30)


@proxy_app.command("list")
def list_proxies(json: Json = False) -> None:
    """Show every proxy with what it carried today and in the last 30 days (UTC), also those no longer configured."""
    config = load()
    today = datetime.now(UTC).date()

    async def work() -> tuple[dict[str, Spend], dict[str, Spend]]:
        async with open_database(config) as database:
            return await load_spend(database, today), await load_spend(database, today - _MONTH)

    now, month = anyio.run(work)
    configured = [proxy.name for proxy in parse(config.proxies)]
    rows = [
        {"proxy": name, "configured": name in configured}
        | _figures("today", now.get(name, Spend()))
        | _figures("month", month.get(name, Spend()))
        for name in dict.fromkeys([*configured, *month])
    ]
    _show(rows, json)


@proxy_app.command("check")
def check(json: Json = False) -> None:
    """Ask the echo endpoint through every proxy now. Exit code 1 when one of them shows our own address, or fails."""
    config = load()
    logs.configure(config.log_format, config.log_level)

    async def work() -> list[dict[str, Any]]:
        async with open_database(config) as database:
            found = await proxying.check(config, database)
        return [
            {"proxy": name, "works": state.exit is not None, "exit": state.exit, "reason": state.reason}
            for name, state in found
        ]

    rows = anyio.run(work)
    _show(rows, json)
    if not all(row["works"] for row in rows):
        raise typer.Exit(1)


def _figures(when: str, spend: Spend) -> dict[str, int]:
    return {f"requests_{when}": spend.requests, f"failures_{when}": spend.failures, f"bytes_{when}": spend.size}


def _show(rows: list[dict[str, Any]], json: bool) -> None:
    if json:
        for row in rows:
            typer.echo(orjson.dumps(row).decode())
        return
    if rows:
        show_table([name.replace("_", " ") for name in rows[0]], [list(row.values()) for row in rows])
    else:
        typer.echo("no proxies: set VAKANZ_PROXIES or VAKANZ_PROXIES_FILE")
