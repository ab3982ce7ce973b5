"""Leases: one holder at a time, an epoch for each change of hands."""

import anyio

from lib.store import leases
from lib.store.connections import Database
from lib.store.leases import Lease


async def test_one_holder_at_a_time(database: Database) -> None:
    assert await leases.acquire(database, "shard", "a") == Lease("shard", "a", 1)
    assert await leases.acquire(database, "shard", "b") is None
    assert await leases.acquire(database, "other", "b") == Lease("other", "b", 1)


async def test_asking_again_extends_and_keeps_the_epoch(database: Database) -> None:
    await leases.acquire(database, "shard", "a", term_s=0.05)
    await anyio.sleep(0.06)
    assert await leases.acquire(database, "shard", "a") == Lease("shard", "a", 1)
    assert await leases.acquire(database, "shard", "b") is None


async def test_an_expired_lease_changes_hands_under_a_new_epoch(database: Database) -> None:
    await leases.acquire(database, "shard", "a", term_s=0.0)
    assert await leases.acquire(database, "shard", "b", term_s=0.0) == Lease("shard", "b", 2)
    assert await leases.acquire(database, "shard", "a") == Lease("shard", "a", 3)


async def test_renewing_says_which_are_still_ours(database: Database) -> None:
    for name in ("kept", "expired", "lost"):
        await leases.acquire(database, name, "a", term_s=10.0 if name == "kept" else 0.0)
    assert await leases.acquire(database, "lost", "b") is not None
    assert await leases.renew(database, "a", ["kept", "expired", "lost", "never"]) == {"kept", "expired"}
    assert await leases.acquire(database, "expired", "b") is None


async def test_a_released_lease_is_free_at_once_and_is_not_renewed(database: Database) -> None:
    held = await leases.acquire(database, "shard", "a")
    assert held is not None
    await leases.release(database, held)
    assert await leases.renew(database, "a", ["shard"]) == set()
    assert await leases.acquire(database, "shard", "b") == Lease("shard", "b", 2)


async def test_a_zombie_cannot_release_what_another_took(database: Database) -> None:
    zombie = await leases.acquire(database, "shard", "a", term_s=0.0)
    assert zombie is not None
    await leases.acquire(database, "shard", "b")
    await leases.release(database, zombie)
    assert await leases.acquire(database, "shard", "c") is None


async def test_of_many_who_ask_at_once_one_gets_it(database: Database) -> None:
    got: list[Lease | None] = []

    async def ask(owner: str) -> None:
        got.append(await leases.acquire(database, "shard", owner))

    async with anyio.create_task_group() as tasks:
        for number in range(20):
            tasks.start_soon(ask, f"w{number}")
    assert sum(lease is not None for lease in got) == 1
