"""Simulated company sites, a real database, and the crawler of career pages between them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import asyncpg

from daemons.careers.actor import readers
from daemons.careers.crawler import Crawler, Outcome
from daemons.careers.site import EVERY_S, SOURCE, external_id
from daemons.careers.survey import Client
from lib.net.breaker import BreakerRules
from lib.net.fetch import Fetcher
from lib.net.policy import FetchPolicy, HostLimits
from lib.posting import boards
from lib.store.blobs import Blobs
from lib.store.connections import Database
from tests.integration.crawling import OWNER, SESSION, Unhurried
from tests.sim import Market, Simulator, running
from tests.sim.career_site import MAKES, CompanySite
from tests.sim.careers import Sites
from tests.sim.market import FIRST_DAY


@dataclass
class Scene:
    """The sites as registered, and a crawler for them."""

    sim: Simulator
    sites: Sites
    database: Database
    crawler: Crawler
    fetcher: Fetcher

    async def crawl(self, *makes: str, client: Client | None = None, in_browser: bool = False) -> dict[str, Outcome]:
        """One turn at each site of these makes, or at all; the outcomes by make."""
        crawler = self.crawler if client is None else replace(self.crawler, client=client)
        found = {}
        for site in self.sites.sites:
            if not makes or site.make in makes:
                board = await boards.claim(self.database, OWNER, await self.board_id(site))
                assert board is not None
                found[site.make] = await crawler.crawl(board, in_browser=in_browser)
        return found

    async def days_later(self) -> None:
        """The sites' next day, on which everything that waits is due."""
        self.sites.advance()
        await self.database.execute("UPDATE career_page SET due_at = now(), read_at = read_at - interval '1 day'")

    async def board_id(self, site: CompanySite) -> int:
        return int(await self.database.fetchval("SELECT id FROM board WHERE tenant = $1", site.tenant))

    def site(self, make: str) -> CompanySite:
        return next(site for site in self.sites.sites if site.make == make)

    def truth(self, *makes: str) -> dict[str, dict[str, Any]]:
        """What is open today, by our id of it."""
        return {external_id(row["url"]): row for row in self.sites.truth() if row["make"] in (makes or MAKES)}

    async def rows(
        self, *makes: str, state: Collection[str] = ("discovered", "described")
    ) -> dict[str, asyncpg.Record]:
        """The postings in these states, by id."""
        tenants = [site.tenant for site in self.sites.sites if not makes or site.make in makes]
        rows = await self.database.fetch(
            "SELECT p.*, t.html FROM posting p JOIN board b ON b.id = p.board_id JOIN posting_text t ON"
            " t.posting_id = p.id WHERE b.tenant = ANY ($1::text[]) AND p.state = ANY ($2::text[])",
            tenants, list(state),
        )  # fmt: skip
        return {row["external_id"]: row for row in rows}

    async def pages(self, make: str) -> dict[str, asyncpg.Record]:
        """The site's pages, by address."""
        board_id = await self.board_id(self.site(make))
        rows = await self.database.fetch("SELECT * FROM career_page WHERE board_id = $1", board_id)
        return {row["url"]: row for row in rows}


def free_policy(sim: Simulator) -> FetchPolicy:
    """Everything goes to the simulator, as fast as it can, however often that failed."""
    return FetchPolicy(
        contact="tests", limits=HostLimits(rate_per_s=None, concurrency=None), reroute=sim.url,
        breaker=BreakerRules(failures=1_000_000),
    )  # fmt: skip


@asynccontextmanager
async def careers_scene(
    database: Database, folder: Path, *, postings: int = 5, twins: bool = False
) -> AsyncIterator[Scene]:
    """One site of each make, registered and not crawled. `twins`: their lists lead to each ad by several addresses."""
    sites = Sites(1, len(MAKES), FIRST_DAY, postings=postings, twins=twins)
    async with running(Market(1, 1, 1), sites=sites) as sim, Fetcher(free_policy(sim)) as fetcher:
        rows = [(SOURCE, one["tenant"], None, one["url"], EVERY_S) for one in sites.board_list()]
        await boards.add_many(database, rows)
        await boards.open_session(database, SESSION, "tests", "0")
        crawler = Crawler(
            database=database, client=fetcher, blobs=Blobs((folder / "blobs").as_uri()), readers=readers(),
            session=SESSION, version="0", owner=OWNER, rng=Unhurried(1),
        )  # fmt: skip
        yield Scene(sim, sites, database, crawler, fetcher)
