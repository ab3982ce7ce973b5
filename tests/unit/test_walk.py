"""Walking a list: what is known by its bytes is not read again, and one other page makes all of them be read."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

import orjson
import pytest

from daemons.crawl import walk as walking
from daemons.crawl.ledger import Ledger
from daemons.crawl.walk import Walk, Walker, Write
from daemons.sources import source
from lib.errors import Gone, Malformed, SourceError, Transient
from lib.net.messages import Request, Response
from lib.net.validators import Validators
from lib.posting.boards import Mark
from lib.posting.writing import Listed


class Pages:
    """A list of pages, each with its titles; remembers with which validators it was asked."""

    def __init__(self, *pages: Sequence[str], etag: str | None = None) -> None:
        self.pages = [list(page) for page in pages]
        self.etag = etag
        self.asked: list[Validators | None] = []

    async def send(self, request: Request, *, validators: Validators | None = None) -> Response:
        self.asked.append(validators)
        headers = {} if self.etag is None else {"etag": self.etag}
        if validators is not None and validators.etag == self.etag:
            return Response(request=request, url=request.url, status=304, headers=headers, body=b"")
        offset = int(request.params["offset"])
        number, before = 0, 0
        while number < len(self.pages) - 1 and before < offset:
            before += len(self.pages[number])
            number += 1
        rows = [
            {"id": str(offset + index), "name": title, "company": {"identifier": "acme"}}
            for index, title in enumerate(self.pages[number])
        ]
        body = {"offset": offset, "limit": 100, "totalFound": sum(map(len, self.pages)), "content": rows}
        return Response(request=request, url=request.url, status=200, headers=headers, body=orjson.dumps(body))


class Shelf:
    """An archive that keeps nothing."""

    async def keep(self, response: Response, fetched_at: datetime) -> tuple[int, bytes]:
        return 1, hashlib.sha256(response.body).digest()


class Walked(NamedTuple):
    walk: Walk
    ledger: Ledger
    batches: list[list[str]]

    @property
    def seen(self) -> int:
        return len(self.ledger.seen)


async def walked(pages: Pages, marks: Mapping[str, Mark] = {}) -> Walked:
    batches: list[list[str]] = []

    async def write(rows: Sequence[Listed]) -> None:
        batches.append([row.posting.external_id for row in rows])

    ledger = Ledger(None, {})
    return Walked(await walker_of(pages, write).walk(ledger, marks), ledger, batches)


def walker_of(pages: Pages, write: Write) -> Walker:
    return Walker(
        source=source("smartrecruiters"), tenant="acme", client=pages, archive=Shelf(), write=write,
        rng=random.Random(1), turned=lambda: None,
    )  # fmt: skip


HUNDRED = [f"Koch {number}" for number in range(100)]


async def test_the_same_bytes_are_not_read_again() -> None:
    first = await walked(Pages(HUNDRED, ["Bäcker"]))
    assert (first.seen, first.walk.ended, first.walk.unchanged, len(first.walk.marks)) == (101, True, False, 2)
    again = await walked(Pages(HUNDRED, ["Bäcker"]), first.walk.marks)
    assert (again.walk.ended, again.walk.unchanged, again.batches, again.seen) == (True, True, [], 0)
    assert again.walk.marks == first.walk.marks


@pytest.mark.parametrize("other", [Pages(HUNDRED, ["Maurer"]), Pages(["Wirt", *HUNDRED[1:]], ["Bäcker"])])
async def test_one_other_page_makes_all_of_them_be_read(other: Pages) -> None:
    first = await walked(Pages(HUNDRED, ["Bäcker"]))
    again = await walked(other, first.walk.marks)
    assert (again.seen, again.walk.ended, again.walk.unchanged) == (101, True, False)
    assert again.walk.marks.keys() == first.walk.marks.keys()
    assert again.walk.marks != first.walk.marks


async def test_a_list_that_grew_or_shrank_is_read() -> None:
    first = await walked(Pages(HUNDRED, ["Bäcker"]))
    for changed, rows in ((Pages(HUNDRED, ["Bäcker", "Maurer"]), 102), (Pages(HUNDRED[:3]), 3)):
        again = await walked(changed, first.walk.marks)
        assert (again.seen, again.walk.unchanged) == (rows, False)


async def test_what_would_not_fit_in_memory_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    first = await walked(Pages(HUNDRED, ["Bäcker"]))
    monkeypatch.setattr(walking, "_UNREAD_BYTES", 1_000)
    again = await walked(Pages(HUNDRED, ["Bäcker"]), first.walk.marks)
    assert (again.seen, again.walk.unchanged) == (101, False)


async def test_only_a_list_of_one_page_is_asked_for_conditionally() -> None:
    long = await walked(Pages(HUNDRED, ["Bäcker"], etag='"1"'))
    pages = Pages(HUNDRED, ["Bäcker"], etag='"1"')
    await walked(pages, long.walk.marks)
    assert pages.asked == [None, None]
    short = await walked(Pages(["Koch"], etag='"1"'))
    pages = Pages(["Koch"], etag='"1"')
    again = await walked(pages, short.walk.marks)
    assert pages.asked == [Validators(etag='"1"')]
    assert (again.walk.ended, again.walk.unchanged) == (True, True)


async def test_pages_are_written_before_the_next_ones_are_asked_for() -> None:
    events: list[str] = []

    class Told(Pages):
        async def send(self, request: Request, *, validators: Validators | None = None) -> Response:
            events.append(f"asked {request.params['offset']}")
            return await super().send(request, validators=validators)

    async def write(rows: Sequence[Listed]) -> None:
        events.append(f"wrote {len(rows)}")

    await walker_of(Told(HUNDRED, HUNDRED, ["Bäcker"]), write).walk(Ledger(None, {}), {})
    assert events == [
        "asked 0", "wrote 50", "wrote 50", "asked 100", "wrote 50", "wrote 50", "asked 200", "wrote 1",
    ]  # fmt: skip


@pytest.mark.parametrize("error", [Gone("404"), Malformed("no list")])
async def test_a_page_that_fails_ends_the_walk_without_a_conclusion(error: SourceError) -> None:
    class Breaking(Pages):
        async def send(self, request: Request, *, validators: Validators | None = None) -> Response:
            if request.params["offset"] == "100":
                raise error
            return await super().send(request, validators=validators)

    ledger = Ledger(None, {})
    batches: list[int] = []

    async def write(rows: Sequence[Listed]) -> None:
        batches.append(len(rows))

    # A page in the middle that is gone says nothing of the list: that would close all of its postings.
    with pytest.raises(Transient if isinstance(error, Gone) else type(error)):
        await walker_of(Breaking(HUNDRED, HUNDRED), write).walk(ledger, {})
    assert (batches, len(ledger.seen)) == ([50, 50], 100)
