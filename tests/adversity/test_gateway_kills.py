"""`kill -9` of the gateway at random moments: no credit is lost, none is spent twice, and the books agree."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

from lib.spend import books
from lib.spend.client import CachedOnly, Gateway
from lib.spend.ledger import Ledger
from lib.store.connections import Database
from tests.adversity.daemons import Daemons
from tests.integration.buying import GATEWAY_KEY, config_of, provider, sums
from tests.sim.hasdata import Provider
from tests.waiting import until

_UNIT = "gateway@0"
_KILLS = 8
_CALLERS = 8


async def _buy(caller: Gateway, name: str, over: asyncio.Event, told: Counter[str]) -> None:
    """Has one listing after the other bought, each under its id until there is an answer or none can come."""
    number = 0
    while not over.is_set():
        number += 1
        parameters = {"keyword": f"{name}-{number} Pflege", "location": "Deutschland"}
        while True:
            try:
                paid = await caller.call(
                    "hasdata", "indeed_listing", parameters, account_id=None, request_id=f"{name}:{number}"
                )
            except CachedOnly as error:
                told[error.why] += 1
                if "paid for" in str(error) or over.is_set():
                    break
            else:
                told["again" if paid.again else "ok"] += 1
                break


async def _sweep(database: Database) -> None:
    """What hangs is presumed spent; here every lease is over at once, so that callers need not wait for minutes."""
    await Ledger(database, clock=lambda: datetime.now(UTC) + timedelta(hours=1)).sweep()


async def _works(playing: Provider) -> None:
    """Waits until something more is bought."""
    bought = len(playing.statement)
    await until(lambda: len(playing.statement) > bought, 30)


async def test_a_killed_gateway_loses_no_credit_and_spends_none_twice(
    dsn: str, database: Database, redis_url: str, tmp_path: Path, unused_tcp_port: int
) -> None:
    port = unused_tcp_port  # the gateway comes back at the same address, like the real one
    rng = random.Random(7)
    told: Counter[str] = Counter()
    over = asyncio.Event()
    async with provider(latency_s=0.03) as playing:
        settings = config_of(
            tmp_path, playing.url, dsn=dsn, redis_url=redis_url, gateway_port=port, log_format="json"
        ).environment()
        async with (
            Daemons(settings, tmp_path / "log") as daemons,
            Gateway(f"http://127.0.0.1:{port}", GATEWAY_KEY, patience_s=3, rng=rng) as caller,
            asyncio.timeout(60),
            asyncio.TaskGroup() as tasks,
        ):
            await daemons.start(_UNIT)
            for number in range(_CALLERS):
                tasks.create_task(_buy(caller, f"c{number}", over, told))
            for _ in range(_KILLS):
                await _works(playing)
                await asyncio.sleep(rng.uniform(0.0, 0.5))
                await daemons.kill(_UNIT)
                await _sweep(database)
                await daemons.start(_UNIT)
            await _works(playing)
            over.set()
        await _sweep(database)
        charged = Counter(charge.about for charge in playing.statement)
        found = await sums(database)
        assert max(charged.values()) == 1  # the same call was never charged twice
        assert found.reserved == 0 and found.reservations == found.ends
        assert playing.charged <= found.used <= playing.charged + 5 * _KILLS * _CALLERS
        assert await books.verify(database) == []
        owned = await database.fetchval("SELECT count(*) FROM purchase")
        settled = await database.fetchval("SELECT count(*) FROM credit_entry WHERE outcome = 'ok'")
        assert owned == settled >= told["ok"] > 0
        assert _key_free(tmp_path / "log")


def _key_free(log: Path) -> bool:
    text = log.read_text(encoding="utf-8", errors="replace")
    return "hasdata-0123456789abcdef" not in text and GATEWAY_KEY not in text and '"event":"call"' in text
