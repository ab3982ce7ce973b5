"""`vakanz audit`: proves that the history of postings is as it was sealed."""

from __future__ import annotations

from typing import Annotated

import anyio
import orjson
import typer

from lib.life.domains import SHARDS
from lib.life.session import open_database
from lib.store import audit

audit_app = typer.Typer(no_args_is_help=True, help="The sealed history of postings.")


@audit_app.callback()
def _group() -> None:
    """Keeps `verify` a command of its own: an app with one command would swallow its name."""


@audit_app.command("verify")
def verify(json: Annotated[bool, typer.Option("--json", help="One JSON object, for programs.")] = False) -> None:
    """Check every shard's hash chain; exit code 1 when a row was altered or removed. Note the heads elsewhere."""

    async def work() -> tuple[list[audit.Chain], int]:
        async with open_database() as database:
            chains = [await audit.verify(database, shard) for shard in range(SHARDS)]
            return chains, await audit.unsealed(database)

    chains, waiting = anyio.run(work)
    broken = any(chain.broken for chain in chains)
    if json:
        rows = [
            {"shard": one.shard, "links": one.links, "head": one.head.hex(), "broken": one.broken} for one in chains
        ]
        typer.echo(orjson.dumps({"intact": not broken, "unsealed": waiting, "chains": rows}))
    else:
        for one in chains:
            typer.echo(f"shard {one.shard}: {one.broken or 'intact'}, {one.links} links, head {one.head.hex()[:16]}")
        typer.echo(f"{waiting} rows of history wait for their seal")
    if broken:
        raise typer.Exit(1)
