"""Walks a board's list and writes on the way: a page, or a part of a long document, is read and forgotten.

What was written before a page failed stays, as it is true; whether anything may be concluded from what a list did not
show is decided when it has ended.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Protocol, TypeAlias
from urllib.parse import urlencode

import anyio
import anyio.from_thread
import anyio.to_thread

from daemons.crawl.archive import Archive
from daemons.crawl.ledger import Ledger
from lib.backoff import full_jitter_delays
from lib.errors import Gone, RateLimited, Transient
from lib.net.fetch import Sink
from lib.net.messages import Request, Response
from lib.net.validators import Validators
from lib.posting.boards import Mark
from lib.posting.contract import Page, Source, StreamSource
from lib.posting.writing import Listed

_MAX_PAGES = 5_000
_TRIES = 3
_LONGEST_WAIT_S = 60.0
_UNREAD_BYTES = 20_000_000  # kept in memory of pages that may still have to be read
_PIECE_BYTES = 1 << 21  # of a document that is read in pieces
_THREAD_BYTES = 500_000  # decoding more than this in the loop would hold up everybody's heartbeats

Write: TypeAlias = Callable[[Sequence[Listed]], Awaitable[None]]


class Fetch(Protocol):
    """What sends requests: `lib.net.fetch.Fetcher`."""

    async def send(self, request: Request, *, validators: Validators | None = None) -> Response: ...


class Client(Fetch, Protocol):
    """What also fetches bodies that are too long for memory."""

    async def download(self, request: Request, sink: Sink, *, validators: Validators | None = None) -> Response: ...


@dataclass
class Walk:
    """How a walk over a list ended. `marks`: what its pages are known by.

    `unchanged`: the list is as it was when its marks were saved: its only page said 304, or all came with those bytes.
    """

    ended: bool = False
    unchanged: bool = False
    marks: dict[str, Mark] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Walker:
    """What walking a board's list needs. `write` gets batches of rows; `turned` is told after each step."""

    source: Source
    tenant: str
    client: Client
    archive: Archive
    write: Write
    rng: random.Random
    turned: Callable[[], None]

    async def walk(self, ledger: Ledger, marks: Mapping[str, Mark]) -> Walk:
        """Reads the list into `ledger`, and writes what is new in it. Raises the SourceErrors of a page that cannot
        be had; what was written before one stays written."""
        if isinstance(self.source, StreamSource):
            return await self._stream(self.source, ledger, marks)
        found = Walk()
        reading = _Reading(self, ledger, found)
        cursor: str | None = None
        asked: set[str | None] = set()
        while cursor not in asked and len(asked) < _MAX_PAGES:
            asked.add(cursor)
            request = self.source.request(self.tenant, cursor).on_behalf_of(self.source.name)
            address = _address(request)
            mark = marks.get(address)
            known = mark.validators if mark is not None and len(marks) == 1 else None
            response = await self._ask(partial(self.client.send, request, validators=known), first=reading.nothing_yet)
            if response.status == 304:
                found.unchanged = found.ended = True
                return found
            raw_id, digest = await self.archive.keep(response, datetime.now(UTC))
            cursor = await reading.page(address, response, raw_id, digest, mark)
            if cursor is None:
                found.ended = True
                break
        await reading.end()
        await self._write(ledger, last=True)
        return found

    async def _ask(self, send: Callable[[], Awaitable[Response]], *, first: bool) -> Response:
        """The answer. Only while no row has come does a page that is gone say that the whole list is."""
        try:
            response = await patiently(send, self.rng, self.turned)
        except Gone as error:
            if first:
                raise
            raise Transient(f"a page in the middle of the list: {error}") from error
        self.turned()
        return response

    async def take(self, ledger: Ledger, page: Page, raw_id: int) -> None:
        """Adds a page to the ledger and writes the batches that it makes full."""
        ledger.take(page, raw_id)
        await self._write(ledger)

    async def _write(self, ledger: Ledger, *, last: bool = False) -> None:
        for batch in ledger.batches(last=last):
            await self.write(batch)
            self.turned()

    async def _stream(self, source: StreamSource, ledger: Ledger, marks: Mapping[str, Mark]) -> Walk:
        """Fetches a long document into the archive, and reads it from there."""
        request = source.request(self.tenant, None).on_behalf_of(source.name)
        mark = marks.get(_address(request))
        document = _Document(self.archive, self.turned)

        async def download() -> Response:
            document.clear()
            known = None if mark is None else mark.validators
            response = await self.client.download(request, document.add, validators=known)
            await document.end()
            return response

        response = await self._ask(download, first=True)
        found = Walk(ended=True)
        if response.status == 304:
            found.unchanged = True
            return found
        digest = document.digest.digest()
        found.marks[_address(request)] = Mark(Validators.of(response.headers), digest, None)
        found.unchanged = mark is not None and mark.body_hash == digest
        if not found.unchanged:
            await self._read(source, ledger, document, response)
            await self._write(ledger, last=True)
        return found

    async def _read(self, source: StreamSource, ledger: Ledger, document: _Document, response: Response) -> None:
        """Reads the document in one thread, which waits while its rows are written: nothing piles up."""
        raw_id, fetched_at = 0, datetime.now(UTC)

        async def load(key: str, size: int) -> bytes:
            nonlocal raw_id
            raw_id = await self.archive.record(response, key, size, fetched_at)
            return await self.archive.blobs.get(key)

        def pieces() -> Iterator[bytes]:
            for key, size in document.pieces:
                yield anyio.from_thread.run(load, key, size)

        def read() -> None:
            for page in source.pages(self.tenant, pieces()):
                anyio.from_thread.run(self.take, ledger, page, raw_id)

        await anyio.to_thread.run_sync(read)


@dataclass
class _Reading:
    """Reads pages, but not before one differs from what its mark says: a list that has not changed is not read."""

    walker: Walker
    ledger: Ledger
    found: Walk
    unread: list[tuple[Response, int]] = field(default_factory=list)
    all_known: bool = True

    @property
    def nothing_yet(self) -> bool:
        """Whether no page so far had a row."""
        return not (self.ledger.seen or self.unread)

    async def page(self, address: str, response: Response, raw_id: int, digest: bytes, mark: Mark | None) -> str | None:
        """Takes the next page and returns the cursor of the one after it."""
        if self.all_known and mark is not None and mark.body_hash == digest and self._has_room(response):
            self.unread.append((response, raw_id))
            cursor = mark.cursor
        else:
            self.all_known = False
            await self._catch_up()
            cursor = await self._read(response, raw_id)
        self.found.marks[address] = Mark(Validators.of(response.headers), digest, cursor)
        return cursor

    async def end(self) -> None:
        """The last page was taken."""
        if self.all_known and self.found.ended:
            self.found.unchanged = True
        else:
            await self._catch_up()

    def _has_room(self, response: Response) -> bool:
        return sum(len(one.body) for one, _ in self.unread) + len(response.body) <= _UNREAD_BYTES

    async def _catch_up(self) -> None:
        while self.unread:
            await self._read(*self.unread.pop(0))

    async def _read(self, response: Response, raw_id: int) -> str | None:
        page = await parse(self.walker.source, self.walker.tenant, response)
        await self.walker.take(self.ledger, page, raw_id)
        return page.cursor


@dataclass
class _Document:
    """A long body on its way into the archive. `pieces`: their keys and sizes; `digest`: over all of them."""

    archive: Archive
    turned: Callable[[], None]
    pieces: list[tuple[str, int]] = field(default_factory=list)
    digest: hashlib._Hash = field(default_factory=hashlib.sha256)
    _held: bytearray = field(default_factory=bytearray)

    def clear(self) -> None:
        """Begins anew, with another try."""
        self.pieces.clear()
        self._held.clear()
        self.digest = hashlib.sha256()

    async def add(self, data: bytes) -> None:
        """Takes the next bytes."""
        self._held += data
        if len(self._held) >= _PIECE_BYTES:
            await self.end()

    async def end(self) -> None:
        """Stores what is left."""
        if self._held:
            piece = bytes(self._held)
            self._held.clear()
            self.digest.update(piece)
            self.pieces.append((await self.archive.blobs.put(piece), len(piece)))
            self.turned()


def _address(request: Request) -> str:
    """What tells a page from the others of its list: its URL, and the body where all pages are asked at one URL."""
    address = f"{request.url}?{urlencode(request.params)}"
    return address if request.body is None else f"{address}#{hashlib.sha256(request.body).hexdigest()}"


async def parse(source: Source, tenant: str, response: Response) -> Page:
    """The page in a response, decoded beside the event loop when it is large."""
    if len(response.body) > _THREAD_BYTES:
        return await anyio.to_thread.run_sync(source.parse, tenant, response)
    return source.parse(tenant, response)


async def patiently(
    send: Callable[[], Awaitable[Response]], rng: random.Random, turned: Callable[[], None]
) -> Response:
    """Sends up to three times: after a moment when the failure is transient, at the stated time when told to wait."""
    delays = full_jitter_delays(rng, first_s=1.0, cap_s=8.0)
    for remaining in range(_TRIES - 1, -1, -1):
        try:
            return await send()
        except Transient:
            if not remaining:
                raise
            await anyio.sleep(next(delays))
        except RateLimited as limit:
            wait_s = (limit.retry_at - datetime.now(UTC)).total_seconds()
            if not remaining or wait_s > _LONGEST_WAIT_S:
                raise
            await anyio.sleep(max(0.0, wait_s) + rng.uniform(0.0, 1.0))
        turned()
    raise AssertionError("the last try returns or raises")
