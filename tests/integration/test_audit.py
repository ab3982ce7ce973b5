"""The sealed history: what was altered or removed after its sealing shows."""

from pathlib import Path

import pytest

from lib.life.domains import SHARDS
from lib.store import audit
from lib.store.connections import Database
from tests.integration.crawling import scene
from tests.sim import Market
from tests.sim.market import FEW_SYSTEMS


@pytest.fixture
async def sealed(database: Database, tmp_path: Path) -> Database:
    """A crawled market, every row of its history sealed."""
    async with scene(database, tmp_path, Market(seed=3, companies=5, postings=120, systems=FEW_SYSTEMS)) as crawled:
        await crawled.crawl()
        crawled.sim.advance()
        await crawled.crawl()
    for shard in range(SHARDS):
        while await audit.seal(database, shard):
            pass
    return database


async def broken(database: Database) -> list[str]:
    chains = [await audit.verify(database, shard) for shard in range(SHARDS)]
    return [chain.broken for chain in chains if chain.broken]


async def test_an_untouched_history_is_intact(sealed: Database) -> None:
    chains = [await audit.verify(sealed, shard) for shard in range(SHARDS)]
    assert not [chain for chain in chains if chain.broken]
    assert sum(chain.links for chain in chains) == await sealed.fetchval("SELECT count(*) FROM posting_history") > 120
    assert await audit.unsealed(sealed) == 0


@pytest.mark.parametrize(
    ("tampering", "says"),
    [
        ("UPDATE posting_history SET changes = '{}' WHERE id = (SELECT max(id) FROM posting_history)", "altered"),
        ("UPDATE posting_history SET at = at + interval '1 s' WHERE id = 7", "altered"),
        ("DELETE FROM posting_history WHERE id = 9", "removed"),
        ("DELETE FROM history_seal WHERE history_id = 11", "missing"),
        ("UPDATE history_seal SET hash = sha256('x') WHERE history_id = 5", "altered"),
    ],
)
async def test_tampering_shows(sealed: Database, tampering: str, says: str) -> None:
    # A link cannot be missing at a chain's very end without a head noted elsewhere, so take one that has successors.
    await sealed.execute(tampering)
    found = await broken(sealed)
    assert len(found) == 1
    assert says in found[0]


async def test_two_sealers_make_one_chain(sealed: Database) -> None:
    assert [await audit.seal(sealed, shard) for shard in range(SHARDS)] == [0] * SHARDS
    assert await broken(sealed) == []
