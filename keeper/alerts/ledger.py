"""The book, kept: in the tables under the lease, and in the spool while PostgreSQL is away."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import anyio
import structlog

from keeper.alerts import tables
from keeper.alerts.cases import Book, Case, Message, Row
from keeper.alerts.level import Report
from keeper.alerts.spool import Spool, Spooled
from keeper.incident import Incident
from lib.errors import Fenced
from lib.store.connections import Database
from lib.store.leases import TERM_S, Lease, acquire, release

LEASE = "alerts"
_BEGIN_S = 15.0  # to read all that is open, once the lease is taken
_APPLY_S = 5.0  # between two looks whether the lease is free
_REPEAT_S = 20.0  # between two words that what is open is still open
_RESUME_S = 300.0  # a keeper that was away for longer does not go on alone
_GIVE_WAY_S = 60.0  # for how long a keeper that stands back leaves a free lease to others
_STAND_S = 300.0  # after which it hands the lease over again


class Ledger:
    """One keeper's part in telling. `lease` is set while it is the one that tells; only then is `book` of use.

    `unsaved` are the ids and channels of rows that the tables do not have yet. `disowned` are messages that this keeper
    sent alone and another one does not know of. `stands_back`: this host falls silent together with PostgreSQL, so
    others go first. `patience_s` is for PostgreSQL at each call; none of them waits longer. The lease is extended
    with every writing, and after `renew_s` without one. `wall` and `steady` are clocks in seconds, the first since
    1970.
    """

    def __init__(
        self,
        database: Database,
        host: str,
        spool: Spool,
        *,
        stands_back: bool = False,
        patience_s: float = 2.0,
        recent_s: float = 3600.0,
        renew_s: float = TERM_S / 4,
        wall: Callable[[], float] = time.time,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self.book = Book()
        self.lease: Lease | None = None
        self.online = True
        self.others: list[Report] = []
        self.back_at = 0.0
        self.disowned: list[Message] = []
        self._database = database
        self._host = host
        self._owner = f"keeper@{host}"
        self._spool = spool
        self._stands_back = stands_back
        self._patience_s = patience_s
        self._recent_s = recent_s
        self._renew_s = renew_s
        self._renewed_at = float("-inf")
        self._wall = wall
        self._steady = steady
        self._offset_s = 0.0
        self.unsaved: set[str] = set()
        self._lost = anyio.Event()
        self._news = anyio.Event()
        self._saving = anyio.Lock()
        self._written: tuple[Incident, ...] | None = None
        self._written_at = 0.0
        self._apply_at = steady() + (_GIVE_WAY_S if stands_back else 0.0)
        self._held_since = 0.0
        self._spooled_at = 0.0
        self._log = structlog.get_logger("alerts")

    def now(self) -> float:
        """Seconds since 1970 on the database's clock, as far as it was heard."""
        return self._wall() + self._offset_s

    async def sync(self, level: tuple[Incident, ...]) -> None:
        """Writes what this keeper sees, takes or keeps the lease, and reads what the others see."""
        was_online, online = self.online, False
        with anyio.move_on_after(self._patience_s):
            await self._write(level)
            if self.lease is None:
                await self._apply(returns=not was_online)
            else:
                await self._keep()
            online = True
        self.online = online
        if online and not was_online:
            self.back_at = self.now()
        if not self.online and self.lease is None:
            self._resume()
        if self.lease is not None and self._steady() - self._spooled_at > 60.0:
            self._write_spool()

    async def put(self, *rows: Row, handled: Sequence[int] = ()) -> bool:
        """Keeps `rows`. False: another keeper tells the alerts now."""
        if self.lease is None:
            return False
        self.book = self.book.with_rows(*rows)
        return await self._store(rows, handled)

    async def keep(self, book: Book) -> None:
        """Keeps another state of the whole book, which was made out of the present one. What it forgot stays until the
        tables have it: they would have it as it was before."""
        rows = book.changes(self.book)
        self.book = book.with_rows(*_rows(self.book, self.unsaved)).with_rows(*rows)
        if rows:
            await self._store(rows, ())

    async def until_news(self, most_s: float) -> None:
        """Returns when the book changes, after `most_s` at the latest."""
        with anyio.move_on_after(most_s):
            await self._news.wait()

    async def until_lost(self) -> None:
        """Returns when this keeper does not tell the alerts any more."""
        await self._lost.wait()

    async def let_go(self) -> None:
        """Writes what is left and gives the lease back, so that another keeper goes on at once.

        While PostgreSQL is away the lease stays, and with it the spool for the keeper that starts here next.
        """
        if self.lease is None:
            return
        with anyio.move_on_after(self._patience_s, shield=True):
            await self._save(())
            if self.lease is not None:
                await release(self._database, self.lease)
                self._spool.remove()
        self.lease = None
        self._lost.set()

    async def _store(self, rows: Sequence[Row], handled: Sequence[int]) -> bool:
        self.unsaved |= {_key(row) for row in rows}
        self._news.set()
        self._news = anyio.Event()
        if self.online:
            done = False
            with anyio.move_on_after(self._patience_s):
                await self._save(handled)
                done = True
            self.online = self.online and done
        if self.lease is not None:
            self._write_spool()
        return self.lease is not None

    async def _write(self, level: tuple[Incident, ...]) -> None:
        aged = bool(level) and self._steady() - self._written_at > _REPEAT_S
        if level != self._written or aged:
            await tables.write_reports(self._database, self._host, level)
            self._written, self._written_at = level, self._steady()

    async def _apply(self, *, returns: bool) -> None:
        if returns:  # the last teller comes first after an outage
            self._apply_at = max(self._apply_at, self._steady() + TERM_S)
        if self._steady() < self._apply_at:
            return
        self._apply_at = self._steady() + _APPLY_S
        if self._stands_back:
            free_s = await tables.lease_free_s(self._database, LEASE)
            if free_s is not None and free_s < _GIVE_WAY_S:
                return
        lease = await acquire(self._database, LEASE, self._owner)
        if lease is not None:  # nobody else can begin now, so a slow database has more time
            with anyio.move_on_after(_BEGIN_S, shield=True):
                await self._begin(lease)

    async def _begin(self, lease: Lease) -> None:
        book = await tables.load_book(self._database, self._recent_s)
        await self._hear()
        spooled = self._spool.read()
        if spooled is not None and spooled.epoch == lease.epoch:
            book = book.with_rows(*_rows(spooled.book, set(spooled.unsaved)))
            self.unsaved = set(spooled.unsaved)
        elif spooled is not None:
            self._disown(spooled.book, set(spooled.unsaved))
        self.book, self.lease, self._lost = book, lease, anyio.Event()
        self.back_at, self._held_since = self.now(), self._steady()
        self._log.info("this keeper tells the alerts", epoch=lease.epoch, open=len(book.open_cases()))
        self._write_spool()

    async def _keep(self) -> None:
        if self.unsaved or not self.online or self._steady() - self._renewed_at >= self._renew_s:
            await self._save(())
        if self.lease is None:
            return
        await self._hear()
        if self._stands_back and self._steady() - self._held_since > _STAND_S:
            self._apply_at = self._steady() + _GIVE_WAY_S
            await self.let_go()

    async def _hear(self) -> None:
        reports, now = await tables.load_reports(self._database)
        self.others = [report for report in reports if report.host != self._host]
        self._offset_s = now - self._wall()

    async def _save(self, handled: Sequence[int]) -> None:
        """Writes what the tables lack, and extends the lease."""
        async with self._saving:
            if self.lease is None:
                return
            rows = _rows(self.book, self.unsaved)
            try:
                await tables.save(self._database, self.lease, rows, handled)
            except Fenced:
                self._log.warning("another keeper tells the alerts now", epoch=self.lease.epoch)
                self._disown(self.book, self.unsaved)
                self.lease, self.book, self.unsaved = None, Book(), set()
                self._lost.set()
                self._spool.remove()
                return
            self._renewed_at = self._steady()
            written = {id(row) for row in rows}
            self.unsaved = {_key(row) for row in _rows(self.book, self.unsaved) if id(row) not in written}

    def _disown(self, book: Book, unsaved: set[str]) -> None:
        """What was told alone and is told by another keeper now: its messages must not stay open for ever."""
        alone = {row.id for row in _rows(book, unsaved) if isinstance(row, Case)}
        self.disowned += [message for message in book.messages.values() if message.case in alone and message.number]

    def _resume(self) -> None:
        """PostgreSQL is away: who told the alerts until now goes on, also after a restart."""
        spooled = self._spool.read()
        if spooled is None or not -_RESUME_S < self._wall() + spooled.offset_s - spooled.at < _RESUME_S:
            return
        self.lease = Lease(LEASE, self._owner, spooled.epoch)
        self.book, self.unsaved, self._offset_s = spooled.book, set(spooled.unsaved), spooled.offset_s
        cases = [(host, case.incident) for case in self.book.open_cases() for host in case.hosts if host != self._host]
        self.others = [Report(host, incident, spooled.at) for host, incident in cases]
        self._held_since, self._lost = self._steady(), anyio.Event()
        self._log.warning("PostgreSQL is away; this keeper goes on telling the alerts", epoch=spooled.epoch)

    def _write_spool(self) -> None:
        if self.lease is not None:
            unsaved = tuple(sorted(self.unsaved))
            self._spool.write(Spooled(self.lease.epoch, self.now(), self._offset_s, self.book, unsaved))
            self._spooled_at = self._steady()


def _key(row: Row) -> str:
    return row.id if isinstance(row, Case | Message) else row.channel


def _rows(book: Book, keys: set[str]) -> list[Row]:
    return [row for row in book.changes(Book()) if _key(row) in keys]
