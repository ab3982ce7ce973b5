"""Listing vectors after the enrichers, and full-text vectors on demand, in the background and after a flush."""

from __future__ import annotations

import asyncio
import os
import zlib
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import anyio
import numpy as np
import numpy.typing as npt
import pytest

from daemons.embed import actor
from daemons.embed.listings import ListingFold
from daemons.embed.texts import TURN_ROWS, TextFold, TextVectors
from lib.life.actor import Life
from lib.life.config import Config
from lib.match.facets import read_facets
from lib.match.titles import forget_titles
from lib.posting import writing
from lib.posting.closing import RECHECK
from lib.store.changes import Following
from lib.store.connections import Cache, Connection, Database
from lib.store.streams import Stream
from tests.integration.crawling import SESSION, Scene, scene
from tests.integration.following import catch_up, enrich_folds
from tests.integration.test_descriptions import describe
from tests.sim import Market
from tests.sim.market import FEW_SYSTEMS
from tests.waiting import until

Floats = npt.NDArray[np.float32]
FULL = "SELECT p.id FROM posting_full_vector f JOIN posting p ON p.id = f.posting_id WHERE full_text IS NOT NULL"


class Words:
    """Stands in for both encoders: the same text, the same vector. Counts what it was asked."""

    def __init__(self) -> None:
        self.asked: list[int] = []
        self.loads = 0

    def load(self) -> Words:
        self.loads += 1
        return self

    def encode(self, titles: Sequence[str]) -> Floats:
        return self._vectors(titles, 256)

    def encode_passages(self, texts: Sequence[str]) -> Floats:
        return self._vectors(texts, 384)

    def encode_queries(self, texts: Sequence[str]) -> Floats:
        return self._vectors(texts, 384)

    def _vectors(self, texts: Sequence[str], size: int) -> Floats:
        self.asked.append(len(texts))
        rows = [np.random.default_rng(zlib.crc32(text.encode())).standard_normal(size) for text in texts]
        found = np.asarray(rows, dtype=np.float32).reshape(len(texts), size)
        return found / np.linalg.norm(found, axis=1, keepdims=True)


@pytest.fixture
async def market(database: Database, tmp_path: Path) -> AsyncIterator[Scene]:
    """A market that is crawled, described and enriched."""
    async with scene(database, tmp_path, Market(1, companies=5, postings=60, systems=FEW_SYSTEMS)) as market:
        await market.crawl()
        await describe(market)
        await catch_up(database, *enrich_folds(database))
        yield market


@pytest.fixture
def words() -> Words:
    return Words()


async def vectors(database: Database) -> dict[int, dict[str, Any]]:
    rows = await database.fetch(
        "SELECT v.*, t.vector, t.id IS NOT NULL AS there"
        " FROM posting_vector v LEFT JOIN title_vector t ON t.id = v.title_id ORDER BY posting_id"
    )
    return {row["posting_id"]: dict(row) for row in rows}


async def test_listing_vectors_carry_what_a_match_filters_on(market: Scene, database: Database, words: Words) -> None:
    await catch_up(database, ListingFold(database, words.load))
    rows, found = {row["id"]: row for row in (await market.rows()).values()}, await vectors(database)
    assert words.loads == 1
    assert found.keys() == rows.keys()
    texts = dict(await database.fetch("SELECT posting_id, description_text FROM posting_text"))
    for posting_id, vector in found.items():
        row = rows[posting_id]
        expected = words.encode([row["title"]])[0]
        assert np.allclose(vector["vector"].to_numpy(), expected, atol=1e-3)
        for name in ("country_code", "language", "remote", "employment"):
            assert vector[name] == row[name]
        assert vector["salary_eur"] == (row["salary_year_max_eur"] or row["salary_year_min_eur"])
        facets = read_facets(row["title"], texts[posting_id])
        assert vector["seniority"] == facets.seniority
        assert vector["skills"] == (None if facets.skills is None else list(facets.skills))
    assert any(vector["skills"] for vector in found.values())
    assert any(vector["salary_eur"] for vector in found.values())


async def test_equal_titles_share_a_vector_which_goes_with_the_last_of_them(
    market: Scene, database: Database, words: Words
) -> None:
    folds = (*enrich_folds(database), ListingFold(database, words.load))
    await database.execute("UPDATE posting SET title = 'Koch' WHERE id % 3 = 0")
    await database.execute("UPDATE posting SET title = 'Bäcker' WHERE id % 3 = 1")
    await database.execute("UPDATE posting SET title = 'Maurer' WHERE id % 3 = 2")
    await catch_up(database, *folds)
    assert await database.fetchval("SELECT count(*) FROM title_vector WHERE id = title_id(vector)") == 3
    assert await forget_titles(database) == 0
    await close(database, [posting_id for posting_id in await vectors(database) if posting_id % 3 == 0])
    await catch_up(database, *folds)
    assert await forget_titles(database) == 1
    assert await database.fetchval("SELECT count(DISTINCT title_id) FROM posting_vector") == 2


async def test_a_title_that_comes_into_use_meanwhile_is_kept(market: Scene, database: Database, words: Words) -> None:
    await catch_up(database, ListingFold(database, words.load))
    posting_id, title = await database.fetchrow("SELECT posting_id, title_id FROM posting_vector LIMIT 1")
    await database.execute("UPDATE posting_vector SET title_id = NULL WHERE title_id = $1", title)

    async def use(connection: Connection) -> int:
        await connection.execute("UPDATE posting_vector SET title_id = $1 WHERE posting_id = $2", title, posting_id)
        return await forget_titles(database)

    assert await database.transaction(use) == 0
    assert await forget_titles(database) == 0


async def test_embedding_again_rewrites_no_row(market: Scene, database: Database, words: Words) -> None:
    fold = ListingFold(database, words.load)
    await catch_up(database, fold)
    versions = "SELECT jsonb_object_agg(posting_id, xmin::text) FROM posting_vector"
    first = await database.fetchval(versions)
    await database.execute("UPDATE follower SET cursor_xid = '0', cursor_id = 0 WHERE name = 'embed'")
    assert await catch_up(database, fold) > 0
    assert await database.fetchval(versions) == first


async def test_listing_vectors_wait_for_every_enricher(market: Scene, database: Database, words: Words) -> None:
    await database.execute("UPDATE follower SET cursor_xid = '0', cursor_id = 0 WHERE name = 'salary'")
    following = Following(database, ListingFold(database, words.load), 1, "tests")
    assert await following.join()
    assert await following.step() == 0
    await following.leave()


async def test_a_closed_posting_loses_its_vector_and_a_reopened_one_gets_it_back(
    market: Scene, database: Database, words: Words
) -> None:
    folds = (*enrich_folds(database), ListingFold(database, words.load))
    await catch_up(database, *folds)
    first = await vectors(database)
    shut = sorted(first)[:7]
    await close(database, shut)
    await catch_up(database, *folds)
    after = await vectors(database)
    assert [posting_id for posting_id, row in after.items() if not row["there"]] == shut
    await market.crawl(fresh=True)  # the lists still have them, but lately their pages were gone
    await catch_up(database, *folds)
    assert await vectors(database) == after
    await database.execute("UPDATE posting SET closed_at = closed_at - $1::interval", RECHECK)
    await market.crawl(fresh=True)
    await catch_up(database, *folds)
    assert await vectors(database) == first


async def test_the_follower_gives_every_text_a_vector_in_small_turns(
    market: Scene, database: Database, words: Words
) -> None:
    made = TextVectors(database, "fake", words.load, lambda: None)
    await catch_up(database, TextFold(made))
    rows = await database.fetch(
        "SELECT f.*, t.html_hash, p.title, t.description_text FROM posting_full_vector f"
        " JOIN posting_text t USING (posting_id) JOIN posting p ON p.id = posting_id"
    )
    assert len(rows) == 60
    for row in rows:
        assert (row["text_hash"], row["model"]) == (row["html_hash"], "fake")
        expected = words.encode_passages([f"{row['title']}\n{row['description_text']}"])[0]
        assert np.allclose(row["full_text"].to_numpy(), expected, atol=1e-3)
    assert max(words.asked) <= TURN_ROWS
    words.asked.clear()
    await database.execute("UPDATE follower SET cursor_xid = '0', cursor_id = 0 WHERE name = 'fulltext'")
    await catch_up(database, TextFold(made))
    assert words.asked == []
    other = TextVectors(database, "another model", words.load, lambda: None)
    await catch_up(database, TextFold(other))
    assert sum(words.asked) == 60
    assert {row["model"] for row in await database.fetch("SELECT model FROM posting_full_vector")} == {"another model"}


async def test_only_what_has_no_vector_of_this_text_and_model_is_embedded(
    market: Scene, database: Database, words: Words
) -> None:
    made = TextVectors(database, "fake", words.load, lambda: None)
    ids = sorted(await ids_of(database))
    assert await made.settle(ids[:10], []) == 10
    assert await made.settle(ids[:12], []) == 2
    await database.execute("UPDATE posting_text SET html_hash = '\\x00' WHERE posting_id = $1", ids[0])
    await close(database, ids[1:3])
    assert await made.settle(ids[:12], []) == 1
    other = TextVectors(database, "another model", words.load, lambda: None)
    assert await other.settle(ids[:12], []) == 10
    assert await made.settle([10**9], []) == 0


@pytest.fixture
async def serving(
    database: Database, cache: Cache, dsn: str, redis_url: str, tmp_path: Path, words: Words,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Callable[[range], Any]]:  # fmt: skip
    """Starts the full-text daemon with the fake encoder; it stops with the test."""
    monkeypatch.setattr(actor, "load_text_encoder", lambda name, cache_dir, threads: words)
    monkeypatch.setattr(actor, "_LOST_AFTER_S", 0.2)
    monkeypatch.setattr(os, "nice", lambda by: by)  # it cannot be taken back
    life = Life("fulltext@0-7", Config(home=tmp_path, dsn=dsn, redis_url=redis_url), database, cache)
    tasks: list[asyncio.Task[None]] = []

    def start(shards: range) -> Life:
        tasks.append(asyncio.create_task(actor.serve_texts(life, shards)))
        return life

    yield start
    life.stop.set()
    await asyncio.gather(*tasks)


async def test_postings_of_a_match_come_before_all_others(
    market: Scene, database: Database, cache: Cache, serving: Callable[[range], Life]
) -> None:
    wanted = sorted(await ids_of(database))[5:25]
    search = await ask(database, wanted)
    await Stream(cache, actor.FULLTEXT_STREAM).publish(str(search), {"posting_ids": wanted})
    life = serving(range(0))  # no shard to follow: only what is asked for
    await until(lambda: life.counters.get("asked", 0) >= len(wanted))
    assert {row["id"] for row in await database.fetch(FULL)} == set(wanted)
    assert await settled(database, search)


async def test_a_search_that_the_stream_lost_is_found_in_the_database(
    market: Scene, database: Database, cache: Cache, serving: Callable[[range], Life]
) -> None:
    wanted = sorted(await ids_of(database))[:9]
    search = await ask(database, wanted)
    await Stream(cache, actor.FULLTEXT_STREAM).publish(str(search), {"posting_ids": wanted})
    await cache.client.flushdb()
    await anyio.sleep(0.25)
    life = serving(range(0))
    await until(lambda: life.counters.get("recovered", 0) >= len(wanted))
    assert {row["id"] for row in await database.fetch(FULL)} == set(wanted)
    assert await settled(database, search)


async def test_one_process_serves_jobs_and_all_shards_with_one_encoder(
    market: Scene, database: Database, cache: Cache, words: Words, serving: Callable[[range], Life]
) -> None:
    life = serving(range(8))
    search = await ask(database, sorted(await ids_of(database))[:20])
    await Stream(cache, actor.FULLTEXT_STREAM).publish(
        str(search), {"posting_ids": sorted(await ids_of(database))[:20]}
    )
    await until(lambda: life.counters.get("fulltext", 0) >= 60)
    for _ in range(500):
        if await settled(database, search):
            break
        await anyio.sleep(0.01)
    assert await settled(database, search)
    assert {row["id"] for row in await database.fetch(FULL)} == await ids_of(database)


async def ids_of(database: Database) -> set[int]:
    return {row["id"] for row in await database.fetch("SELECT id FROM posting")}


async def close(database: Database, ids: list[int]) -> None:
    async def work(connection: Connection) -> None:
        await writing.close_by_id(connection, SESSION, datetime.now(UTC), ids)

    await database.transaction(work)


async def ask(database: Database, posting_ids: list[int]) -> UUID:
    """A search as the API notes it."""
    search = uuid4()
    await database.execute(
        "INSERT INTO search_request (id, profile_hash, candidates, posting_ids, took_ms) VALUES ($1, '', 1, $2, 1)",
        search, posting_ids,
    )  # fmt: skip
    return search


async def settled(database: Database, search: UUID) -> bool:
    return bool(await database.fetchval("SELECT embedded_at IS NOT NULL FROM search_request WHERE id = $1", search))
