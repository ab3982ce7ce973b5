"""Free and paying people search at once while PostgreSQL restarts: no wrong answer, no lost credit."""

from __future__ import annotations

import asyncio
from pathlib import Path
from random import Random

from api.app import create_app
from lib.match.profile import Limits, Profile
from lib.store.connections import Cache, Database
from lib.store.migrate import migrate
from tests.adversity.rush import judge, over, people, rush
from tests.adversity.servers import Servers
from tests.integration.discovering import room
from tests.integration.open_market import encoders, fill
from tests.sim.serving import serving

_PROFILES = [
    Profile(text=f"{title} mit Erfahrung", limits=Limits(countries=countries))
    for title in ("Koch", "Buchhalter", "Elektriker", "Glasbläser", "Data Engineer", "Pflegefachkraft")
    for countries in (("DE",), ("AT", "CH"))
]


async def test_a_restart_of_postgresql_among_many_searches(tmp_path: Path) -> None:
    with Servers(tmp_path / "servers") as servers:
        await migrate(servers.dsn)
        async with (
            Database(servers.dsn) as database,
            Cache(servers.redis_url) as cache,
            room(database, cache, tmp_path, api_host="0.0.0.0", rate_free=10**6, rate_paid=10**6) as live,
            live.daemon(),
        ):
            await fill(database, 300)
            async with serving(create_app(live.config, database, cache, encoders())) as url:
                outcome = await rush(
                    url, await people(database, 10), _PROFILES,
                    rate=30, seconds=5, rng=Random(1), midway=lambda: asyncio.to_thread(servers.restart_postgres),
                )  # fmt: skip
                await over(database)
            charged = live.provider.charged
            await judge(database, outcome, charged)
    assert outcome.wrong == []
    assert set(outcome.statuses) <= {200, 503}
    assert outcome.statuses[200] > 30
    assert outcome.live["paid: running"] > 0
    assert charged > 0
