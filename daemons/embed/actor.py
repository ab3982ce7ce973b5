"""The two embedding daemons: `embed` for listings, `fulltext` for full texts."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from uuid import UUID

import anyio

from daemons.embed.listings import ListingFold
from daemons.embed.texts import TextFold, TextVectors
from lib.life.actor import Life
from lib.life.config import Config
from lib.life.following import follow
from lib.match.encoder import load_text_encoder, load_title_encoder
from lib.store.changes import Following
from lib.store.connections import Database
from lib.store.streams import Job, Stream
from lib.store.workers import consume

FULLTEXT_STREAM = "fulltext"
_NICENESS = 10  # full texts take all cores they get; whatever people wait for goes first
_LOST_AFTER_S = 60.0


async def serve_listings(life: Life, shards: range) -> None:
    """Embeds the titles of the given shards until asked to stop."""
    fold = ListingFold(life.database, load_title_encoder)
    owner = f"{life.config.host}:{life.unit}"
    await follow(life, [Following(life.database, fold, shard, owner) for shard in shards])


def text_vectors(config: Config, database: Database, turned: Callable[[], None]) -> TextVectors:
    """Full-text vectors by the configured model, which is loaded for the first text."""
    load = partial(load_text_encoder, config.text_model, config.models, config.model_threads or os.cpu_count() or 1)
    return TextVectors(database, config.text_model, load, turned)


async def serve_texts(life: Life, shards: range) -> None:
    """Embeds full texts until asked to stop: matched ones as they come, the others of the given shards in between."""
    os.nice(_NICENESS)
    vectors = text_vectors(life.config, life.database, life.progress)
    owner = f"{life.config.host}:{life.unit}"

    async def handle(job: Job) -> None:
        ids = [int(one) for one in job.payload["posting_ids"]]
        life.count("asked", await vectors.settle(ids, [UUID(job.id)]))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(consume, Stream(life.cache, FULLTEXT_STREAM), life.database, handle, life.stop)
        tasks.start_soon(_settle_lost, life, vectors)
        fold = TextFold(vectors)
        await follow(life, [Following(life.database, fold, shard, owner) for shard in shards])


async def _settle_lost(life: Life, vectors: TextVectors) -> None:
    """PostgreSQL has every search: what a flushed stream lost is found there."""
    while not life.stop.is_set():
        for search_id, ids in await vectors.pending(_LOST_AFTER_S, 10):
            life.count("recovered", await vectors.settle(ids, [search_id]))
        await life.pause(_LOST_AFTER_S / 2)
