"""Dead letters: buried with anything in them, listed, retried once, pruned."""

from datetime import UTC, datetime, timedelta
from typing import Any

import anyio
import pytest

from lib.store import letters
from lib.store.connections import Cache, Connection, Database
from lib.store.letters import DeadLetter, NotRetryable
from lib.store.streams import Stream, republisher


async def bury(
    database: Database, queue: str, key: str, payload: dict[str, Any] | None = None, reason: str = "why"
) -> None:
    async def work(connection: Connection) -> None:
        await letters.bury(connection, queue, key, 3, payload or {}, reason)

    await database.transaction(work)


async def a_posting(database: Database) -> int:
    board = await database.fetchval("INSERT INTO board (source, tenant, url) VALUES ('s', 't', 'u') RETURNING id")
    posting: int = await database.fetchval(
        "INSERT INTO posting (board_id, external_id, state, content_hash, title, url, first_seen, last_seen)"
        " VALUES ($1, 'x', 'described', '\\x00', 'Koch', 'u', now(), now()) RETURNING id",
        board,
    )
    return posting


async def test_burying_again_counts_and_renews(database: Database) -> None:
    await bury(database, "follower:text", "7", {"a": 1}, "first")
    await bury(database, "follower:text", "7", {"a": 2}, "second")
    await bury(database, "follower:place", "7")
    [letter] = await letters.list_letters(database, queue="follower:text")
    assert (letter.attempts, letter.reason, letter.payload, letter.shard) == (2, "second", {"a": 2}, 3)
    assert len(await letters.list_letters(database)) == 2
    assert len(await letters.list_letters(database, limit=1)) == 1


async def test_it_belongs_to_the_callers_transaction(database: Database) -> None:
    async def work(connection: Connection) -> None:
        await letters.bury(connection, "follower:text", "7", None, {}, "why")
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await database.transaction(work)
    assert await letters.list_letters(database) == []


@pytest.mark.parametrize(
    "payload",
    [
        {"a": "\0"},
        {"a": "\ud800"},
        {"a": 2**80},
        {"a": b"bytes"},
        {1: "key"},
        {"a": "x" * 2_000_000},
        {"\0": {"\0": ["\0"]}},
    ],
)
async def test_what_the_database_cannot_hold_is_kept_as_an_excerpt(database: Database, payload: Any) -> None:
    await bury(database, "crawl:x\0", "k\0" * 5000, payload, "r\0\ud800" * 5000)
    [letter] = await letters.list_letters(database)
    assert not letter.readable
    assert 0 < len(letter.payload["unreadable"]) <= 10_000
    assert letter.attempts == 1
    assert len(letter.key) < 500


async def test_long_keys_stay_apart(database: Database) -> None:
    await bury(database, "crawl:x", "k" * 5000 + "1")
    await bury(database, "crawl:x", "k" * 5000 + "2")
    assert len(await letters.list_letters(database)) == 2


async def test_a_followers_posting_takes_a_new_place_in_the_change_log(database: Database) -> None:
    posting = await a_posting(database)
    before = await database.fetchval("SELECT changed_xid FROM posting")
    await bury(database, "follower:text", str(posting))
    result = await letters.retry(database, {"follower": letters.renew_place}, queue="follower:text")
    assert (result.done, dict(result.refused)) == (1, {})
    assert await database.fetchval("SELECT changed_xid FROM posting") > before
    assert await letters.list_letters(database) == []


async def test_a_crawls_board_is_due_and_read_anew(database: Database) -> None:
    await database.execute(
        "INSERT INTO board (source, tenant, url, next_due) SELECT 'lever', tenant, 'u',"
        " now() + interval '1 day' FROM unnest(ARRAY['acme', 'acme2', 'other']) AS tenant"
    )
    await database.execute("INSERT INTO board_validator (board_id, url, etag) SELECT id, 'u', 'e' FROM board")
    await bury(database, "crawl:lever", "acme:job:17")
    await bury(database, "crawl:lever", "other")
    await bury(database, "crawl:ashby", "acme:1")
    result = await letters.retry(database, {"crawl": letters.recrawl})
    assert result.done == 2
    assert list(result.refused.values()) == ["crawl:ashby: there is no board for acme:1"]
    due = await database.fetch("SELECT tenant FROM board WHERE next_due <= now() ORDER BY 1")
    assert [row["tenant"] for row in due] == ["acme", "other"]
    assert await database.fetchval("SELECT count(*) FROM board_validator") == 1


async def test_what_cannot_be_retried_stays_and_says_why(database: Database) -> None:
    posting = await a_posting(database)
    for key in ("no id", "9" * 30, str(posting)):
        await bury(database, "follower:text", key)
    await bury(database, "crawl:lever", "acme")
    result = await letters.retry(database, {"follower": letters.renew_place})
    assert result.done == 1
    assert sorted(letter.id for letter in await letters.list_letters(database)) == sorted(result.refused)
    assert {reason.partition(":")[0] for reason in result.refused.values()} == {"follower", "crawl"}


async def test_a_letter_is_retried_by_one_of_many(database: Database) -> None:
    await bury(database, "mail:x", "1")
    calls = 0

    async def slowly(_: Connection, __: DeadLetter) -> None:
        nonlocal calls
        calls += 1
        await anyio.sleep(0.1)

    done = []

    async def one() -> None:
        done.append((await letters.retry(database, {"mail": slowly})).done)

    async with anyio.create_task_group() as tasks:
        for _ in range(5):
            tasks.start_soon(one)
    assert (calls, sum(done)) == (1, 1)


async def test_a_failing_retry_keeps_the_letter(database: Database) -> None:
    await bury(database, "mail:x", "1")

    async def fail(_: Connection, __: DeadLetter) -> None:
        raise NotRetryable("not today")

    [letter] = await letters.list_letters(database)
    result = await letters.retry(database, {"mail": fail}, ids=[letter.id])
    assert (result.done, dict(result.refused)) == (0, {letter.id: "not today"})
    assert await letters.list_letters(database) == [letter]


async def test_a_streams_letter_is_published_again(database: Database, cache: Cache) -> None:
    await bury(database, "stream:discover", "job-1", {"title": "Köchin"})
    await bury(database, "stream:discover", "job-2", {"title": "\0"})
    result = await letters.retry(database, {"stream": republisher(cache)}, queue="stream:discover")
    assert result.done == 1
    [entry] = await Stream(cache, "discover").read("w", 10, 0.01)
    assert (entry.job().id, entry.job().payload, entry.failures) == ("job-1", {"title": "Köchin"}, 0)
    [left] = await letters.list_letters(database)
    assert left.key == "job-2"


async def test_prune_by_age_and_queue(database: Database) -> None:
    for queue in ("a:x", "b:x"):
        await bury(database, queue, "old")
        await bury(database, queue, "new")
    await database.execute("UPDATE dead_letter SET updated_at = now() - interval '10 days' WHERE key = 'old'")
    assert await letters.prune(database, timedelta(days=5), datetime.now(UTC), queue="a:x") == 1
    assert await letters.prune(database, timedelta(days=5), datetime.now(UTC)) == 1
    assert {letter.key for letter in await letters.list_letters(database)} == {"new"}
