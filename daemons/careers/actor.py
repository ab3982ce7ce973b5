"""The careers daemon claims due sites and crawls several at a time; the browser daemon visits pages that need one."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import anyio
import structlog

from daemons.careers import pages
from daemons.careers.crawler import Crawler, Outcome
from daemons.careers.site import SOURCE
from daemons.careers.survey import Client
from daemons.careers.visits import Readers
from lib.errors import Fenced
from lib.life.actor import Life
from lib.life.config import Config
from lib.life.confined import Limits
from lib.life.fetching import fetcher
from lib.life.metrics import crawled
from lib.life.renewing import renewing
from lib.life.sandbox import Sandbox
from lib.life.session import session_id, vakanz_version
from lib.net.browser import Browser, NoBrowser, NoMemory
from lib.posting import boards
from lib.posting.boards import Board
from lib.store.blobs import Blobs, PatientBlobs, Store
from lib.store.connections import Database, Link

SITES_AT_ONCE = 4  # each has a few pages in flight, and its pages are read in processes
_IDLE_S = 1.0
_EXTEND_S = boards.CLAIM_S / 4
_BROWSER_IDLE_S = 15.0


def readers() -> Readers:
    """The processes that pages and documents are read in."""
    pages_limits = Limits(memory_bytes=1 << 30, cpu_s=30, wall_s=60.0)
    return Readers(pages=Sandbox(pages_limits, concurrency=2), documents=Sandbox(concurrency=1))


def crawler_of(
    config: Config, database: Database, client: Client, blobs: Store, owner: str, turned: Callable[[], None]
) -> Crawler:
    """A crawler in a session of its own, which is not opened yet."""
    return Crawler(
        database=database, client=client, blobs=blobs, readers=readers(), session=session_id(config.host),
        version=vakanz_version(), owner=owner, rng=random.Random(), turned=turned,
    )  # fmt: skip


@renewing
async def serve(life: Life) -> None:
    """Crawls whatever site is due until asked to stop. Each site is claimed, so any number of daemons may run."""
    async with fetcher(life.config, life.cache) as client:
        crawler = await _opened(life, client)

        async def due(free: int, running: set[int]) -> list[Board]:
            return await boards.claim_due(life.database, crawler.owner, free, running, [SOURCE])

        await _work(life, crawler, due, crawler.crawl, SITES_AT_ONCE, _IDLE_S)


@renewing
async def serve_browser(life: Life) -> None:
    """Visits the pages that need a browser, one site at a time; idle where none is configured."""
    executable = life.config.browser
    async with fetcher(life.config, life.cache) as client:
        crawler = await _opened(life, client)

        async def due(free: int, running: set[int]) -> list[Board]:
            if not executable:
                life.say("idle", "no browser is configured: see VAKANZ_BROWSER")
                return []
            ids = [one for one in await pages.for_browser(life.database, crawler.owner, free) if one not in running]
            claimed = [await boards.claim(life.database, crawler.owner, one) for one in ids]
            return [board for board in claimed if board is not None]

        async def crawl(board: Board) -> Outcome:
            async with Browser(executable, client) as browser:
                return await replace(crawler, client=browser).crawl(board, in_browser=True)

        await _work(life, crawler, due, crawl, 1, _BROWSER_IDLE_S)


async def _opened(life: Life, client: Client) -> Crawler:
    blobs = PatientBlobs(Blobs(life.config.blobs), Link("blobs", waiting=life.progress))
    owner = f"{life.config.host}:{life.unit}"
    crawler = crawler_of(life.config, life.database, client, blobs, owner, life.progress)
    await boards.open_session(life.database, crawler.session, life.config.host, crawler.version)
    structlog.contextvars.bind_contextvars(session=crawler.session, source=SOURCE)
    return crawler


async def _work(
    life: Life,
    crawler: Crawler,
    claim: Callable[[int, set[int]], Awaitable[list[Board]]],
    crawl: Callable[[Board], Awaitable[Outcome]],
    at_once: int,
    idle_s: float,
) -> None:
    """Claims and crawls, `at_once` sites at a time, and keeps the claims alive meanwhile."""
    running: set[int] = set()

    async def one(board: Board) -> None:
        try:
            outcome = await crawl(board)
            _tell(outcome)
            life.count("boards")
            life.count("pages", outcome.visited)
            life.count("postings", outcome.seen)
        except (Fenced, NoMemory, NoBrowser) as error:
            structlog.get_logger("careers").warning("left alone", site=board.tenant, reason=str(error))
        finally:
            running.discard(board.id)

    async with keeping_claims(life.database, crawler.owner, running), anyio.create_task_group() as crawls:
        while not life.stop.is_set():
            free = at_once - len(running)
            due = await claim(free, running) if free > 0 else []
            for board in due:
                running.add(board.id)
                crawls.start_soon(one, board)
            if running or life.state != "idle":
                life.say("working" if running else "idle", f"{len(running)} sites in hand")
            if await life.pause(0.1 if due or not free else idle_s):
                break


def _tell(outcome: Outcome) -> None:
    log = structlog.get_logger("careers")
    (log.info if outcome.error is None else log.warning)(
        "crawled", site=outcome.board.tenant, visited=outcome.visited, seen=outcome.seen, new=outcome.new,
        changed=outcome.changed, closed=outcome.closed, aside=outcome.aside, waiting=outcome.waiting,
        error=outcome.error,
    )  # fmt: skip
    for what in ("seen", "new", "changed", "closed"):
        crawled.labels(SOURCE, what).inc(getattr(outcome, what))


@asynccontextmanager
async def keeping_claims(database: Database, owner: str, running: set[int]) -> AsyncIterator[None]:
    """Extends the claims of `running` for as long as the block lasts."""

    async def extend() -> None:
        while True:
            await anyio.sleep(_EXTEND_S)
            if running:
                await boards.extend_claims(database, owner, running)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(extend)
        yield
        tasks.cancel_scope.cancel()
