"""The life of a daemon: it starts, says so, beats, makes progress, is asked to stop, drains, and ends.

`run_actor` is the frame of every daemon; what the daemon does is one coroutine that gets a `Life`. It looks at
`life.stop` between batches, never inside one, and calls `life.progress()` whenever its loop turned: waiting for
PostgreSQL with backoff is a turn, so an outage makes nobody restart it. SIGHUP has the settings read again.
"""

from __future__ import annotations

import gc
import os
import random
import signal
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import anyio
import anyio.abc
import psutil
import structlog

from lib.errors import ConfigError
from lib.life import logs
from lib.life.config import Config
from lib.life.notify import Notifier
from lib.life.rereading import Settings, take
from lib.life.session import vakanz_version
from lib.store.connections import Cache, Database, Link
from sql import statements

_SQL = statements("daemons")
HEARTBEAT_S = 15.0
STUCK_S = 180.0
CLEANUP_S = 5.0
ENDING_S = 25.0  # after the drain: leases, accounts and pools, each with a bound of its own
_STATUS_S = 1.0


@dataclass
class _Doing:
    """What a daemon said last, and when its loop turned. `begun`: set from the first word after starting on."""

    state: str = "starting"
    status: str = ""
    progress_at: float = field(default_factory=time.monotonic)
    begun: anyio.Event = field(default_factory=anyio.Event)


@dataclass
class Life:
    """What a daemon's work sees of its own life, and what the outside sees of its work."""

    unit: str
    config: Config
    database: Database
    cache: Cache
    stop: anyio.Event = field(default_factory=anyio.Event)
    changed: anyio.Event = field(default_factory=anyio.Event)  # set when `config` was read again, then another one
    counters: dict[str, int] = field(default_factory=dict)
    metrics_address: str | None = None  # where its own figures are, as the control plane tells Prometheus
    _doing: _Doing = field(default_factory=_Doing)

    def turn(self) -> Life:
        """The same life, with its settings of now and a `stop` of its own."""
        return replace(self, stop=anyio.Event())

    def progress(self) -> None:
        """The loop turned."""
        self._doing.progress_at = time.monotonic()

    def count(self, what: str, by: int = 1) -> None:
        """Adds to a counter that the heartbeat carries."""
        self.counters[what] = self.counters.get(what, 0) + by

    def say(self, state: str, status: str) -> None:
        """What the daemon does now: `state` is starting, working, idle, draining or stopped."""
        self._doing.state, self._doing.status = state, status
        if state != "starting":
            self._doing.begun.set()

    async def begin(self) -> None:
        """Waits until the daemon has said something after starting."""
        await self._doing.begun.wait()

    def take(self, config: Config) -> None:
        """Goes on with other settings; work that is made of them begins anew (`lib.life.renewing`)."""
        self.config = config
        self.changed.set()
        self.changed = anyio.Event()

    @property
    def state(self) -> str:
        """As it was said last."""
        return self._doing.state

    @property
    def status(self) -> str:
        """As it was said last."""
        return self._doing.status

    @property
    def shown(self) -> str:
        """What it does now in one line; waiting for a server comes before all else."""
        away = [link.server for link in (self.database.link, self.cache.link) if not link.up]
        if away:
            return f"waiting for {' and '.join(away)}"
        return f"{self.state}: {self.status}" if self.status else self.state

    @property
    def quiet_s(self) -> float:
        """Seconds since the loop last turned."""
        return time.monotonic() - self._doing.progress_at

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
    settings = Settings(os.environ)
    log = structlog.get_logger("actor")
    shown_at, close_figures = _show_figures(config) if config.metrics_port else (None, None)
    links = (Link("postgresql", rng=random.Random()), Link("redis", rng=random.Random()))
    async with (
        Database(config.dsn, pooled=config.pooled, link=links[0]) as database,
        Cache(config.redis_url, link=links[1]) as cache,
    ):
        life = Life(unit, config, database, cache, metrics_address=shown_at)
        for link in links:
            link.on_waiting(life.progress)
        async with anyio.create_task_group() as background:
            asked = life.stop
            await background.start(_obey, life, asked, settings, notifier)
            with anyio.CancelScope() as work:
                background.start_soon(_end_of_drain, life, asked, work, notifier)
                background.start_soon(_beat, life, asked)
                background.start_soon(_watch, life, notifier)
                background.start_soon(_show, life, asked, notifier)
                gc.freeze()  # what was imported stays: the collector need not look through it again and again
                notifier.send(READY="1", STATUS="starting")
                log.info("started", version=vakanz_version(), pid=os.getpid())
                await serve(life)
            background.cancel_scope.cancel()
        with anyio.move_on_after(CLEANUP_S, shield=True):
            life.say("stopped", "")
            await _beat_once(life, datetime.now(UTC))
    if close_figures is not None:
        close_figures()
    if not asked.is_set():
        raise RuntimeError(f"{unit} ended without being asked to stop")
    log.info("stopped", drained=not work.cancelled_caught, **life.counters)


def _show_figures(config: Config) -> tuple[str, Callable[[], None]]:
    """Shows this process's own figures; says where, and how to end that."""
    from prometheus_client import start_http_server  # few daemons show any

    from lib.life.metrics import address

    server, _ = start_http_server(config.metrics_port, config.api_host)
    return address(config.host, config.api_host, config.metrics_port), server.shutdown


async def _obey(
    life: Life,
    asked: anyio.Event,
    settings: Settings,
    notifier: Notifier,
    *,
    task_status: anyio.abc.TaskStatus[None] = anyio.TASK_STATUS_IGNORED,
) -> None:
    with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT, signal.SIGHUP) as signals:
        task_status.started()
        async for number in signals:
            if number == signal.SIGHUP:
                _read_again(life, settings, notifier)
            else:
                asked.set()


def _read_again(life: Life, settings: Settings, notifier: Notifier) -> None:
    log = structlog.get_logger("actor")
    notifier.send(RELOADING="1", MONOTONIC_USEC=str(time.monotonic_ns() // 1_000))
    try:
        found = take(life.config, settings.read())
    except ConfigError as error:
        log.warning("settings left as they were", problems=error.problems)
    else:
        logs.set_level(found.config.log_level)
        log.info("settings read again", taken=found.taken, waiting_for_restart=found.waiting)
        if found.taken:
            life.take(found.config)
    notifier.send(READY="1", STATUS=life.shown)


async def _end_of_drain(life: Life, asked: anyio.Event, work: anyio.CancelScope, notifier: Notifier) -> None:
    await asked.wait()
    life.say("draining", "finishing the batch in hand")
    drain_s = life.config.drain_s
    notifier.send(STOPPING="1", STATUS=life.shown, EXTEND_TIMEOUT_USEC=str(int((drain_s + ENDING_S) * 1_000_000)))
    await anyio.sleep(drain_s)
    work.cancel()


async def _show(life: Life, asked: anyio.Event, notifier: Notifier) -> None:
    """Tells systemd what the daemon does, when that changes and now and then; also that it is ready, in case that a
    busy manager did not hear it."""
    told, at = "", 0.0
    while not asked.is_set():
        if life.shown != told or time.monotonic() - at >= HEARTBEAT_S:
            told, at = life.shown, time.monotonic()
            notifier.send(READY="1", STATUS=told)
        await anyio.sleep(_STATUS_S)


async def _beat(life: Life, asked: anyio.Event) -> None:
    started = datetime.now(UTC)
    wait = life.begin  # a rollout waits for what comes after starting, not for the next beat
    while True:
        if await _beat_once(life, started):
            asked.set()
        with anyio.move_on_after(HEARTBEAT_S):
            await wait()
        wait = anyio.sleep_forever


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
