"""Thirty days of every system, of boards that misbehave and of companies that change their system."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

from daemons.upkeep.moves import settle_moves
from lib.posting.closing import CONFIRMATIONS
from lib.store.connections import Database
from tests.integration.crawling import SESSION, Scene, scene
from tests.sim import Market
from tests.sim.market import Rates
from tests.sim.systems import SYSTEMS

SEED = 20_261_122
DAYS = 30
KINDS = (
    "server_error", "not_found", "forbidden", "bad_request", "half_body", "reset", "empty", "truncated", "wrong_total",
    "private_redirect", "broken_json",
)  # fmt: skip
MOVES = {4: "lever", 9: "personio", 14: "greenhouse", 19: "recruitee", 24: "ashby"}  # on which day to which system
RATES = Rates(new=0.03, edited=0.03, closed=0.03, reopened=0.1, touched=0.2)


async def test_after_thirty_bad_days_nothing_is_wrongly_closed_and_nothing_is_a_phantom(
    database: Database, tmp_path: Path
) -> None:
    """Two crawls a day, a fifth of all requests goes wrong; each day is compared with what the market truly has."""
    rng = random.Random(SEED)
    world = Market(SEED, companies=len(SYSTEMS), postings=12 * len(SYSTEMS), rates=RATES)
    async with scene(database, tmp_path, world) as market:
        await market.crawl()
        struck = 0
        for day in range(1, DAYS + 1):
            market.sim.advance()
            market.sim.behave()
            if day in MOVES:
                market.move(rng, MOVES[day])
            faults = [market.sim.misbehave(rng.choice(KINDS), times=None, probability=0.05) for _ in range(4)]
            faults.append(market.sim.misbehave("rate_limited", times=None, probability=0.02, retry_after_s=3_600))
            for _ in range(2):
                await market.crawl()
            await settle_moves(database, SESSION, lambda: None)
            struck += sum(fault.struck for fault in faults)
            truth = market.truth().keys()
            closed = {key for key, row in (await market.rows()).items() if row["state"] == "closed"}
            assert closed & truth == _closed_once(market, closed & truth), f"wrongly closed on day {day}"
        assert struck > 100
        market.sim.behave()
        for _ in range(CONFIRMATIONS + 1):
            await market.crawl()
            await settle_moves(database, SESSION, lambda: None)
        assert await market.open_keys() == market.truth().keys()
        moved = await database.fetch("SELECT id FROM board WHERE state = 'moved'")
        assert len(moved) == len(MOVES)
        heirs = await database.fetchval("SELECT count(*) FROM posting WHERE predecessor_id IS NOT NULL")
        assert heirs > 0


def _closed_once(market: Scene, keys: set[Any]) -> set[Any]:
    """Those that were truly closed once and are open again since, on a board that could not be read since."""
    numbers = market.every_key()
    return keys & {numbers[number] for day in market.sim.market.history for number in day.closed}
