"""The gateway to paid providers: what is bought, what is not bought twice, and what callers are told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import pytest

from lib.spend.budget import Rules
from lib.spend.client import BadCall, CachedOnly, Gateway
from lib.store.connections import Cache, Database
from tests.integration.buying import (
    GATEWAY_KEY,
    LISTING,
    PROVIDER_KEY,
    account,
    buy,
    client,
    config_of,
    gateway,
    provider,
    sums,
)
from tests.sim.hasdata import Provider
from tests.waiting import until

_LIST = "/proxy/hasdata/indeed_listing"


def _with(**parameters: str) -> dict[str, Any]:
    return {"parameters": LISTING | parameters}


@dataclass
class Bench:
    """A gateway, its provider, a caller and an account that may spend."""

    url: str
    provider: Provider
    gateway: Gateway
    account_id: int
    database: Database

    async def list(self, request_id: str, **how: Any) -> Any:
        return await buy(self.gateway, request_id, **{"account_id": self.account_id} | how)

    async def job(self, request_id: str, **how: Any) -> Any:
        found = orjson.loads((await self.list("list")).body)["jobs"][0]["url"]
        return await self.gateway.call(
            "hasdata", "indeed_job", {"url": found}, **{"account_id": self.account_id, "request_id": request_id} | how
        )


@pytest.fixture
async def bench(database: Database, cache: Cache, tmp_path: Path) -> AsyncIterator[Bench]:
    async with (
        provider() as playing,
        gateway(database, cache, config_of(tmp_path, playing.url)) as url,
        client(url) as caller,
    ):
        yield Bench(url, playing, caller, await account(database), database)


async def test_an_answer_is_bought_settled_and_handed_on(bench: Bench) -> None:
    paid = await bench.list("a")
    assert (paid.credits, paid.again) == (5, False)
    assert orjson.loads(paid.body)["jobs"]
    found = await sums(bench.database)
    assert (found.used, found.reserved, found.reservations, found.ends) == (5, 0, 1, 1)
    assert bench.provider.charged == 5


async def test_the_same_request_is_answered_again_without_a_credit(bench: Bench) -> None:
    first, again = await bench.list("a"), await bench.list("a")
    assert again.body == first.body
    assert (again.credits, again.again) == (0, True)
    assert bench.provider.asked == 1


async def test_requests_with_one_id_at_the_same_time_are_one(bench: Bench) -> None:
    bench.provider.latency_s = 0.2
    answers = await asyncio.gather(*(bench.list("a") for _ in range(8)))
    assert {answer.body for answer in answers} == {answers[0].body}
    assert bench.provider.asked == 1 and (await sums(bench.database)).used == 5


async def test_a_record_is_bought_once_however_many_ask_for_it_at_once(bench: Bench) -> None:
    others = [await account(bench.database) for _ in range(5)]
    bench.provider.latency_s = 0.2
    answers = await asyncio.gather(
        *(bench.job(f"r{one}", account_id=one, record="indeed:1") for one in others), bench.list("another")
    )
    assert len({answer.body for answer in answers[:-1]}) == 1
    assert sorted(answer.credits for answer in answers[:-1]) == [0, 0, 0, 0, 1]
    assert bench.provider.charged == 5 + 5 + 1
    later = await bench.job("later", record="indeed:1")
    assert later.again and later.credits == 0


async def test_an_id_stands_for_one_call_of_one_account(bench: Bench) -> None:
    await bench.list("a")
    for other in ({"account_id": await account(bench.database)}, {}):
        with pytest.raises(BadCall):
            await (bench.list("a", **other) if other else bench.gateway.call(
                "hasdata", "web", {"url": "https://jobs.example.com/1"}, account_id=bench.account_id, request_id="a"
            ))  # fmt: skip
    assert bench.provider.charged == 5


async def test_a_record_is_answered_under_its_id_whoever_goes_on_with_it(bench: Bench) -> None:
    first = await bench.job("a", record="indeed:1")
    other = await account(bench.database)
    again = await bench.job("a", account_id=other, record="indeed:1")
    assert again.again and again.body == first.body
    with pytest.raises(BadCall):
        await bench.job("a", account_id=other, record="indeed:2")


async def test_a_call_that_was_lost_while_another_gateway_held_its_turn_is_not_bought_again(
    bench: Bench, cache: Cache, tmp_path: Path
) -> None:
    config = config_of(tmp_path, bench.provider.url, credits_in_flight=1)
    async with gateway(bench.database, cache, config) as url, client(url) as waiting:

        async def ask(name: str) -> None:
            await buy(waiting, name, account_id=bench.account_id)

        async with asyncio.TaskGroup() as tasks:
            bench.provider.latency_s = 1.2
            tasks.create_task(ask("before"))
            await until(lambda: bench.provider.asked == 1)
            bench.provider.latency_s = 0.1
            bench.provider.misbehave("bad_gateway")
            late = tasks.create_task(_refused(ask("a")))
            await asyncio.sleep(0.2)  # it has looked, and waits for its place
            assert await _refused(bench.list("a"))
        assert late.result()
    assert bench.provider.charged == 10 == (await sums(bench.database)).used


async def _refused(call: Coroutine[Any, Any, Any]) -> bool:
    try:
        await call
    except CachedOnly as refused:
        return refused.lost
    return False


async def test_a_free_account_spends_nothing_but_sees_what_was_bought(bench: Bench) -> None:
    free = await account(bench.database, "free")
    with pytest.raises(CachedOnly) as refused:
        await bench.list("a", account_id=free)
    assert refused.value.why == "share"
    await bench.job("b", record="indeed:1")
    before = await sums(bench.database)
    url = orjson.loads((await bench.list("list")).body)["jobs"][0]["url"]
    seen = await bench.gateway.call(
        "hasdata", "indeed_job", {"url": url}, account_id=free, request_id="c", record="indeed:1"
    )
    assert seen.again and await sums(bench.database) == before


@pytest.mark.parametrize(
    ("kind", "status", "why", "costs"),
    [
        ("server_error", 500, "provider", 0),
        ("bad_request", 400, "provider", 0),
        ("not_found", 404, "provider", 0),
        ("denied", 403, "provider", 0),
        ("redirect", 302, "provider", 0),
        ("not_ok", 200, "provider", 0),
        ("bad_gateway", 502, "provider", 5),
        ("half_body", 200, "provider", 5),
        ("broken_json", 200, "provider", 5),
        ("huge_body", 200, "provider", 5),
        ("reset", None, "provider", 5),
    ],
)
async def test_what_may_have_been_charged_is_settled_and_the_rest_is_released(
    bench: Bench, kind: str, status: int | None, why: str, costs: int
) -> None:
    bench.provider.misbehave(kind)
    with pytest.raises(CachedOnly) as refused:
        await bench.list("a")
    assert (refused.value.why, refused.value.status) == (why, status)
    found = await sums(bench.database)
    assert (found.used, found.reserved, found.ends) == (costs, 0, 1)
    assert bench.provider.charged == costs
    asked = bench.provider.asked
    if costs:  # paid for once: the same call is never paid for again
        with pytest.raises(CachedOnly):
            await bench.list("a")
        assert bench.provider.asked == asked
    else:
        assert (await bench.list("a")).credits == 5


async def test_a_provider_that_is_away_costs_nothing(database: Database, cache: Cache, tmp_path: Path) -> None:
    async with provider() as playing:
        config = config_of(tmp_path, playing.url)
    async with gateway(database, cache, config) as url, client(url) as caller:
        with pytest.raises(CachedOnly) as refused:
            await buy(caller, "a")
        assert refused.value.why == "provider"
        found = await sums(database)
        assert (found.used, found.reserved, found.ends) == (0, 0, 1)


async def test_a_busy_provider_is_asked_again_later(bench: Bench) -> None:
    bench.provider.misbehave("rate_limited", times=1)
    assert (await bench.list("a")).credits == 5
    assert bench.provider.asked == 2 and (await sums(bench.database)).used == 5


async def test_callers_are_sent_away_at_the_end_of_the_budget(database: Database, cache: Cache, tmp_path: Path) -> None:
    rules = Rules(monthly=12)
    async with (
        provider() as playing,
        gateway(database, cache, config_of(tmp_path, playing.url), rules=rules) as url,
        client(url) as caller,
    ):
        for number in range(2):
            await buy(caller, f"{number}")
        with pytest.raises(CachedOnly) as refused:
            await buy(caller, "3")
        assert refused.value.why == "budget" and playing.charged == 10


async def test_an_answer_goes_on_to_be_bought_when_its_caller_leaves(bench: Bench) -> None:
    bench.provider.latency_s = 0.3
    with pytest.raises(CachedOnly) as refused:
        async with client(bench.url, patience_s=0.1) as hasty:
            await buy(hasty, "a", account_id=bench.account_id)
    assert refused.value.why == "busy"
    assert (await bench.list("a")).body
    assert bench.provider.asked == 1 and (await sums(bench.database)).used == 5


async def test_a_key_that_an_answer_repeats_is_never_shown(bench: Bench, capfd: pytest.CaptureFixture[str]) -> None:
    bench.provider.misbehave("echo_key")
    paid = await bench.list("a")
    assert b'"yourKey":"{hasdata}"' in paid.body
    assert PROVIDER_KEY not in (await bench.list("a")).body.decode()
    shown = "".join(capfd.readouterr())
    assert PROVIDER_KEY not in shown and GATEWAY_KEY not in shown


async def test_a_stopped_redis_lets_nothing_be_bought_twice(bench: Bench, cache: Cache) -> None:
    await bench.list("a")
    await cache.client.flushdb()
    answers = await asyncio.gather(*(bench.list(f"b{number}") for number in range(20)))
    assert sum(answer.credits for answer in answers) == 100
    assert bench.provider.charged == 105 == (await sums(bench.database)).used


@pytest.mark.parametrize(
    ("path", "body", "key", "status", "error"),
    [
        (_LIST, {}, "wrong", 401, "refused"),
        (_LIST, {}, "", 401, "refused"),
        ("/status/credits", None, "wrong", 401, "refused"),
        ("/nowhere", {}, GATEWAY_KEY, 404, "refused"),
        ("/proxy/hasdata/everything", {}, GATEWAY_KEY, 404, "unknown"),
        ("/proxy/nobody/indeed_listing", {}, GATEWAY_KEY, 404, "unknown"),
        (_LIST, b"{", GATEWAY_KEY, 400, "malformed"),
        (_LIST, b"\xff\xfe", GATEWAY_KEY, 400, "malformed"),
        (_LIST, b"[" * 100_000, GATEWAY_KEY, 422, "invalid"),
        (_LIST, b" " * (1 << 20), GATEWAY_KEY, 413, "refused"),
        (_LIST, {"more": 1}, GATEWAY_KEY, 422, "invalid"),
        (_LIST, {"request_id": ""}, GATEWAY_KEY, 422, "invalid"),
        (_LIST, {"request_id": "a\0b"}, GATEWAY_KEY, 422, "invalid"),
        (_LIST, {"request_id": "a\n"}, GATEWAY_KEY, 422, "invalid"),
        (_LIST, {"record": "indeed:1\n"}, GATEWAY_KEY, 422, "invalid"),
        (_LIST, {"account_id": 2**63 - 1}, GATEWAY_KEY, 403, "free"),
        (_LIST, b'{"request_id": "a", "parameters": {"keyword": "\\ud800"}}', GATEWAY_KEY, 400, "malformed"),
        (_LIST, b'{"request_id": "a", "account_id": 1e400, "parameters": {}}', GATEWAY_KEY, 422, "invalid"),
        (_LIST, _with(start="٣"), GATEWAY_KEY, 422, "invalid"),
        (_LIST, {"account_id": 0}, GATEWAY_KEY, 422, "invalid"),
        (_LIST, {"parameters": {}}, GATEWAY_KEY, 422, "invalid"),
        (_LIST, _with(keyword="x" * 201), GATEWAY_KEY, 422, "invalid"),
        (_LIST, _with(keyword="a\0"), GATEWAY_KEY, 422, "invalid"),
        (_LIST, _with(domain="evil.example"), GATEWAY_KEY, 422, "invalid"),
        (_LIST, _with(api_key="x"), GATEWAY_KEY, 422, "invalid"),
        ("/proxy/hasdata/web", {"parameters": {"url": "http://169.254.169.254/"}}, GATEWAY_KEY, 422, "invalid"),
        ("/proxy/hasdata/web", {"parameters": {"url": "http://localhost/"}}, GATEWAY_KEY, 422, "invalid"),
        ("/proxy/hasdata/web", {"parameters": {"url": "file:///etc/passwd"}}, GATEWAY_KEY, 422, "invalid"),
        ("/proxy/llm/chat", {"parameters": {"messages": "[]", "max_tokens": "9"}}, GATEWAY_KEY, 422, "invalid"),
    ],
)  # fmt: skip
async def test_wrong_calls_are_refused_clearly_and_cost_nothing(
    bench: Bench, path: str, body: Any, key: str, status: int, error: str
) -> None:
    sent = body if isinstance(body, bytes) else orjson.dumps({"request_id": "a", "parameters": LISTING} | (body or {}))
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.request("GET" if body is None else "POST", bench.url + path, data=sent) as response,
    ):
        assert response.status == status, await response.text()
        told = await response.json()
    assert told["error"] == error and told["detail"]
    assert bench.provider.asked == 0 and (await sums(bench.database)).reservations == 0


async def test_what_is_spent_can_be_looked_up(bench: Bench) -> None:
    await bench.list("a")
    async with aiohttp.ClientSession() as session:
        bearer = {"Authorization": f"Bearer {GATEWAY_KEY}"}
        async with session.get(f"{bench.url}/status/credits", headers=bearer) as response:
            told = await response.json()
        async with session.get(f"{bench.url}/healthz") as response:
            assert response.status == 200
        async with session.get(f"{bench.url}/metrics") as response:
            shown = await response.text()
    assert told["used"] == 5 and told["reserved"] == 0 and told["left"] == 200_000 - 5
    assert 'vakanz_gateway_calls_total{operation="indeed_listing",outcome="ok",provider="hasdata"}' in shown
