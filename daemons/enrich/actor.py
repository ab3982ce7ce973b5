"""The enrich daemon: hosts every enricher, on any number of shards, in one process."""

from __future__ import annotations

import anyio

from daemons.enrich import ENRICHERS
from daemons.enrich.fold import EnrichFold
from lib.life.actor import Life
from lib.life.following import follow
from lib.store.changes import Following

TEXT = "text"  # whose plain text all others read


async def serve(life: Life, shards: range) -> None:
    """Follows the given shards with every enricher until asked to stop."""
    turn = anyio.CapacityLimiter(1)
    folds = [EnrichFold(life.database, one, () if one.name == TEXT else (TEXT,), turn) for one in ENRICHERS]
    owner = f"{life.config.host}:{life.unit}"
    await follow(life, [Following(life.database, fold, shard, owner) for shard in shards for fold in folds])
