"""Language models through the gateway: shown while they write, and paid by the tokens that they counted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from pathlib import Path

import orjson
import pytest

from api.gateway.providers import PROVIDERS
from lib.life.config import Config
from lib.spend import office
from lib.spend.client import CachedOnly, Flow, Gateway
from lib.store.connections import Cache, Database
from tests.integration.buying import buy, client, config_of, gateway, provider, sums
from tests.sim.llm import Kind, Model, playing

_KEY = "llm-0123456789abcdef"
_TEXT = "Eine Zeile nach der anderen, bis alles gesagt ist. " * 8
_QUESTION = {
    "messages": orjson.dumps([{"role": "system", "content": "Kurz."}, {"role": "user", "content": "Wer?"}]).decode(),
    "max_tokens": "200",
}
_CHAT = PROVIDERS["llm"].operations["chat"]
# 9 bytes of text, two frames of 16 tokens and one more, and what may be written, at 20 credits for 1,000 tokens.
_CEILING = 6


@dataclass
class Bench:
    """A gateway, the model behind it, and a caller."""

    model: Model
    gateway: Gateway
    database: Database

    def stream(self, request_id: str) -> AbstractAsyncContextManager[Flow]:
        return self.gateway.stream("llm", "chat", _QUESTION, account_id=None, request_id=request_id)

    async def ask(self, request_id: str) -> tuple[str, int | None]:
        """What the model writes, and the credits that it cost."""
        async with self.stream(request_id) as flow:
            chunks = [orjson.loads(data) async for data in flow]
        return "".join(_delta(chunk) for chunk in chunks), flow.credits


def _delta(chunk: dict[str, list[dict[str, dict[str, str]]]]) -> str:
    return "".join(choice.get("delta", {}).get("content", "") for choice in chunk["choices"])


def _config(folder: Path, model: Model) -> Config:
    return config_of(
        folder, "http://127.0.0.1:9", llm_url=model.url, llm_model="small", llm_credits=20.0,
        provider_keys=(f"llm={_KEY}",),
    )  # fmt: skip


@pytest.fixture
async def bench(database: Database, cache: Cache, tmp_path: Path) -> AsyncIterator[Bench]:
    chat = replace(_CHAT, busy_s=1.5)
    providers = {"llm": replace(PROVIDERS["llm"], operations={"chat": chat})}
    async with (
        playing(Model(lambda messages: _TEXT, _KEY)) as model,
        gateway(database, cache, _config(tmp_path, model), providers=providers) as url,
        client(url, patience_s=5) as caller,
    ):
        yield Bench(model, caller, database)


async def test_an_answer_is_shown_while_it_comes_and_paid_by_its_tokens(bench: Bench) -> None:
    bench.model.latency_s = 0.01
    loop = asyncio.get_running_loop()
    began = loop.time()
    async with bench.stream("a") as flow:
        seen = [loop.time() - began async for _ in flow]
    assert seen[0] < seen[-1] / 2
    assert bench.model.asked == [orjson.loads(_QUESTION["messages"])]
    found = await sums(bench.database)
    assert flow.credits == found.used == -(-bench.model.tokens * 20 // 1000) < _CEILING
    assert found.reserved == 0 and found.ends == 1


async def test_what_is_written_about_a_person_is_not_kept_nor_paid_for_twice(bench: Bench) -> None:
    text, _ = await bench.ask("a")
    assert text == _TEXT
    with pytest.raises(CachedOnly) as refused:
        await bench.ask("a")
    assert refused.value.why == "provider" and len(bench.model.asked) == 1
    assert await bench.database.fetchval("SELECT count(*) FROM purchase") == 0


async def test_two_who_ask_the_same_at_once_see_the_whole_of_one_answer(bench: Bench) -> None:
    bench.model.latency_s = 0.005
    answers = await asyncio.gather(bench.ask("a"), bench.ask("a"))
    assert answers[0] == answers[1] and answers[0][0] == _TEXT
    assert len(bench.model.asked) == 1


@pytest.mark.parametrize("kind", ["cut", "hang"])
async def test_an_answer_that_ends_half_way_is_told_and_presumed_to_cost_the_most(bench: Bench, kind: Kind) -> None:
    bench.model.misbehave(kind)
    seen = []
    with pytest.raises(CachedOnly) as cut:
        async with bench.stream("a") as flow:
            async for data in flow:
                seen.append(data)  # noqa: PERF401 - what came before the end counts
    assert cut.value.why == "provider" and 5 < len(seen) < 50
    found = await sums(bench.database)
    assert (found.used, found.reserved) == (_CEILING, 0)


async def test_an_answer_without_a_count_is_handed_on_and_costs_the_most(bench: Bench) -> None:
    bench.model.misbehave("no_usage")
    assert await bench.ask("a") == (_TEXT, _CEILING)
    outcome = await bench.database.fetchval("SELECT outcome FROM credit_entry WHERE kind = 'settle'")
    assert outcome == "unmetered"


async def test_odd_events_and_a_busy_model_do_no_harm(bench: Bench) -> None:
    bench.model.misbehave("limited")
    bench.model.misbehave("odd_events")
    text, _ = await bench.ask("a")
    assert text == _TEXT


async def test_the_price_is_told_after_a_stream_that_ends_without_its_last_line(bench: Bench) -> None:
    bench.model.misbehave("no_last_line")
    text, cost = await bench.ask("a")
    assert text == _TEXT and cost == -(-bench.model.tokens * 20 // 1000)


async def test_a_model_that_speaks_in_the_gateways_name_is_taken_for_cut_off(bench: Bench) -> None:
    bench.model.misbehave("paid_event")
    with pytest.raises(CachedOnly) as cut:
        await bench.ask("a")
    assert cut.value.why == "provider"


async def test_a_model_that_does_not_stream_gives_nothing(bench: Bench) -> None:
    bench.model.misbehave("not_a_stream")
    with pytest.raises(CachedOnly):
        await bench.ask("a")
    assert (await sums(bench.database)).used == _CEILING


async def test_a_caller_that_leaves_does_not_leave_the_bill_open(bench: Bench) -> None:
    bench.model.latency_s = 0.01
    async with bench.stream("a") as flow:
        async for _ in flow:
            break
    async with asyncio.timeout(5):
        while True:
            found = await sums(bench.database)
            if found.ends:
                break
            await asyncio.sleep(0.05)
    assert found.used == -(-bench.model.tokens * 20 // 1000) and found.reserved == 0


async def test_a_slow_model_leaves_other_providers_their_places(
    database: Database, cache: Cache, tmp_path: Path
) -> None:
    slow = replace(PROVIDERS["llm"], operations={"chat": replace(_CHAT, busy_s=1.5)})
    async with playing(Model(lambda messages: _TEXT, _KEY)) as model, provider() as listings:
        both = _config(tmp_path, model).provider_keys + config_of(tmp_path, "").provider_keys
        config = replace(_config(tmp_path, model), hasdata_url=listings.url, provider_keys=both, credits_in_flight=1)
        async with (
            gateway(database, cache, config, providers={**PROVIDERS, "llm": slow}) as url,
            client(url, patience_s=1.0) as caller,
        ):
            model.misbehave("hang")
            async with Bench(model, caller, database).stream("slow") as flow:
                await anext(aiter(flow))
                assert (await buy(caller, "a")).credits == 5


async def test_a_model_that_costs_more_than_declared_is_shut_until_an_operator_opens_it(
    database: Database, cache: Cache, tmp_path: Path
) -> None:
    cheap = replace(_CHAT, ceiling=lambda parameters, terms: 1)
    providers = {"llm": replace(PROVIDERS["llm"], operations={"chat": cheap})}
    async with (
        playing(Model(lambda messages: _TEXT, _KEY)) as model,
        gateway(database, cache, _config(tmp_path, model), providers=providers) as url,
        client(url) as caller,
    ):
        bench = Bench(model, caller, database)
        _, cost = await bench.ask("a")
        assert cost is not None and cost > 1
        with pytest.raises(CachedOnly) as shut:
            await bench.ask("b")
        assert shut.value.why == "provider" and len(model.asked) == 1
        await office.reopen(database, "llm", "chat", "an operator", "the price was raised")
        await bench.ask("c")
