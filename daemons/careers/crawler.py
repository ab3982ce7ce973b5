"""Crawls one site: its reservations, its sitemaps, then its pages, lists first; writes what they state."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial

import msgspec

from daemons.careers import leads, pages
from daemons.careers.closing import next_visit
from daemons.careers.doubles import doubles, rank, same
from daemons.careers.elsewhere import Elsewhere, board_behind
from daemons.careers.pages import Page, ad_of
from daemons.careers.site import Site
from daemons.careers.survey import Client, Rights, Survey
from daemons.careers.turn import Turn
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
_LONGEST = timedelta(minutes=30)  # a turn at a site that drips its pages
_TOGETHER = 20


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
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    async def crawl(self, board: Board, *, in_browser: bool = False) -> Outcome:
        """One turn at a site that this owner has claimed. `in_browser`: only its pages that need one; `client` is it.

        Raises Fenced when the claim was lost; SourceErrors end in the outcome and on the board.
        """
        site = Site.of(board.tenant)
        if site is None:
            return await self._fail(board, Malformed(f"{board.tenant!r} is no site"))
        turn = Turn((await writing.held(self.database, board.id)).hashes, in_browser, self.clock(), site.start)
        survey = Survey(site, self.client, self._send)
        try:
            rights = await survey.rights()
            refusal = rights.forbid(site.start, {})
            if refusal is not None:
                raise Denied(refusal)
            if not in_browser:
                start = pages.Lead(url=site.start, depth=0, kind="list")
                await pages.find(self.database, board.id, [start, *await survey.leads()], turn.began)
            await self._visit_all(board, site, rights, turn)
        except SourceError as error:
            return await self._fail(board, error)
        if survey.problems and turn.problem is None:
            turn.problem = "; ".join(survey.problems)[:500]
        return await self._end(board, turn)

    async def _send(self, request: Request, validators: Validators | None = None) -> Response:
        return await patiently(partial(self.client.send, request, validators=validators), self.rng, self.turned)

    async def _visit_all(self, board: Board, site: Site, rights: Rights, turn: Turn) -> None:
        visitor = Visitor(
            site=site, send=self._send, rights=rights, readers=self.readers, version=self.version,
            archive=Archive(self.database, self.blobs, board.id, self.session),
        )  # fmt: skip
        while turn.visited < MAX_VISITS and not turn.is_failing and turn.elsewhere is None and self._has_time(turn):
            # The start alone: it may say that all jobs are elsewhere.
            some = 1 if turn.visited == 0 else _TOGETHER
            due = await pages.due(self.database, board.id, self.clock(), some, turn.began, in_browser=turn.in_browser)
            if not due:
                return
            visits = await visitor.visit([turn.asked(page) for page in due])
            turn.visited += len(visits)
            if visits[0].page.url == site.start:
                self._judge_start(visits[0], turn)
            await self._take(board, site, turn, visits)
            self.turned()

    def _has_time(self, turn: Turn) -> bool:
        return self.clock() - turn.began < _LONGEST

    def _judge_start(self, visit: Visit, turn: Turn) -> None:
        """The careers page itself: where it cannot be had there is nothing to say about the site."""
        turn.elsewhere = board_behind(visit)
        if turn.elsewhere is None and visit.response is None:
            turn.problem = f"careers page: {visit.reason}"

    async def _take(self, board: Board, site: Site, turn: Turn, visits: Sequence[Visit]) -> None:
        """Writes what the visits found: postings, then the pages, so that a crash repeats work only."""
        now = self.clock()
        rows: list[Listed] = []
        touched: list[str] = []
        visited: list[Page] = []
        found: list[pages.Lead] = []
        for visit in visits:
            page, shown = turn.judge(visit, now)
            ads = [_named(one, board) for one in visit.postings if one.external_id in shown]
            own, twins = await self._without_doubles(board, turn, ads, rows)
            rows += [Listed.of(one, visit.raw_id) for one in own]
            if twins:
                page = _with_doubles(page, twins)
            touched += page.external_ids if visit.unchanged else ()
            steady = page.depth == 0 or bool(page.external_ids)
            wait = next_visit(page.kind, page.state, page.attempts, self._every(board), steady=steady)
            visited.append(replace(page, due_at=now + wait))
            found += _leads(visit, site)
        fresh = [row for row in rows if turn.held.get(row.posting.external_id) != row.hash]
        touched += [row.posting.external_id for row in rows if row not in fresh]
        await self._ingest(board, turn, fresh, now)
        await self._write(board, turn, touched, [], visited, now)
        known = {page.url for page in visited}
        turn.led += len(found)
        await pages.find(self.database, board.id, [lead for lead in found if lead.url not in known], now)

    async def _without_doubles(
        self, board: Board, turn: Turn, ads: list[Posting], before: list[Listed]
    ) -> tuple[list[Posting], dict[str, str]]:
        """A page's postings without those new ones that the site has at another address, and those addresses by id."""
        new = [one for one in ads if turn.held.get(one.external_id) is None]
        if not new:
            return ads, {}
        open_ads = await pages.same_titles(self.database, board.id, [one.title for one in new])
        known = [ad for ad in open_ads if not turn.is_told_off(ad.external_id)]
        known += [ad_of(row.posting) for row in before]
        twins: dict[str, str] = {}
        for one in new:
            ad = ad_of(one)
            twin = next((other for other in known if rank(other) < rank(ad) and same(ad, other)), None)
            if twin is not None:
                twins[ad.external_id] = twin.url
                turn.seen.pop(ad.external_id, None)
            known.append(ad)
        return [one for one in ads if one.external_id not in twins], twins

    async def _ingest(self, board: Board, turn: Turn, rows: list[Listed], now: datetime) -> None:
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
        self, board: Board, turn: Turn, touched: list[str], closing: list[str], visited: list[Page], now: datetime
    ) -> None:
        over = [one for one in dict.fromkeys(closing) if turn.held.get(one) is not None]

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

    async def _end(self, board: Board, turn: Turn) -> Outcome:
        now = self.clock()
        lapsed = await pages.lapsed(self.database, board.id, now)
        await self._write(board, turn, [], [*turn.over(), *lapsed], [], now)
        if turn.new or turn.changed:  # a page that was away may have left its double alone for a day
            twice = doubles(await pages.repeated_titles(self.database, board.id))
            await self._write(board, turn, [], twice, [], now)
        await pages.forget(self.database, board.id, now)
        seen = len(turn.open_ids())
        failed = turn.problem is not None or turn.is_failing
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

    def _next_in_s(self, board: Board, turn: Turn, now: datetime) -> float:
        if turn.in_browser:  # what scripts show may lead on to pages that need none
            return 0.0 if turn.led else max(0.0, (board.next_due - now).total_seconds())
        if turn.visited >= MAX_VISITS or not self._has_time(turn):
            return 3_600.0
        return board.every_s * self.rng.uniform(0.95, 1.05)

    async def _fail(self, board: Board, error: SourceError) -> Outcome:
        now = self.clock()
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


def _with_doubles(page: Page, twins: dict[str, str]) -> Page:
    """The page without the postings that others stand for; it is read each time, as it may outlive them."""
    left = tuple(one for one in page.external_ids if one not in twins)
    reason = f"the same ad as {next(iter(twins.values()))}"[:300]
    return replace(page, external_ids=left, etag=None, last_modified=None, body_hash=None, reason=reason)


def _leads(visit: Visit, site: Site) -> list[pages.Lead]:
    if visit.led_to is not None and site.has(visit.led_to):
        return [pages.Lead(url=visit.led_to, depth=visit.page.depth)]
    return leads.from_page(visit.page, visit.reading, site) if visit.reading is not None else []


def _named(posting: Posting, board: Board) -> Posting:
    """A posting that names no company is the one's whose site it is."""
    return posting if posting.company else msgspec.structs.replace(posting, company=board.company)
