"""The description daemon: one follower per shard, any number of shards in one process."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from daemons.crawl.metered import switched_on
from daemons.descriptions.fold import DescriptionFold
from lib.life.actor import Life
from lib.life.config import Config
from lib.life.fetching import fetcher
from lib.life.following import follow
from lib.life.renewing import renewing
from lib.life.session import begin_session
from lib.store.blobs import Blobs, PatientBlobs
from lib.store.changes import Following
from lib.store.connections import Cache, Database, Link


@asynccontextmanager
async def description_fold(
    config: Config, database: Database, cache: Cache, turned: Callable[[], None]
) -> AsyncIterator[DescriptionFold]:
    """The fold as it runs on this machine, in a crawl session of its own. `turned` is told of every step."""
    session = await begin_session(database, config)
    blobs = PatientBlobs(Blobs(config.blobs), Link("blobs", waiting=turned))
    async with fetcher(config, cache, database) as client:
        yield DescriptionFold(
            database, client, blobs, switched_on(config), session, config.detail_refresh_days,
            config.detail_concurrency, random.Random(), turned,
        )  # fmt: skip


@renewing
async def serve(life: Life, shards: range) -> None:
    """Follows the given shards until asked to stop."""
    owner = f"{life.config.host}:{life.unit}"
    async with description_fold(life.config, life.database, life.cache, life.progress) as fold:
        await follow(life, [Following(life.database, fold, shard, owner) for shard in shards])
