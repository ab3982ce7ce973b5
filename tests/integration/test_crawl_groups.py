"""Crawlers of several groups of sources: nobody takes another group's boards, and all boards are crawled once."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import anyio
import pytest

from daemons.crawl.actor import serve
from daemons.crawl.groups import GROUPS, sources_of
from lib.life.actor import Life
from lib.life.config import Config
from lib.life.domains import PROXIED
from lib.store.connections import Cache, Database
from tests.integration.crawling import Scene, scene
from tests.sim.market import Market
from tests.waiting import until

BOARDS = 30


@pytest.fixture
async def market(database: Database, tmp_path: Path) -> AsyncIterator[Scene]:
    async with scene(database, tmp_path, Market(4, companies=BOARDS, postings=90)) as market:
        yield market


@pytest.fixture
def config(dsn: str, redis_url: str, tmp_path: Path, market: Scene) -> Config:
    return Config(home=tmp_path, dsn=dsn, redis_url=redis_url, simulator=market.sim.url, crawl_concurrency=3)


@asynccontextmanager
async def crawlers(
    config: Config, database: Database, redis_url: str, shares: Sequence[Sequence[str]]
) -> AsyncIterator[list[Life]]:
    """A crawler for each share of the groups; all of them stop with the block."""
    async with Cache(redis_url) as cache:
        lives = [Life(f"crawl@{'-'.join(groups)}", config, database, cache) for groups in shares]
        with anyio.fail_after(90):
            async with anyio.create_task_group() as tasks:
                for life, groups in zip(lives, shares, strict=True):
                    tasks.start_soon(serve, life, groups)
                yield lives
                for life in lives:
                    life.stop.set()


async def crawled_by(database: Database) -> dict[str, set[str]]:
    """The sources whose boards were crawled, and those whose boards were left."""
    rows = await database.fetch("SELECT source, last_crawled_at IS NOT NULL AS crawled FROM board")
    return {"crawled": {row["source"] for row in rows if row["crawled"]},
            "left": {row["source"] for row in rows if not row["crawled"]}}  # fmt: skip


async def test_a_crawler_takes_the_boards_of_its_groups_only(
    config: Config, database: Database, redis_url: str, market: Scene
) -> None:
    present = {row["source"] for row in await database.fetch("SELECT DISTINCT source FROM board")}
    share = max(GROUPS, key=lambda group: len(present & set(GROUPS[group])))
    mine = present & sources_of([share], ())
    count = await database.fetchval("SELECT count(*) FROM board WHERE source = ANY ($1::text[])", list(mine))
    assert mine and mine != present
    async with crawlers(config, database, redis_url, [[share]]) as (life,):
        await until(lambda: life.counters.get("boards", 0) >= count)
        await until(lambda: life.state == "idle")
    assert await crawled_by(database) == {"crawled": mine, "left": present - mine}
    assert await database.fetchval("SELECT count(*) FROM board WHERE claimed_by IS NOT NULL") == 0


async def test_all_groups_together_crawl_every_board_once(
    config: Config, database: Database, redis_url: str, market: Scene
) -> None:
    async with crawlers(config, database, redis_url, [[group] for group in GROUPS]) as lives:
        await until(lambda: sum(life.counters.get("boards", 0) for life in lives) >= BOARDS)
    assert [life.counters.get("boards", 0) for life in lives] == [
        await database.fetchval("SELECT count(*) FROM board WHERE source = ANY ($1::text[])", list(GROUPS[group]))
        for group in GROUPS
    ]
    assert await market.open_keys() == market.truth().keys()
    assert await database.fetchval("SELECT count(*) FROM posting_history") == len(market.truth())


async def test_one_crawler_may_have_all_groups(
    config: Config, database: Database, redis_url: str, market: Scene
) -> None:
    async with crawlers(config, database, redis_url, [tuple(GROUPS)]) as (life,):
        await until(lambda: life.counters.get("boards", 0) >= BOARDS)
    assert await market.open_keys() == market.truth().keys()


async def test_a_proxied_source_is_taken_by_the_proxied_group_only(
    config: Config, database: Database, redis_url: str, market: Scene
) -> None:
    name = await database.fetchval("SELECT source FROM board GROUP BY source ORDER BY count(*) DESC LIMIT 1")
    count = await database.fetchval("SELECT count(*) FROM board WHERE source = $1", name)
    settings = replace(config, proxied_sources=(name,), proxies=("http://127.0.0.1:9",))
    async with crawlers(settings, database, redis_url, [tuple(GROUPS)]) as (numbered,):
        await until(lambda: numbered.counters.get("boards", 0) >= BOARDS - count)
        await until(lambda: numbered.state == "idle")
    assert (await crawled_by(database))["left"] == {name}

    async with crawlers(settings, database, redis_url, [[PROXIED]]) as (proxied,):
        await until(lambda: proxied.counters.get("boards", 0) >= count)
    # Nothing was fetched, for no proxy works; nothing went out directly either.
    tried = await database.fetch(
        "SELECT source, failures FROM board WHERE last_error IS NOT NULL OR last_crawled_at IS NULL"
    )
    assert {row["source"] for row in tried} == {name}
