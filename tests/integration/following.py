"""Followers run by hand until they are at the end of the change log."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import anyio

from daemons.enrich import ENRICHERS
from daemons.enrich.actor import TEXT
from daemons.enrich.fold import EnrichFold
from daemons.upkeep.actor import CHORES
from lib.life.actor import Life
from lib.store.changes import Fold, Following
from lib.store.connections import Database

SHARDS = range(8)
_PATIENCE_S = 60.0
_LAG = "SELECT count(*) FROM posting WHERE shard = $1 AND (changed_xid, id) > ($2::xid8, $3::bigint)"


async def catch_up(database: Database, *folds: Fold[Any], shards: Iterable[int] = SHARDS) -> int:
    """Steps each fold in turn, shard by shard, to the end of the log; how many changes there were.

    The horizon is that of the whole server, so another test's transaction may hold it back for a moment.
    """
    done = 0
    for shard in shards:
        for fold in folds:
            following = Following(database, fold, shard, "tests")
            assert await following.join()
            with anyio.fail_after(_PATIENCE_S):
                while True:
                    rows = await following.step()
                    done += rows
                    if rows == 0:
                        if not await database.fetchval(_LAG, shard, following.place.xid, following.place.id):
                            break
                        await anyio.sleep(0.01)
            await following.leave()
    return done


def enrich_folds(database: Database) -> list[EnrichFold]:
    """All enrichers, as the daemon hosts them."""
    turn = anyio.CapacityLimiter(1)
    return [EnrichFold(database, one, () if one.name == TEXT else (TEXT,), turn) for one in ENRICHERS]


async def do_chore(job: str, life: Life, session: str) -> str:
    """One of upkeep's chores, now."""
    (chore,) = (chore for chore in CHORES if chore.job == job)
    return await chore.work(life, session)
