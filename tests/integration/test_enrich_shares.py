"""Enrichers placed one by one: several daemons, each with some enrichers on some shards, leave nothing undone."""

from __future__ import annotations

from pathlib import Path

import anyio

from daemons.enrich.actor import serve
from lib.life.actor import Life
from lib.life.config import Config
from lib.life.domains import ENRICHERS, SHARDS, parse_unit
from lib.store.connections import Cache, Database
from lib.store.followers import lags
from tests.integration.crawling import scene
from tests.sim.market import Market

UNITS = ("enrich@text:0-3", "enrich@text:4-7", "enrich@place.salary.employment")


async def test_daemons_divide_enrichers_and_shards(
    database: Database, dsn: str, redis_url: str, tmp_path: Path
) -> None:
    async with scene(database, tmp_path, Market(3, companies=6, postings=60)) as market:
        await market.crawl()
    config = Config(home=tmp_path, dsn=dsn, redis_url=redis_url)
    async with Cache(redis_url) as cache:
        lives = [Life(unit, config, database, cache) for unit in UNITS]
        with anyio.fail_after(90):
            async with anyio.create_task_group() as tasks:
                for life in lives:
                    share = parse_unit(life.unit).share.arguments
                    tasks.start_soon(serve, life, share["enrichers"], share["shards"])
                while not await _at_the_end(database):  # noqa: ASYNC110 - the database tells nobody
                    await anyio.sleep(0.05)
                for life in lives:
                    life.stop.set()
    done = {life.unit: set(life.counters) for life in lives}
    assert done["enrich@text:0-3"] == done["enrich@text:4-7"] == {"text"}
    assert done["enrich@place.salary.employment"] == {"place", "salary", "employment"}
    texts = "SELECT count(*) FROM posting_text WHERE description_text IS NULL AND html IS NOT NULL"
    assert await database.fetchval(texts) == 0


async def _at_the_end(database: Database) -> bool:
    """Whether every enricher has begun on every shard, and none has a change before it."""
    followers = await database.fetchval("SELECT count(*) FROM follower")
    return followers == len(ENRICHERS) * SHARDS and not any((await lags(database)).values())
