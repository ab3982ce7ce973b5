"""Walks all pages of a board's list and keeps what is worth writing: pages are all or nothing."""

from __future__ import annotations

import hashlib
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Protocol

import anyio
import anyio.to_thread
import msgspec

from daemons.crawl.closing import Walked
from lib.backoff import full_jitter_delays
from lib.errors import RateLimited, Transient
from lib.net.messages import Request, Response
from lib.net.validators import Validators
from lib.posting.boards import Board, RawResponse
from lib.posting.contract import Page, Posting, Rejected, Source
from lib.posting.fingerprint import content_hash
from lib.posting.writing import Listed

_MAX_PAGES = 2_000
_TRIES = 3
_LONGEST_WAIT_S = 60.0
_THREAD_BYTES = 500_000  # decoding more than this in the loop would hold up everybody's heartbeats


class Fetch(Protocol):
    """What sends requests: `lib.net.fetch.Fetcher`."""

    async def send(self, request: Request, *, validators: Validators | None = None) -> Response: ...


class Keep(Protocol):
    """Stores a raw answer and gives the id of its record."""

    async def __call__(self, response: Response, fetched_at: datetime) -> int: ...


@dataclass
class Walk:
    """What a walk found. `writes`: rows that are new, changed or reopened, by id; `seen`: all ids of the list.

    `unchanged`: the first page said 304, so the list is as it was when its marks were saved.
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
    marks: dict[str, Validators] = field(default_factory=dict)

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
        hashed = content_hash(row)
        if held == (hashed, True):
            self.writes.pop(row.external_id, None)
        else:
            self.writes[row.external_id] = Listed(row, hashed, raw_id)


async def walk(
    source: Source,
    board: Board,
    fetcher: Fetch,
    keep: Keep,
    *,
    held: Mapping[str, tuple[bytes, bool]],
    marks: Mapping[str, Validators],
    rng: random.Random,
    turned: Callable[[], None],
) -> Walk:
    """Fetches page after page. `turned` is told after each. Raises the SourceErrors of a page that cannot be had."""
    found = Walk()
    cursor: str | None = None
    asked: set[str | None] = set()
    while cursor not in asked and len(asked) < _MAX_PAGES:
        asked.add(cursor)
        request = source.request(board.tenant, cursor)
        known = marks.get(request.url) if cursor is None else None
        response = await patiently(partial(fetcher.send, request, validators=known), rng, turned)
        turned()
        if response.status == 304:
            found.unchanged = found.ended = True
            return found
        raw_id = await keep(response, datetime.now(UTC))
        page = await parse(source, board.tenant, response)
        found.take(page, raw_id, board, held)
        cursor = page.cursor
        if cursor is None:
            found.ended = True
            mark = Validators.of(response.headers) if found.pages == 1 else None
            found.marks = {} if mark is None else {request.url: mark}
            break
    return found


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
    board_id: int, session: str, response: Response, blob_key: str, fetched_at: datetime, blob_from: int = 0
) -> RawResponse:
    """The record of an answer whose body lies under `blob_key`, beginning at byte `blob_from`."""
    return RawResponse(
        board_id=board_id, session=session, url=response.url[:2_000], status=response.status,
        content_hash=hashlib.sha256(response.body).digest(), blob_key=blob_key, size=len(response.body),
        fetched_at=fetched_at, blob_from=blob_from,
    )  # fmt: skip
