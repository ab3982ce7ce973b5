"""The life of a daemon: it starts, says so, beats, makes progress, is asked to stop, drains, and ends.

`run_actor` is the frame of every daemon; what the daemon does is one coroutine that gets a `Life`. It looks at
`life.stop` between batches, never inside one, and calls `life.progress()` whenever its loop turned: waiting for
PostgreSQL with backoff is a turn, so an outage makes nobody restart it.
"""

from __future__ import annotations

import gc
import os
import random
import signal
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

import anyio
import anyio.abc
import psutil
import structlog
from prometheus_client import start_http_server

from lib.life import metrics
from lib.life.config import Config
from lib.life.notify import Notifier
from lib.life.session import vakanz_version
from lib.store.connections import Cache, Database, Link
from sql import statements

_SQL = statements("daemons")
HEARTBEAT_S = 15.0
STUCK_S = 180.0
CLEANUP_S = 5.0


@dataclass
class Life:
    """What a daemon's work sees of its own life, and what the outside sees of its work."""

    unit: str
    config: Config
    database: Database
    cache: Cache
    stop: anyio.Event = field(default_factory=anyio.Event)
    counters: dict[str, int] = field(default_factory=dict)
    state: str = "starting"
    status: str = ""
    metrics_address: str | None = None  # where its own figures are, as the control plane tells Prometheus
    _progress_at: float = field(default_factory=time.monotonic)

    def progress(self) -> None:
        """The loop turned."""
        self._progress_at = time.monotonic()

    def count(self, what: str, by: int = 1) -> None:
        """Adds to a counter that the heartbeat carries."""
        self.counters[what] = self.counters.get(what, 0) + by

    def say(self, state: str, status: str) -> None:
        """What the daemon does now: `state` is starting, working, idle, draining or stopped."""
        self.state, self.status = state, status

    @property
    def quiet_s(self) -> float:
        """Seconds since the loop last turned."""
        return time.monotonic() - self._progress_at

    async def pause(self, seconds: float) -> bool:
        """Waits, but not beyond a request to stop. True when it is time to stop."""
        with anyio.move_on_after(seconds):
            await self.stop.wait()
        self.progress()
        return self.stop.is_set()


Serve = Callable[[Life], Awaitable[None]]


async def run_actor(unit: str, config: Config, serve: Serve, *, notifier: Notifier | None = None) -> None:
    """Serves until SIGTERM, SIGINT or the control plane's stop; the batch in hand then has `config.drain_s` to commit.

    Raises RuntimeError when `serve` returns without having been asked to stop; its own errors pass through.
    """
    notifier = notifier or Notifier()
    log = structlog.get_logger("actor")
    figures = start_http_server(config.metrics_port, config.api_host)[0] if config.metrics_port else None
    links = (Link("postgresql", rng=random.Random()), Link("redis", rng=random.Random()))
    async with (
        Database(config.dsn, pooled=config.pooled, link=links[0]) as database,
        Cache(config.redis_url, link=links[1]) as cache,
    ):
        life = Life(unit, config, database, cache)
        if figures is not None:
            life.metrics_address = metrics.address(config.host, config.api_host, config.metrics_port)
        for link in links:
            link.on_waiting(life.progress)
        async with anyio.create_task_group() as background:
            await background.start(_stop_on_signal, life)
            with anyio.CancelScope() as work:
                background.start_soon(_end_of_drain, life, work, notifier)
                background.start_soon(_beat, life, notifier)
                background.start_soon(_watch, life, notifier)
                gc.freeze()  # what was imported stays: the collector need not look through it again and again
                notifier.send(READY="1", STATUS="starting")
                log.info("started", version=vakanz_version(), pid=os.getpid())
                await serve(life)
            background.cancel_scope.cancel()
        with anyio.move_on_after(CLEANUP_S, shield=True):
            life.say("stopped", "")
            await _beat_once(life, datetime.now(UTC))
    if figures is not None:
        figures.shutdown()
    if not life.stop.is_set():
        raise RuntimeError(f"{unit} ended without being asked to stop")
    log.info("stopped", drained=not work.cancelled_caught, **life.counters)


async def _stop_on_signal(life: Life, *, task_status: anyio.abc.TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
    with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        task_status.started()
        async for _ in signals:
            life.stop.set()


async def _end_of_drain(life: Life, work: anyio.CancelScope, notifier: Notifier) -> None:
    await life.stop.wait()
    notifier.send(STOPPING="1", STATUS="draining")
    life.say("draining", "finishing the batch in hand")
    await anyio.sleep(life.config.drain_s)
    work.cancel()


async def _beat(life: Life, notifier: Notifier) -> None:
    started = datetime.now(UTC)
    while True:
        if await _beat_once(life, started):
            life.stop.set()
        notifier.send(STATUS=f"{life.state}: {life.status}" if life.status else life.state)
        await anyio.sleep(HEARTBEAT_S)


async def _beat_once(life: Life, started: datetime) -> bool:
    asked = await life.database.fetchval(
        _SQL.beat, life.unit, life.config.host, os.getpid(), vakanz_version(), started, life.quiet_s, life.state,
        life.status, psutil.Process().memory_info().rss, life.counters, life.metrics_address,
    )  # fmt: skip
    return bool(asked)


async def _watch(life: Life, notifier: Notifier) -> None:
    """Pings systemd's watchdog while there is progress: a hung loop gets none and is killed."""
    if notifier.watchdog_s is None:
        return
    while True:
        if life.quiet_s < STUCK_S:
            notifier.send(WATCHDOG="1")
        await anyio.sleep(notifier.watchdog_s / 3)
