"""Crawls one board: walk its list, write what changed, judge what is missing, say when to come back."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import NamedTuple

import structlog

from daemons.crawl.archive import Archive
from daemons.crawl.ledger import Ledger
from daemons.crawl.moving import destination
from daemons.crawl.probing import SAMPLE, Missing, any_live
from daemons.crawl.walk import Client, Walk, Walker
from daemons.sources import SOURCES
from lib.errors import Denied, Fenced, Gone, Malformed, ProxyFailed, RateLimited, SourceError
from lib.life.metrics import crawled
from lib.posting import boards, writing
from lib.posting.boards import Board, BoardState, Finished, Mark
from lib.posting.closing import Decision, Evidence, closable, complete, decide
from lib.posting.contract import Completeness, DetailSource, Rejected, Source
from lib.posting.writing import Listed
from lib.store import letters
from lib.store.batches import BATCH_ROWS, Executor, write_rows
from lib.store.blobs import Store
from lib.store.connections import Connection, Database
from sql import statements

_SQL = statements("postings")
_SOON_S = 3_600.0  # after a suspicious list: near enough to confirm within the day, far enough to be another answer
_TOUCHED_AT_ONCE = 5_000  # of a long list's postings in one transaction
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
    moved_to: str | None = None


@dataclass(frozen=True)
class Crawler:
    """What crawling a board needs. `owner` holds the claims; `session` is written into everything."""

    database: Database
    fetcher: Client
    blobs: Store
    session: str
    owner: str
    rng: random.Random
    turned: Callable[[], None] = lambda: None

    async def crawl(self, source: Source, board: Board) -> Outcome:
        """Crawls a board that this owner has claimed. Raises Fenced when it lost the claim; SourceErrors end in the
        outcome and on the board."""
        held = await writing.held(self.database, board.id)
        ledger = Ledger(board.company, held.hashes, held.gone, waits=not isinstance(source, DetailSource))
        walker = Walker(
            source=source, tenant=board.tenant, client=self.fetcher, rng=self.rng, turned=self.turned,
            archive=Archive(self.database, self.blobs, board.id, self.session),
            write=partial(self._ingest, source, board),
        )  # fmt: skip
        try:
            found = await walker.walk(ledger, await boards.load_marks(self.database, board.id, self.session))
        except Gone as error:
            # The whole board answers 404: judged like a complete list without any posting.
            outcome = await self._conclude(source, board, ledger, Walk(ended=True), gone=str(error))
            outcome = await self._look_elsewhere(board, outcome)
        except SourceError as error:
            outcome = await self._fail(source, board, ledger, error)
        else:
            outcome = await self._conclude(source, board, ledger, found)
            if outcome.complete and not outcome.seen:
                outcome = await self._look_elsewhere(board, outcome)
        self._tell(source, outcome)
        return outcome

    async def _conclude(
        self, source: Source, board: Board, ledger: Ledger, found: Walk, gone: str | None = None
    ) -> Outcome:
        now = datetime.now(UTC)
        open_before = ledger.open_before
        if found.unchanged:
            missing: list[str] = []
            is_complete = True
            seen = open_before
        else:
            missing = ledger.missing()
            is_complete = gone is not None or complete(ledger.facts(source, ended=found.ended), source.healthy)
            seen = len(ledger.seen)
        absent = Evidence(
            is_open=True, listed=False if is_complete else None, missing=len(missing), open_before=open_before,
            nothing_listed=seen == 0 and open_before > 0,
            by_short_page=ledger.total is None and source.completeness is Completeness.SHORT_PAGE,
        )  # fmt: skip
        closing, doubted = await self._judge(source, board, absent, missing)
        closing = closable(closing, ledger.doubts())
        suspect = bool(doubted)
        state: BoardState = "suspect" if suspect or (gone is not None and not open_before) else "active"
        end = Finished(
            state=state,
            next_in_s=_SOON_S if suspect else _spread(board.every_s, self.rng),
            at=now,
            complete=is_complete and not suspect,
            count=seen if is_complete and not suspect else None,
            suspect_count=board.suspect_count + 1 if suspect else 0 if is_complete else board.suspect_count,
            failures=0 if is_complete and gone is None else board.failures + 1,
            error=gone or _doubt(is_complete, suspect, seen, open_before),
        )
        await self._close(board, closing, now)
        everything = found.unchanged or await self._touch(board, ledger, now)
        marks = found.marks if end.complete and not ledger.rejections else {}  # what was set aside is to be read again
        await self._finish(
            board, end, _set_aside(source, board, ledger.rejected), everything, None if found.unchanged else marks
        )
        return _outcome(board, ledger, end, seen=seen, closed=len(closing), suspect=suspect)

    async def _judge(
        self, source: Source, board: Board, absent: Evidence, missing: Sequence[str]
    ) -> tuple[list[str], list[str]]:
        """Which of the missing ones are to be closed, and which another list must confirm."""
        before = await writing.absences(self.database, board.id) if board.suspect_count else {}
        closing, doubted = _sorted_out(absent, missing, before, source)
        if closing and before and await self._still_shown(source, board, closing):
            closing, doubted = _sorted_out(replace(absent, others_live=True), missing, before, source)
        if absent.listed is False and (before or doubted):
            now_absent = {one: before.get(one, 0) + 1 for one in doubted}
            if not await writing.note_absences(self.database, board.id, self.owner, now_absent):
                raise _taken_over(board)
        return closing, doubted

    async def _still_shown(self, source: Source, board: Board, external_ids: Sequence[str]) -> bool:
        """Whether pages of these postings, which a list lacks that was doubted before, still show them."""
        if source.consent is not None:
            return False  # its pages are not for us
        some = self.rng.sample(external_ids, min(SAMPLE, len(external_ids)))
        rows = await self.database.fetch(_SQL.absent_ads, board.id, some)
        missing = [Missing(row["external_id"], row["title"], row["url"]) for row in rows]
        return await any_live(self.fetcher, source, board.tenant, missing, self.rng)

    async def _ingest(self, source: Source, board: Board, rows: Sequence[Listed]) -> None:
        now = datetime.now(UTC)

        async def write(executor: Executor, batch: Sequence[Listed]) -> None:
            if not await writing.ingest(executor, board.id, self.session, self.owner, now, batch):
                raise _taken_over(board)

        async def bury(connection: Connection, row: Listed, reason: str) -> None:
            key = f"{board.tenant}:{row.posting.external_id}"
            await letters.bury(connection, f"crawl:{source.name}", key, None, {"url": row.posting.url}, reason)

        await write_rows(self.database, rows, write, bury=bury)

    async def _touch(self, board: Board, ledger: Ledger, now: datetime) -> bool:
        """Marks what the list has shown as it is held as seen; True when that is all that was open, and left to do."""
        kept = ledger.kept()
        if len(kept) == ledger.open_before:
            return True
        for start in range(0, len(kept), _TOUCHED_AT_ONCE):
            ids = kept[start : start + _TOUCHED_AT_ONCE]
            if not await writing.touch(self.database, board.id, self.owner, now, ids):
                raise _taken_over(board)
            self.turned()
        return False

    async def _finish(
        self, board: Board, end: Finished, aside: Sequence[Letter], everything: bool, marks: Mapping[str, Mark] | None
    ) -> None:
        async def finish(executor: Executor) -> None:
            if not await boards.finish(
                executor, self.owner, self.session, board.id, end, all_seen=everything, marks=marks
            ):
                raise _taken_over(board)

        async def with_letters(connection: Connection) -> None:
            for letter in aside:
                await letters.bury(connection, letter.queue, letter.key, None, letter.payload, letter.reason)
            await finish(connection)

        await (self.database.transaction(with_letters) if aside else finish(self.database))

    async def _close(self, board: Board, external_ids: list[str], now: datetime) -> None:
        for start in range(0, len(external_ids), BATCH_ROWS):
            batch = external_ids[start : start + BATCH_ROWS]

            async def work(connection: Connection, batch: list[str] = batch) -> None:
                if not await boards.still_claimed(connection, self.owner, board.id):
                    raise _taken_over(board)
                await writing.close(connection, board.id, self.session, now, batch)

            await self.database.transaction(work)
            self.turned()

    async def _fail(self, source: Source, board: Board, ledger: Ledger, error: SourceError) -> Outcome:
        failures = board.failures + (0 if isinstance(error, (ProxyFailed, RateLimited)) else 1)
        now = datetime.now(UTC)
        end = Finished(
            state="denied" if isinstance(error, Denied) else board.state,
            next_in_s=_retry_in_s(error, failures, board.every_s, now, self.rng),
            at=now, complete=False, count=None, suspect_count=board.suspect_count, failures=failures,
            error=f"{type(error).__name__}: {error}"[:500],
        )  # fmt: skip
        aside = _set_aside(source, board, ledger.rejected)
        if isinstance(error, Malformed):
            aside.append(Letter(f"crawl:{source.name}", board.tenant, {"url": board.url}, str(error)))
        everything = bool(ledger.seen) and await self._touch(board, ledger, now)
        await self._finish(board, end, aside, everything, None)
        return _outcome(board, ledger, end, seen=len(ledger.seen))

    async def _look_elsewhere(self, board: Board, outcome: Outcome) -> Outcome:
        """Asks where a board that lists nothing has gone."""
        found = await destination(self.fetcher, board, await boards.company_pages(self.database, board))
        if found is None:
            return outcome
        system = SOURCES[found.source]
        every_s = int(system.every.total_seconds())
        address = system.board_url(found.tenant)
        if not await boards.move(self.database, board, found.source, found.tenant, address, every_s):
            return outcome
        return replace(outcome, moved_to=f"{found.source}:{found.tenant}")

    def _tell(self, source: Source, outcome: Outcome) -> None:
        for what in ("seen", "new", "changed", "closed", "rejected"):
            crawled.labels(source.name, what).inc(getattr(outcome, what))
        log = structlog.get_logger("crawl")
        (log.info if outcome.error is None else log.warning)(
            "crawled", source=source.name, tenant=outcome.board.tenant, rows=outcome.seen, new=outcome.new,
            changed=outcome.changed, closed=outcome.closed, rejected=outcome.rejected, complete=outcome.complete,
            error=outcome.error, moved_to=outcome.moved_to,
        )  # fmt: skip


class Letter(NamedTuple):
    """What could not be read, for `lib.store.letters`."""

    queue: str
    key: str
    payload: dict[str, str]
    reason: str


def _set_aside(source: Source, board: Board, rejected: Sequence[Rejected]) -> list[Letter]:
    """A letter for each row that could not be read, of the first ones."""
    return [
        Letter(
            f"crawl:{source.name}", f"{board.tenant}:{hashlib.blake2b(row.raw.encode(), digest_size=8).hexdigest()}",
            {"raw": row.raw}, row.reason,
        )
        for row in rejected[:_MAX_LETTERS]
    ]  # fmt: skip


def _outcome(
    board: Board, ledger: Ledger, end: Finished, *, seen: int, closed: int = 0, suspect: bool = False
) -> Outcome:
    new = ledger.new
    return Outcome(
        board=board, seen=seen, new=new, changed=len(ledger.written) - new, closed=closed,
        rejected=ledger.rejections, complete=end.complete or suspect, suspect=suspect, error=end.error,
    )  # fmt: skip


def _sorted_out(
    absent: Evidence, missing: Sequence[str], before: Mapping[str, int], source: Source
) -> tuple[list[str], list[str]]:
    """Those to be closed and those to be confirmed; `before`: how many lists lacked them before this one."""
    decisions = {
        lists: decide(replace(absent, suspicious=lists), source.healthy)
        for lists in {before.get(one, 0) for one in missing}
    }
    closing = [one for one in missing if decisions[before.get(one, 0)] is Decision.CLOSE]
    doubted = [one for one in missing if decisions[before.get(one, 0)] is Decision.SUSPECT]
    return closing, doubted


def _taken_over(board: Board) -> Fenced:
    return Fenced(f"board {board.id} was taken over")


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


def _doubt(is_complete: bool, suspect: bool, seen: int, open_before: int) -> str | None:
    if not is_complete:
        return f"the list is not proven complete ({seen} rows): nothing was closed"
    if suspect:
        return f"only {seen} rows where {open_before} postings were open: nothing is closed before it is confirmed"
    return None
