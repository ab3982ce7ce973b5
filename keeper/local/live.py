"""Live search on this machine: a simulated provider of paid listings, and one search that buys from it."""

from __future__ import annotations

import secrets
import socket
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import aiohttp
import anyio

from keeper.local.examples import ApiFailed
from keeper.local.market import played
from lib.life.config import Config

_KEY = "simulated-key"
_PATIENCE_S = 120.0
_LOOK_S = 0.2
# Few of the market's postings are in Switzerland, so that this one goes on.
PROFILE: Mapping[str, Any] = {
    "title": "Pflegefachkraft",
    "text": "Examinierte Pflegefachkraft, sechs Jahre Chirurgie, Wundmanagement. Ich suche eine Stelle in der Schweiz.",
    "limits": {"countries": ["CH"]},
}


@dataclass(frozen=True)
class Outcome:
    """What came of a live search: its state, why it ended early, how many matches there were before and after, what
    it cost, and the best match."""

    live: str
    why: str | None
    found_before: int
    found: int
    credits_used: int
    seconds: float
    best: str | None


@asynccontextmanager
async def simulated_provider(config: Config, *, postings: int, seed: int) -> AsyncIterator[Config]:
    """The configuration with a gateway to a provider that knows other postings than the boards of `seed`.

    An operator's own gateway is left as it is. Raises NoMarket.
    """
    if config.gateway_url or config.gateway_key:
        yield config
        return
    command = ["tests.sim.hasdata", "--key", _KEY, "--seed", str(seed + 1), "--postings", str(postings)]
    async with played(command) as address:
        port = _free_port()
        yield replace(
            config, hasdata_url=address, provider_keys=(f"hasdata={_KEY}",), gateway_key=secrets.token_urlsafe(24),
            gateway_host="127.0.0.1", gateway_port=port, gateway_url=f"http://127.0.0.1:{port}", discovery_score=100.0,
        )  # fmt: skip


async def ask_live(url: str, key: str) -> Outcome:
    """One search of a paying account, until it has ended. Raises ApiFailed."""
    started = time.monotonic()
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {key}"}) as client:
        async with client.post(f"{url}/match", json=PROFILE) as answer:
            first = state = await _body(answer)
        with anyio.move_on_after(_PATIENCE_S):
            while state["live"] == "running":
                await anyio.sleep(_LOOK_S)
                async with client.get(f"{url}/searches/{first['id']}") as answer:
                    state = await _body(answer)
    newest = state.get("answer") or first
    best = next(iter(newest["matches"]), None)
    return Outcome(
        live=state["live"], why=state["live_why"], found_before=first["found"], found=newest["found"],
        credits_used=state["credits_used"], seconds=round(time.monotonic() - started, 1), best=best and best["title"],
    )  # fmt: skip


async def _body(answer: aiohttp.ClientResponse) -> dict[str, Any]:
    if answer.status != 200:
        raise ApiFailed(f"{answer.method} {answer.url.path}: {answer.status}: {await answer.text()}"[:500])
    body: dict[str, Any] = await answer.json()
    return body


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])
