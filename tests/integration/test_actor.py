"""A daemon's life, from start to drain."""

import os
import signal
import socket
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import aiohttp
import anyio
import pytest

from lib.life import actor
from lib.life.actor import Life, run_actor
from lib.life.config import Config
from lib.life.notify import Notifier
from lib.store.connections import Database


@pytest.fixture
def config(dsn: str, redis_url: str, tmp_path: Path) -> Config:
    return Config(dsn=dsn, redis_url=redis_url, home=tmp_path, host="test", drain_s=0.5)


async def test_sigterm_lets_the_batch_in_hand_commit(config: Config, database: Database) -> None:
    done: list[str] = []

    async def serve(life: Life) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        await life.stop.wait()
        await anyio.sleep(0.1)
        done.append("committed")

    with anyio.fail_after(60):
        await run_actor("test@0", config, serve)
    assert done == ["committed"]
    assert await database.fetchval("SELECT state FROM daemon WHERE unit = 'test@0'") == "stopped"


async def test_a_batch_that_does_not_end_is_cancelled_after_the_drain(config: Config) -> None:
    async def serve(life: Life) -> None:
        life.stop.set()
        await anyio.sleep_forever()

    with anyio.fail_after(60):
        await run_actor("test@0", config, serve)


async def test_returning_unasked_is_an_error(config: Config) -> None:
    async def serve(_: Life) -> None:
        return

    with pytest.raises(RuntimeError, match="without being asked"):
        await run_actor("test@0", config, serve)


async def test_an_error_of_the_work_ends_the_daemon(config: Config) -> None:
    async def serve(_: Life) -> None:
        raise ZeroDivisionError

    with pytest.raises(ExceptionGroup) as caught:
        await run_actor("test@0", config, serve)
    assert caught.group_contains(ZeroDivisionError)


async def test_the_control_plane_asks_to_stop(
    config: Config, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(actor, "HEARTBEAT_S", 0.05)

    async def serve(life: Life) -> None:
        life.count("rows", 50)
        life.say("working", "shard 3")
        await anyio.sleep(0.2)
        await database.execute("UPDATE daemon SET stop_requested = true WHERE unit = 'test@0'")
        await life.stop.wait()

    with anyio.fail_after(60):
        await run_actor("test@0", config, serve)
    row = await database.fetchrow("SELECT * FROM daemon WHERE unit = 'test@0'")
    assert row is not None
    assert (row["counters"], row["pid"], row["host"]) == ({"rows": 50}, os.getpid(), "test")
    assert row["memory_bytes"] > 1_000_000


async def test_the_watchdog_is_fed_by_progress_only(
    config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(actor, "STUCK_S", 0.3)
    path = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(path))
        manager.setblocking(False)
        said: list[bytes] = []

        def fed() -> int:
            """Watchdog pings so far; a queue holds ten datagrams only, so it is emptied often."""
            with suppress(BlockingIOError):
                while True:
                    said.append(manager.recv(1000))
            return said.count(b"WATCHDOG=1")

        async def serve(life: Life) -> None:
            for _ in range(8):
                life.progress()
                await anyio.sleep(0.05)
                fed()
            for _ in range(8):
                await anyio.sleep(0.05)
                before = fed()
            await anyio.sleep(0.3)
            assert fed() == before > 0
            life.stop.set()

        await run_actor(
            "test@0", config, serve, notifier=Notifier({"NOTIFY_SOCKET": str(path), "WATCHDOG_USEC": "100000"})
        )
        fed()
    assert said[0].startswith(b"READY=1")
    assert any(one.startswith(b"STOPPING=1") for one in said)


async def test_a_daemon_shows_its_own_figures(config: Config) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]

    async def serve(life: Life) -> None:
        async with aiohttp.ClientSession() as client, client.get(f"http://127.0.0.1:{port}/metrics") as answer:
            assert "vakanz_crawled_postings_total" in await answer.text()
        life.stop.set()

    await run_actor("test@0", replace(config, metrics_port=port), serve)
