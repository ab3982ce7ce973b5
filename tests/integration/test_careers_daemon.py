"""The careers daemon over simulated sites: it claims what is due, crawls it, and stops when asked."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import anyio

from daemons.careers.actor import serve, serve_browser
from lib.life.actor import Life
from lib.life.config import Config
from lib.store.connections import Cache, Database
from tests.integration.careering import careers_scene
from tests.waiting import until


async def test_the_daemon_crawls_what_is_due(database: Database, cache: Cache, tmp_path: Path) -> None:
    async with careers_scene(database, tmp_path, postings=2) as scene:
        await database.execute("UPDATE board SET next_due = now() + interval '1 day' WHERE tenant <> ALL ($1::text[])",
                               [scene.site("json_ld").tenant, scene.site("scripted").tenant])  # fmt: skip
        config = Config(home=tmp_path, simulator=scene.sim.url)
        life = Life("careers@0", config, database, cache)

        with anyio.fail_after(60):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(serve, life)
                await until(lambda: life.counters.get("boards") == 2)
                life.stop.set()
        assert (await scene.rows()).keys() == scene.truth("json_ld").keys()
        assert life.counters["boards"] == 2
        assert await database.fetchval("SELECT count(*) FROM board WHERE claimed_by IS NOT NULL") == 0


async def test_without_a_browser_its_daemon_says_so_and_waits(database: Database, cache: Cache, tmp_path: Path) -> None:
    async with careers_scene(database, tmp_path, postings=1) as scene:
        await scene.crawl("scripted")
        config = replace(Config(home=tmp_path, simulator=scene.sim.url), browser="")
        life = Life("browser@0", config, database, cache)

        with anyio.fail_after(60):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(serve_browser, life)
                await until(lambda: "VAKANZ_BROWSER" in life.status)
                life.stop.set()
        assert (await scene.pages("scripted"))[scene.site("scripted").url]["state"] == "browser"
