"""The gateway's limits under load: the budget, the calls in flight, the provider's pace and its breaker."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from api.gateway.providers import PROVIDERS
from api.gateway.providers import Provider as Row
from lib.life.config import Config
from lib.net.breaker import BreakerRules
from lib.net.policy import HostLimits
from lib.spend import books
from lib.spend.budget import Rules, rules_of
from lib.spend.client import CachedOnly, Gateway
from lib.store.connections import Cache, Database
from tests.integration.buying import GATEWAY_KEY, LISTING, buy, client, config_of, gateway, provider, sums
from tests.sim.hasdata import Provider

_BUDGET = 1_000
_CALLERS = 64


@pytest.fixture
async def playing() -> AsyncIterator[Provider]:
    async with provider(latency_s=0.01) as found:
        yield found


@asynccontextmanager
async def _callers_of_two(
    database: Database, cache: Cache, config: Config, *, patience_s: float = 10.0, **how: Any
) -> AsyncIterator[list[Gateway]]:
    """A caller of each of two gateways; `how` the gateways are."""
    async with AsyncExitStack() as stack:
        urls = [await stack.enter_async_context(gateway(database, cache, config, **how)) for _ in range(2)]
        yield [await stack.enter_async_context(client(url, patience_s)) for url in urls]


async def _spend(caller: Gateway, name: str, told: Counter[str]) -> None:
    """Buys until nothing more is sold."""
    number = 0
    while True:
        number += 1
        try:
            paid = await buy(caller, f"{name}:{number}")
        except CachedOnly as error:
            told[error.why] += 1
            if error.why == "budget":
                return
        else:
            told["ok"] += 1
            assert paid.credits == 5


async def test_64_callers_of_two_gateways_never_spend_more_than_there_is(
    database: Database, cache: Cache, tmp_path: Path, playing: Provider
) -> None:
    rules = Rules(monthly=_BUDGET + 3)  # not what listings cost: the rest stays
    config = config_of(tmp_path, playing.url)
    told: Counter[str] = Counter()
    playing.misbehave("server_error", times=10)
    playing.misbehave("half_body", times=10)
    breaker = BreakerRules(failures=1_000)
    async with (
        _callers_of_two(database, cache, config, patience_s=20, rules=rules, breaker=breaker) as callers,
        asyncio.timeout(60),
        asyncio.TaskGroup() as tasks,
    ):
        for number in range(_CALLERS):
            tasks.create_task(_spend(callers[number % 2], f"c{number}", told))
    found = await sums(database)
    assert found.used == playing.charged == _BUDGET and found.reserved == 0
    assert found.reservations == found.ends
    assert told["budget"] == _CALLERS and told["ok"] * 5 == _BUDGET - 10 * 5
    assert playing.most_at_once <= 15 and playing.turned_away == 0
    assert await books.verify(database) == []


async def test_two_gateways_together_keep_15_in_flight(
    database: Database, cache: Cache, tmp_path: Path, playing: Provider
) -> None:
    playing.latency_s = 0.3
    config = config_of(tmp_path, playing.url)
    async with _callers_of_two(database, cache, config) as callers:
        paid = await asyncio.gather(*(buy(callers[number % 2], f"{number}") for number in range(60)))
    assert all(one.credits == 5 for one in paid)
    assert 8 <= playing.most_at_once <= 15 and playing.turned_away == 0


async def _answer(url: str, request_id: str) -> tuple[int, str | None, str]:
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {GATEWAY_KEY}"}) as session:
        question = {"request_id": request_id, "parameters": LISTING}
        async with session.post(f"{url}/proxy/hasdata/indeed_listing", json=question) as response:
            body = await response.json()
            return response.status, response.headers.get("Retry-After"), body.get("error", "")


async def test_a_provider_that_keeps_failing_is_left_alone_and_then_probed(
    database: Database, cache: Cache, tmp_path: Path, playing: Provider
) -> None:
    broken = BreakerRules(failures=3, first_open_s=2.0, probe_s=10)
    playing.misbehave("server_error", times=None)
    async with gateway(database, cache, config_of(tmp_path, playing.url), breaker=broken) as url:
        assert [await _answer(url, f"{number}") for number in range(3)] == [(502, None, "provider")] * 3
        status, retry_after, word = await _answer(url, "3")
        assert (status, word) == (503, "resting") and retry_after in ("1", "2")
        entries = (await sums(database)).reservations
        async with gateway(database, cache, config_of(tmp_path, playing.url), breaker=broken) as other:
            assert (await _answer(other, "other"))[2] == "resting"  # what one learned the others know
        assert playing.asked == 3 and entries == 3  # neither the provider nor the ledger was troubled
        playing.behave()
        playing.latency_s = 1.0
        await asyncio.sleep(2.1)
        probed = await asyncio.gather(*(_answer(url, f"probe {number}".replace(" ", "-")) for number in range(5)))
        assert Counter(error for _, _, error in probed) == {"": 1, "resting": 4}
        async with client(url) as caller:  # callers wait the rest out
            assert (await buy(caller, "z")).credits


async def test_a_pause_that_the_provider_asks_for_is_kept(
    database: Database, cache: Cache, tmp_path: Path, playing: Provider
) -> None:
    playing.misbehave("rate_limited")
    async with gateway(database, cache, config_of(tmp_path, playing.url)) as url:
        assert await _answer(url, "a") == (429, "1", "busy")
        assert await _answer(url, "b") == (429, "1", "busy")
        assert playing.asked == 1
        await asyncio.sleep(1.1)
        assert (await _answer(url, "b"))[0] == 200


async def test_two_gateways_buy_the_same_once(
    database: Database, cache: Cache, tmp_path: Path, playing: Provider
) -> None:
    playing.latency_s = 0.3
    config = config_of(tmp_path, playing.url)
    async with _callers_of_two(database, cache, config) as callers:
        by_id = await asyncio.gather(*(buy(one, "a") for one in callers))
        by_record = await asyncio.gather(
            *(buy(one, name, record="indeed:1") for one, name in zip(callers, ("b", "c"), strict=True))
        )
    for answers in (by_id, by_record):
        assert answers[0].body == answers[1].body
        assert sorted((one.credits, one.again) for one in answers) == [(0, True), (5, False)]
    assert playing.asked == 2 and (await sums(database)).used == 10


def _hasdata(limits: HostLimits | None = None, busy_s: float = 10.0) -> dict[str, Row]:
    """The table with another pace, or less patience."""
    row = PROVIDERS["hasdata"]
    operations = {name: replace(one, busy_s=busy_s) for name, one in row.operations.items()}
    return {"hasdata": replace(row, limits=limits or row.limits, operations=operations)}


async def test_gateways_share_the_pace_at_which_a_provider_is_asked(
    database: Database, cache: Cache, tmp_path: Path, playing: Provider
) -> None:
    providers = _hasdata(HostLimits(rate_per_s=10, burst=2, concurrency=None))
    config = config_of(tmp_path, playing.url)
    began = asyncio.get_running_loop().time()
    async with _callers_of_two(database, cache, config, providers=providers) as callers:
        await asyncio.gather(*(buy(callers[number % 2], f"{number}") for number in range(12)))
    assert asyncio.get_running_loop().time() - began >= 0.99  # two at once, then ten a second
    assert playing.asked == 12


async def test_a_provider_that_hangs_is_left_and_presumed_to_have_charged(
    database: Database, cache: Cache, tmp_path: Path, playing: Provider
) -> None:
    playing.misbehave("hang")
    playing.misbehave("slow", seconds=0.2)
    async with (
        gateway(database, cache, config_of(tmp_path, playing.url), providers=_hasdata(busy_s=1.0)) as url,
        client(url) as caller,
    ):
        with pytest.raises(CachedOnly) as hung:
            await buy(caller, "a")
        slow = await buy(caller, "b")
    assert hung.value.why == "provider" and slow.credits == 5
    assert (await sums(database)).used == 10 == playing.charged
    outcomes = await database.fetch("SELECT outcome FROM credit_entry WHERE kind = 'settle' ORDER BY at")
    assert [row["outcome"] for row in outcomes] == ["hung", "ok"]


async def test_the_operator_says_what_may_be_spent(tmp_path: Path) -> None:
    config = config_of(tmp_path, "", credits_monthly=7, credits_floor=2, credits_burst=1.5)
    assert rules_of(config) == Rules(monthly=7, floor=2, burst=1.5)
