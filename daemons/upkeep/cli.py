"""`vakanz deadletter`: work that was set aside with its reason; look at it, put it back to work, delete it."""

from __future__ import annotations

import dataclasses
import re
from datetime import UTC, datetime, timedelta
from typing import Annotated

import anyio
import orjson
import typer
from rich.console import Console
from rich.progress import Progress

from lib.errors import VakanzError
from lib.life.session import open_database, open_stores
from lib.life.tables import show_table
from lib.store import letters
from lib.store.connections import Cache
from lib.store.letters import DeadLetter, Retried, Retrier
from lib.store.streams import republisher

deadletter_app = typer.Typer(no_args_is_help=True, help="Dead letters: work that was set aside with its reason.")

_AGE = re.compile(r"(\d{1,5})([dhm])")
_UNITS = {"d": "days", "h": "hours", "m": "minutes"}
_SHOWN = 200
_MOST = 2**63 - 1  # what PostgreSQL calls a bigint

Json = Annotated[bool, typer.Option("--json", help="JSON, for programs.")]
Queue = Annotated[str | None, typer.Option(help="Only this queue, such as follower:text or crawl:lever.")]


class NothingChosen(VakanzError):
    """A command that changes letters was not told which."""


@deadletter_app.command("list")
def list_letters(
    queue: Queue = None,
    limit: Annotated[int, typer.Option(min=1, max=_MOST, help="At most so many, newest first.")] = 100,
    json: Json = False,
) -> None:
    """Show letters, newest first; with --json one object per line, payload included."""

    async def work() -> list[DeadLetter]:
        async with open_database() as database:
            return await letters.list_letters(database, queue=queue, limit=limit)

    found = anyio.run(work)
    if json:
        for letter in found:
            typer.echo(orjson.dumps(dataclasses.asdict(letter)))
        return
    show_table(
        ("id", "queue", "key", "attempts", "last", "reason"),
        [
            (
                letter.id, letter.queue, letter.key, letter.attempts,
                letter.updated_at.astimezone(UTC).strftime("%m-%d %H:%M"), letter.reason[:_SHOWN],
            )
            for letter in found
        ],
    )  # fmt: skip


@deadletter_app.command("retry")
def retry(
    ids: Annotated[
        list[int] | None, typer.Argument(min=1, max=_MOST, help="Ids of letters, see `vakanz deadletter list`.")
    ] = None,
    queue: Queue = None,
    everything: Annotated[bool, typer.Option("--all", help="Every letter of every queue.")] = False,
    json: Json = False,
) -> None:
    """Put letters back to work; exit code 1 when one of them could not be."""
    if not ids and queue is None and not everything:
        raise NothingChosen("say which letters: their ids, --queue NAME or --all")
    chosen = ids or None

    async def work() -> Retried:
        async with open_stores() as (_, database, cache):
            with Progress(transient=True, console=Console(stderr=True)) as progress:
                task = progress.add_task("retrying", total=None)
                return await letters.retry(
                    database,
                    _retriers(cache),
                    ids=chosen,
                    queue=queue,
                    told=lambda done, total: progress.update(task, completed=done, total=total),
                )

    result = anyio.run(work)
    if json:
        refused = {str(letter_id): reason for letter_id, reason in result.refused.items()}
        typer.echo(orjson.dumps({"retried": result.done, "refused": refused}))
    else:
        typer.echo(f"{result.done} put back to work")
        for letter_id, reason in result.refused.items():
            typer.echo(f"letter {letter_id} stays: {reason}", err=True)
    if result.refused:
        raise typer.Exit(1)


@deadletter_app.command("prune")
def prune(
    older_than: Annotated[str, typer.Option(help="Age since the last attempt, such as 30d, 12h or 45m.")],
    queue: Queue = None,
    json: Json = False,
) -> None:
    """Delete letters that nothing happened to for a while."""
    match = _AGE.fullmatch(older_than)
    if match is None:
        raise typer.BadParameter(f"{older_than!r} is no age such as 30d, 12h or 45m", param_hint="--older-than")
    age = timedelta(**{_UNITS[match[2]]: int(match[1])})

    async def work() -> int:
        async with open_database() as database:
            return await letters.prune(database, age, datetime.now(UTC), queue=queue)

    deleted = anyio.run(work)
    typer.echo(orjson.dumps({"deleted": deleted}) if json else f"{deleted} deleted")


def _retriers(cache: Cache) -> dict[str, Retrier]:
    return {
        "follower": letters.renew_place,
        "detail": letters.renew_place,
        "crawl": letters.recrawl,
        "stream": republisher(cache),
    }
