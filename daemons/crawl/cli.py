"""`vakanz board` and `vakanz crawl`: registering boards and crawling one by hand."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from typing import Annotated

import anyio
import orjson
import typer

from daemons.companies.detect_cli import detect_board, find_boards
from daemons.companies.detection import Found, best, in_address
from daemons.crawl.crawler import Crawler, Outcome
from daemons.crawl.metered import NotConsented, check_consent, metered
from daemons.crawl.window import WINDOW, Closed, Opened, Taken, open_window
from daemons.sources import SOURCES, source
from lib.errors import VakanzError
from lib.life import logs
from lib.life.config import Config, load
from lib.life.fetching import fetcher
from lib.life.session import open_database, open_stores, session_id, vakanz_version
from lib.life.tables import show_table
from lib.posting import boards
from lib.posting.boards import Board
from lib.posting.links import web_url
from lib.store.blobs import Blobs
from lib.store.connections import Cache, Database

board_app = typer.Typer(no_args_is_help=True, help="Boards: which companies' postings are crawled.")
board_app.command("detect")(detect_board)
crawl_app = typer.Typer(no_args_is_help=True, help="Crawl by hand; the crawl daemon does it on its own when due.")
Json = Annotated[bool, typer.Option("--json", help="One JSON object per line, for programs.")]


class NoSuchBoard(VakanzError):
    """No board, or more than one, is meant by what was given."""


@board_app.command("add")
def add(
    url: Annotated[str, typer.Argument(help="Address of a board or of one of its postings.")],
    company: Annotated[str | None, typer.Option(help="The company's name, where the board does not say it.")] = None,
    json: Json = False,
) -> None:
    """Register a board by its address, such as https://boards.greenhouse.io/acme.

    The address of a company's careers page will do: it is fetched and looked at (see `vakanz board detect`).
    """
    config = load()
    found = in_address(url) or _behind(config, url)
    system, tenant = SOURCES[found.source], found.tenant

    async def work() -> tuple[int, bool]:
        async with open_database(config) as database:
            every_s = int(system.every.total_seconds())
            return await boards.add(database, system.name, tenant, company, system.board_url(tenant), every_s)

    board_id, added = anyio.run(work)
    if json:
        line = {"id": board_id, "source": system.name, "tenant": tenant, "added": added}
        typer.echo(orjson.dumps(line))
    else:
        typer.echo(f"{'added' if added else 'known already'}: board {board_id}, {system.title}, tenant {tenant}")
    try:
        check_consent(config, system)
    except NotConsented as off:
        typer.echo(f"not crawled yet: {off}", err=True)


def _behind(config: Config, url: str) -> Found:
    """The board of the owner of a page, as far as anybody may look at it. Raises NoSuchBoard."""
    if web_url(url) is None:
        raise NoSuchBoard(f"{url} is no address of a page: https://... is expected")
    if not (config.contact or config.simulator):
        raise NoSuchBoard(
            f"{url} is no address of a board (see `vakanz source list`); "
            "its page is looked at once VAKANZ_CONTACT is set"
        )
    behind = anyio.run(find_boards, url)
    if not behind:
        raise NoSuchBoard(
            f"{url} leads to no board of a known system; where a company has its postings on pages of its own, "
            f"they are read after `vakanz careers add {url}`"
        )
    found = best(behind)
    if found is None:
        raise NoSuchBoard(
            f"{url} leads to boards that may be others' ({len(behind)}): "
            f"see `vakanz board detect {url}`, and add the one that is meant"
        )
    return found


@board_app.command("list")
def list_boards(json: Json = False) -> None:
    """Show all boards with state, open postings and when they are due."""

    async def work() -> list[tuple[Board, int]]:
        async with open_database() as database:
            return await boards.list_all(database)

    rows = anyio.run(work)
    if json:
        for board, open_postings in rows:
            line = {name: getattr(board, name) for name in Board.__dataclass_fields__}
            typer.echo(orjson.dumps(line | {"open": open_postings}))
        return
    show_table(
        ("id", "source", "tenant", "state", "open", "last complete", "due", "last error"),
        [
            (
                board.id, board.source, board.tenant, board.state, open_postings, _moment(board.last_complete_at),
                _moment(board.next_due), board.last_error,
            )
            for board, open_postings in rows
        ],
    )  # fmt: skip


@crawl_app.command("run")
def run(
    board: Annotated[str, typer.Argument(help="Id, tenant, source:tenant or address of a registered board.")],
    json: Json = False,
) -> None:
    """Crawl one board now, due or not."""
    outcome = anyio.run(_crawl_one, board)
    if json:
        names = ("seen", "new", "changed", "closed", "rejected", "complete", "suspect", "error", "moved_to")
        line = {"board": outcome.board.id} | {name: getattr(outcome, name) for name in names}
        typer.echo(orjson.dumps(line))
    else:
        typer.echo(
            f"{outcome.board.source}:{outcome.board.tenant}: {outcome.seen} rows, {outcome.new} new, "
            f"{outcome.changed} changed, {outcome.closed} closed, {outcome.rejected} unreadable"
            + ("" if outcome.error is None else f"; {outcome.error}")
            + ("" if outcome.moved_to is None else f"; the board has moved to {outcome.moved_to}")
        )
    if outcome.error is not None and not outcome.seen:
        raise typer.Exit(1)


@crawl_app.command("window")
def window() -> None:
    """Have every board crawled by half past seven; a timer calls it at half past four, on more than one server."""
    config = load()

    async def work() -> Closed | Taken | Opened:
        async with open_database(config) as database:
            return await open_window(database, config.host, datetime.now(UTC))

    match anyio.run(work):
        case Opened(count, closes):
            typer.echo(f"window opened: {count} boards brought forward, to be crawled by {_clock(closes)}")
        case Taken(by, at, done):
            typer.echo(f"this morning is {by}'s since {_clock(at)}{'' if done else ', which did not finish'}")
        case Closed(opens):
            typer.echo(f"the window is closed until {_clock(opens)}")


def _clock(at: datetime) -> str:
    return f"{at.astimezone(WINDOW.zone):%d %b %H:%M:%S %Z}"


async def _crawl_one(name: str) -> Outcome:
    async with open_stores() as (config, database, cache):
        logs.configure(config.log_format, config.log_level)
        ids = await boards.find(database, name)
        if len(ids) != 1:
            meant = "no board is" if not ids else f"{len(ids)} boards are"
            raise NoSuchBoard(f"{meant} meant by {name!r}: see `vakanz board list`")
        return await _crawl(config, database, cache, ids[0])


async def _crawl(config: Config, database: Database, cache: Cache, board_id: int) -> Outcome:
    session = session_id(config.host)
    owner = f"{config.host}:cli:{session}"
    system = source(await boards.source_of(database, board_id))
    check_consent(config, system)
    board = await boards.claim(database, owner, board_id)
    if board is None:
        raise NoSuchBoard(f"board {board_id} is being crawled at this moment")
    await boards.open_session(database, session, config.host, vakanz_version())
    async with fetcher(config, cache, database) as client:
        crawler = Crawler(database, client, Blobs(config.blobs), session, owner, random.Random())
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_extend, database, owner, board_id)
            outcome = await metered(crawler, system, config).crawl(system, board)
            tasks.cancel_scope.cancel()
    return outcome


async def _extend(database: Database, owner: str, board_id: int) -> None:
    while True:
        await anyio.sleep(boards.CLAIM_S / 4)
        await boards.extend_claims(database, owner, [board_id])


def _moment(at: datetime | None) -> str:
    return "" if at is None else at.astimezone(UTC).strftime("%m-%d %H:%M")
