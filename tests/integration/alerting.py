"""Keepers' tellers on a real database, with the simulated Telegram in place of the real one."""

from __future__ import annotations

import asyncio
import random
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

import anyio
from aiohttp import web

from keeper.alerts.ledger import Ledger
from keeper.alerts.plan import Policy
from keeper.alerts.spool import Spool
from keeper.alerts.teller import Teller
from keeper.incident import Incident, Kind
from lib.life.config import Config
from lib.store.connections import Database, Link
from tests.sim.serving import serving
from tests.sim.telegram import TOKEN, Limits, Telegram
from tests.waiting import until

CHAT = -1001
OTHER = 4242
HASTE = Policy(
    calm_s=0.2,
    edit_s=0.1,
    second_s=0.6,
    storm=3,
    storm_s=60.0,
    reminders_s=(600.0,),
    chat_per_s=50.0,
    chat_per_minute=600.0,
)


@dataclass
class Hook:
    """A webhook's receiver."""

    url: str = ""
    taken: list[dict[str, Any]] = field(default_factory=list)


class Gate:
    """A door before PostgreSQL: shut, it ends all connections and takes no new ones, as a server does that is down."""

    def __init__(self, dsn: str) -> None:
        self._server = Path(parse_qs(urlsplit(dsn).query)["host"][0]) / ".s.PGSQL.5432"
        self._folder = Path(tempfile.mkdtemp(prefix="gate-"))
        self._server_of_ours: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self.dsn = dsn.replace(str(self._server.parent), str(self._folder))

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.shut()
        shutil.rmtree(self._folder)

    async def open(self) -> None:
        """Connections pass."""
        self._server_of_ours = await asyncio.start_unix_server(self._pass, self._folder / ".s.PGSQL.5432")

    def shut(self) -> None:
        """No connection passes."""
        if self._server_of_ours is not None:
            self._server_of_ours.close()
        (self._folder / ".s.PGSQL.5432").unlink(missing_ok=True)
        for writer in self._writers:
            writer.transport.abort()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, here = await asyncio.open_unix_connection(self._server)
        self._writers |= {writer, here}
        with suppress(OSError):
            await asyncio.gather(_copy(reader, here), _copy(there, writer))
        self._writers -= {writer, here}


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while chunk := await reader.read(65536):
        writer.write(chunk)
        await writer.drain()
    writer.close()


@dataclass
class Bench:
    """The simulated Telegram, its address, and what a keeper needs."""

    telegram: Telegram
    config: Config
    dsn: str
    state: Path

    @asynccontextmanager
    async def teller(
        self, host: str = "w1", policy: Policy = HASTE, *, killed: bool = False, **changes: Any
    ) -> AsyncIterator[Teller]:
        """A keeper's alerting side at work on `host`. It lets go at the end, unless it is `killed`."""
        config = replace(self.config, host=host, **changes)
        async with Database(self.dsn, link=Link("postgresql", rng=random.Random(1))) as database:
            ledger = Ledger(database, host, Spool(self.state / host), patience_s=0.5, renew_s=0.2)
            teller = Teller(
                config,
                database,
                self.state / host,
                places={"crawl@0": "w1", "descriptions@3": "w2"},
                policy=policy,
                rng=random.Random(),
                look_s=0.05,
                ledger=ledger,
            )
            stop = anyio.Event()
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(teller.serve, stop)
                yield teller
                if killed:
                    ledger.lease = None
                    tasks.cancel_scope.cancel()
                stop.set()

    @asynccontextmanager
    async def hook(self) -> AsyncIterator[Hook]:
        """A receiver of the webhook."""
        hook = Hook()

        async def take(request: web.Request) -> web.Response:
            hook.taken.append(await request.json())
            return web.Response()

        app = web.Application()
        app.router.add_post("/alerts", take)
        async with serving(app) as url:
            hook.url = f"{url}/alerts"
            yield hook

    @asynccontextmanager
    async def gate(self) -> AsyncIterator[Gate]:
        """From now on keepers reach PostgreSQL through a door that can be shut."""
        async with Gate(self.dsn) as gate:
            self.dsn, before = gate.dsn, self.dsn
            yield gate
            self.dsn = before

    async def give_up_lease(self) -> None:
        """The lease is free, and belongs to nobody who lives, as after a long silence of who held it."""
        async with Database(self.dsn) as database:
            await database.execute(
                "UPDATE lease SET owner = 'keeper@nobody', epoch = epoch + 1, expires_at = '-infinity'"
            )

    async def settled(self, teller: Teller) -> None:
        """Waits until nothing is left to be sent, and the tables have all."""
        await until(lambda: not any(one.waiting for one in teller.ledger.book.messages.values()))
        await until(lambda: not teller.ledger.unsaved)


@asynccontextmanager
async def bench(dsn: str, state: Path, *chats: int, limits: Limits | None = None) -> AsyncIterator[Bench]:
    """Everything but the keepers."""
    chats = chats or (CHAT,)
    telegram = Telegram(limits=limits)
    for chat in chats:
        telegram.add_chat(chat)
    async with serving(telegram.app()) as address:
        config = Config(telegram_token=TOKEN, telegram_api=address, telegram_chats=tuple(map(str, chats)))
        yield Bench(telegram, config, dsn, state)


def incident(key: str = "flapping: crawl@0", **changes: Any) -> Incident:
    """An incident of a host."""
    usual = Incident(
        key=key,
        kind=Kind.FLAPPING,
        title=f"{key} on w1",
        since=1_790_000_000.0,
        host="w1",
        units=("crawl@0",),
        why="exit code 1",
        lines=("first line", "second line"),
        did=("restarted 3 times",),
    )
    return replace(usual, **changes)
