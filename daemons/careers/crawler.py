"""Crawls one site: its reservations, its sitemaps, then its pages, lists first; writes what they state."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial

import msgspec

from daemons.careers import leads, pages
from daemons.careers.closing import Sight, closes, doubts_after, next_visit
from daemons.careers.elsewhere import Elsewhere, board_behind
from daemons.careers.pages import Kind, Page, State
from daemons.careers.site import Site
from daemons.careers.survey import Client, Rights, Survey
from daemons.careers.visits import Readers, Visit, Visitor
from daemons.crawl.archive import Archive
from daemons.crawl.walk import patiently
from lib.errors import Denied, Fenced, Malformed, RateLimited, SourceError
from lib.net.messages import Request, Response
from lib.net.validators import Validators
from lib.posting import boards, writing
from lib.posting.boards import Board, Finished
from lib.posting.contract import Posting
from lib.posting.writing import Listed
from lib.store import letters
from lib.store.batches import BATCH_ROWS, Executor, write_rows
from lib.store.blobs import Store
from lib.store.connections import Connection, Database

MAX_VISITS = 1_000  # of one site in one turn
_TOGETHER = 20
_MAX_UNREACHABLE = 5  # pages in a row: the site is away
_GRACE = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What one turn at a site did. `waiting`: pages that need a browser. `elsewhere`: the board that has its jobs."""

    board: Board
    visited: int = 0
    seen: int = 0
    new: int = 0
    changed: int = 0
    closed: int = 0
    aside: int = 0
    waiting: int = 0
    elsewhere: Elsewhere | None = None
    error: str | None = None


@dataclass
class _Turn:
    """What a turn has found so far. `held`: external id -> content hash, None where closed."""

    held: dict[str, bytes | None]
    in_browser: bool
    seen: dict[str, str] = field(default_factory=dict)  # external id -> the page that shows it
    visited: int = 0
    new: int = 0
    changed: int = 0
    closed: int = 0
    aside: int = 0
    waiting: int = 0
    led: int = 0
    forbidden: int = 0
    unreachable: int = 0
    elsewhere: Elsewhere | None = None
    problem: str | None = None


@dataclass(frozen=True, kw_only=True)
class Crawler:
    """What crawling sites needs. `owner` holds the claims; `session` is written into everything."""

    database: Database
    client: Client
    blobs: Store
    readers: Readers
    session: str
    version: str
    owner: str
    rng: random.Random
    turned: Callable[[], None] = lambda: None

    async def crawl(self, board: Board, *, in_browser: bool = False) -> Outcome:
        """One turn at a site that this owner has claimed. `in_browser`: only its pages that need one; `client` is it.

        Raises Fenced when the claim was lost; SourceErrors end in the outcome and on the board.
        """
        site = Site.of(board.tenant)
        if site is None:
            return await self._fail(board, Malformed(f"{board.tenant!r} is no site"))
        turn = _Turn((await writing.held(self.database, board.id)).hashes, in_browser)
        survey = Survey(site, self.client, self._send)
        try:
            rights = await survey.rights()
            refusal = rights.forbid(site.start, {})
            if refusal is not None:
                raise Denied(refusal)
            if not in_browser:
                now = datetime.now(UTC)
                start = pages.Lead(url=site.start, depth=0, kind="list")
                await pages.find(self.database, board.id, [start, *await survey.leads()], now)
            await self._visit_all(board, site, rights, turn)
        except SourceError as error:
            return await self._fail(board, error)
        if survey.problems and turn.problem is None:
            turn.problem = "; ".join(survey.problems)[:500]
        return await self._end(board, turn)

    async def _send(self, request: Request, validators: Validators | None = None) -> Response:
        return await patiently(partial(self.client.send, request, validators=validators), self.rng, self.turned)

    async def _visit_all(self, board: Board, site: Site, rights: Rights, turn: _Turn) -> None:
        visitor = Visitor(
            site=site, send=self._send, rights=rights, readers=self.readers, version=self.version,
            archive=Archive(self.database, self.blobs, board.id, self.session),
        )  # fmt: skip
        began = datetime.now(UTC)
        while turn.visited < MAX_VISITS and turn.unreachable < _MAX_UNREACHABLE and turn.elsewhere is None:
            # The start alone: it may say that all jobs are elsewhere.
            some = 1 if turn.visited == 0 else _TOGETHER
            due = await pages.due(self.database, board.id, datetime.now(UTC), some, in_browser=turn.in_browser)
            due = [page for page in due if page.read_at is None or page.read_at < began]
            if not due:
                return
            visits = await visitor.visit(due)
            turn.visited += len(visits)
            if visits[0].page.depth == 0:
                self._judge_start(visits[0], turn)
            await self._take(board, site, turn, visits)
            self.turned()

    def _judge_start(self, visit: Visit, turn: _Turn) -> None:
        """The careers page itself: where it cannot be had there is nothing to say about the site."""
        turn.elsewhere = board_behind(visit)
        if turn.elsewhere is None and visit.response is None:
            turn.problem = f"careers page: {visit.reason}"

    async def _take(self, board: Board, site: Site, turn: _Turn, visits: Sequence[Visit]) -> None:
        """Writes what the visits found: postings, then closings, then the pages, so that a crash repeats work only."""
        now = datetime.now(UTC)
        rows: list[Listed] = []
        touched: list[str] = []
        closing: list[str] = []
        visited: list[Page] = []
        found: list[pages.Lead] = []
        for visit in visits:
            page, shown, lost = self._judge(visit, turn, now)
            visited.append(
                replace(page, due_at=now + next_visit(page.kind, page.state, page.attempts, self._every(board)))
            )
            closing += lost
            touched += page.external_ids if visit.unchanged else ()
            rows += [Listed.of(_named(one, board), visit.raw_id) for one in visit.postings if one.external_id in shown]
            found += _leads(visit, site)
        fresh = [row for row in rows if turn.held.get(row.posting.external_id) != row.hash]
        touched += [row.posting.external_id for row in rows if row not in fresh]
        await self._ingest(board, turn, fresh, now)
        await self._write(board, turn, touched, closing, visited, now)
        known = {page.url for page in visited}
        turn.led += len(found)
        await pages.find(self.database, board.id, [lead for lead in found if lead.url not in known], now)

    def _judge(self, visit: Visit, turn: _Turn, now: datetime) -> tuple[Page, set[str], list[str]]:
        """The page as it is known after a visit, which of its postings are written, and which are closed."""
        open_now = {
            one.external_id for one in visit.postings if one.valid_through is None or one.valid_through + _GRACE > now
        }
        sight = visit.sight
        if visit.postings and not open_now:
            sight = Sight.ENDED
        shown = {one for one in open_now if turn.seen.setdefault(one, visit.page.url) == visit.page.url}
        doubts = doubts_after(sight, visit.page.doubts)
        over = closes(sight, doubts)
        lost = [one for one in visit.page.external_ids if one not in open_now and not visit.unchanged] if over else []
        kept = visit.page.external_ids if not over else ()
        turn.forbidden += visit.forbidden
        if not visit.forbidden:
            turn.unreachable = turn.unreachable + 1 if sight is Sight.UNREACHABLE else 0
        state, kind = _state(visit, sight), _kind(visit, sight)
        turn.aside += state == "aside"
        turn.waiting += state == "browser"
        validators = Validators.of(visit.response.headers) if visit.response is not None else None
        page = replace(
            visit.page,
            state=state,
            kind=kind,
            external_ids=tuple(dict.fromkeys((*shown, *kept))),
            etag=validators.etag if validators else visit.page.etag,
            last_modified=validators.last_modified if validators else visit.page.last_modified,
            body_hash=visit.body_hash,
            doubts=doubts,
            attempts=visit.page.attempts + 1 if state == "aside" or (state == "browser" and turn.in_browser) else 0,
            reason=visit.reason,
        )
        return page, shown, lost

    async def _ingest(self, board: Board, turn: _Turn, rows: list[Listed], now: datetime) -> None:
        async def write(executor: Executor, batch: Sequence[Listed]) -> None:
            if not await writing.ingest(executor, board.id, self.session, self.owner, now, batch):
                raise Fenced(f"board {board.id} was taken over")

        async def bury(connection: Connection, row: Listed, reason: str) -> None:
            key = f"{board.tenant}:{row.posting.external_id}"
            await letters.bury(connection, f"crawl:{board.source}", key, None, {"url": row.posting.url}, reason)

        unique = list({row.posting.external_id: row for row in rows}.values())
        for start in range(0, len(unique), BATCH_ROWS):
            await write_rows(self.database, unique[start : start + BATCH_ROWS], write, bury=bury)
        for row in unique:
            known = row.posting.external_id in turn.held
            turn.changed, turn.new = turn.changed + known, turn.new + (not known)
            turn.held[row.posting.external_id] = row.hash

    async def _write(
        self, board: Board, turn: _Turn, touched: list[str], closing: list[str], visited: list[Page], now: datetime
    ) -> None:
        over = [one for one in closing if turn.held.get(one) is not None and one not in turn.seen]

        async def work(connection: Connection) -> None:
            if not await boards.still_claimed(connection, self.owner, board.id):
                raise Fenced(f"board {board.id} was taken over")
            if over:
                await writing.close(connection, board.id, self.session, now, over)
            if touched:
                await writing.touch(connection, board.id, self.owner, now, touched)
            await pages.save(connection, board.id, self.version, now, visited)

        await self.database.transaction(work)
        turn.closed += len(over)
        for one in over:
            turn.held[one] = None

    async def _end(self, board: Board, turn: _Turn) -> Outcome:
        now = datetime.now(UTC)
        await self._write(board, turn, [], await pages.lapsed(self.database, board.id, now), [], now)
        await pages.forget(self.database, board.id, now)
        seen = sum(digest is not None for digest in turn.held.values())
        failed = turn.problem is not None or turn.unreachable >= _MAX_UNREACHABLE
        problem = turn.problem or (f"{turn.unreachable} pages in a row could not be had" if failed else None)
        if turn.elsewhere is not None:
            problem = f"its jobs are on {turn.elsewhere.url}"
        elif problem is None and turn.forbidden:
            problem = f"{turn.forbidden} pages are not for us: `vakanz careers show` says why"
        end = Finished(
            state="active",
            next_in_s=self._next_in_s(board, turn, now),
            at=now, complete=not failed and not turn.in_browser, count=None if failed or turn.in_browser else seen,
            suspect_count=0, failures=board.failures + 1 if failed else 0, error=problem,
        )  # fmt: skip
        await self._finish(board, end)
        if turn.elsewhere is not None:
            other = turn.elsewhere
            await boards.move(self.database, board, other.source, other.tenant, other.url, other.every_s)
        return Outcome(
            board=board, visited=turn.visited, seen=seen, new=turn.new, changed=turn.changed, closed=turn.closed,
            aside=turn.aside, waiting=turn.waiting, elsewhere=turn.elsewhere, error=problem,
        )  # fmt: skip

    def _next_in_s(self, board: Board, turn: _Turn, now: datetime) -> float:
        if turn.in_browser:  # what scripts show may lead on to pages that need none
            return 0.0 if turn.led else max(0.0, (board.next_due - now).total_seconds())
        if turn.visited >= MAX_VISITS:
            return 3_600.0
        return board.every_s * self.rng.uniform(0.95, 1.05)

    async def _fail(self, board: Board, error: SourceError) -> Outcome:
        now = datetime.now(UTC)
        wait_s = board.every_s * self.rng.uniform(0.95, 1.05)
        if isinstance(error, RateLimited):
            wait_s = max(60.0, (error.retry_at - now).total_seconds())
        end = Finished(
            state="denied" if isinstance(error, Denied) else board.state, next_in_s=wait_s, at=now, complete=False,
            count=None, suspect_count=0, failures=board.failures + 1, error=f"{type(error).__name__}: {error}"[:500],
        )  # fmt: skip
        await self._finish(board, end)
        return Outcome(board=board, error=end.error)

    async def _finish(self, board: Board, end: Finished) -> None:
        if not await boards.finish(self.database, self.owner, self.session, board.id, end):
            raise Fenced(f"board {board.id} was taken over")

    def _every(self, board: Board) -> timedelta:
        return timedelta(seconds=board.every_s)


def _state(visit: Visit, sight: Sight) -> State:
    if visit.reading is not None and visit.reading.verdict == "shell":
        return "browser"
    if sight in (Sight.UNREACHABLE, Sight.UNREAD):
        return "aside"
    return "gone" if visit.reading is None and not visit.unchanged else "read"


def _kind(visit: Visit, sight: Sight) -> Kind:
    """What the page is; a visit that brought none leaves it as it was."""
    if visit.reading is None or visit.reading.verdict == "shell":
        return visit.page.kind
    if visit.postings and visit.page.kind == "document":
        return "document"
    if visit.reading.verdict == "list" or visit.page.depth == 0:
        return "list"
    return "ad" if visit.postings or sight in (Sight.ENDED, Sight.REFUSED) else "other"


def _leads(visit: Visit, site: Site) -> list[pages.Lead]:
    if visit.led_to is not None and site.has(visit.led_to):
        return [pages.Lead(url=visit.led_to, depth=visit.page.depth)]
    return leads.from_page(visit.page, visit.reading, site) if visit.reading is not None else []


def _named(posting: Posting, board: Board) -> Posting:
    """A posting that names no company is the one's whose site it is."""
    return posting if posting.company else msgspec.structs.replace(posting, company=board.company)
