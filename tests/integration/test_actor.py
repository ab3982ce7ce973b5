"""A daemon's life, from start to drain."""

import os
import signal
import socket
import threading
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Self

import aiohttp
import anyio
import pytest

from lib.life import actor, logs
from lib.life.actor import Life, run_actor
from lib.life.config import Config
from lib.life.notify import Notifier
from lib.life.renewing import renewing
from lib.store.connections import Cache, Database


class Manager:
    """A service manager that keeps what it is told; its queue holds few datagrams, so a thread empties it."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "manager"
        self._said: list[bytes] = []
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._thread = threading.Thread(target=self._hear)

    def __enter__(self) -> Self:
        self._socket.bind(str(self._path))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as last:
            last.sendto(b"", str(self._path))
        self._thread.join()
        self._socket.close()

    def notifier(self, watchdog_s: float = 60.0) -> Notifier:
        return Notifier({"NOTIFY_SOCKET": str(self._path), "WATCHDOG_USEC": str(int(watchdog_s * 1_000_000))})

    def said(self) -> list[bytes]:
        return list(self._said)

    def _hear(self) -> None:
        while message := self._socket.recv(4_000):
            self._said.append(message)


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


async def test_a_daemon_tells_at_once_that_it_has_started(config: Config, database: Database) -> None:
    async def shown(state: str) -> None:
        now = "SELECT state FROM daemon WHERE unit = 'test@0'"
        while await database.fetchval(now) != state:  # noqa: ASYNC110 -- the database tells nobody
            await anyio.sleep(0.05)

    async def serve(life: Life) -> None:
        await shown("starting")
        life.say("working", "")
        with anyio.fail_after(actor.HEARTBEAT_S / 2):
            await shown("working")
        life.stop.set()

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


async def test_a_hangup_has_the_settings_read_again(
    config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "vakanz.env"
    monkeypatch.setenv("VAKANZ_ENVIRONMENT_FILES", str(file))
    for name, value in config.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(logs._gate, "least", logs._gate.least)
    seen: list[tuple[float, int]] = []

    @renewing
    async def serve(life: Life) -> None:
        seen.append((life.config.host_rate, life.config.api_port))
        if len(seen) == 1:
            file.write_text("VAKANZ_HOST_RATE=2.5\nVAKANZ_API_PORT=1\nVAKANZ_LOG_LEVEL='error'\n")
            os.kill(os.getpid(), signal.SIGHUP)
        else:
            os.kill(os.getpid(), signal.SIGTERM)
        await life.stop.wait()

    with Manager(tmp_path) as manager, anyio.fail_after(10):
        await run_actor("test@0", config, serve, notifier=manager.notifier())
        said = manager.said()
    assert seen == [(4.0, 8080), (2.5, 8080)]
    reloading = next(number for number, one in enumerate(said) if one.startswith(b"RELOADING=1\nMONOTONIC_USEC="))
    assert said[reloading + 1].startswith(b"READY=1")
    assert any(one.startswith(b"STOPPING=1") and b"EXTEND_TIMEOUT_USEC=25500000" in one for one in said)


async def test_settings_that_are_wrong_change_nothing(
    config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "vakanz.env"
    file.write_text("VAKANZ_HOST_RATE=fast\n")
    monkeypatch.setenv("VAKANZ_ENVIRONMENT_FILES", str(file))

    async def serve(life: Life) -> None:
        os.kill(os.getpid(), signal.SIGHUP)
        await anyio.sleep(0.2)
        assert life.config == config
        life.stop.set()

    with anyio.fail_after(10):
        await run_actor("test@0", config, serve)


async def test_work_that_does_not_end_for_new_settings_is_cancelled_after_the_drain(
    config: Config, database: Database, cache: Cache
) -> None:
    life = Life("test@0", replace(config, drain_s=0.1), database, cache)
    rates: list[float] = []

    @renewing
    async def serve(turn: Life) -> None:
        rates.append(turn.config.host_rate)
        turn.say("working", f"turn {len(rates)}")
        if len(rates) == 1:
            life.take(replace(life.config, host_rate=1.0))
            await anyio.sleep_forever()
        life.stop.set()
        await turn.stop.wait()

    with anyio.fail_after(10):
        await serve(life)
    assert rates == [4.0, 1.0]
    assert life.shown == "working: turn 2"


async def test_renewed_work_that_returns_unasked_is_an_error(config: Config) -> None:
    @renewing
    async def serve(_: Life) -> None:
        return

    with pytest.raises(RuntimeError, match="without being asked"):
        await run_actor("test@0", config, serve)


async def test_systemd_is_told_what_the_daemon_waits_for(
    config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(actor, "_STATUS_S", 0.02)

    async def serve(life: Life) -> None:
        life.say("working", "shard 3")
        await anyio.sleep(0.2)
        life.database.link.up = False
        await anyio.sleep(0.2)
        life.database.link.up = True
        await anyio.sleep(0.2)
        life.stop.set()

    with Manager(tmp_path) as manager:
        await run_actor("test@0", config, serve, notifier=manager.notifier())
        told = [one.partition(b"STATUS=")[2] for one in manager.said() if b"STATUS=" in one]
    assert told[1:4] == [b"working: shard 3", b"waiting for postgresql", b"working: shard 3"]


async def test_a_loop_that_hangs_is_not_fed(config: Config, tmp_path: Path) -> None:
    pings: list[int] = []

    with Manager(tmp_path) as manager:

        async def serve(life: Life) -> None:
            await anyio.sleep(0.3)
            pings.append(manager.said().count(b"WATCHDOG=1"))
            time.sleep(0.5)  # noqa: ASYNC251 -- this is what is to be noticed
            pings.append(manager.said().count(b"WATCHDOG=1"))
            life.stop.set()

        await run_actor("test@0", config, serve, notifier=manager.notifier(watchdog_s=0.15))
    assert pings[0] > 1 and pings[1] == pings[0]
