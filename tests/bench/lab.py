"""Where measurements happen: own embedded servers with the settings of real use, databases, and a simulated market."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import asyncpg
from msgspec.structs import replace

from daemons.sources import SOURCES, detect
from lib.life.config import Config
from lib.life.fetching import fetcher
from lib.net.fetch import Sink
from lib.net.messages import Request, Response
from lib.net.validators import Validators
from lib.posting import boards
from lib.store.connections import Cache, Database
from lib.store.embedded import Servers
from lib.store.migrate import migrate
from tests.sim.market import FEW_SYSTEMS

REPOSITORY = Path(__file__).resolve().parents[2]
SESSION = "bench"


@dataclass(frozen=True)
class Lab:
    """`postings`: how many to measure with, None for each measurement's own number."""

    servers: Servers
    folder: Path
    postings: int | None
    rounds: int

    def count(self, usual: int) -> int:
        """How many to measure with."""
        return self.postings or usual

    @asynccontextmanager
    async def template(self, fill: Callable[[Database], Awaitable[None]] | None = None) -> AsyncIterator[str]:
        """The name of a migrated database, filled once, to be cloned as often as needed."""
        async with self._created(None) as name:
            await migrate(self.dsn(name))
            if fill is not None:
                async with Database(self.dsn(name)) as database:
                    await fill(database)
            yield name

    @asynccontextmanager
    async def clone(self, template: str) -> AsyncIterator[str]:
        """The DSN of a fresh copy of `template`."""
        async with self._created(template) as name:
            yield self.dsn(name)

    @asynccontextmanager
    async def _created(self, template: str | None) -> AsyncIterator[str]:
        name = f"bench_{uuid.uuid4().hex[:12]}"
        admin = await asyncpg.connect(self.servers.dsn)
        try:
            await admin.execute(f"CREATE DATABASE {name}" + (f" TEMPLATE {template}" if template else ""))
            yield name
            await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
        finally:
            await admin.close()

    def dsn(self, name: str) -> str:
        """The address of the database `name`."""
        return self.servers.dsn.replace("/vakanz?", f"/{name}?")

    def config(self, dsn: str, simulator: str = "") -> Config:
        """The default configuration on the lab's servers."""
        return Config(
            home=self.folder / "home", dsn=dsn, redis_url=self.servers.redis_url, host="bench", log_level="error",
            simulator=simulator,
        )  # fmt: skip


@contextmanager
def simulator(
    postings: int,
    latency_ms: float = 0.0,
    *,
    companies: int | None = None,
    systems: Collection[str] = FEW_SYSTEMS,
) -> Iterator[str]:
    """The address of a simulated market in a process of its own, whose lists never answer 304."""
    command = [sys.executable, "-m", "tests.sim", "--no-validators"]
    command += ["--postings", str(postings), "--latency-ms", str(latency_ms), "--systems", *systems]
    if companies is not None:
        command += ["--companies", str(companies)]
    with subprocess.Popen(command, cwd=REPOSITORY, env=environment(), stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def environment() -> Mapping[str, str]:
    """Of child processes, without anybody's settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("VAKANZ_")}
    return kept | {"PYTHONPATH": str(REPOSITORY)}


def empty(blobs: Path) -> None:
    """Deletes all blobs below a folder, but not the folders, which a store that has been in use has already."""
    for blob in blobs.rglob("*.zst"):
        blob.unlink()


@dataclass(frozen=True)
class Played:
    """A board of the simulated market."""

    source: str
    tenant: str
    url: str
    company: str
    open: int


async def played_boards(url: str, *sources: str) -> list[Played]:
    """The boards of a simulated market, of some sources or of all; career sites are another daemon's."""
    async with aiohttp.ClientSession() as session, session.get(f"{url}/_sim/boards") as answer:
        listed = await answer.json()
    found = [
        Played(*_recognised(one["url"]), one["url"], one["company"], one["open"])
        for one in listed
        if one["source"] in SOURCES
    ]
    return [board for board in found if not sources or board.source in sources]


def _recognised(url: str) -> tuple[str, str]:
    """Source and tenant of a board's address."""
    found = detect(url)
    if found is None:
        raise ValueError(f"the market plays a board that nobody reads: {url}")
    return found[0].name, found[1]


async def register(database: Database, played: list[Played]) -> None:
    """Registers boards and the session that everything is written under."""
    await boards.add_many(database, [(one.source, one.tenant, one.company, one.url, 86_400) for one in played])
    await boards.open_session(database, SESSION, "bench", "bench")


class Saved:
    """Answers that were saved, by what was asked: stands in for the client."""

    def __init__(self) -> None:
        self._answers: dict[tuple[str, tuple[tuple[str, str], ...]], Response] = {}

    async def send(self, request: Request, *, validators: Validators | None = None) -> Response:
        """What came when this was asked."""
        return self._answers[request.url, tuple(request.params.items())]

    async def download(self, request: Request, sink: Sink, *, validators: Validators | None = None) -> Response:
        """The same, piece by piece."""
        response = await self.send(request)
        await sink(response.body)
        return replace(response, body=b"")

    def pages(self, played: list[Played]) -> Iterator[tuple[str, Response]]:
        """All saved answers, each with its source."""
        for board in played:
            for (url, _), response in self._answers.items():
                if url == SOURCES[board.source].request(board.tenant, None).url:
                    yield board.source, response

    @classmethod
    async def lists(cls, config: Config, played: list[Played]) -> Saved:
        """All pages of all lists, fetched from the simulated market."""
        saved = cls()
        async with Cache(config.redis_url) as cache, fetcher(config, cache) as client:
            for board in played:
                source, cursor = SOURCES[board.source], None
                while True:
                    request = source.request(board.tenant, cursor)
                    response = await client.send(request)
                    saved._answers[request.url, tuple(request.params.items())] = response
                    cursor = source.parse(board.tenant, response).cursor
                    if cursor is None:
                        break
        return saved
