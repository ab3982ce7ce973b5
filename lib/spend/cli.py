"""`vakanz credits`: where the month's credits stand, more of them, and whether the books agree."""

from __future__ import annotations

import os
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import anyio
import orjson
import typer
from rich.console import Console
from rich.progress_bar import ProgressBar

from lib.errors import VakanzError
from lib.life.config import load
from lib.life.person import person
from lib.life.session import open_database
from lib.life.tables import show_table
from lib.spend import books, office
from lib.spend.budget import period_of, start_of
from lib.spend.statement import Compared, Unreadable, compare, read
from lib.spend.status import Status, load_status

credits_app = typer.Typer(
    invoke_without_command=True,
    help="Credits of paid providers: what is used and left this month. Without a command: shows that.",
)
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object, for programs.")]
Why = Annotated[str, typer.Option(help="The reason, which is kept with the decision.")]

_MOST = 2**53
_BAR_CELLS = 50
_DATES = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]
_WORDS = {"agrees": "agrees", "differs": "differs", "unknown": "unknown to us", "missing": "missing there"}


class EmptyStatement(VakanzError):
    """There is nothing to compare with."""


@credits_app.callback()
def overview(context: typer.Context, as_json: AsJson = False) -> None:
    """Shows the month: used, reserved, left, by account and day, and where it is heading."""
    if context.invoked_subcommand is not None:
        return

    async def work() -> Status:
        config = load()
        async with open_database(config) as database:
            return await load_status(database, config.credits_monthly)

    status = anyio.run(work)
    if as_json:
        typer.echo(orjson.dumps(status))
    else:
        _show(status)


@credits_app.command("raise")
def raise_(
    granted: Annotated[int, typer.Argument(min=1, max=_MOST, help="This month's new limit, above the one in force.")],
    why: Why,
    as_json: AsJson = False,
) -> None:
    """Raise this month's limit to a number of credits; what was closed opens at once. Next month has its usual one."""

    async def work() -> office.Raised:
        config = load()
        async with open_database(config) as database:
            return await office.raise_to(database, granted, _who(), _plain(why), monthly=config.credits_monthly)

    raised = anyio.run(work)
    if as_json:
        typer.echo(orjson.dumps(raised))
    else:
        typer.echo(f"the limit of {raised.period:%B %Y} was {raised.before:,}, and is {raised.after:,} now")


@credits_app.command("reopen")
def reopen(
    operation: Annotated[str, typer.Argument(metavar="PROVIDER/OPERATION", help="As `vakanz credits` shows it.")],
    why: Why,
) -> None:
    """Let an operation be bought again that cost more than declared, once its ceiling is right."""

    async def work() -> None:
        provider, _, name = _plain(operation).partition("/")
        async with open_database() as database:
            await office.reopen(database, provider, name, _who(), _plain(why))

    anyio.run(work)
    typer.echo(f"{operation} is bought again")


@credits_app.command("verify")
def verify(as_json: AsJson = False) -> None:
    """Check that sums, shares and open reservations are what the entries say; exit code 1 when they are not."""

    async def work() -> list[str]:
        async with open_database() as database:
            return await books.verify(database)

    problems = anyio.run(work)
    if as_json:
        typer.echo(orjson.dumps({"agree": not problems, "problems": problems}))
    else:
        typer.echo("\n".join(problems) or "the sums are what the entries say")
    if problems:
        raise typer.Exit(1)


@credits_app.command("reconcile")
def reconcile(
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="CSV, or JSON: a list, or one object a line.")
    ],
    provider: Annotated[str, typer.Option(help="Whose statement it is.")] = "hasdata",
    since: Annotated[
        datetime | None,
        typer.Option(formats=_DATES, help="The statement begins here (UTC); default: the month of its first line."),
    ] = None,
    until: Annotated[
        datetime | None,
        typer.Option(
            parser=_end_of, metavar="DATE", help="It ends here (UTC), a day included; default: its last line."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Hold the provider's statement against our entries, call by call; exit code 1 when they differ.

    A line needs the call's id, its credits and its time, under names such as request_id, credits and time. Lines from
    outside of --since and --until are left out.
    """
    lines, unreadable = read(file.read_bytes())
    if not lines:
        raise EmptyStatement(
            f"{file} has no line that can be read" + "".join(f"; {_say(bad)}" for bad in unreadable[:3])
        )
    first = since.replace(tzinfo=UTC) if since else start_of(period_of(min(line.time for line in lines)))
    last = until.replace(tzinfo=UTC) if until else max(line.time for line in lines)

    async def work() -> tuple[list[Compared], int]:
        async with open_database() as database:
            entries = await books.load_entries(database, provider, first, last)
        return compare([line for line in lines if first <= line.time <= last], entries, first, last)

    rows, apart = anyio.run(work)
    totals = {verdict: sum(row.verdict == verdict for row in rows) for verdict in _WORDS}
    if as_json:
        typer.echo(orjson.dumps({"apart": apart, "totals": totals, "calls": rows, "unreadable": unreadable}))
    else:
        _show_compared(rows, unreadable, apart)
    if unreadable or len(rows) > totals["agrees"]:
        raise typer.Exit(1)


def _show(status: Status) -> None:
    console = Console(markup=False, emoji=False)
    taken = status.used + status.reserved
    share = f"{100 * taken / status.granted:.1f} %" if status.granted else "no credits"
    console.print(
        f"{status.period:%B %Y}: {status.used:,} used, {status.reserved:,} reserved, {status.left:,} left of "
        f"{status.granted:,} ({share})"
    )
    if console.is_terminal:
        console.print(ProgressBar(total=max(1, status.granted), completed=min(taken, status.granted), width=_BAR_CELLS))
    flights = ", ".join(f"{calls} of {provider}" for provider, calls in status.in_flight.items())
    console.print(f"calls in flight: {flights or 'none'}; heading for {status.forecast:,} at the month's end")
    if status.closed_at is not None:
        console.print(
            f"closed since {status.closed_at:%Y-%m-%d %H:%M} UTC: `vakanz credits raise N --why ...` opens it"
        )
    for one in status.shut:
        console.print(
            f"{one.provider}/{one.operation} is shut since {one.at:%Y-%m-%d %H:%M} UTC: it cost {one.charged}, "
            f"declared were {one.declared}"
        )
    if status.accounts:
        show_table(
            ("account", "used", "reserved"),
            [(one.name or "the house", f"{one.used:,}", f"{one.reserved:,}") for one in status.accounts],
        )
    if status.days:
        most = max(one.used for one in status.days)
        rows = [(f"{one.day}", f"{one.used:,}", "█" * -(-one.used * 30 // most)) for one in status.days]
        show_table(("day", "used", ""), rows)


def _show_compared(rows: list[Compared], unreadable: list[Unreadable], apart: int) -> None:
    show_table(
        ("call", "verdict", "theirs", "ours", "time", "outcome"),
        [
            (row.id, _WORDS[row.verdict], row.theirs, row.ours, f"{row.time:%Y-%m-%d %H:%M:%S}", row.outcome)
            for row in rows
        ],
    )
    for bad in unreadable:
        typer.echo(_say(bad), err=True)
    counts = ", ".join(f"{sum(row.verdict == verdict for row in rows)} {word}" for verdict, word in _WORDS.items())
    theirs, ours = sum(row.theirs or 0 for row in rows), sum(row.ours or 0 for row in rows)
    typer.echo(f"{counts}; {theirs:,} credits there, {ours:,} here: {apart:+,}")


def _say(bad: Unreadable) -> str:
    return f"line {bad.line}: {bad.why}"


def _end_of(text: str) -> datetime:
    """The moment that is said, of a day its last one. Raises BadParameter."""
    for form, more in zip(_DATES, (timedelta(days=1, microseconds=-1), timedelta()), strict=True):
        with suppress(ValueError):
            return datetime.strptime(text, form) + more  # noqa: DTZ007 -- the caller says UTC
    raise typer.BadParameter(f"a day or a moment like 2026-11-30T12:00:00 is expected, not {text!r}")


def _plain(text: str) -> str:
    """What a database can keep. Raises BadParameter."""
    if not text.strip() or not text.isprintable():
        raise typer.BadParameter("a line of text is expected")
    return text


def _who() -> str:
    """The person at the keyboard, as far as the system knows, and the host."""
    return f"{person(os.environ)}@{load().host}"
