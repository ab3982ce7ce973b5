"""The crawl daemon: claims due boards of its sources, crawls several at a time, and keeps its claims meanwhile."""

from __future__ import annotations

import random
from collections.abc import Collection

import anyio
import structlog

from daemons.crawl.crawler import Crawler
from daemons.crawl.groups import sources_of
from daemons.crawl.metered import metered, switched_on
from daemons.sources import UnknownSource, source
from lib.errors import Fenced
from lib.life.actor import Life
from lib.life.fetching import fetcher
from lib.life.renewing import renewing
from lib.life.session import begin_session
from lib.posting import boards
from lib.posting.boards import Board
from lib.store.blobs import Blobs, PatientBlobs
from lib.store.connections import Link

_IDLE_S = 1.0
_BUSY_S = 0.02  # between two looks for boards while there are some: places become free all the time
_EXTEND_S = boards.CLAIM_S / 4


@renewing
async def serve(life: Life, groups: Collection[str]) -> None:
    """Crawls whatever is due of these groups of sources until asked to stop.

    Boards are claimed one by one, so that any number of crawlers may run, also of the same groups.
    """
    config = life.config
    session = await begin_session(life.database, config)
    running: set[int] = set()
    sources = switched_on(config).keys() & sources_of(groups, config.proxied_sources)
    slots = anyio.CapacityLimiter(config.crawl_concurrency)
    blobs = PatientBlobs(Blobs(config.blobs), Link("blobs", waiting=life.progress))
    async with fetcher(config, life.cache, life.database) as client:
        crawler = Crawler(
            life.database, client, blobs, session, f"{config.host}:{life.unit}", random.Random(),
            life.progress,
        )  # fmt: skip

        async def crawl(board: Board) -> None:
            structlog.contextvars.bind_contextvars(source=board.source, tenant=board.tenant)
            async with slots:
                try:
                    system = source(board.source)
                    outcome = await metered(crawler, system, config).crawl(system, board)
                    life.count("boards")
                    life.count("postings", outcome.seen)
                except (Fenced, UnknownSource) as error:
                    structlog.get_logger("crawl").warning("left alone", reason=str(error))
                finally:
                    running.discard(board.id)

        async with anyio.create_task_group() as keeping:
            keeping.start_soon(_extend, life, crawler.owner, running)
            async with anyio.create_task_group() as crawls:
                while not life.stop.is_set():
                    free = config.crawl_concurrency - len(running)
                    due = []
                    if free > 0:
                        due = await boards.claim_due(life.database, crawler.owner, free, running, sources)
                    for board in due:
                        running.add(board.id)
                        crawls.start_soon(crawl, board)
                    life.say("working" if running else "idle", f"{len(running)} boards in hand")
                    if await life.pause(_BUSY_S if due or not free else _IDLE_S):
                        break
            keeping.cancel_scope.cancel()


async def _extend(life: Life, owner: str, running: set[int]) -> None:
    while True:
        await anyio.sleep(_EXTEND_S)
        if running:
            await boards.extend_claims(life.database, owner, running)
