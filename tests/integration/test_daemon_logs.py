"""What lines of daemons name: the session, and the shard or source that they are about."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import anyio
import orjson
import pytest
import structlog

from daemons.crawl.actor import serve as crawl
from lib.life import following, logs
from lib.life.actor import Life
from lib.life.config import Config
from lib.life.domains import CRAWL_GROUPS
from lib.store.changes import Following, Prepared
from lib.store.connections import Cache, Database
from tests.integration.change_log import Seen, Tally, open_log
from tests.integration.crawling import scene
from tests.sim.market import Market
from tests.waiting import until


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Path]:
    """Where the log of this test goes."""
    path = tmp_path / "log"
    with path.open("w", encoding="utf-8") as to:
        logs.configure("json", "debug", to=to, unit="test@0")
        yield path
        structlog.reset_defaults()
        structlog.contextvars.clear_contextvars()
        logs.set_level("info")


def lines(path: Path, event: str) -> list[dict[str, Any]]:
    """The lines about `event`."""
    return [line for line in map(orjson.loads, path.read_bytes().splitlines()) if line["event"] == event]


async def test_a_crawl_names_its_session_and_source(
    database: Database, cache: Cache, dsn: str, redis_url: str, tmp_path: Path, log: Path
) -> None:
    async with scene(database, tmp_path, Market(2, companies=2, postings=4)) as market:
        config = Config(home=tmp_path, dsn=dsn, redis_url=redis_url, simulator=market.sim.url)
        life = Life("crawl@0", config, database, cache)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(crawl, life, tuple(map(str, range(CRAWL_GROUPS))))
            await until(lambda: life.counters.get("boards", 0) >= 2)
            life.stop.set()
    sessions = {row["id"] for row in await database.fetch("SELECT id FROM crawl_session")}
    crawled = lines(log, "crawled")
    assert len(crawled) >= 2
    assert all(line["session"] in sessions and line["source"] and line["unit"] == "test@0" for line in crawled)


class TalkingTally(Tally):
    """Says what it prepares."""

    async def prepare(self, posting_ids: Sequence[int]) -> Prepared[Seen]:
        structlog.get_logger("tally").info("preparing", rows=len(posting_ids))
        return await super().prepare(posting_ids)


async def test_a_follower_names_itself_and_its_shard(
    database: Database, cache: Cache, tmp_path: Path, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "_TELL_S", 0.0)
    await open_log(database, 40)
    shard = await database.fetchval("SELECT shard FROM posting LIMIT 1")
    life = Life("tally@0", Config(home=tmp_path), database, cache)
    fold = TalkingTally(database)
    other = Following(database, fold, shard, "somebody else")
    assert await other.join()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(following.follow, life, [Following(database, fold, shard, "tests")])
        await until(lambda: life.status == f"waiting for the lease of shard {shard}")
        await other.leave()
        await until(lambda: bool(lines(log, "caught up")))
        life.stop.set()
    for event in ("preparing", "caught up"):
        assert all((line["follower"], line["shard"]) == ("tally", shard) for line in lines(log, event))
    assert sum(line["rows"] for line in lines(log, "caught up")) > 0
