"""A simulated market worked through by daemons, and everything that it left in the database."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import anyio

from daemons.sources import detect
from keeper.local.progress import standing
from lib.posting import boards
from lib.store.connections import Database
from lib.store.migrate import migrate
from tests.adversity.daemons import Daemons
from tests.sim import Market, Simulator, running

UNITS = ("crawl@0-5", "descriptions@0-7", "enrich@0-7", "embed@0-7")
FOLLOWERS = ("descriptions", "text", "place", "salary", "employment", "embed")
_CONTENT = """
SELECT b.source, b.tenant, p.external_id, p.state, p.revision, p.content_hash, p.title, p.company, p.url, p.apply_url,
       p.places, p.stated, p.language, p.city, p.region, p.country_code, p.lat, p.lon, p.salary_min, p.salary_max,
       p.salary_currency, p.salary_period, p.salary_year_min_eur, p.salary_year_max_eur, p.salary_year_min_chf,
       p.salary_year_max_chf, p.employment, p.permanent, p.remote,
       t.html_hash, md5(t.description_html) AS html, md5(t.description_text) AS text, t.search::text AS search,
       t.provenance, v.title_id, v.country_code AS v_country, v.skills, v.seniority, v.salary_eur,
       (SELECT jsonb_agg(jsonb_build_array(h.revision, h.changes) ORDER BY h.revision, h.id)
          FROM posting_history h WHERE h.posting_id = p.id) AS history
  FROM posting p JOIN board b ON b.id = p.board_id JOIN posting_text t ON t.posting_id = p.id
  JOIN posting_vector v ON v.posting_id = p.id
"""


@dataclass
class Job:
    """The main job: boards in, postings described, enriched and embedded."""

    simulator: Simulator
    database: Database
    daemons: Daemons
    since: datetime

    async def finished(self) -> bool:
        """Whether all boards are crawled and every follower that should exist is at the end on every shard."""
        now = await standing(self.database, self.since)
        registered = await self.database.fetchval(
            "SELECT count(*) FROM follower WHERE name = ANY ($1::text[])", list(FOLLOWERS)
        )
        return now.finished and registered == 8 * len(FOLLOWERS)

    async def until_finished(self, seconds: float = 90.0) -> float:
        """Waits for it, and says for how long in seconds."""
        started = time.monotonic()
        while not await self.finished():
            if time.monotonic() - started > seconds:
                raise AssertionError(f"{await standing(self.database, self.since)}\n{self.daemons.said()}")
            await anyio.sleep(0.1)
        return time.monotonic() - started

    async def next_day(self) -> None:
        """The market changes, and every board is due."""
        self.simulator.advance()
        self.since = datetime.now(UTC)
        await self.database.execute("UPDATE board SET next_due = now()")

    async def content(self) -> dict[tuple[str, str, str], dict[str, Any]]:
        """All that is known of each posting, by source, tenant and external id, with its history."""
        rows = [dict(row) for row in await self.database.fetch(_CONTENT)]
        found = {(row["source"], row["tenant"], row["external_id"]): row for row in rows}
        assert len(found) == len(rows)
        return found


@asynccontextmanager
async def main_job(market: Market, dsn: str, redis_url: str, folder: Path) -> AsyncIterator[Job]:
    """A migrated database with the market's boards, and a place to start daemons from; none runs yet."""
    folder.mkdir(parents=True, exist_ok=True)
    await migrate(dsn)
    async with running(market) as simulator, Database(dsn) as database:
        await boards.add_many(database, [_row(offered) for offered in market.board_list()])
        environment = {
            "VAKANZ_DSN": dsn, "VAKANZ_REDIS_URL": redis_url, "VAKANZ_SIMULATOR": simulator.url,
            "VAKANZ_HOME": str(folder), "VAKANZ_BLOB_URL": (folder / "blobs").as_uri(), "VAKANZ_LOG_LEVEL": "warning",
            "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1",
        }  # fmt: skip
        async with Daemons(environment, folder / "daemons.log") as daemons:
            yield Job(simulator, database, daemons, datetime.now(UTC))


def _row(offered: dict[str, Any]) -> tuple[str, str, str, str, int]:
    found = detect(offered["url"])
    assert found is not None, offered
    source, tenant = found
    return source.name, tenant, offered["company"], source.board_url(tenant), 86_400
