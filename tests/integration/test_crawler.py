"""Crawls of the simulated market: what is new, edited, closed and reopened, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import anyio
import msgspec
import orjson
import pytest

from daemons.crawl.actor import serve
from daemons.crawl.crawler import Outcome
from daemons.sources import source
from lib.errors import Fenced
from lib.life.actor import Life
from lib.life.config import Config
from lib.life.domains import CRAWL_GROUPS
from lib.net.messages import Request, Response
from lib.net.validators import Validators
from lib.posting import boards
from lib.posting.contract import DetailSource, Page
from lib.store import letters
from lib.store.connections import Cache, Database
from tests.integration.crawling import OWNER, SESSION, Altered, Key, Scene, scene
from tests.sim import Market, Rates
from tests.sim.market import FEW_SYSTEMS
from tests.sim.systems import SYSTEMS
from tests.waiting import until


def small_market(seed: int = 1) -> Market:
    """Two boards of each source."""
    return Market(seed, companies=2 * len(SYSTEMS), postings=32 * len(SYSTEMS))


def without_texts(key: Key) -> bool:
    """Whether the posting's list may have none: its detail has, or there are only teasers."""
    return isinstance(source(key[0]), DetailSource) or key[0] in ("adzuna", "beesite", "jooble")


async def test_a_first_crawl_has_every_posting_once(database: Database, tmp_path: Path) -> None:
    async with scene(database, tmp_path, small_market()) as market:
        outcomes = await market.crawl()
        rows, truth = await market.rows(), market.truth()
        assert {key[0] for key in rows} == set(SYSTEMS)
        assert rows.keys() == truth.keys()
        assert await database.fetchval("SELECT count(*) FROM posting") == len(truth)
        for key, row in rows.items():
            # Some are there in two languages: the address then names the other one.
            address, true_address = (url.partition("?language=")[0] for url in (row["url"], truth[key]["url"]))
            assert (row["title"], address) == (truth[key]["title"], true_address)
            assert row["state"] == ("discovered" if row["html"] is None else "described")
            assert row["html"] is not None or without_texts(key)
            assert (row["revision"], row["closed_at"], row["reopened_at"]) == (1, None, None)
        history = await market.history()
        assert {key: len(changes) for key, changes in history.items()} == dict.fromkeys(truth, 1)
        assert [outcome for outcome in outcomes if not outcome.complete or outcome.error] == []
        assert sum(outcome.new for outcome in outcomes) == len(truth)


async def test_every_text_names_the_answer_that_brought_it(database: Database, tmp_path: Path) -> None:
    async with scene(database, tmp_path, small_market()) as market:
        await market.crawl()
        for row in (await market.rows()).values():
            raw = await database.fetchrow("SELECT * FROM raw_response WHERE id = $1", row["raw_response_id"])
            assert raw is not None
            assert raw["board_id"] == row["board_id"]
            answer = await market.blobs.get(raw["blob_key"])
            # Some ids are made of two that the answer has: a vacancy and its language, say.
            assert all(part.encode() in answer for part in re.split(r"\W+", row["external_id"]))


@pytest.mark.parametrize("validators", [True, False], ids=["not modified", "same list again"])
async def test_an_unchanged_board_costs_no_revision(database: Database, tmp_path: Path, validators: bool) -> None:
    async with scene(database, tmp_path, small_market(), validators=validators) as market:
        await market.crawl()
        first = await market.rows()
        outcomes = await market.crawl()
        second = await market.rows()
        assert {outcome.new + outcome.changed + outcome.closed for outcome in outcomes} == {0}
        assert all(outcome.complete for outcome in outcomes)
        assert len(await market.history()) == len(first)
        for key, row in second.items():
            assert row["last_seen"] > first[key]["last_seen"]
            assert (row["revision"], row["changed_xid"]) == (1, first[key]["changed_xid"])
        statuses = {status for host in market.sim.traffic.hosts.values() for status in host.statuses}
        assert (304 in statuses) is validators


async def test_a_day_later_the_rows_say_what_happened(database: Database, tmp_path: Path) -> None:
    world = Market(
        3,
        companies=2 * len(SYSTEMS),
        postings=60 * len(SYSTEMS),
        rates=Rates(new=0.05, edited=0.05, closed=0.04, reopened=0.5),
    )
    async with scene(database, tmp_path, world) as market:
        await market.crawl()
        before, began = await market.rows(), datetime.now(UTC)
        first_day = market.sim.advance()
        for _ in range(3):  # small boards close only what several lists confirm
            await market.crawl(fresh=True)
        after, history = await market.rows(), await market.history()
        keys = market.every_key()
        assert await market.open_keys() == market.truth().keys()
        for number in first_day.new:
            assert keys[number] not in before
            assert (after[keys[number]]["revision"], after[keys[number]]["reopened_at"]) == (1, None)
        for number in first_day.closed:
            row, (*_, last) = after[keys[number]], history[keys[number]]
            assert (row["state"], row["revision"]) == ("closed", 2)
            assert row["closed_at"] >= began
            assert row["changed_xid"] > before[keys[number]]["changed_xid"]
            assert last["changes"] == {"state": [before[keys[number]]["state"], "closed"]}
            assert (last["revision"], last["at"]) == (2, row["closed_at"])
        _assert_edits(first_day.edited, keys, before, after, history)
        quiet = set(before) - {keys[number] for number in (*first_day.closed, *first_day.edited)}
        assert {after[key]["revision"] for key in quiet} == {1}

        second_day = market.sim.advance()
        assert second_day.reopened
        for _ in range(3):
            await market.crawl(fresh=True)
        last_rows, last_history = await market.rows(), await market.history()
        assert await market.open_keys() == market.truth().keys()
        for number in second_day.reopened:
            row, (*_, last) = last_rows[keys[number]], last_history[keys[number]]
            assert row["closed_at"] is None
            assert row["reopened_at"] >= after[keys[number]]["closed_at"]
            assert row["first_seen"] == before[keys[number]]["first_seen"]
            assert last["changes"]["state"] == ["closed", row["state"]]


def _assert_edits(numbers: tuple[int, ...], keys: dict[int, Key], before, after, history) -> None:  # type: ignore[no-untyped-def]
    """Edits of pay and text; a list without texts shows neither."""
    seen = 0
    for number in numbers:
        key = keys[number]
        if without_texts(key):
            continue
        row, (*_, last) = after[key], history[key]
        assert (row["revision"], last["revision"], len(history[key])) == (2, 2, 2)
        assert set(last["changes"]) <= {"text", "stated"}
        assert last["changes"]
        if "text" in last["changes"]:
            assert last["changes"]["text"] == [before[key]["html_hash"].hex(), row["html_hash"].hex()]
        if "stated" in last["changes"]:
            assert last["changes"]["stated"] == [without_nulls(before[key]["stated"]), without_nulls(row["stated"])]
        seen += 1
    assert seen


def without_nulls(value: Any) -> Any:
    """As the history writes it."""
    if not isinstance(value, dict):
        return value
    return {name: without_nulls(inner) for name, inner in value.items() if inner is not None}


async def crawl_altered(market: Scene, board_id: int, alter: Callable[[Any], None]) -> Outcome:
    board = await boards.claim(market.database, OWNER, board_id)
    assert board is not None
    async with market.client() as client:
        return await market.crawler(Altered(client, alter)).crawl(source(board.source), board)


async def test_unreadable_rows_are_set_aside_and_close_nothing(database: Database, tmp_path: Path) -> None:
    async with scene(database, tmp_path, Market(1, companies=1, postings=100, systems=["greenhouse"])) as market:
        await market.crawl()
        await database.execute("DELETE FROM board_validator")
        board = await market.board_of("greenhouse")
        before = await market.open_keys()

        def lose_a_title(body: dict[str, Any]) -> None:
            body["jobs"][0]["title"] = None

        outcome = await crawl_altered(market, board.id, lose_a_title)
        assert (outcome.rejected, outcome.closed, outcome.complete) == (1, 0, True)
        assert await market.open_keys() == before
        (letter,) = await letters.list_letters(database)
        assert (letter.queue, letter.attempts) == ("crawl:greenhouse", 1)
        assert letter.key.startswith(f"{board.tenant}:")
        assert "title" in letter.reason
        assert orjson.loads(letter.payload["raw"] + ("" if letter.payload["raw"].endswith("}") else '"}'))["id"]
        # Read again, changed or not, until it can be read.
        assert await boards.load_marks(database, board.id, SESSION) == {}
        await market.crawl([board.id])
        assert await boards.load_marks(database, board.id, SESSION) != {}


async def test_a_list_of_unreadable_rows_proves_nothing(database: Database, tmp_path: Path) -> None:
    async with scene(database, tmp_path, Market(1, companies=1, postings=20, systems=["ashby"])) as market:
        await market.crawl()
        await database.execute("DELETE FROM board_validator")
        board = await market.board_of("ashby")
        before = await market.open_keys()

        def lose_all_titles(body: dict[str, Any]) -> None:
            for job in body["jobs"]:
                job["title"] = None

        outcome = await crawl_altered(market, board.id, lose_all_titles)
        assert (outcome.seen, outcome.closed, outcome.complete) == (0, 0, False)
        assert await market.open_keys() == before
        assert "not proven complete" in ((await market.board(board.id)).last_error or "")


async def test_a_row_that_the_database_refuses_costs_only_itself(database: Database, tmp_path: Path) -> None:
    class Careless(type(source("greenhouse"))):  # type: ignore[misc]
        """Lets through what no source may: a character that no text of PostgreSQL can hold."""

        def parse(self, tenant: str, response: Response) -> Page:
            page: Page = super().parse(tenant, response)
            poison = msgspec.structs.replace(page.rows[3], title="a\0b")
            return msgspec.structs.replace(page, rows=(*page.rows[:3], poison, *page.rows[4:]))

    async with scene(database, tmp_path, Market(1, companies=1, postings=60, systems=["greenhouse"])) as market:
        board = await boards.claim(database, OWNER, (await market.board_of("greenhouse")).id)
        assert board is not None
        async with market.client() as client:
            outcome = await market.crawler(client).crawl(Careless(), board)
        held = await market.rows()
        assert outcome.complete
        assert len(held) == outcome.seen - 1 > 10
        (letter,) = await letters.list_letters(database)
        assert letter.queue == "crawl:greenhouse"
        assert "CharacterNotInRepertoire" in letter.reason


@pytest.mark.parametrize("stealing", ["before the list", "the claim only ran out"])
async def test_a_crawler_that_lost_its_board_writes_nothing(database: Database, tmp_path: Path, stealing: str) -> None:
    world = Market(1, companies=5, postings=100, rates=Rates(edited=0.5), systems=FEW_SYSTEMS)
    async with scene(database, tmp_path, world) as market:
        await market.crawl()
        market.sim.advance()
        board = await boards.claim(database, OWNER, (await market.board_of("lever")).id)
        assert board is not None
        before = await _everything(database)

        class Late:
            """Somebody else takes the board over while we wait for its list."""

            async def send(self, request: Request, *, validators: Validators | None = None) -> Response:
                taken = "claimed_by = 'thief'" if stealing.startswith("before") else "claimed_until = now()"
                await database.execute(f"UPDATE board SET {taken} WHERE id = $1", board.id)
                before.update(await _everything(database))
                return await client.send(request)

        async with market.client() as client:
            with pytest.raises(Fenced):
                await market.crawler(Late()).crawl(source("lever"), board)
        assert await _everything(database) == before


async def _everything(database: Database) -> dict[str, Any]:
    """All that a crawl may write, without the records of raw answers, which are true whoever asked."""
    tables = ("posting", "posting_text", "posting_history", "posting_vector", "board", "board_validator", "dead_letter")
    return {table: await database.fetchval(f"SELECT jsonb_agg(t ORDER BY t) FROM {table} t") for table in tables}


async def test_crawlers_at_work_together_share_the_boards(
    database: Database, redis_url: str, dsn: str, tmp_path: Path
) -> None:
    async with scene(database, tmp_path, Market(2, companies=20, postings=200)) as market:
        config = Config(home=tmp_path, dsn=dsn, redis_url=redis_url, simulator=market.sim.url, crawl_concurrency=3)
        async with Cache(redis_url) as cache:
            lives = [Life(f"crawl@{number}", config, database, cache) for number in range(3)]
            async with anyio.create_task_group() as tasks:
                for life in lives:
                    tasks.start_soon(serve, life, tuple(map(str, range(CRAWL_GROUPS))))
                with anyio.fail_after(60):
                    await until(lambda: sum(life.counters.get("boards", 0) for life in lives) >= 20)
                for life in lives:
                    life.stop.set()
        assert await market.open_keys() == market.truth().keys()
        assert await database.fetchval("SELECT count(*) FROM posting_history") == 200
        assert sum(life.counters["boards"] for life in lives) == 20
        # Pages that are asked for by a body have one address.
        repeated = "SELECT max(c) FROM (SELECT count(*) c FROM raw_response GROUP BY url, content_hash) r"
        assert await database.fetchval(repeated) == 1
        assert await database.fetchval("SELECT count(*) FROM board WHERE claimed_by IS NOT NULL") == 0
