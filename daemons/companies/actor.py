"""The geo daemon: place by place it finds companies on the map, visits each company's site, and registers its board.

An instance works on one region of 25 or on a range of them. A place is searched again after 90 days, a site is never
visited twice within 90 days, and both go on where an earlier run ended.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

import anyio
import anyio.to_thread
import structlog

from daemons.careers.site import EVERY_S, SOURCE, Site
from daemons.companies import candidates, overpass, places
from daemons.companies.guesses import guess
from daemons.companies.looking import Fetch
from daemons.companies.places import Search, SiteRow
from daemons.companies.searching import Next, after
from daemons.companies.visiting import Visit, visit
from lib.errors import SourceError
from lib.life.actor import Life
from lib.life.config import Config
from lib.life.fetching import fetcher
from lib.life.renewing import renewing
from lib.posting import boards
from lib.store.connections import Database
from lib.text.gazetteer import home_places

_REST_S = 5.0  # between two searches, and before looking for work again
_VISITS_AT_ONCE = 8


@dataclass(frozen=True)
class Searched:
    """A search that was made, what follows from it, the sites that it found, and those nobody knew before."""

    search: Search
    step: Next
    sites: int
    new: int


@renewing
async def serve(life: Life, shards: range) -> None:
    """Searches the map and visits sites until asked to stop; without a server of maps it only waits for that."""
    if not life.config.overpass:
        life.say("idle", "VAKANZ_OVERPASS names no server whose map could be searched")
        while not await life.pause(_REST_S):
            pass
        return
    listed = await anyio.to_thread.run_sync(home_places)
    await places.add_places(life.database, listed, shards)
    async with fetcher(life.config, life.cache, life.database) as client, anyio.create_task_group() as tasks:
        tasks.start_soon(_search, life, client, shards)
        tasks.start_soon(_visit, life, client, shards)


async def _search(life: Life, client: Fetch, regions: range) -> None:
    owner = f"{life.config.host}:{life.unit}"
    log = structlog.get_logger("geo")
    while not life.stop.is_set():
        life.say("working", "asking for the map, which takes its turn")
        done = await search_one(life.database, client, life.config, owner, regions)
        if done is None:
            life.say("idle", "no place is due")
        else:
            life.count("places")
            log.info(
                done.step.kind, place=done.search.name, country=done.search.country, sites=done.sites, new=done.new,
                reason=done.step.reason,
            )  # fmt: skip
        await life.pause(max(done.step.rest_s if done else 0.0, _REST_S))


async def _visit(life: Life, client: Fetch, regions: range) -> None:
    while not life.stop.is_set():
        found = await visit_some(life.database, client, life.config, regions)
        life.progress()
        if found:
            life.count("sites", found)
            life.say("working", f"{found} sites visited")
        else:
            await life.pause(_REST_S)


async def search_one(database: Database, client: Fetch, config: Config, owner: str, regions: range) -> Searched | None:
    """Searches the largest due place; None when none is due."""
    search = await places.claim(database, owner, regions)
    if search is None:
        return None
    outcome: overpass.Answer | SourceError
    try:
        outcome = overpass.read(await client.send(overpass.request(config.overpass, search.square)))
    except SourceError as error:
        outcome = error
    companies = outcome.companies if isinstance(outcome, overpass.Answer) else ()
    new = await places.add_sites(database, search, companies)
    step = after(outcome, search.square, search.failures, datetime.now(UTC))
    if step.kind == "split":
        await places.split(database, owner, search, step.reason or "")
    else:
        await places.finish(
            database, owner, search, next_in_s=step.next_in_s, sites=len(companies), failures=step.failures,
            error=step.reason,
        )  # fmt: skip
    return Searched(search, step, len(companies), new)


async def visit_some(database: Database, client: Fetch, config: Config, regions: range) -> int:
    """Visits some sites side by side and registers what they have; how many were visited."""
    sites = await places.claim_sites(database, regions, _VISITS_AT_ONCE)
    async with anyio.create_task_group() as tasks:
        for site in sites:
            tasks.start_soon(partial(_visit_one, database, client, site, guessing=config.guess_slugs))
    return len(sites)


async def _visit_one(database: Database, client: Fetch, site: SiteRow, *, guessing: bool) -> None:
    seen = await visit(client, site.url)
    await _register(database, site, seen)
    await places.finish_site(database, site, seen)
    if guessing and seen.state in ("careers", "nothing") and site.name:
        rows = [(source, tenant, site.url, 1) for source, tenant in guess(site.name)]
        await candidates.add(database, "guess", rows)


async def _register(database: Database, site: SiteRow, seen: Visit) -> None:
    if seen.found is not None:
        source, tenant, _, url, every_s = candidates.board_row(seen.found.source, seen.found.tenant)
        await boards.add(database, source, tenant, site.name, url, every_s)
    elif seen.careers_url is not None:
        careers = Site.of(seen.careers_url)
        if careers is not None:
            await boards.add(database, SOURCE, careers.host, site.name, seen.careers_url, EVERY_S)
