"""Hints for daemons: sent together, in the order in which they were told."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

import pytest

from api.publisher import DISCOVERY, FULLTEXT, Publisher
from lib.store.connections import Cache
from lib.store.streams import Stream
from tests.integration.streaming import until


async def test_what_was_told_meanwhile_is_sent_together(cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    publisher, calls = Publisher(cache), 0
    call = Cache.call

    async def counted(cache: Cache, work: Any) -> Any:
        nonlocal calls
        calls += 1
        return await call(cache, work)

    monkeypatch.setattr(Cache, "call", counted)
    searches = [uuid.uuid4() for _ in range(50)]
    for number, search in enumerate(searches):
        publisher.found(search, [number, 7])
        publisher.goes_on(search)
    publisher.found(uuid.uuid4(), [])
    task = asyncio.create_task(publisher.run())

    async def sent() -> bool:
        return bool(await cache.client.xlen(Stream(cache, DISCOVERY).key) == 50)

    await until(sent)
    publisher.close()
    await task
    assert calls == 2
    found, goes_on = [await Stream(cache, name).read("worker", 100, 0.01) for name in (FULLTEXT, DISCOVERY)]
    assert [entry.job_id for entry in found] == [entry.job_id for entry in goes_on] == [str(one) for one in searches]
    assert [entry.job().payload["posting_ids"] for entry in found] == [[number, 7] for number in range(50)]
