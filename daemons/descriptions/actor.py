"""The description daemon: one follower per shard, any number of shards in one process."""

from __future__ import annotations

import random

from daemons.crawl.actor import session_id
from daemons.descriptions.fold import DescriptionFold
from daemons.sources import SOURCES
from lib.life.actor import Life
from lib.life.fetching import fetcher
from lib.life.following import follow
from lib.life.session import vakanz_version
from lib.posting import boards
from lib.store.blobs import Blobs, PatientBlobs
from lib.store.changes import Following
from lib.store.connections import Link


async def serve(life: Life, shards: range) -> None:
    """Follows the given shards until asked to stop."""
    config = life.config
    session = session_id(config.host)
    await boards.open_session(life.database, session, config.host, vakanz_version())
    blobs = PatientBlobs(Blobs(config.blobs), Link("blobs", waiting=life.progress))
    async with fetcher(config, life.cache) as client:
        fold = DescriptionFold(
            life.database, client, blobs, SOURCES, session, config.detail_refresh_days,
            config.detail_concurrency, random.Random(), life.progress,
        )  # fmt: skip
        owner = f"{config.host}:{life.unit}"
        await follow(life, [Following(life.database, fold, shard, owner) for shard in shards])
