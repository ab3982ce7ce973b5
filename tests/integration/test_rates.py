"""Buckets in Redis: shared by processes, and each process's own while Redis is away."""

from __future__ import annotations

import time

from api.rates import PREFIX, Limit, Rates, take
from lib.store.connections import Cache

FIVE = Limit("free", 5, 300.0)


async def test_processes_share_a_bucket_and_others_have_their_own(cache: Cache, redis_url: str) -> None:
    async with Cache(redis_url) as other:
        here, there = Rates(cache), Rates(other)
        grants = [await (here, there)[number % 2].take("key:1", FIVE) for number in range(6)]
        assert [grant.allowed for grant in grants] == [True] * 5 + [False]
        assert (await there.take("key:2", FIVE)).left == 4
    full, now = 0.0, time.monotonic()
    for grant in grants:
        expected, full = take(FIVE, full, now)
        assert (grant.allowed, grant.left) == (expected.allowed, expected.left)
        assert abs(grant.full_s - expected.full_s) < 30
    assert 50 <= grants[-1].retry_s <= 60
    assert 240_000 < await cache.client.pttl(f"{PREFIX}key:1") <= 301_000


async def test_a_bucket_fills_again(cache: Cache) -> None:
    rates, quick = Rates(cache), Limit("free", 1, 0.5)
    assert (await rates.take("key:1", quick)).allowed
    began = time.monotonic()
    while not (await rates.take("key:1", quick)).allowed:
        assert time.monotonic() < began + 10
    assert time.monotonic() > began + 0.4


async def test_without_redis_each_process_counts_alone() -> None:
    moment = 100.0
    async with Cache("unix:///nowhere/valkey.sock") as gone:
        rates = Rates(gone, lambda: moment)
        assert [(await rates.take("key:1", FIVE)).allowed for _ in range(6)] == [True] * 5 + [False]
        assert (await rates.take("key:2", FIVE)).allowed
        moment += 60.0
        assert [(await rates.take("key:1", FIVE)).allowed for _ in range(2)] == [True, False]


async def test_redis_is_asked_again_after_an_outage(cache: Cache, redis_url: str) -> None:
    moment = 100.0
    real, gone = cache.client, Cache("unix:///nowhere/valkey.sock")
    rates = Rates(gone, lambda: moment)
    await rates.take("key:1", FIVE)
    vars(gone)["client"] = real  # the same address, and a server behind it again
    assert (await rates.take("key:1", FIVE)).left == 3  # still alone: nobody asks at every request
    moment += 6.0
    assert (await rates.take("key:1", FIVE)).left == 4
    assert await real.exists(f"{PREFIX}key:1")
    await gone.client.aclose()
