"""`vakanz careers`: registering companies' own career pages, crawling one by hand, looking at what was found."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, Any

import anyio
import orjson
import typer

from daemons.careers import pages
from daemons.careers.actor import crawler_of, keeping_claims
from daemons.careers.crawler import Outcome
from daemons.careers.site import EVERY_S, SOURCE, Site
from daemons.companies.detection import in_address
from lib.errors import VakanzError
from lib.life.config import Config
from lib.life.fetching import fetcher
from lib.life.session import open_database, open_stores, vakanz_version
from lib.life.tables import show_table
from lib.net.browser import Browser
from lib.posting import boards
from lib.store.blobs import Blobs
from lib.store.connections import Cache, Database

careers_app = typer.Typer(
    no_args_is_help=True, help="Career pages of companies that use no job-board system: their own sites are crawled."
)
Json = Annotated[bool, typer.Option("--json", help="One JSON object per line, for programs.")]
Address = Annotated[str, typer.Argument(help="Address of the careers page, such as https://www.acme.de/karriere.")]


class NoSuchSite(VakanzError):
    """No site of ours is meant by what was given."""


@careers_app.command("add")
def add(
    url: Address,
    company: Annotated[str | None, typer.Option(help="The company's name, where its pages do not say it.")] = None,
    json: Json = False,
) -> None:
    """Register a careers page. Postings may lie anywhere on its site; a path of two parts or more limits its sitemaps
    to that part."""
    site = _site(url)
    board = in_address(url)
    if board is not None:
        raise NoSuchSite(f"{url} is a board of {board.source}: register it with `vakanz board add {url}`")

    async def work() -> tuple[int, bool]:
        async with open_database() as database:
            return await boards.add(database, SOURCE, site.tenant, company, site.start, EVERY_S)

    board_id, added = anyio.run(work)
    if json:
        typer.echo(orjson.dumps({"id": board_id, "source": SOURCE, "tenant": site.tenant, "added": added}))
    else:
        typer.echo(f"{'added' if added else 'known already'}: board {board_id}, {site.tenant}")


@careers_app.command("list")
def list_sites(json: Json = False) -> None:
    """Show all sites: open postings, known pages, pages that need a browser or are set aside."""

    async def work() -> list[pages.Standing]:
        async with open_database() as database:
            return await pages.standings(database)

    rows = anyio.run(work)
    if json:
        for row in rows:
            names = ("id", "tenant", "company", "url", "state", "next_due", "last_crawled_at", "last_error")
            line = {name: getattr(row.board, name) for name in names}
            figures = {"open": row.open, "pages": row.pages, "browser": row.browser, "aside": row.aside}
            typer.echo(orjson.dumps(line | figures))
        return
    show_table(
        ("id", "site", "state", "open", "pages", "need browser", "set aside", "last crawl", "last error"),
        (
            (
                row.board.id, row.board.tenant, row.board.state, row.open, row.pages, row.browser, row.aside,
                _moment(row.board.last_crawled_at), row.board.last_error,
            )
            for row in rows
        ),
    )  # fmt: skip
    if waiting := sum(row.browser for row in rows):
        typer.echo(f"{waiting} pages are empty without a browser: set VAKANZ_BROWSER to Chromium's program", err=True)


@careers_app.command("show")
def show(site: Address, json: Json = False) -> None:
    """Show the pages of one site: what each is, and why one is set aside or holds no posting."""

    async def work() -> list[pages.Page]:
        async with open_database() as database:
            return await pages.of_site(database, await _board_id(database, site))

    rows = anyio.run(work)
    if json:
        for row in rows:
            typer.echo(orjson.dumps(_facts(row)))
        return
    show_table(
        ("page", "state", "kind", "postings", "read", "due", "reason"),
        (
            (
                row.url, row.state, row.kind, len(row.external_ids), _moment(row.read_at), _moment(row.due_at),
                row.reason,
            )
            for row in rows
        ),
    )  # fmt: skip


@careers_app.command("run")
def run(
    site: Address,
    browser: Annotated[bool, typer.Option("--browser", help="Visit the pages that need a browser instead.")] = False,
    json: Json = False,
) -> None:
    """Crawl one registered site now, due or not."""
    outcome = anyio.run(_run, site, browser)
    if json:
        names = ("visited", "seen", "new", "changed", "closed", "aside", "waiting", "error")
        line = {"board": outcome.board.id} | {name: getattr(outcome, name) for name in names}
        moved = None if outcome.elsewhere is None else f"{outcome.elsewhere.source}:{outcome.elsewhere.tenant}"
        typer.echo(orjson.dumps(line | {"moved_to": moved}))
    else:
        typer.echo(
            f"{outcome.board.tenant}: {outcome.visited} pages visited, {outcome.seen} postings open, "
            f"{outcome.new} new, {outcome.changed} changed, {outcome.closed} closed, {outcome.aside} pages set aside, "
            f"{outcome.waiting} need a browser" + ("" if outcome.error is None else f"; {outcome.error}")
        )
    if outcome.error is not None and not outcome.visited:
        raise typer.Exit(1)


async def _run(name: str, in_browser: bool) -> Outcome:
    async with open_stores() as (config, database, cache):
        return await _crawl(config, database, cache, await _board_id(database, name), in_browser)


async def _crawl(config: Config, database: Database, cache: Cache, board_id: int, in_browser: bool) -> Outcome:
    async with fetcher(config, cache) as client:
        owner = f"{config.host}:cli:{datetime.now(UTC).timestamp()}"
        crawler = crawler_of(config, database, client, Blobs(config.blobs), owner, lambda: None)
        await boards.open_session(database, crawler.session, config.host, vakanz_version())
        board = await boards.claim(database, owner, board_id)
        if board is None:
            raise NoSuchSite(f"board {board_id} is being crawled at this moment")
        async with keeping_claims(database, owner, {board_id}):
            if not in_browser:
                return await crawler.crawl(board)
            async with Browser(config.browser, client) as chromium:
                return await replace(crawler, client=chromium).crawl(board, in_browser=True)


async def _board_id(database: Database, name: str) -> int:
    """The board that an id, a tenant or an address means. Raises NoSuchSite."""
    site = Site.of(name)
    for meant in (name, f"{SOURCE}:{site.tenant}" if site else name):
        ids = await boards.find(database, meant)
        if len(ids) == 1 and await boards.source_of(database, ids[0]) == SOURCE:
            return ids[0]
    raise NoSuchSite(f"no site is meant by {name!r}: see `vakanz careers list`")


def _site(url: str) -> Site:
    site = Site.of(url)
    if site is None:
        raise NoSuchSite(f"{url} is no address of a careers page")
    return site


def _facts(row: pages.Page) -> dict[str, Any]:
    names = ("url", "depth", "state", "kind", "external_ids", "doubts", "attempts", "reason", "read_at", "due_at")
    return {name: getattr(row, name) for name in names}


def _moment(at: datetime | None) -> str:
    return "" if at is None else at.astimezone(UTC).strftime("%m-%d %H:%M")
