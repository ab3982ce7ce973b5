"""`vakanz shard` and `vakanz followers`: running a shard by hand, and seeing how far each follower is."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict
from typing import Annotated, Any

import anyio
import orjson
import typer
from rich.console import Console
from rich.progress import Progress

from daemons.descriptions.actor import description_fold
from daemons.embed.actor import text_vectors
from daemons.embed.listings import ListingFold
from daemons.embed.texts import TextFold
from daemons.enrich import ENRICHERS
from daemons.enrich.actor import enrich_folds
from lib.errors import VakanzError
from lib.life import logs
from lib.life.config import Config
from lib.life.domains import SHARDS
from lib.life.session import open_database, open_stores
from lib.life.tables import show_table
from lib.match.encoder import load_title_encoder
from lib.store import followers, leases
from lib.store.changes import Fold, Following
from lib.store.connections import Cache, Database

shard_app = typer.Typer(no_args_is_help=True, help="Shards: run one by hand, see where all of them are.")
followers_app = typer.Typer(help="Followers of the change log, shard by shard.")
NAMES = ("descriptions", *(one.name for one in ENRICHERS), "embed", "fulltext")
Json = Annotated[bool, typer.Option("--json", help="One JSON object per line, for programs.")]


class ShardBusy(VakanzError):
    """A daemon has the lease of this shard."""


@shard_app.command("run")
def run(
    shard: Annotated[int, typer.Argument(min=0, max=SHARDS - 1, help="Which shard.")],
    follower: Annotated[
        list[str] | None, typer.Option(help=f"Only this follower ({', '.join(NAMES)}); may be given several times.")
    ] = None,
    json: Json = False,
) -> None:
    """Work through one shard until its followers are at the end of the change log. Default: all but fulltext."""
    names = tuple(follower or NAMES[:-1])
    unknown = [name for name in names if name not in NAMES]
    if unknown:
        raise typer.BadParameter(f"no follower is called {unknown[0]!r}; there are {', '.join(NAMES)}")
    done = anyio.run(_run, shard, names)
    if json:
        typer.echo(orjson.dumps({"shard": shard, "rows": done}))
    else:
        typer.echo(f"shard {shard}: " + ", ".join(f"{name} {rows}" for name, rows in done.items()))


@shard_app.command("status")
def shard_status(json: Json = False) -> None:
    """Every follower on every shard: place, rows so far, and how far behind."""
    show_followers(json)


@followers_app.callback(invoke_without_command=True)
def followers_status(context: typer.Context, json: Json = False) -> None:
    """Where every follower is, shard by shard, and how many changes are still before it."""
    if context.invoked_subcommand is None:
        show_followers(json)


@followers_app.command("rebase")
def rebase() -> None:
    """Let all followers walk everything again, after a dump was restored: transaction ids have started anew."""

    async def work() -> None:
        async with open_database() as database:
            await followers.rebase(database)

    with Console(stderr=True).status("every posting counts as changed"):
        anyio.run(work)
    typer.echo("all followers begin anew; start the daemons")


def show_followers(json: bool) -> None:
    """Where every follower is, shard by shard, and how many changes are still before it."""

    async def work() -> list[followers.Status]:
        async with open_database() as database:
            return await followers.status(database)

    rows = anyio.run(work)
    if json:
        for row in rows:
            typer.echo(orjson.dumps(asdict(row)))
        return
    show_table(
        ("follower", "version", "shard", "lag", "rows", "cursor", "epoch", "moved"),
        [
            (
                row.name, row.version, row.shard, row.lag, row.rows, f"{row.cursor_xid}/{row.cursor_id}", row.epoch,
                row.moved_at.strftime("%m-%d %H:%M:%S"),
            )
            for row in rows
        ],
    )  # fmt: skip


async def _run(shard: int, names: Sequence[str]) -> dict[str, int]:
    async with open_stores() as (config, database, cache), AsyncExitStack() as stack:
        logs.configure(config.log_format, config.log_level)
        folds = [await _fold(name, config, database, cache, stack) for name in names]
        owner = f"{config.host}:shard-run:{os.getpid()}"
        followings = [Following(database, fold, shard, owner) for fold in folds]
        joined: list[Following[Any]] = []
        try:
            for following in followings:
                if not await following.join():
                    raise ShardBusy(
                        f"{following.fold.follower.name} on shard {shard} is run by a daemon: stop it first"
                    )
                joined.append(following)
            return await _catch_up(database, shard, joined)
        finally:
            for following in joined:
                await following.leave()


async def _catch_up(database: Database, shard: int, followings: Sequence[Following[Any]]) -> dict[str, int]:
    """Steps round and round until nobody moves: a follower's work may be the next one's change."""
    done = {one.fold.follower.name: 0 for one in followings}
    names = [one.lease_name for one in followings]
    with Progress(console=Console(stderr=True), transient=True) as progress:
        behind = {row.name: row.lag for row in await followers.status(database) if row.shard == shard}
        bars = {name: progress.add_task(name, total=behind.get(name)) for name in done}
        moved = True
        while moved:
            moved = False
            for following in followings:
                rows = await following.step()
                name = following.fold.follower.name
                done[name] += rows
                progress.advance(bars[name], rows)
                moved = moved or rows > 0
            await leases.renew(database, followings[0].owner, names)
    return done


async def _fold(name: str, config: Config, database: Database, cache: Cache, stack: AsyncExitStack) -> Fold[Any]:
    if name == "descriptions":
        return await stack.enter_async_context(description_fold(config, database, cache, lambda: None))
    if name == "embed":
        return ListingFold(database, load_title_encoder)
    if name == "fulltext":
        return TextFold(text_vectors(config, database, lambda: None))
    return next(fold for fold in enrich_folds(database) if fold.follower.name == name)
