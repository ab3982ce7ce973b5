"""`up` and `demo`: start everything, run the main job, show what came of it, stop everything in order."""

from __future__ import annotations

import fcntl
import secrets
import signal
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import anyio
import anyio.abc
import anyio.to_thread
import structlog
from rich.console import Console
from rich.text import Text

from keeper.local import examples, keeping
from keeper.local.live import Outcome, ask_live, simulated_provider
from keeper.local.market import MAP, Recognise, register, simulated_market
from keeper.local.placement import drain_s, units
from keeper.local.progress import Display, ShownAlerts, Standing, standing
from lib.errors import VakanzError
from lib.life.config import Config
from lib.life.logs import configure
from lib.life.session import make_home, with_servers
from lib.store.connections import Database
from lib.store.embedded import ServerFailed, revive
from lib.store.migrate import migrate
from sql import statements

_SQL = statements("local")
_LOOK_S = 0.5
_REVIVE_S = 5.0
CreateKey = Callable[[Database, str], Awaitable[str]]


class AlreadyUp(VakanzError):
    """Another process runs Vakanz out of the same folder."""


class PortTaken(VakanzError):
    """Somebody else listens where the API should."""


class NotFinished(VakanzError):
    """The main job did not end in time."""


@dataclass(frozen=True, kw_only=True)
class MarketSize:
    """How large a simulated market to play, or which folder of saved payloads."""

    companies: int = 60
    postings: int = 3_000
    seed: int = 1
    replay: Path | None = None


@dataclass(frozen=True, kw_only=True)
class Report:
    """What came of the main job. `matches`: the best one of each example profile; `live`: of a search that bought."""

    standing: Standing
    seconds: float
    matches: list[dict[str, Any]]
    live: Outcome | None = None

    def document(self) -> dict[str, Any]:
        """The report as plain values; `fulltext_lag` is the background follower's."""
        now = self.standing
        names = ("boards", "postings", "described", "enriched", "embedded", "full_embedded", "dead_letters")
        return {name: getattr(now, name) for name in names} | {
            "put_off": now.put_off,
            "max_lag": now.max_lag,
            "lag": dict(now.lags),
            "seconds": round(self.seconds, 1),
            "matches": self.matches,
            "live": None if self.live is None else asdict(self.live),
        }


@dataclass(frozen=True)
class Running:
    """Everything is up: what a caller may look at. `paid_key`: of an account that may buy, where that costs nothing."""

    config: Config
    database: Database
    stop: anyio.Event
    since: datetime
    key: str
    paid_key: str = ""

    @property
    def url(self) -> str:
        """Where the API answers."""
        return f"http://{self.config.api_host}:{self.config.api_port}"


@asynccontextmanager
async def everything(
    config: Config,
    market: MarketSize,
    environment: Mapping[str, str],
    create_key: CreateKey,
    create_paid_key: CreateKey,
    recognise: Recognise,
    console: Console,
) -> AsyncIterator[Running]:
    """Servers, market, keeper and daemons, until the context ends or a signal comes; then all stop in order.

    With a contact configured and no market asked for, the daemons crawl the real web. Raises AlreadyUp, PortTaken.
    """
    make_home(config)
    logs = config.home / "log"
    logs.mkdir(exist_ok=True)
    with (
        _only_one(config.home / "up.lock"),
        (logs / "keeper.log").open("a", encoding="utf-8", buffering=1) as log,
        with_servers(config) as complete,
    ):
        configure("json", config.log_level, to=log, unit="keeper@0")
        await migrate(complete.dsn)
        _free_port(complete.api_host, complete.api_port)
        async with (
            simulated_market(
                companies=market.companies, postings=market.postings, seed=market.seed, replay=market.replay
            ) as address,
            simulated_provider(complete, postings=market.postings, seed=market.seed) as live,
            Database(complete.dsn, pooled=complete.pooled) as database,
        ):
            simulated, complete = live is not complete, replace(live, simulator=address, overpass=MAP)
            since = datetime.now(UTC)
            await register(database, address, recognise)
            await database.execute(_SQL.due_now)
            key = await _key(complete.home / "api-key", database, create_key)
            paid_key = await _key(complete.home / "paid-key", database, create_paid_key) if simulated else ""
            running = Running(complete, database, anyio.Event(), since, key, paid_key)
            async with anyio.create_task_group() as tasks:
                await tasks.start(_stop_on_signal, running.stop, console)

                async def keep() -> None:
                    await keeping.run(
                        units(complete, environment), database=database, redis_url=complete.redis_url, logs=logs,
                        stop=running.stop, alerts=ShownAlerts(console, logs), drain_s=drain_s(complete),
                    )  # fmt: skip
                    tasks.cancel_scope.cancel()

                tasks.start_soon(keep)
                if not (config.dsn and config.redis_url):
                    tasks.start_soon(_keep_servers, config.home)
                try:
                    yield running
                finally:
                    running.stop.set()


async def main_job(running: Running, console: Console, *, limit_s: float | None = None) -> Report | None:
    """Waits until all is crawled and followed, asks for example matches, waits for the texts of those, asks again.

    None when asked to stop before. Raises NotFinished after `limit_s`, ApiFailed.
    """
    report = None
    async with anyio.create_task_group() as tasks:

        async def give_up() -> None:
            await running.stop.wait()
            tasks.cancel_scope.cancel()

        tasks.start_soon(give_up)
        report = await _report(running, console, Patience(running, time.monotonic(), limit_s))
        tasks.cancel_scope.cancel()
    return report


async def _report(running: Running, console: Console, patience: Patience) -> Report:
    with Display(console) as display:
        await patience.finished(display.show)
    first = await examples.ask(running.url, running.key)
    with console.status("reading the full texts of the example matches"):
        ids = [UUID(answer.search_id) for answer in first]
        while await running.database.fetchval(_SQL.unsettled, ids):
            await patience.wait()
    answers = await examples.ask(running.url, running.key)
    now = await patience.finished(lambda _: None)
    matches = [
        {name: answer.matches[0][name] for name in ("id", "title", "company", "score", "reasons")}
        for answer in answers
        if answer.matches
    ]
    seconds, live = time.monotonic() - patience.started, None
    if running.paid_key:
        with console.status("searching live, at a simulated provider"):
            live = await ask_live(running.url, running.paid_key)
    return Report(standing=now, seconds=seconds, matches=matches, live=live)


@dataclass(frozen=True)
class Patience:
    """How long the main job is waited for: not beyond a limit."""

    running: Running
    started: float
    limit_s: float | None

    async def wait(self) -> None:
        """Waits a moment. Raises NotFinished beyond the limit."""
        if self.limit_s is not None and time.monotonic() - self.started > self.limit_s:
            now = await standing(self.running.database, self.running.since)
            raise NotFinished(f"after {self.limit_s:.0f} s: {now}; logs are in {self.running.config.home / 'log'}")
        await anyio.sleep(_LOOK_S)

    async def finished(self, show: Callable[[Standing], None]) -> Standing:
        """The standing once everything is done."""
        while True:
            now = await standing(self.running.database, self.running.since)
            show(now)
            if now.finished:
                return now
            await self.wait()


def show(report: Report, console: Console) -> None:
    """The summary for a person."""
    now = report.standing
    console.print(
        f"\n[bold]{now.boards} boards, {now.postings} postings[/]: {now.described} described, {now.enriched} enriched, "
        f"{now.embedded} embedded ({now.full_embedded} full texts so far), {now.dead_letters} dead letters, "
        f"followers' lag {now.max_lag}, {report.seconds:.0f} s\n"
    )
    for match in report.matches:
        score, title = Text(f"{match['score']:5.1f}", "bold green"), Text(match["title"], "bold")
        console.print(Text.assemble(score, "  ", title, f" · {match['company']}"))
        for reason in match["reasons"][:3]:
            console.print(f"       {reason['text']}", markup=False, emoji=False, highlight=False)
    if report.live is not None:
        live = report.live
        console.print(
            f"\nsearched live for {live.seconds:.0f} s: {live.credits_used} credits used, "
            f"{live.found} matches instead of {live.found_before} ({live.live})"
        )


async def _key(path: Path, database: Database, create_key: CreateKey) -> str:
    """The API key of this machine's own examples, made once and kept beside the data."""
    if not path.exists():
        key = await create_key(database, f"local-{secrets.token_hex(3)}")
        path.touch(mode=0o600)
        path.write_text(key, encoding="utf-8")
    return path.read_text(encoding="utf-8").strip()


async def _keep_servers(home: Path) -> None:
    """Nobody else would start an embedded server again that was killed."""
    while True:
        await anyio.sleep(_REVIVE_S)
        try:
            await anyio.to_thread.run_sync(revive, home)
        except ServerFailed as error:
            structlog.get_logger("servers").error("an embedded server cannot be started", reason=str(error))


async def _stop_on_signal(
    stop: anyio.Event, console: Console, *, task_status: anyio.abc.TaskStatus[None] = anyio.TASK_STATUS_IGNORED
) -> None:
    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        task_status.started()
        async for _ in signals:
            console.print("\nstopping: daemons finish the batch in hand")
            stop.set()


@contextmanager
def _only_one(path: Path) -> Iterator[None]:
    with path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyUp(f"Vakanz is up already in {path.parent}: stop it first, or set VAKANZ_HOME") from None
        yield


def _free_port(host: str, port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise PortTaken(f"{host}:{port}: {error.strerror}; set VAKANZ_API_PORT to another port") from error
