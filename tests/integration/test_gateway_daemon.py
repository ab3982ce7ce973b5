"""The gateway as a daemon: it serves, sweeps what nobody ended, lets calls end, and waits where it has no key."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from api.gateway import server
from lib.life.actor import Life
from lib.spend.budget import Ask
from lib.spend.client import CachedOnly
from lib.spend.ledger import Ledger
from lib.store.connections import Cache, Database
from tests.integration.buying import buy, client, config_of, provider, sums
from tests.sim.serving import serving
from tests.waiting import until


async def _serving(life: Life) -> tuple[asyncio.Task[None], str]:
    """The daemon, and where it listens."""
    url: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(server.serve(life, url.set_result))
    await asyncio.wait({task, url}, timeout=10, return_when=asyncio.FIRST_COMPLETED)
    return task, url.result()


async def test_it_sweeps_what_nobody_ended(
    database: Database, cache: Cache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "SWEEP_S", 0.1)
    ask = Ask(account_id=None, provider="hasdata", operation="web", credits=7, request_id="a", places=1, lease_s=0.05)
    await Ledger(database).reserve(ask)
    life = Life("gateway@0", config_of(tmp_path, "http://127.0.0.1:9", gateway_port=0), database, cache)
    task, url = await _serving(life)
    assert life.shown == f"working: {url}"
    await until(lambda: life.counters.get("swept"))
    found = await sums(database)
    assert (found.used, found.reserved, found.ends) == (7, 0, 1)
    assert life.metrics_address == url.removeprefix("http://")
    life.stop.set()
    await asyncio.wait_for(task, 10)


async def test_what_is_no_http_is_refused_without_a_traceback(
    database: Database,
    cache: Cache,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    life = Life("gateway@0", config_of(tmp_path, "http://127.0.0.1:9", gateway_port=0), database, cache)
    task, url = await _serving(life)
    smuggled = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"
    for sent in (smuggled, b"GET / HTTP/9\r\n\r\n", b"\x16\x03\x01\x00", b"GET /" + b"a" * 10_000 + b" HTTP/1.1\r\n"):
        reader, writer = await asyncio.open_connection(*url.removeprefix("http://").split(":"))
        writer.write(sent)
        assert (await asyncio.wait_for(reader.read(12), 5)) == b"HTTP/1.0 400"
        writer.close()
    life.stop.set()
    await asyncio.wait_for(task, 10)
    assert not caplog.records and "Traceback" not in "".join(capfd.readouterr())


async def test_what_answers_in_its_place_sells_nothing() -> None:
    app = web.Application()
    app.router.add_post("/{path:.*}", _greets)
    async with serving(app) as url, client(url) as caller:
        with pytest.raises(CachedOnly, match="in the gateway's place"):
            await buy(caller, "a")


async def _greets(request: web.Request) -> web.Response:
    return web.Response(text="<html>It works!</html>")


async def test_a_call_in_hand_is_finished_before_it_ends(database: Database, cache: Cache, tmp_path: Path) -> None:
    async with provider(latency_s=0.4) as playing:
        config = replace(config_of(tmp_path, playing.url, gateway_port=0), drain_s=6.0)
        life = Life("gateway@0", config, database, cache)
        task, url = await _serving(life)
        async with client(url) as caller:
            call = asyncio.create_task(buy(caller, "a"))
            await until(lambda: playing.at_once)
            life.stop.set()
            assert (await call).credits == 5
        await asyncio.wait_for(task, 10)
        found = await sums(database)
        assert (found.used, found.reserved) == (5, 0)
        with pytest.raises(aiohttp.ClientError):
            async with aiohttp.ClientSession() as session, session.get(f"{url}/healthz"):
                pass


async def test_without_a_key_it_waits_for_one(database: Database, cache: Cache, tmp_path: Path) -> None:
    life = Life("gateway@0", config_of(tmp_path, "", gateway_key=""), database, cache)
    task = asyncio.create_task(server.serve(life))
    await asyncio.sleep(0.05)
    assert not task.done() and life.state == "idle" and "gateway_key" in life.status
    life.stop.set()
    await asyncio.wait_for(task, 10)
