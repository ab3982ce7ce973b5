"""Live search put together: the simulated HasData, a real gateway before it, and discover daemons behind it."""

from __future__ import annotations

import asyncio
import uuid
import zlib
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import anyio
import numpy as np
import numpy.typing as npt

from api.gateway import server
from daemons.discover import actor
from daemons.discover.actor import Works
from lib.life.actor import Life
from lib.life.config import Config
from lib.match import searches
from lib.match.answer import Answer
from lib.match.encoder import TitleEncoder, load_title_encoder
from lib.match.encoders import Encoders
from lib.match.profile import Profile
from lib.match.searches import Event, Search
from lib.store.connections import Cache, Connection, Database
from lib.store.streams import Stream
from tests.sim.hasdata import Provider, playing
from tests.sim.jobsites import JobSites
from tests.sim.market import FEW_SYSTEMS, Market

Floats = npt.NDArray[np.float32]
KEY = "key-of-the-simulated-provider"
BOOKS = Profile(title="Buchhalter", text="Ich führe seit Jahren Bücher und suche eine Stelle.")
_PATIENCE_S = 60.0


class Texts:
    """Stands in for the text network: the same text, the same vector. `asked`: how many texts came at a time."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    def encode_passages(self, texts: Sequence[str]) -> Floats:
        self.asked.append(len(texts))
        rows = [np.random.default_rng(zlib.crc32(text.encode())).standard_normal(384) for text in texts]
        found = np.asarray(rows, dtype=np.float32).reshape(len(texts), 384)
        return found / np.linalg.norm(found, axis=1, keepdims=True)

    encode_queries = encode_passages


@lru_cache(maxsize=1)
def titles() -> TitleEncoder:
    """The table that travels with Vakanz, loaded once."""
    return load_title_encoder()


@dataclass
class Room:
    """A provider, a gateway, and what they share with daemons. `config` names the gateway."""

    database: Database
    cache: Cache
    provider: Provider
    config: Config
    texts: Texts

    @asynccontextmanager
    async def parts(self, unit: str = "discover@0") -> AsyncIterator[Works]:
        """A daemon that does nothing by itself."""
        async with actor.works(self._life(unit), Encoders(titles, lambda: self.texts)) as works:
            yield works

    @asynccontextmanager
    async def daemon(self, unit: str = "discover@0") -> AsyncIterator[Works]:
        """A discover daemon at work."""
        life = self._life(unit)
        async with self.parts(unit) as works, anyio.create_task_group() as tasks:
            tasks.start_soon(actor.work, life, works)
            yield works
            life.stop.set()

    def _life(self, unit: str) -> Life:
        return Life(unit, self.config, self.database, self.cache)

    async def account(self, name: str = "payer", tier: str = "paid") -> int:
        """A new account."""
        return int(
            await self.database.fetchval(
                "INSERT INTO account (name, tier) VALUES ($1, $2) RETURNING id", f"{name}-{uuid.uuid4().hex[:8]}", tier
            )
        )

    async def search(self, account: int, profile: Profile = BOOKS, *, publish: bool = True) -> uuid.UUID:
        """A search that goes on after an empty first answer."""
        search_id = uuid.uuid4()
        answer = Answer(id=search_id, candidates=0, found=0, took_ms=1.0, matches=(), live="running")

        async def work(connection: Connection) -> None:
            await searches.start(connection, [searches.Begun(answer, profile, account, None)])

        await self.database.transaction(work)
        if publish:
            await Stream(self.cache, actor.DISCOVERY).publish(str(search_id), {})
        return search_id

    async def ended(self, search_id: uuid.UUID, patience_s: float = _PATIENCE_S) -> Search:
        """The search when it has ended."""
        with anyio.fail_after(patience_s):
            while True:
                search = await searches.load(self.database, search_id)
                assert search is not None
                if search.live != "running":
                    return search
                await anyio.sleep(0.02)

    async def told(self, search_id: uuid.UUID) -> list[Event]:
        """All that a search told."""
        return await searches.events_after(self.database, {search_id: 0})

    async def settled(self) -> int:
        """Credits that were settled in all."""
        return int(
            await self.database.fetchval(
                "SELECT coalesce(sum(credits), 0)::int FROM credit_entry WHERE kind = 'settle'"
            )
        )


@asynccontextmanager
async def room(
    database: Database,
    cache: Cache,
    folder: Path,
    *,
    market: Market | None = None,
    latency_s: float = 0.0,
    **settings: Any,
) -> AsyncIterator[Room]:
    """A provider and a gateway, until the block ends."""
    sites = JobSites(market or Market(3, companies=12, postings=240, systems=FEW_SYSTEMS))
    async with AsyncExitStack() as stack:
        provider = await stack.enter_async_context(playing(sites, key=KEY, latency_s=latency_s))
        config = Config(
            home=folder, hasdata_url=provider.url, provider_keys=(f"hasdata={KEY}",),
            gateway_key="a-key-for-callers-of-tests", gateway_port=0, drain_s=5.0,
            **settings,
        )  # fmt: skip
        life = Life("gateway@0", config, database, cache)
        listening: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        serving = asyncio.create_task(server.serve(life, listening.set_result))
        await asyncio.wait((serving, listening), return_when=asyncio.FIRST_COMPLETED)
        try:
            yield Room(database, cache, provider, replace(config, gateway_url=await listening), Texts())
        finally:
            life.stop.set()
            await serving
