"""Crawls one board: walk its list, write what changed, judge what is missing, say when to come back."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog

from daemons.crawl.closing import Verdict, closable, complete, judge
from daemons.crawl.walk import Fetch, Walk, raw_record, walk
from lib.errors import Denied, Fenced, Gone, Malformed, RateLimited, SourceError
from lib.life.metrics import crawled
from lib.net.messages import Response
from lib.posting import boards, writing
from lib.posting.boards import Board, BoardState, Finished
from lib.posting.contract import Rejected, Source
from lib.posting.writing import Listed
from lib.store import letters
from lib.store.batches import BATCH_ROWS, Executor, write_rows
from lib.store.blobs import Put, digest_of
from lib.store.connections import Connection, Database

_SOON_S = 3_600.0  # after a suspicious list: near enough to confirm within the day, far enough to be another answer
_MAX_LETTERS = 200  # unreadable rows that one crawl sets aside; the counter has them all


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What one crawl of a board did. `error` is None when the list could be read."""

    board: Board
    seen: int = 0
    new: int = 0
    changed: int = 0
    closed: int = 0
    rejected: int = 0
    complete: bool = False
    suspect: bool = False
    error: str | None = None


@dataclass(frozen=True)
class Crawler:
    """What crawling a board needs. `owner` holds the claims; `session` is written into everything."""

    database: Database
    fetcher: Fetch
    blobs: Put
    session: str
    owner: str
    rng: random.Random
    turned: Callable[[], None] = lambda: None

    async def crawl(self, source: Source, board: Board) -> Outcome:
        """Crawls a board that this owner has claimed. Raises Fenced when it lost the claim; SourceErrors end in the
        outcome and on the board."""
        held = await writing.held(self.database, board.id)
        open_before = sum(is_open for _, is_open in held.values())
        try:
            found = await walk(
                source, board, self.fetcher, self._keeper(board), held=held, rng=self.rng, turned=self.turned,
                marks=await boards.load_marks(self.database, board.id, self.session),
            )  # fmt: skip
        except Gone as error:
            # The whole board answers 404: judged like a complete list without any posting.
            outcome = await self._conclude(source, board, Walk(ended=True), held, open_before, gone=str(error))
        except SourceError as error:
            outcome = await self._fail(source, board, error)
        else:
            outcome = await self._conclude(source, board, found, held, open_before)
        self._tell(source, outcome)
        return outcome

    def _keeper(self, board: Board) -> _Keeper:
        return _Keeper(self.database, self.blobs, board.id, self.session)

    async def _conclude(
        self,
        source: Source,
        board: Board,
        found: Walk,
        held: dict[str, tuple[bytes, bool]],
        open_before: int,
        gone: str | None = None,
    ) -> Outcome:
        now = datetime.now(UTC)
        await self._ingest(source, board, list(found.writes.values()), now)
        if found.unchanged:
            missing: list[str] = []
            is_complete = True
            seen = open_before
        else:
            missing = [one for one, (_, is_open) in held.items() if is_open and one not in found.seen]
            is_complete = gone is not None or complete(found.facts(source), source.healthy)
            seen = len(found.seen)
        verdict = judge(
            is_complete=is_complete, seen=seen, missing=len(missing), open_before=open_before,
            suspect_count=board.suspect_count, healthy=source.healthy,
        )  # fmt: skip
        closing = closable(missing, found.rejected) if verdict is Verdict.CLOSE else []
        kept = [one for one, (_, is_open) in held.items() if is_open and one in found.seen and one not in found.writes]
        suspect = verdict is Verdict.SUSPECT
        new = sum(one not in held for one in found.writes)
        state: BoardState = "suspect" if suspect or (gone is not None and not open_before) else "active"
        end = Finished(
            state=state,
            next_in_s=_SOON_S if suspect else _spread(board.every_s, self.rng),
            at=now,
            complete=is_complete and not suspect,
            count=seen if is_complete and not suspect else None,
            suspect_count=_suspicion(verdict, board.suspect_count),
            failures=0 if is_complete and gone is None else board.failures + 1,
            error=gone or _doubt(is_complete, suspect, seen, open_before),
        )
        await self._close(board, closing, now)

        async def finish(connection: Connection) -> None:
            await _set_aside(connection, source, board, found.rejected)
            if found.unchanged or (is_complete and len(kept) == open_before):
                await writing.touch_all(connection, board.id, now)
            elif kept:
                await writing.touch(connection, board.id, now, kept)
            if not found.unchanged:
                known = end.complete and not found.rejected  # what was set aside is to be read again
                await boards.replace_marks(connection, board.id, self.session, found.marks if known else {})
            if not await boards.finish(connection, self.owner, board.id, end):
                raise Fenced(f"board {board.id} was taken over")

        await self.database.transaction(finish)
        return Outcome(
            board=board, seen=seen, new=new, changed=len(found.writes) - new, closed=len(closing),
            rejected=len(found.rejected), complete=is_complete, suspect=suspect, error=end.error,
        )  # fmt: skip

    async def _ingest(self, source: Source, board: Board, rows: list[Listed], now: datetime) -> None:
        async def write(executor: Executor, batch: Sequence[Listed]) -> None:
            if not await writing.ingest(executor, board.id, self.session, self.owner, now, batch):
                raise Fenced(f"board {board.id} was taken over")

        async def bury(connection: Connection, row: Listed, reason: str) -> None:
            key = f"{board.tenant}:{row.posting.external_id}"
            await letters.bury(connection, f"crawl:{source.name}", key, None, {"url": row.posting.url}, reason)

        for start in range(0, len(rows), BATCH_ROWS):
            await write_rows(self.database, rows[start : start + BATCH_ROWS], write, bury=bury)
            self.turned()

    async def _close(self, board: Board, external_ids: list[str], now: datetime) -> None:
        for start in range(0, len(external_ids), BATCH_ROWS):
            batch = external_ids[start : start + BATCH_ROWS]

            async def work(connection: Connection, batch: list[str] = batch) -> None:
                if not await boards.still_claimed(connection, self.owner, board.id):
                    raise Fenced(f"board {board.id} was taken over")
                await writing.close(connection, board.id, self.session, now, batch)

            await self.database.transaction(work)
            self.turned()

    async def _fail(self, source: Source, board: Board, error: SourceError) -> Outcome:
        failures = board.failures + (0 if isinstance(error, RateLimited) else 1)
        now = datetime.now(UTC)
        end = Finished(
            state="denied" if isinstance(error, Denied) else board.state,
            next_in_s=_retry_in_s(error, failures, board.every_s, now, self.rng),
            at=now, complete=False, count=None, suspect_count=board.suspect_count, failures=failures,
            error=f"{type(error).__name__}: {error}"[:500],
        )  # fmt: skip

        async def finish(connection: Connection) -> None:
            if isinstance(error, Malformed):
                await letters.bury(
                    connection, f"crawl:{source.name}", board.tenant, None, {"url": board.url}, str(error)
                )
            if not await boards.finish(connection, self.owner, board.id, end):
                raise Fenced(f"board {board.id} was taken over")

        await self.database.transaction(finish)
        return Outcome(board=board, error=end.error)

    def _tell(self, source: Source, outcome: Outcome) -> None:
        for what in ("seen", "new", "changed", "closed", "rejected"):
            crawled.labels(source.name, what).inc(getattr(outcome, what))
        log = structlog.get_logger("crawl")
        (log.info if outcome.error is None else log.warning)(
            "crawled", source=source.name, tenant=outcome.board.tenant, rows=outcome.seen, new=outcome.new,
            changed=outcome.changed, closed=outcome.closed, rejected=outcome.rejected, complete=outcome.complete,
            error=outcome.error,
        )  # fmt: skip


@dataclass(frozen=True)
class _Keeper:
    """Stores raw answers of one board."""

    database: Database
    blobs: Put
    board_id: int
    session: str

    async def __call__(self, response: Response, fetched_at: datetime) -> tuple[int, bytes]:
        key = await self.blobs.put(response.body)
        digest = digest_of(key)
        raw = raw_record(self.board_id, self.session, response, digest, key, fetched_at)
        return await boards.add_raw(self.database, raw), digest


async def _set_aside(connection: Connection, source: Source, board: Board, rejected: Sequence[Rejected]) -> None:
    for row in rejected[:_MAX_LETTERS]:
        digest = hashlib.blake2b(row.raw.encode(), digest_size=8).hexdigest()
        key = f"{board.tenant}:{digest}"
        await letters.bury(connection, f"crawl:{source.name}", key, None, {"raw": row.raw}, row.reason)


def _spread(every_s: int, rng: random.Random) -> float:
    """A little earlier or later each time, so that boards do not come due together for ever."""
    return every_s * rng.uniform(0.95, 1.05)


def _retry_in_s(error: SourceError, failures: int, every_s: int, now: datetime, rng: random.Random) -> float:
    """When to try a list again that could not be read: as told, or after a delay that doubles up to the usual one."""
    if isinstance(error, RateLimited):
        return max(1.0, (error.retry_at - now).total_seconds()) + rng.uniform(0.0, 10.0)
    if isinstance(error, Denied):
        return float(every_s)
    return min(float(every_s), 60.0 * 2.0 ** min(failures, 20)) * rng.uniform(0.8, 1.2)


def _suspicion(verdict: Verdict, before: int) -> int:
    """How many lists in a row were suspicious; one that proves nothing leaves the count as it was."""
    return {Verdict.SUSPECT: before + 1, Verdict.KEEP: before, Verdict.CLOSE: 0}[verdict]


def _doubt(is_complete: bool, suspect: bool, seen: int, open_before: int) -> str | None:
    if not is_complete:
        return f"the list is not proven complete ({seen} rows): nothing was closed"
    if suspect:
        return f"only {seen} rows where {open_before} postings were open: nothing is closed before it is confirmed"
    return None
