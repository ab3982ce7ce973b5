"""Following the change log: cursor, horizon, fencing, versions, bounds and poison."""

import random
from collections.abc import Sequence

import anyio
import asyncpg
import pytest

from lib.errors import Fenced
from lib.store import followers, leases, letters
from lib.store.changes import Follower, Place, Prepared
from lib.store.connections import Database
from tests.integration.change_log import (
    Seen,
    Tally,
    add,
    change,
    following,
    open_log,
    shard_ids,
    tallied,
    to_the_end,
)


async def expire(database: Database) -> None:
    await database.execute("UPDATE lease SET expires_at = clock_timestamp() - interval '1 s'")


async def test_every_change_is_seen_once_in_batches(database: Database) -> None:
    await open_log(database, 1_000)
    fold = Tally(database)
    one = following(database, fold)
    assert await one.join()
    ids = await shard_ids(database, 0)
    assert await to_the_end(one) == len(ids) > 100
    assert [posting for batch in fold.batches for posting in batch] == ids
    assert {len(batch) for batch in fold.batches[:-1]} == {50}
    assert await tallied(database) == {(posting, 1): 1 for posting in ids}

    await change(database, ids[5:8])
    assert await to_the_end(one) == 3
    assert await tallied(database) == {(posting, 1): 1 for posting in ids} | {(posting, 2): 1 for posting in ids[5:8]}


async def test_a_successor_goes_on_where_the_last_one_stood(database: Database) -> None:
    await open_log(database, 800)
    first = following(database, Tally(database))
    assert await first.join()
    await first.step(30)
    await first.leave()
    second = following(database, Tally(database), owner="b")
    assert await second.join()
    assert second.place == first.place
    assert await to_the_end(second) == len(await shard_ids(database, 0)) - 30
    assert set((await tallied(database)).values()) == {1}


async def test_a_change_that_commits_late_is_not_skipped(database: Database, dsn: str) -> None:
    board = await open_log(database, 400)
    early, later, latest = (await shard_ids(database, 0))[:3]
    one = following(database, Tally(database))
    assert await one.join()
    await to_the_end(one)
    slow = await asyncpg.connect(dsn)
    try:
        transaction = slow.transaction()
        await transaction.start()
        await change(slow, [early])  # has the lower transaction id, and commits last
        await change(database, [later])
        await add(database, board, 40)
        assert await one.step() == 0
        await transaction.commit()
    finally:
        await slow.close()
    await change(database, [latest])
    await to_the_end(one)
    assert {(early, 2), (later, 2), (latest, 2)} <= (await tallied(database)).keys()
    assert sorted(posting for posting, _ in await tallied(database)) == sorted(
        [*await shard_ids(database, 0), early, later, latest]
    )


async def test_a_change_that_is_rolled_back_never_happened(database: Database, dsn: str) -> None:
    await open_log(database, 400)
    ids = await shard_ids(database, 0)
    one = following(database, Tally(database))
    assert await one.join()
    await to_the_end(one)
    slow = await asyncpg.connect(dsn)
    transaction = slow.transaction()
    await transaction.start()
    await change(slow, ids[:1])
    await change(database, ids[1:2])
    assert await one.step() == 0
    await slow.close()
    with anyio.fail_after(60):
        while not await one.step():  # noqa: ASYNC110 - the server notices a little later that the session is gone
            await anyio.sleep(0.02)
    assert (ids[0], 2) not in await tallied(database)
    assert (ids[1], 2) in await tallied(database)


async def test_two_workers_never_hold_one_shard(database: Database) -> None:
    await open_log(database, 100)
    one, other = (following(database, Tally(database), owner=owner) for owner in "ab")
    assert await one.join()
    assert not await other.join()
    await one.leave()
    assert await other.join()


async def test_a_worker_that_sleeps_beyond_its_term_writes_nothing(database: Database) -> None:
    await open_log(database, 800)
    entered, awake = anyio.Event(), anyio.Event()

    class Sleeper(Tally):
        async def prepare(self, posting_ids: Sequence[int]) -> Prepared[Seen]:
            prepared = await super().prepare(posting_ids)
            entered.set()
            await awake.wait()
            return prepared

    zombie = following(database, Sleeper(database, poison=await shard_ids(database, 0)))
    assert await zombie.join()
    fenced = anyio.Event()

    async def sleep_and_write() -> None:
        with pytest.raises(Fenced):
            await zombie.step()
        fenced.set()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(sleep_and_write)
        await entered.wait()
        await expire(database)
        successor = following(database, Tally(database), owner="b")
        assert await successor.join()
        await successor.step(7)
        awake.set()
        with anyio.fail_after(60):
            await fenced.wait()
    assert await letters.list_letters(database) == []
    await to_the_end(successor)
    assert set((await tallied(database)).values()) == {1}
    assert len(await tallied(database)) == len(await shard_ids(database, 0))
    assert await leases.renew(database, "a", [zombie.lease_name]) == set()


async def test_a_zombie_is_fenced_before_its_successor_moved(database: Database) -> None:
    await open_log(database, 400)
    zombie, successor = (following(database, Tally(database), owner=owner) for owner in "ab")
    assert await zombie.join()
    await expire(database)
    assert await successor.join()
    with pytest.raises(Fenced):
        await zombie.step()
    assert await tallied(database) == {}


async def test_a_late_joiner_changes_nothing_under_a_later_epoch(database: Database) -> None:
    """It took the lease, slept, and wakes up with another version after somebody else took over and worked."""
    await open_log(database, 400)
    worker = following(database, Tally(database), owner="b")
    assert await worker.join()
    await worker.step()
    await database.execute("UPDATE follower SET epoch = 9")
    late = following(database, Tally(database, Follower("tally", 2)), owner="b")
    assert not await late.join()
    assert late.lease is None
    held = await database.fetchrow("SELECT version, cursor_xid, cursor_id FROM follower")
    assert held is not None
    assert (held["version"], Place(held["cursor_xid"], held["cursor_id"])) == (1, worker.place)


async def test_without_a_lease_nothing_is_written(database: Database) -> None:
    await open_log(database, 400)
    one = following(database, Tally(database))
    assert await one.join()
    one.lease = None
    with pytest.raises(Fenced):
        await one.step()
    assert await tallied(database) == {}


async def test_a_new_version_walks_the_past_again(database: Database) -> None:
    await open_log(database, 400)
    ids = await shard_ids(database, 0)
    for version in (1, 1, 2):
        one = following(database, Tally(database, Follower("tally", version)))
        assert await one.join()
        await to_the_end(one)
        await one.leave()
    assert await tallied(database) == {(posting, 1): 2 for posting in ids}


async def test_the_old_version_cannot_move_a_cursor_that_the_new_one_reset(database: Database) -> None:
    """Both stand at the beginning, so only the epoch tells them apart."""
    await open_log(database, 400)
    old = following(database, Tally(database))
    assert await old.join()
    await expire(database)
    new = following(database, Tally(database, Follower("tally", 2)), owner="b")
    assert await new.join()
    assert old.place == new.place == Place()
    with pytest.raises(Fenced):
        await old.step()
    assert await to_the_end(new) == len(await shard_ids(database, 0))


async def test_a_follower_waits_for_others(database: Database) -> None:
    await open_log(database, 800)
    ids = await shard_ids(database, 0)
    first, second = (following(database, Tally(database, Follower(name, 1))) for name in ("first", "second"))
    last = following(database, Tally(database, Follower("last", 1, after=("first", "second"))))
    assert await first.join()
    assert await last.join()
    await to_the_end(first)
    assert await last.step() == 0, "the second one is not even registered"
    assert await second.join()
    await second.step(20)
    assert await to_the_end(last, 15) == 20
    assert last.place == second.place
    await to_the_end(second)
    assert await to_the_end(last) == len(ids) - 20
    await change(database, ids[:2])
    assert await last.step() == 0


async def test_a_posting_is_seen_last_in_its_last_revision(database: Database) -> None:
    """It changes between reading and writing: its old place is gone, its new one is still to come."""
    await open_log(database, 400)
    ids = await shard_ids(database, 0)

    class Racing(Tally):
        async def prepare(self, posting_ids: Sequence[int]) -> Prepared[Seen]:
            prepared = await super().prepare(posting_ids)
            if len(self.batches) == 1:
                await change(database, posting_ids[:3])
            return prepared

    one = following(database, Racing(database))
    assert await one.join()
    await to_the_end(one)
    assert await tallied(database) == {(posting, 1): 1 for posting in ids} | {(posting, 2): 1 for posting in ids[:3]}


async def test_poison_is_buried_and_its_neighbours_go_on(database: Database) -> None:
    await open_log(database, 1_000)
    ids = await shard_ids(database, 0)
    rng = random.Random(4)
    unready, unwritable = rng.sample(ids, 4), rng.sample(ids, 4)
    unwritable = [posting for posting in unwritable if posting not in unready]
    one = following(database, Tally(database, poison=unready, unwritable=unwritable))
    assert await one.join()
    assert await to_the_end(one) == len(ids)
    bad = {*unready, *unwritable}
    assert await tallied(database) == {(posting, 1): 1 for posting in ids if posting not in bad}
    found = await letters.list_letters(database)
    assert {int(letter.key): (letter.queue, letter.shard, letter.attempts) for letter in found} == dict.fromkeys(
        bad, ("follower:tally", 0, 1)
    )
    assert {letter.reason.split(":")[0] for letter in found} == {"not today", "CharacterNotInRepertoireError"}


async def test_status_counts_what_is_before_each_follower(database: Database) -> None:
    await open_log(database, 800)
    ids = await shard_ids(database, 0)
    one = following(database, Tally(database))
    assert await one.join()
    await one.step(30)
    assert await followers.lags(database) == {"tally": len(ids) - 30}
    await to_the_end(one)
    (status,) = await followers.status(database)
    assert (status.name, status.shard, status.version, status.lag, status.rows) == ("tally", 0, 1, 0, len(ids))
    assert Place(status.cursor_xid, status.cursor_id) == one.place


async def test_a_rebase_reads_everything_again(database: Database) -> None:
    """After a restore into another cluster the ids of old changes lie far ahead of those of new ones."""
    await open_log(database, 400)
    ids = await shard_ids(database, 0)
    one = following(database, Tally(database))
    assert await one.join()
    await to_the_end(one)
    ahead = (await database.fetchval("SELECT pg_current_xact_id()")) + 10**12
    await database.execute("UPDATE posting SET changed_xid = $1::xid8", ahead)
    await database.execute("UPDATE follower SET cursor_xid = $1::xid8", ahead)
    with pytest.raises(followers.AtWork, match="at work"):
        await followers.rebase(database)
    await one.leave()
    await followers.rebase(database)
    assert await one.join()
    assert await to_the_end(one) == len(ids)
    assert await tallied(database) == {(posting, 1): 2 for posting in ids}
