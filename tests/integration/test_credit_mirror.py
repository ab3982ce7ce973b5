"""The figures of credits in Redis: a moment old, and made anew from the ledger."""

from __future__ import annotations

import redis

from lib.spend.mirror import Figures, Mirror
from lib.store.connections import Cache, Database, Link
from tests.integration.spending import Clock, account, ask, ledger


async def test_the_mirror_is_made_anew_when_redis_lost_it(database: Database, cache: Cache, redis_url: str) -> None:
    clock, payer = Clock(), await account(database)
    books_of = ledger(database, clock)
    mirror = Mirror(database, cache, 1_000, clock)
    assert await mirror.figures() == Figures(1_000, 0, 0)
    await books_of.settle((await books_of.reserve(ask(payer))).id, 5, "ok")
    await books_of.reserve(ask(payer))
    assert (await mirror.figures()).left == 1_000, "as it was a moment ago"
    with redis.Redis.from_url(redis_url) as client:
        client.flushdb()
        assert await mirror.figures() == Figures(1_000, 5, 5)
        for key in client.keys("vakanz:credits:*"):
            assert 0 < client.ttl(key) <= 2
            client.set(key, b"\xff not ours")
    assert (await mirror.figures()).left == 990
    clock.go(days=11)
    assert (await mirror.figures()).left == 1_000, "another month"


async def test_without_redis_the_mirror_asks_postgresql(database: Database) -> None:
    clock = Clock()
    async with Cache("redis://127.0.0.1:1", link=Link("redis")) as away:
        mirror = Mirror(database, away, 5, clock)
        assert not await mirror.spent()
        await ledger(database, clock, monthly=5).reserve(ask(None))
        assert await mirror.spent()
