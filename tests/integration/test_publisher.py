"""Hints for daemons: sent together, in the order in which they were told."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

from api.publisher import DISCOVERY, FULLTEXT, Publisher
from lib.store.connections import Cache
from lib.store.streams import Stream


class CountedCache(Cache):
    """A Redis client that counts its round trips."""

    calls = 0

    async def call(self, work: Any) -> Any:
        self.calls += 1
        return await super().call(work)


async def test_what_was_told_meanwhile_is_sent_together(cache: Cache, redis_url: str) -> None:
    searches = [uuid.uuid4() for _ in range(50)]
    async with CountedCache(redis_url) as counted:
        publisher = Publisher(counted)
        for number, search in enumerate(searches):
            publisher.found(search, [number, 7])
            publisher.goes_on(search)
        publisher.found(uuid.uuid4(), [])
        task = asyncio.create_task(publisher.run())
        goes_on, found = [await Stream(cache, name).read("worker", 100, 10.0) for name in (DISCOVERY, FULLTEXT)]
        publisher.close()
        await task
        assert counted.calls == 2
    assert [entry.job_id for entry in found] == [entry.job_id for entry in goes_on] == [str(one) for one in searches]
    assert [entry.job().payload["posting_ids"] for entry in found] == [[number, 7] for number in range(50)]
