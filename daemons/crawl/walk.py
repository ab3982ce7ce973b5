"""Walks all pages of a board's list and keeps what is worth writing: pages are all or nothing."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Protocol
from urllib.parse import urlencode

import anyio
import anyio.to_thread
import msgspec

from daemons.crawl.closing import Walked
from lib.backoff import full_jitter_delays
from lib.errors import RateLimited, Transient
from lib.net.messages import Request, Response
from lib.net.validators import Validators
from lib.posting.boards import Board, Mark, RawResponse
from lib.posting.contract import Page, Posting, Rejected, Source
from lib.posting.writing import Listed

_MAX_PAGES = 2_000
_TRIES = 3
_LONGEST_WAIT_S = 60.0
_UNREAD_BYTES = 20_000_000  # kept in memory of pages that may still have to be read
_THREAD_BYTES = 500_000  # decoding more than this in the loop would hold up everybody's heartbeats


class Fetch(Protocol):
    """What sends requests: `lib.net.fetch.Fetcher`."""

    async def send(self, request: Request, *, validators: Validators | None = None) -> Response: ...


class Keep(Protocol):
    """Stores a raw answer and gives the id of its record, and the SHA-256 of its body."""

    async def __call__(self, response: Response, fetched_at: datetime) -> tuple[int, bytes]: ...


@dataclass
class Walk:
    """What a walk found. `writes`: rows that are new, changed or reopened, by id; `seen`: all ids of the list.

    `unchanged`: the list is as it was when its marks were saved: its only page said 304, or all came with those bytes.
    """

    writes: dict[str, Listed] = field(default_factory=dict)
    seen: dict[str, bool] = field(default_factory=dict)
    rejected: list[Rejected] = field(default_factory=list)
    unknown: Counter[str] = field(default_factory=Counter)
    skipped: int = 0
    total: int | None = None
    pages: int = 0
    ended: bool = False
    unchanged: bool = False
    marks: dict[str, Mark] = field(default_factory=dict)

    def facts(self, source: Source) -> Walked:
        """What the proof of completeness needs."""
        return Walked(
            completeness=source.completeness, ended=self.ended, ids=len(self.seen), skipped=self.skipped,
            rejected=len(self.rejected), total=self.total,
        )  # fmt: skip

    def take(self, page: Page, raw_id: int, board: Board, held: Mapping[str, tuple[bytes, bool]]) -> None:
        """Adds a page: of several rows with one id, the first that has text wins, here as in `merge_rows`.

        A row that names no company is the one's whose board it is.
        """
        for row in page.rows:
            has_text = row.html is not None
            if self.seen.get(row.external_id, False) or (row.external_id in self.seen and not has_text):
                continue
            self.seen[row.external_id] = has_text
            named = row if row.company else msgspec.structs.replace(row, company=board.company)
            self._keep(named, raw_id, held.get(row.external_id))
        self.rejected += page.rejected
        self.unknown.update(page.unknown)
        self.skipped += page.skipped
        self.pages += 1
        if page.total is not None:
            self.total = max(self.total or 0, page.total)

    def _keep(self, row: Posting, raw_id: int, held: tuple[bytes, bool] | None) -> None:
        listed = Listed.of(row, raw_id)
        if held == (listed.hash, True):
            self.writes.pop(row.external_id, None)
        else:
            self.writes[row.external_id] = listed


async def walk(
    source: Source,
    board: Board,
    fetcher: Fetch,
    keep: Keep,
    *,
    held: Mapping[str, tuple[bytes, bool]],
    marks: Mapping[str, Mark],
    rng: random.Random,
    turned: Callable[[], None],
) -> Walk:
    """Fetches page after page. `turned` is told after each. Raises the SourceErrors of a page that cannot be had."""
    found = Walk()
    reading = _Reading(source, board, held, found)
    cursor: str | None = None
    asked: set[str | None] = set()
    while cursor not in asked and len(asked) < _MAX_PAGES:
        asked.add(cursor)
        request = source.request(board.tenant, cursor)
        address = f"{request.url}?{urlencode(request.params)}"
        mark = marks.get(address)
        known = mark.validators if mark is not None and len(marks) == 1 else None
        response = await patiently(partial(fetcher.send, request, validators=known), rng, turned)
        turned()
        if response.status == 304:
            found.unchanged = found.ended = True
            return found
        raw_id, digest = await keep(response, datetime.now(UTC))
        cursor = await reading.page(address, response, raw_id, digest, mark)
        if cursor is None:
            found.ended = True
            break
    await reading.end()
    return found


@dataclass
class _Reading:
    """Reads pages, but not before one differs from what its mark says: a list that has not changed is not read."""

    source: Source
    board: Board
    held: Mapping[str, tuple[bytes, bool]]
    found: Walk
    unread: list[tuple[Response, int]] = field(default_factory=list)
    all_known: bool = True

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
        for response, raw_id in self.unread:
            await self._read(response, raw_id)
        self.unread.clear()

    async def _read(self, response: Response, raw_id: int) -> str | None:
        page = await parse(self.source, self.board.tenant, response)
        self.found.take(page, raw_id, self.board, self.held)
        return page.cursor


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


def raw_record(
    board_id: int,
    session: str,
    response: Response,
    digest: bytes,
    blob_key: str,
    fetched_at: datetime,
    blob_from: int = 0,
) -> RawResponse:
    """The record of an answer whose body, with the SHA-256 `digest`, lies under `blob_key` from byte `blob_from` on."""
    return RawResponse(
        board_id=board_id, session=session, url=response.url[:2_000], status=response.status,
        content_hash=digest, blob_key=blob_key, size=len(response.body),
        fetched_at=fetched_at, blob_from=blob_from,
    )  # fmt: skip
