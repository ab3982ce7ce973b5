"""What live search costs: a thousand paid searches of a hundred and twenty profiles, some far more often than others.

They come one after the other, which is no faster than they would on a busy day (30/s). Beside it what scraping for each
search anew would cost: each profile is searched once for itself, with nothing known.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from random import Random

from daemons.discover.actor import DISCOVERY
from lib.match.encoders import Encoders
from lib.match.kept import KeptResults
from lib.match.live import Thresholds
from lib.match.matcher import Matcher
from lib.match.profile import Profile
from lib.match.recorder import Recorder, recording
from lib.match.searcher import Asker, Searcher
from lib.store.connections import Cache, Database
from lib.store.streams import Stream
from tests.bench import job_market
from tests.bench.lab import Lab
from tests.bench.rows import Row, Target
from tests.integration.discovering import Room, room, titles
from tests.sim.market import FEW_SYSTEMS, Market

_SEARCHES, _PROFILES = 1_000, 120
_POSTINGS = 5_000
_FORGET = "TRUNCATE posting, discovery_query, detail_claim, purchase CASCADE"


async def measure(lab: Lab) -> list[Row]:
    """The row `credits of live searches`."""
    profiles = list(job_market.profiles(_PROFILES))
    market = Market(3, None, lab.count(_POSTINGS), systems=FEW_SYSTEMS)
    draws = Random(5).choices(profiles, [1 / rank for rank in range(1, _PROFILES + 1)], k=_SEARCHES)
    async with (
        lab.template() as template,
        lab.clone(template) as dsn,
        Database(dsn) as database,
        Cache(f"{lab.servers.redis_url}?db=4") as cache,
        recording(Recorder(database, 45)) as recorder,
        room(database, cache, lab.folder / "replay", market=market) as live,
        live.daemon(),
    ):
        alone = await _alone(live, recorder, profiles)
        spent, went_on = await _replay(live, recorder, draws)
    anew = sum(alone[profile.digest()] for profile in draws)
    return [
        Row(
            name="credits of live searches", figure=spent, unit="credits", bound="credits, scraping for each search",
            bound_figure=anew, ratio=spent / anew, target=Target("<=", 0.1),
            n=f"{_SEARCHES:,} searches of {_PROFILES} profiles (Zipf), {lab.count(_POSTINGS):,} jobs at the provider",
            beside={"searches that went on": went_on},
        )
    ]  # fmt: skip


def _searcher(live: Room, recorder: Recorder, thresholds: Thresholds) -> Searcher:
    async def unspent() -> bool:
        return False

    encoders = Encoders(titles, lambda: live.texts)
    matcher = Matcher(live.database, encoders, text_model="builtin", expire_days=45, min_score=40)
    kept = KeptResults(live.cache, uuid.uuid4().hex, 0)
    return Searcher(matcher, kept, recorder, thresholds, gateway=True, spent=unspent)


async def _search(live: Room, searcher: Searcher, profile: Profile, account: int) -> int | None:
    """The credits of a search that went on, None of one that had no need to."""
    answer = await searcher.search(profile, Asker(account, None, may_spend=True))
    if answer.live != "running":
        return None
    await Stream(live.cache, DISCOVERY).publish(str(answer.id), {})
    return (await live.ended(answer.id)).credits_used


async def _alone(live: Room, recorder: Recorder, profiles: Sequence[Profile]) -> dict[bytes, int]:
    """Profile -> the credits of its search with nothing known before."""
    searcher = _searcher(live, recorder, Thresholds(100.1, 10**9))
    costs: dict[bytes, int] = {}
    for profile in profiles:
        await live.database.execute(_FORGET)
        costs[profile.digest()] = await _search(live, searcher, profile, await live.account()) or 0
    await live.database.execute(_FORGET)
    return costs


async def _replay(live: Room, recorder: Recorder, draws: Sequence[Profile]) -> tuple[int, int]:
    """Credits of all searches, one after the other, and how many of them went on."""
    searcher = _searcher(live, recorder, Thresholds(live.config.discovery_score, live.config.discovery_found))
    accounts = [await live.account() for _ in range(50)]
    costs = []
    for number, profile in enumerate(draws):
        costs.append(await _search(live, searcher, profile, accounts[number % len(accounts)]))
    paid = [cost for cost in costs if cost is not None]
    return sum(paid), len(paid)
