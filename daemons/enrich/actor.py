"""The enrich daemon: hosts any enrichers, on any number of shards, in one process."""

from __future__ import annotations

from collections.abc import Collection

import anyio

from daemons.enrich import ENRICHERS
from daemons.enrich.fold import EnrichFold
from lib.life.actor import Life
from lib.life.following import follow
from lib.store.changes import Following
from lib.store.connections import Database

TEXT = "text"  # whose plain text all others read


NAMES = tuple(one.name for one in ENRICHERS)


def enrich_folds(database: Database, names: Collection[str] = NAMES) -> list[EnrichFold]:
    """The enrichers of these names as followers. They compute in turn: they would only fight over the interpreter."""
    turn = anyio.CapacityLimiter(1)
    return [
        EnrichFold(database, one, () if one.name == TEXT else (TEXT,), turn) for one in ENRICHERS if one.name in names
    ]


async def serve(life: Life, enrichers: Collection[str], shards: range) -> None:
    """Follows the given shards with these enrichers until asked to stop."""
    folds = enrich_folds(life.database, enrichers)
    owner = f"{life.config.host}:{life.unit}"
    await follow(life, [Following(life.database, fold, shard, owner) for shard in shards for fold in folds])
