"""The enrich daemon: hosts every enricher, on any number of shards, in one process."""

from __future__ import annotations

import anyio

from daemons.enrich import ENRICHERS
from daemons.enrich.fold import EnrichFold
from lib.life.actor import Life
from lib.life.following import follow
from lib.store.changes import Following
from lib.store.connections import Database

TEXT = "text"  # whose plain text all others read


def enrich_folds(database: Database) -> list[EnrichFold]:
    """Every enricher as a follower; they compute in turn, as they would only fight over the interpreter."""
    turn = anyio.CapacityLimiter(1)
    return [EnrichFold(database, one, () if one.name == TEXT else (TEXT,), turn) for one in ENRICHERS]


async def serve(life: Life, shards: range) -> None:
    """Follows the given shards with every enricher until asked to stop."""
    folds = enrich_folds(life.database)
    owner = f"{life.config.host}:{life.unit}"
    await follow(life, [Following(life.database, fold, shard, owner) for shard in shards for fold in folds])
