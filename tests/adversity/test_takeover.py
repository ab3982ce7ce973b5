"""The host of followers when leases are lost and won: work under a lost one ends, and goes on when it is free."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import anyio
import pytest

from lib.life import following as hosting
from lib.life.actor import Life
from lib.life.config import Config
from lib.store import followers, leases
from lib.store.changes import Follower, Prepared
from lib.store.connections import Cache, Database
from tests.integration.change_log import Seen, Tally, change, following, open_log, shard_ids, tallied


class Stuck(Tally):
    """Never ends its first batch."""

    cancelled = 0

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.began = anyio.Event()

    async def prepare(self, posting_ids: Sequence[int]) -> Prepared[Seen]:
        if self.began.is_set():
            return await super().prepare(posting_ids)
        self.began.set()
        try:
            await anyio.sleep_forever()
        except anyio.get_cancelled_exc_class():
            self.cancelled += 1
            raise
        raise AssertionError("nobody wakes it")


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("_RENEW_S", "_RETRY_JOIN_S", "_IDLE_FIRST_S", "_IDLE_CAP_S"):
        monkeypatch.setattr(hosting, name, 0.05)


@asynccontextmanager
async def hosted(database: Database, cache: Cache, *folds: Tally, owner: str = "a") -> AsyncIterator[Life]:
    """A daemon that follows shard 0 with the folds, until the block ends."""
    life = Life("tally@0", Config(), database, cache)
    with anyio.fail_after(60):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(hosting.follow, life, [following(database, fold, owner=owner) for fold in folds])
            yield life
            life.stop.set()


async def until_tallied(database: Database, count: int) -> None:
    with anyio.fail_after(60):
        while len(await tallied(database)) < count:  # noqa: ASYNC110 - the truth is in PostgreSQL
            await anyio.sleep(0.02)


async def test_work_under_a_lost_lease_ends_and_goes_on_when_it_is_free(database: Database, cache: Cache) -> None:
    await open_log(database, 400)
    fold = Stuck(database)
    async with hosted(database, cache, fold):
        await fold.began.wait()
        await database.execute("UPDATE lease SET owner = 'b', epoch = epoch + 1")
        with anyio.fail_after(60):
            while not fold.cancelled:  # noqa: ASYNC110 - another task counts
                await anyio.sleep(0.02)
        assert await tallied(database) == {}
        await database.execute("UPDATE lease SET expires_at = '-infinity'")
        await until_tallied(database, len(await shard_ids(database, 0)))
    assert fold.cancelled == 1
    (status,) = await followers.status(database)
    assert (status.lag, status.epoch) == (0, 3)


async def test_two_daemons_share_and_inherit(database: Database, cache: Cache) -> None:
    """Each shard is followed by one of them; when it stops, the other goes on at once."""
    await open_log(database, 400)
    ids = await shard_ids(database, 0)
    folds = {owner: Tally(database) for owner in "ab"}
    async with hosted(database, cache, folds["a"], owner="a"):
        await until_tallied(database, len(ids))
        async with anyio.create_task_group() as tasks:
            second = Life("tally@1", Config(), database, cache)
            tasks.start_soon(hosting.follow, second, [following(database, folds["b"], owner="b")])
            await anyio.sleep(0.3)
            assert folds["b"].batches == []
            second.stop.set()
    async with hosted(database, cache, folds["b"], owner="b"):
        await change(database, ids)
        await until_tallied(database, 2 * len(ids))
    assert set((await tallied(database)).values()) == {1}
    assert await leases.acquire(database, "follower:tally:0", "c") is not None


async def test_leases_are_renewed_while_a_batch_takes_long(
    database: Database, cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    await open_log(database, 400)
    fold = Stuck(database)
    async with hosted(database, cache, fold) as life:
        await fold.began.wait()
        for _ in range(5):
            await database.execute("UPDATE lease SET expires_at = clock_timestamp() + interval '0.4 s'")
            await anyio.sleep(0.2)
        assert await leases.acquire(database, "follower:tally:0", "b") is None
        assert fold.cancelled == 0
        life.stop.set()
        await database.execute("UPDATE lease SET owner = 'b', epoch = epoch + 1")
    assert await tallied(database) == {}


async def test_one_follower_waits_for_another_in_the_same_daemon(database: Database, cache: Cache) -> None:
    await open_log(database, 400)
    ids = await shard_ids(database, 0)
    first, last = Tally(database), Tally(database, Follower("last", 1, after=("tally",)))
    async with hosted(database, cache, last, first):
        with anyio.fail_after(60):
            while await followers.lags(database) != {"tally": 0, "last": 0}:  # noqa: ASYNC110 - the truth is in PostgreSQL
                await anyio.sleep(0.02)
    assert await tallied(database) == {(posting, 1): 2 for posting in ids}
