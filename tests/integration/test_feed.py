"""XML feeds through the real client and a real database: read in pieces, written on the way, concluded at the end."""

from __future__ import annotations

import gzip
import random
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from daemons.crawl import walk
from daemons.crawl.crawler import Crawler, Outcome
from daemons.sources import source
from lib.net.breaker import BreakerRules
from lib.net.fetch import Fetcher
from lib.net.policy import FetchPolicy, HostLimits
from lib.posting import boards
from lib.store.blobs import Blobs
from lib.store.connections import Database
from tests.integration.crawling import Unhurried

ADDRESS = "https://jobs.acme.example/feed.xml"
HEAD, END = b'<?xml version="1.0" encoding="utf-8"?>\n<source>\n', b"</source>\n"
TEXT = "Kochen und Backen. " * 40


@dataclass
class Feed:
    """A feed on its server, and a crawler of it."""

    database: Database
    folder: Path
    body: bytes = b""
    etag: str | None = None
    cut: int = 0  # how many times the connection ends in the middle of the body
    asked: list[str | None] = field(default_factory=list)
    url: str = ""

    def show(self, numbers: Sequence[int], *, changed: int | None = None) -> None:
        self.body = HEAD + b"".join(job(number, changed == number) for number in numbers) + END

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request.headers.get("If-None-Match"))
        if self.etag is not None and self.asked[-1] == self.etag:
            return web.Response(status=304)
        headers = {} if self.etag is None else {"ETag": self.etag}
        response = web.StreamResponse(headers=headers)
        response.content_length = len(self.body)
        await response.prepare(request)
        if self.cut:
            self.cut -= 1
            await response.write(self.body[: len(self.body) // 2])
            assert request.transport is not None
            request.transport.abort()
            return response
        await response.write(self.body)
        return response

    async def crawl(self) -> Outcome:
        board_id, _ = await boards.add(self.database, "xmlfeed", ADDRESS, "Acme", f"feed:{ADDRESS}", 86_400)
        board = await boards.claim(self.database, "tests", board_id)
        assert board is not None
        await boards.open_session(self.database, "session", "here", "0")
        policy = FetchPolicy(
            contact="tests", limits=HostLimits(rate_per_s=None, concurrency=None), reroute=self.url,
            breaker=BreakerRules(failures=1_000),
        )  # fmt: skip
        async with Fetcher(policy) as client:
            blobs = Blobs((self.folder / "blobs").as_uri())
            crawler = Crawler(self.database, client, blobs, "session", "tests", Unhurried(1))
            return await crawler.crawl(source("xmlfeed"), board)

    async def rows(self) -> dict[str, tuple[str, int]]:
        """State and revision by id."""
        rows = await self.database.fetch("SELECT external_id, state, revision FROM posting")
        return {row["external_id"]: (row["state"], row["revision"]) for row in rows}


def job(number: int, changed: bool = False) -> bytes:
    return (
        f"<job><title>Koch {number}{' (neu)' if changed else ''}</title><referencenumber>{number}</referencenumber>"
        f"<url>https://jobs.acme.example/{number}</url><description>{TEXT}{number}</description></job>\n"
    ).encode()


@pytest.fixture
async def feed(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Feed]:
    """A feed whose document is read in pieces of 20 kB."""
    monkeypatch.setattr(walk, "_PIECE_BYTES", 20_000)
    feed = Feed(database, tmp_path)
    app = web.Application()
    app.router.add_get("/feed.xml", feed.answer)
    async with TestServer(app) as server:
        feed.url = str(server.make_url("/"))
        yield feed


async def test_a_feed_is_kept_in_pieces_and_each_text_names_its_own(feed: Feed, database: Database) -> None:
    feed.show(range(2_000))
    outcome = await feed.crawl()
    assert (outcome.seen, outcome.new, outcome.complete, outcome.error) == (2_000, 2_000, True, None)
    raws = await database.fetch("SELECT * FROM raw_response ORDER BY id")
    assert sum(raw["bytes"] for raw in raws) == len(feed.body)
    assert len(raws) > 3
    blobs = Blobs((feed.folder / "blobs").as_uri())
    assert b"".join([await blobs.get(raw["blob_key"]) for raw in raws]) == feed.body
    contents = {raw["id"]: await blobs.get(raw["blob_key"]) for raw in raws}
    named = await database.fetch(
        "SELECT p.external_id, t.raw_response_id FROM posting p JOIN posting_text t ON t.posting_id = p.id"
    )
    ends = [f"{row['external_id']}</description>".encode() in contents[row["raw_response_id"]] for row in named]
    assert sum(ends) >= len(ends) - len(raws)  # one that lies across two pieces names the one in which it ends


async def test_the_same_bytes_are_not_read_again(feed: Feed, database: Database) -> None:
    feed.show(range(100))
    await feed.crawl()
    raws = await database.fetchval("SELECT count(*) FROM raw_response")
    outcome = await feed.crawl()
    assert (outcome.seen, outcome.new, outcome.changed, outcome.complete) == (100, 0, 0, True)
    assert await database.fetchval("SELECT count(*) FROM raw_response") == raws
    feed.show(range(100), changed=50)
    outcome = await feed.crawl()
    assert (outcome.new, outcome.changed) == (0, 1)
    assert set((await feed.rows()).values()) == {("described", 1), ("described", 2)}


async def test_a_feed_that_was_not_modified_is_not_sent_again(feed: Feed) -> None:
    feed.etag = '"1"'
    feed.show(range(10))
    await feed.crawl()
    outcome = await feed.crawl()
    assert feed.asked == [None, '"1"']
    assert (outcome.seen, outcome.complete, outcome.error) == (10, True, None)


async def test_a_packed_file_is_a_feed_too(feed: Feed) -> None:
    feed.show(range(300))
    feed.body = gzip.compress(feed.body)
    assert (await feed.crawl()).new == 300


async def test_a_download_that_breaks_is_tried_again_from_its_beginning(feed: Feed) -> None:
    feed.show(range(200))
    feed.cut = 1
    outcome = await feed.crawl()
    assert (outcome.new, outcome.error, len(feed.asked)) == (200, None, 2)
    feed.show(range(150))
    feed.cut = 3
    outcome = await feed.crawl()
    assert (outcome.new + outcome.changed + outcome.closed, outcome.complete) == (0, False)
    assert (outcome.error or "").startswith("Transient: ")


async def test_a_feed_that_breaks_in_the_middle_closes_nothing_and_tells_the_truth(feed: Feed) -> None:
    feed.show(range(200))
    await feed.crawl()
    good = feed.body
    feed.show([*range(100), *range(500, 560)], changed=3)
    feed.body = feed.body.removesuffix(END) + b"<job><title>broken</job>" + END
    outcome = await feed.crawl()
    assert (outcome.new, outcome.changed, outcome.closed, outcome.complete) == (49, 1, 0, False)
    assert (outcome.error or "").startswith("Malformed: not XML")
    rows = await feed.rows()
    assert (len(rows), rows["3"], rows["500"], rows["150"]) == (
        249,
        ("described", 2),
        ("described", 1),
        ("described", 1),
    )
    # What it was known by is forgotten: the old bytes are not what is held any more.
    feed.body = good
    for _ in range(3):
        outcome = await feed.crawl()
    rows = await feed.rows()
    assert (rows["3"], rows["500"][0]) == (("described", 3), "closed")


async def test_the_latest_entries_close_nothing(feed: Feed) -> None:
    def show(numbers: Sequence[int]) -> None:
        items = "".join(
            f"<item><title>Koch {n}</title><guid>{n}</guid><link>https://jobs.acme.example/{n}</link></item>"
            for n in numbers
        )
        feed.body = f"<rss><channel><title>Stellen</title>{items}</channel></rss>".encode()

    for numbers in (range(20), range(10, 30), range(20, 40), (), ()):
        show(numbers)
        await feed.crawl()
    assert {state for state, _ in (await feed.rows()).values()} == {"discovered"}
    assert len(await feed.rows()) == 40


async def test_a_page_for_people_is_no_empty_feed(feed: Feed) -> None:
    feed.show(range(5))
    await feed.crawl()
    feed.body = b"<html><head><title>Wartung</title></head><body>Gleich wieder da</body></html>"
    for _ in range(4):
        outcome = await feed.crawl()
        assert (outcome.error or "").startswith("Malformed: html is no job feed")
    assert {state for state, _ in (await feed.rows()).values()} == {"described"}


async def test_chance_decides_only_when_to_come_back(feed: Feed) -> None:
    rng = random.Random(5)
    numbers = list(range(120))
    for _ in range(6):
        rng.shuffle(numbers)
        feed.show(numbers)
        outcome = await feed.crawl()
        assert (outcome.seen, outcome.complete, outcome.closed) == (120, True, 0)
    assert set((await feed.rows()).values()) == {("described", 1)}
