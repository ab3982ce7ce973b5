"""Details of one shard: what has no text is fetched, described, put off or closed.

The follower's place moves on whatever became of a fetch: what failed for the moment waits in `detail_retry`, and
upkeep gives it a new place in the change log when its time has come. So one slow host never holds up a shard.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import accumulate

import anyio

from daemons.crawl.archive import raw_record
from daemons.crawl.walk import Fetch, patiently
from lib.backoff import full_jitter_delays
from lib.errors import Denied, Malformed, ProxyFailed, RateLimited, SourceError
from lib.net.messages import Response
from lib.posting import boards, writing
from lib.posting.boards import RawResponse
from lib.posting.closing import Decision, Evidence, PageSays, decide, page_says
from lib.posting.contract import DetailSource, Posting, Source
from lib.posting.writing import Described
from lib.store import letters
from lib.store.blobs import Put
from lib.store.changes import Follower, Prepared
from lib.store.connections import Connection, Database
from sql import statements

_SQL = statements("postings")
_MAX_ATTEMPTS = 6
_FIRST_RETRY_S = 60.0
_LONGEST_RETRY_S = 6 * 3_600.0
_PACK_BYTES = 4_000_000


@dataclass(frozen=True)
class Wanted:
    """A posting whose detail is to be fetched."""

    posting_id: int
    external_id: str
    url: str
    board_id: int
    source: str
    tenant: str
    attempts: int
    refusals: int


@dataclass(frozen=True)
class Came:
    """A detail that came, and the answer that brought it."""

    wanted: Wanted
    detail: Posting
    response: Response
    at: datetime

    @property
    def digest(self) -> bytes:
        """The SHA-256 of the answer's body."""
        return hashlib.sha256(self.response.body).digest()


@dataclass(frozen=True)
class Fetched:
    """A detail whose answer is kept, with the record of it."""

    posting_id: int
    detail: Posting
    raw: RawResponse


@dataclass(frozen=True)
class Vanished:
    """The posting's page says that it is gone."""

    posting_id: int


@dataclass(frozen=True)
class Postponed:
    """A detail that did not come. `final`: it was tried often enough, or trying again makes no sense."""

    posting_id: int
    source: str
    attempts: int
    refusals: int
    retry_at: datetime
    reason: str
    final: bool


Result = Fetched | Vanished | Postponed


@dataclass
class DescriptionFold:
    """Fetches the details of changed postings that have no text. `sources` are those whose lists have none."""

    database: Database
    fetcher: Fetch
    blobs: Put
    sources: Mapping[str, Source]
    session: str
    refresh_days: int
    concurrency: int
    rng: random.Random
    turned: Callable[[], None]
    follower: Follower = Follower("descriptions", 1)
    _details: dict[str, DetailSource] = field(init=False)

    def __post_init__(self) -> None:
        self._details = {name: source for name, source in self.sources.items() if isinstance(source, DetailSource)}

    async def prepare(self, posting_ids: Sequence[int]) -> Prepared[Result]:
        rows = await self.database.fetch(_SQL.undescribed, list(posting_ids), list(self._details), self.refresh_days)
        results: list[Result] = []
        came: list[Came] = []
        waiting = (
            Wanted(
                row["id"],
                row["external_id"],
                row["url"],
                row["board_id"],
                row["source"],
                row["tenant"],
                row["attempts"],
                row["refusals"],
            )
            for row in rows
        )

        async def fetch() -> None:
            for wanted in waiting:
                found = await self._detail(wanted)
                if isinstance(found, Came):
                    came.append(found)
                else:
                    results.append(found)
                self.turned()

        async with anyio.create_task_group() as tasks:
            for _ in range(min(self.concurrency, len(rows))):
                tasks.start_soon(fetch)
        for pack in packs(came):
            results += await self._keep(pack)
        results.sort(key=lambda result: result.posting_id)  # rows are locked in one order by everybody
        return Prepared(results)

    async def write(self, connection: Connection, items: Sequence[Result]) -> None:
        now = datetime.now(UTC)
        fetched = [item for item in items if isinstance(item, Fetched)]
        if fetched:
            raw_ids = await boards.add_raws(connection, [item.raw for item in fetched])
            described = [
                Described(item.posting_id, item.detail, raw_id) for item, raw_id in zip(fetched, raw_ids, strict=True)
            ]
            await writing.describe(connection, self.session, now, described)
        vanished = [item.posting_id for item in items if isinstance(item, Vanished)]
        if vanished:
            await writing.close_by_id(connection, self.session, now, vanished)
        await self._postpone(connection, [item for item in items if isinstance(item, Postponed)])

    async def _postpone(self, connection: Connection, items: Sequence[Postponed]) -> None:
        later = [item for item in items if not item.final]
        if later:
            await connection.execute(
                _SQL.postpone, [item.posting_id for item in later], [item.attempts for item in later],
                [item.refusals for item in later], [item.retry_at for item in later], [item.reason for item in later],
            )  # fmt: skip
        final = [item for item in items if item.final]
        for item in final:
            await letters.bury(
                connection,
                f"detail:{item.source}",
                str(item.posting_id),
                None,
                {"attempts": item.attempts},
                item.reason,
            )
        if final:
            await connection.execute(_SQL.give_up, [item.posting_id for item in final])

    async def _detail(self, wanted: Wanted) -> Came | Vanished | Postponed:
        source = self._details[wanted.source]
        assumed = False
        try:
            request = source.detail_request(wanted.tenant, wanted.external_id, wanted.url).on_behalf_of(source.name)
            assumed = request.assumed
            response = await patiently(partial(self.fetcher.send, request), self.rng, self.turned)
            detail = source.parse_detail(wanted.tenant, response)
            if detail.html is None:
                raise Malformed("the detail has no text")
            if detail.external_id != wanted.external_id:
                raise Malformed(f"the detail is that of {detail.external_id!r}")
            return Came(wanted, detail, response, datetime.now(UTC))
        except SourceError as error:
            says = page_says(error, assumed=assumed)
            refusals = wanted.refusals + 1 if says is PageSays.REFUSED else 0
            known = Evidence(is_open=True, page=says, refusals=refusals)
            if decide(known, source.healthy) is Decision.CLOSE:
                return Vanished(wanted.posting_id)
            return self._postponed(wanted, error, refusals)

    async def _keep(self, pack: Sequence[Came]) -> list[Fetched]:
        """Keeps answers as one blob: a file for each would cost more than all the rest of the work."""
        key = await self.blobs.put(b"".join(one.response.body for one in pack))
        begins = accumulate((len(one.response.body) for one in pack), initial=0)
        return [
            Fetched(
                one.wanted.posting_id,
                one.detail,
                raw_record(one.wanted.board_id, self.session, one.response, one.digest, key, one.at, begin),
            )
            for one, begin in zip(pack, begins, strict=False)
        ]

    def _postponed(self, wanted: Wanted, error: SourceError, refusals: int) -> Postponed:
        """When to try again. Being told to wait costs no attempt, and neither does a proxy's failure."""
        now = datetime.now(UTC)
        reason = f"{type(error).__name__}: {error}"[:500]
        if isinstance(error, RateLimited):
            return Postponed(wanted.posting_id, wanted.source, wanted.attempts, refusals, error.retry_at, reason, False)
        attempts = wanted.attempts + (0 if isinstance(error, ProxyFailed) else 1)
        final = attempts >= _MAX_ATTEMPTS or isinstance(error, Denied)
        delays = full_jitter_delays(self.rng, first_s=_FIRST_RETRY_S * 2.0**wanted.attempts, cap_s=_LONGEST_RETRY_S)
        retry_at = now + timedelta(seconds=_FIRST_RETRY_S / 2 + next(delays))
        return Postponed(wanted.posting_id, wanted.source, attempts, refusals, retry_at, reason, final)


def packs(came: Sequence[Came]) -> Iterator[list[Came]]:
    """Answers in their order, as many together as make a blob of moderate size."""
    pack: list[Came] = []
    size = 0
    for one in came:
        if pack and size + len(one.response.body) > _PACK_BYTES:
            yield pack
            pack, size = [], 0
        pack.append(one)
        size += len(one.response.body)
    if pack:
        yield pack
