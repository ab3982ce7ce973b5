"""Details of postings whose lists have no texts: fetched once, put off, given up, or found to be gone."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from daemons.crawl.walk import Fetch
from daemons.descriptions.fold import DescriptionFold
from daemons.sources import SOURCES, source
from lib.life.actor import Life
from lib.life.config import Config
from lib.posting import boards
from lib.posting.boards import Board
from lib.posting.closing import RECHECK
from lib.store import letters
from lib.store.connections import Cache, Database
from tests.integration.crawling import OWNER, SESSION, Altered, Scene, Unhurried, scene
from tests.integration.following import SHARDS, catch_up, do_chore
from tests.sim import Market, Rates
from tests.sim.market import FEW_SYSTEMS

NAME = "smartrecruiters"
HOST = "api.smartrecruiters.com"


@pytest.fixture
async def market(database: Database, tmp_path: Path) -> AsyncIterator[Scene]:
    """The largest board without texts, crawled once; nothing described yet."""
    async with scene(
        database, tmp_path, Market(4, companies=5, postings=60, rates=Rates(closed=0.2), systems=FEW_SYSTEMS)
    ) as market:
        await market.crawl([(await market.board_of(NAME)).id])
        yield market


@pytest.fixture
def life(database: Database, cache: Cache, dsn: str, redis_url: str, tmp_path: Path) -> Life:
    return Life("upkeep@0", Config(home=tmp_path, dsn=dsn, redis_url=redis_url), database, cache)


@asynccontextmanager
async def folding(market: Scene, alter: Callable[[Any], None] | None = None) -> AsyncIterator[DescriptionFold]:
    async with market.client(timeout_s=5.0) as client:
        fetch: Fetch = client if alter is None else Altered(client, alter)
        yield DescriptionFold(
            market.database, fetch, market.blobs, SOURCES, SESSION, 7, 4, Unhurried(1), lambda: None
        )  # fmt: skip


async def describe(market: Scene, *, shards: Any = SHARDS, alter: Callable[[Any], None] | None = None) -> int:
    async with folding(market, alter) as fold:
        return await catch_up(market.database, fold, shards=shards)


def details_asked(market: Scene) -> Counter[str]:
    """How often each detail was asked for, by external id."""
    paths = market.sim.traffic.hosts[HOST].paths
    return Counter({path.rpartition("/")[2]: count for path, count in paths.items() if path[-1].isdigit()})


def path_of(key: tuple[str, str, str]) -> str:
    return f"/v1/companies/{key[1]}/postings/{key[2]}"


async def states(market: Scene) -> Counter[str]:
    return Counter(row["state"] for row in (await market.rows()).values())


async def test_each_detail_is_fetched_once(market: Scene) -> None:
    before = await market.rows()
    assert await describe(market) == 2 * len(before)  # each description is a change, which costs no second request
    after, history, truth = await market.rows(), await market.history(), market.truth()
    assert details_asked(market) == Counter(key[2] for key in before)
    for key, row in after.items():
        assert (row["state"], row["revision"]) == ("described", 2)
        assert row["html_hash"] and row["html"]
        assert row["changed_xid"] > before[key]["changed_xid"]
        kept = ("title", "url", "places", "company", "posted_at", "first_seen", "last_seen", "content_hash")
        assert [row[name] for name in kept] == [before[key][name] for name in kept]
        assert row["title"] == truth[key]["title"]
        assert before[key]["stated"].items() <= row["stated"].items()
        assert row["apply_url"]
        changes = history[key][-1]["changes"]
        assert (len(history[key]), history[key][-1]["revision"], history[key][-1]["session"]) == (2, 2, SESSION)
        assert changes["state"] == ["discovered", "described"]
        assert changes["text"] == ["", row["html_hash"].hex()]
        assert changes["apply_url"] == ["", row["apply_url"]]
    # Crawled again and followed again, nothing is asked.
    await market.crawl([(await market.board_of(NAME)).id], fresh=True)
    assert await describe(market) == 0
    assert details_asked(market).total() == len(before)


async def test_a_shard_describes_only_its_own(market: Scene) -> None:
    shard = min((await market.rows()).values(), key=lambda row: row["id"])["shard"]
    await describe(market, shards=[shard])
    rows = (await market.rows()).values()
    assert {row["state"] for row in rows if row["shard"] == shard} == {"described"}
    assert {row["state"] for row in rows if row["shard"] != shard} == {"discovered"}
    assert details_asked(market).keys() == {row["external_id"] for row in rows if row["shard"] == shard}


async def test_a_missing_page_closes_its_posting_at_once(market: Scene) -> None:
    gone = min(await market.rows())
    market.sim.misbehave("not_found", path=path_of(gone))
    began = datetime.now(UTC)
    await describe(market)
    row, last = (await market.rows())[gone], (await market.history())[gone][-1]
    assert (row["state"], row["revision"]) == ("closed", 2)
    assert row["closed_at"] >= began
    assert last["changes"] == {"state": ["discovered", "closed"]}
    assert (await states(market))["closed"] == 1


async def test_an_address_that_is_only_assumed_closes_nothing(database: Database, life: Life, tmp_path: Path) -> None:
    """A list that led elsewhere: what is missing where its posting might be instead is not gone."""
    async with scene(database, tmp_path, Market(4, companies=2, postings=12, systems=["rexx"])) as market:
        await market.crawl([board.id for board, _ in await boards.list_all(database)])
        elsewhere, *listed = sorted(await market.rows())
        await database.execute(
            "UPDATE posting SET url = 'https://karriere.elsewhere.de/koch-de-j1.html' WHERE id = $1",
            (await market.rows())[elsewhere]["id"],
        )
        market.sim.misbehave("not_found", times=None)
        await describe(market)
        rows = await market.rows()
        assert rows[elsewhere]["state"] == "discovered"
        assert {rows[key]["state"] for key in listed} == {"closed"}
        (waiting,) = await retries(market)
        assert (waiting["attempts"], waiting["refusals"], waiting["reason"][:5]) == (1, 0, "Gone:")

        market.sim.behave()
        await database.execute("UPDATE detail_retry SET retry_at = now()")
        await do_chore("retry_details", life, SESSION)
        await describe(market)
        assert (await market.rows())[elsewhere]["state"] == "described"


async def test_a_page_that_refuses_three_times_closes_its_posting(market: Scene, life: Life) -> None:
    refused = min(await market.rows())
    shard = (await market.rows())[refused]["shard"]
    market.sim.misbehave("bad_request", path=path_of(refused), times=None)
    for answers in (1, 2):
        await describe(market, shards=[shard])
        (waiting,) = await retries(market)
        assert (waiting["refusals"], (await market.rows())[refused]["state"]) == (answers, "discovered")
        await market.database.execute("UPDATE detail_retry SET retry_at = now()")
        await do_chore("retry_details", life, SESSION)
    await describe(market, shards=[shard])
    assert (await market.rows())[refused]["state"] == "closed"
    assert await retries(market) == []


async def test_a_list_that_shows_what_is_gone_does_not_open_it_day_after_day(market: Scene, life: Life) -> None:
    gone = min(await market.rows())
    board_id = (await market.rows())[gone]["board_id"]
    market.sim.misbehave("not_found", path=path_of(gone), times=None)
    await describe(market)
    for _ in range(3):
        await market.crawl([board_id], fresh=True)
        await describe(market)
        assert ((await market.rows())[gone]["state"], (await market.rows())[gone]["revision"]) == ("closed", 2)

    # Days later its page is asked again, even when the list has not changed at all.
    await market.crawl([board_id])
    await market.database.execute("UPDATE posting SET closed_at = closed_at - $1::interval", RECHECK)
    market.sim.behave()
    await do_chore("recheck", life, SESSION)
    await market.crawl([board_id])
    assert (await market.rows())[gone]["state"] == "discovered"
    await describe(market)
    assert (await market.rows())[gone]["state"] == "described"


async def test_a_page_that_says_inactive_closes_its_posting(market: Scene) -> None:
    market.sim.advance()  # a day's closed postings still have their pages, which say so
    gone = await market.open_keys() - market.truth().keys()
    assert gone
    await describe(market)
    assert await market.open_keys() == {key for key in market.truth() if key in await market.rows()}
    assert {(await market.rows())[key]["state"] for key in gone} == {"closed"}


@pytest.mark.parametrize(
    ("kind", "attempts", "reason", "wait_s"),
    [
        ("rate_limited", 0, "RateLimited", (3_590, 3_610)),
        ("server_error", 1, "Transient", (25, 95)),
        ("half_body", 1, "Transient", (25, 95)),
        ("broken_json", 1, "Malformed", (25, 95)),
        ("private_redirect", 1, "Refused", (25, 95)),
    ],
)
async def test_what_fails_for_now_waits_and_is_retried(
    market: Scene, life: Life, kind: str, attempts: int, reason: str, wait_s: tuple[int, int]
) -> None:
    late = min(await market.rows())
    market.sim.misbehave(kind, path=path_of(late), times=None, retry_after_s=3_600)
    began = datetime.now(UTC)
    await describe(market, shards=[(await market.rows())[late]["shard"]])
    (waiting,) = [row for row in await retries(market) if row["posting_id"] == (await market.rows())[late]["id"]]
    assert waiting["attempts"] == attempts
    assert waiting["reason"].startswith(reason)
    assert wait_s[0] <= (waiting["retry_at"] - began).total_seconds() <= wait_s[1]
    assert (await market.rows())[late]["state"] == "discovered"

    market.sim.behave()
    assert await do_chore("retry_details", life, SESSION) == "0 retried"
    await describe(market)
    assert (await states(market))["discovered"] == len(await retries(market))
    await market.database.execute("UPDATE detail_retry SET retry_at = now()")
    assert await do_chore("retry_details", life, SESSION) != "0 retried"
    await describe(market)
    assert await states(market) == {"described": len(await market.rows())}
    assert await retries(market) == []
    assert (await market.rows())[late]["revision"] == 2


async def test_what_never_works_is_given_up_and_can_be_retried(market: Scene, life: Life) -> None:
    lost = min(await market.rows())
    shard, posting_id = (await market.rows())[lost]["shard"], (await market.rows())[lost]["id"]
    market.sim.misbehave("server_error", path=path_of(lost), times=None)
    for attempt in range(1, 7):
        await describe(market, shards=[shard])
        held = {row["posting_id"]: row["attempts"] for row in await retries(market)}
        assert held == ({posting_id: attempt} if attempt < 6 else {})
        await market.database.execute("UPDATE detail_retry SET retry_at = now()")
        await do_chore("retry_details", life, SESSION)
    (letter,) = await letters.list_letters(market.database)
    assert (letter.queue, letter.key, letter.payload) == ("detail:smartrecruiters", str(posting_id), {"attempts": 6})
    assert "500" in letter.reason
    assert (await market.rows())[lost]["state"] == "discovered"

    market.sim.behave()
    await letters.retry(market.database, {"detail": letters.renew_place})
    await describe(market, shards=[shard])
    assert (await market.rows())[lost]["state"] == "described"
    assert await letters.list_letters(market.database) == []


async def test_a_refusal_is_final_and_closes_nothing(market: Scene) -> None:
    refused = min(await market.rows())
    market.sim.misbehave("forbidden", path=path_of(refused), times=None)
    await describe(market)
    (letter,) = await letters.list_letters(market.database)
    assert letter.reason.startswith("Denied")
    assert (await market.rows())[refused]["state"] == "discovered"
    assert await retries(market) == []


async def test_the_detail_of_another_posting_is_not_believed(market: Scene) -> None:
    def swap(body: Any) -> None:
        body["id"] = "999"

    await describe(market, alter=swap)
    assert await states(market) == {"discovered": len(await market.rows())}
    assert all("the detail is that of '999'" in row["reason"] for row in await retries(market))


async def test_a_changed_listing_is_fetched_again_when_its_text_is_old(market: Scene) -> None:
    await describe(market)
    asked = details_asked(market).total()
    changed = await rename(market, "neu")
    await describe(market)
    row = (await market.rows())[changed]
    assert (row["state"], row["revision"]) == ("described", 3)
    assert row["title"].endswith("neu")
    assert row["html"] and row["apply_url"]
    assert details_asked(market).total() == asked

    await market.database.execute("UPDATE posting_text SET described_at = now() - interval '8 days'")
    await rename(market, "neuer")
    await describe(market)
    assert details_asked(market).total() == asked + 1
    row = (await market.rows())[changed]
    assert row["revision"] == 4  # the text was the same
    described_at = await market.database.fetchval(
        "SELECT described_at FROM posting_text WHERE posting_id = $1", row["id"]
    )
    assert datetime.now(UTC) - described_at < timedelta(minutes=1)


async def test_a_text_that_changed_is_a_revision_with_both_hashes(market: Scene) -> None:
    def rewrite(body: Any) -> None:
        body["jobAd"]["sections"]["jobDescription"]["text"] += "<p>Und noch etwas.</p>"

    await describe(market)
    await market.database.execute("UPDATE posting_text SET described_at = now() - interval '8 days'")
    key = await rename(market, "neu")
    before = (await market.rows())[key]
    await describe(market, alter=rewrite)
    after, last = (await market.rows())[key], (await market.history())[key][-1]
    assert after["revision"] == before["revision"] + 1
    assert last["changes"] == {"text": [before["html_hash"].hex(), after["html_hash"].hex()]}


async def test_a_posting_that_closed_meanwhile_stays_closed(market: Scene) -> None:
    async with folding(market) as fold:
        rows = list((await market.rows()).values())
        prepared = await fold.prepare([row["id"] for row in rows])
        await market.database.execute("UPDATE posting SET state = 'closed', closed_at = now()")

        async def write(connection: Any) -> None:
            await fold.write(connection, prepared.items)

        await market.database.transaction(write)
    assert {(row["state"], row["revision"]) for row in (await market.rows()).values()} == {("closed", 1)}
    assert {len(changes) for changes in (await market.history()).values()} == {1}


async def test_writing_a_batch_again_changes_nothing(market: Scene) -> None:
    async with folding(market) as fold:
        prepared = await fold.prepare([row["id"] for row in (await market.rows()).values()])

        async def write(connection: Any) -> None:
            await fold.write(connection, prepared.items)

        await market.database.transaction(write)
        first, history = await market.rows(), await market.history()
        await market.database.transaction(write)
    kept = ("state", "revision", "changed_xid", "stated", "html_hash")
    assert {key: [row[name] for name in kept] for key, row in (await market.rows()).items()} == {
        key: [row[name] for name in kept] for key, row in first.items()
    }
    assert await market.history() == history


async def retries(market: Scene) -> list[Any]:
    return list(await market.database.fetch("SELECT * FROM detail_retry ORDER BY posting_id"))


async def rename(market: Scene, suffix: str) -> tuple[str, str, str]:
    """Crawls the board once with another title in its first row, and gives that row's key."""
    board: Board | None = await boards.claim(market.database, OWNER, (await market.board_of(NAME)).id)
    assert board is not None
    found: list[str] = []

    def alter(body: Any) -> None:
        body["content"][0]["name"] += f" {suffix}"
        found.append(body["content"][0]["id"])

    await market.database.execute("DELETE FROM board_validator")
    async with market.client() as client:
        await market.crawler(Altered(client, alter)).crawl(source(NAME), board)
    return (NAME, board.tenant, found[0])
