"""Free searches cost nothing: ten thousand that all call for discovery, and not one credit is even asked for."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from lib.match.searcher import MOST_IN_HAND
from lib.store.connections import Cache, Database
from tests.integration.api_client import Client, caller, open_config, server
from tests.integration.open_market import fill

SEARCHES = 10_000
AT_ONCE = MOST_IN_HAND  # more are turned away
DISCOVERY = "vakanz:stream:{discovery}"
PROFILES = [
    {"text": f"Ich bin {job} und suche in {city}."}
    for job in ("Koch", "Buchhalter", "Elektroniker", "Glasbläser", "Imkerin", "Tierpfleger", "Bühnenbildner", "Winzer")
    for city in ("Berlin", "Wien", "Zürich", "Köln", "Graz")
]


async def test_ten_thousand_free_searches_spend_nothing(database: Database, cache: Cache) -> None:
    await fill(database, 60)
    asked: list[str] = []

    async def gateway(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.json_response({}, status=402)

    counting = web.Application()
    counting.router.add_route("*", "/{path:.*}", gateway)
    async with TestServer(counting) as paid_for:
        config = open_config(gateway_url=str(paid_for.make_url("")), gateway_key="k" * 32, discovery_score=100.0)
        async with TestClient(server(database, cache, config)) as client:
            people = [await caller(database, f"free{number}", "free") for number in range(5)]
            lives = await _search(client, people)
            assert lives["unavailable"] == SEARCHES, lives
            assert await database.fetchval("SELECT count(*) FROM search_request") == SEARCHES
            assert await _spent(database, cache) == (0, 0, 0, 0)
            payer = await caller(database, "payer", "paid")
            answer = await client.post("/match", json=PROFILES[0], headers=payer)
            assert (await answer.json())["live"] == "running"  # the same profile, from somebody who pays
        assert (await _spent(database, cache))[0] == 1
    assert asked == []


async def _search(client: Client, people: list[dict[str, str]]) -> Counter[str]:
    """How often each state of live work was the answer."""
    numbers, lives = iter(range(SEARCHES)), Counter[str]()

    async def one_after_another() -> None:
        for number in numbers:
            profile, headers = PROFILES[number % len(PROFILES)], people[number % len(people)]
            async with client.post("/match", json=profile, headers=headers) as answer:
                assert answer.status == 200, await answer.text()
                body: dict[str, Any] = await answer.json()
            lives[body["live"]] += 1
            assert body["credits_used"] == 0

    async with asyncio.TaskGroup() as group:
        for _ in range(AT_ONCE):
            group.create_task(one_after_another())
    return lives


async def _spent(database: Database, cache: Cache) -> tuple[int, ...]:
    """Discovery jobs, entries of the ledger, purchases, and queries."""
    jobs = await cache.client.xlen(DISCOVERY)
    rows = await database.fetchrow(
        "SELECT (SELECT count(*) FROM credit_entry) AS a, (SELECT count(*) FROM purchase) AS b,"
        " (SELECT count(*) FROM discovery_query) AS c"
    )
    assert rows is not None
    return jobs, *rows
