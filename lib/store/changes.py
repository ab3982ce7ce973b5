"""Followers of the change log: resumable folds, one per name and shard, that commit their rows and their place at once.

A change has its place (`changed_xid`, `id`). Reading stops at the xmin horizon, so nothing can be committed later
behind a cursor; a follower with `after` also stops where those stand that it waits for. Work is prepared outside of
any transaction (it may take long, and a long transaction would hold the horizon for everybody); then one transaction
writes the rows, buries the poison and moves the cursor under the lease's epoch.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

import structlog

from lib.errors import Fenced
from lib.store import leases, letters
from lib.store.batches import BATCH_ROWS, write_batch
from lib.store.connections import Connection, Database
from sql import statements

_SQL = statements("changes")


@dataclass(frozen=True)
class Follower:
    """Who follows. A version that differs from the stored one resets the cursor; `after` names whom to wait for.

    `batch_rows`: changes that one step takes; a step is finished before a daemon stops.
    """

    name: str
    version: int
    after: tuple[str, ...] = ()
    batch_rows: int = BATCH_ROWS


@dataclass(frozen=True, order=True)
class Place:
    """A place in the change log."""

    xid: int = 0
    id: int = 0


@dataclass(frozen=True)
class Poison:
    """A posting whose work could not be prepared, and why."""

    posting_id: int
    reason: str


class Item(Protocol):
    """What a fold writes: something about one posting."""

    @property
    def posting_id(self) -> int: ...


W = TypeVar("W", bound=Item)


@dataclass(frozen=True)
class Prepared(Generic[W]):
    """The outcome of a batch's preparation; postings that need nothing appear in neither list."""

    items: Sequence[W] = ()
    poison: Sequence[Poison] = ()


class Fold(Protocol[W]):
    """What a follower does with the postings that changed."""

    follower: Follower

    async def prepare(self, posting_ids: Sequence[int]) -> Prepared[W]:
        """Reads and computes. Must not write; a row that cannot be computed is poison, not an error."""

    async def write(self, connection: Connection, items: Sequence[W]) -> None:
        """Writes the items with UPDATE only, idempotently. Data that PostgreSQL refuses is bisected by the caller."""


@dataclass
class Following(Generic[W]):
    """One fold on one shard, under a lease. `join` first, then `step` for as long as the lease is ours."""

    database: Database
    fold: Fold[W]
    shard: int
    owner: str
    lease: leases.Lease | None = None
    place: Place = field(default_factory=Place)

    @property
    def lease_name(self) -> str:
        return f"follower:{self.fold.follower.name}:{self.shard}"

    async def join(self) -> bool:
        """Takes the lease and learns where to go on. False while another worker has it."""
        follower = self.fold.follower
        self.lease = await leases.acquire(self.database, self.lease_name, self.owner)
        if self.lease is None:
            return False
        row = await self.database.fetchrow(
            _SQL.join_follower, follower.name, self.shard, follower.version, self.lease.epoch
        )
        if row is None:
            self.lease = None
            return False
        self.place = Place(row["cursor_xid"], row["cursor_id"])
        return True

    async def leave(self) -> None:
        """Gives the lease back, so that a successor need not wait."""
        if self.lease is not None:
            await leases.release(self.database, self.lease)
            self.lease = None

    async def step(self, rows: int | None = None) -> int:
        """Works through the next batch and returns how many changes it had; 0: nothing to do now.

        Raises Fenced when somebody else took over; nothing was written then.
        """
        changes = await self._read(rows or self.fold.follower.batch_rows)
        if not changes:
            return 0
        started = time.monotonic()
        ids = [change.id for change in changes]
        prepared = await self.fold.prepare(ids)
        await self._commit(changes, prepared)
        self.place = changes[-1]
        structlog.get_logger("follow").debug(
            "batch", follower=self.fold.follower.name, shard=self.shard, rows=len(changes),
            written=len(prepared.items), poison=len(prepared.poison), took_s=round(time.monotonic() - started, 4),
        )  # fmt: skip
        return len(changes)

    async def _read(self, rows: int) -> list[Place]:
        follower = self.fold.follower
        at = self.place
        if follower.after:
            bound = await self.database.fetchrow(_SQL.load_bound, list(follower.after), self.shard)
            assert bound is not None  # a left join from the names always has rows
            found = await self.database.fetch(
                _SQL.read_changes_until, self.shard, at.xid, at.id, rows, bound["xid"], bound["id"]
            )
        else:
            found = await self.database.fetch(_SQL.read_changes, self.shard, at.xid, at.id, rows)
        return [Place(row["xid"], row["id"]) for row in found]

    async def _commit(self, changes: Sequence[Place], prepared: Prepared[W]) -> None:
        name = self.fold.follower.name

        async def bury(connection: Connection, posting_id: int, reason: str) -> None:
            await letters.bury(connection, f"follower:{name}", str(posting_id), self.shard, {}, reason)

        async def bury_item(connection: Connection, item: W, reason: str) -> None:
            await bury(connection, item.posting_id, reason)

        async def begin(connection: Connection) -> bool:
            if not await self._move(connection, changes):
                return False
            for poison in prepared.poison:
                await bury(connection, poison.posting_id, poison.reason)
            return True

        await write_batch(self.database, prepared.items, self.fold.write, bury=bury_item, begin=begin)

    async def _move(self, connection: Connection, changes: Sequence[Place]) -> bool:
        """Moves the cursor past `changes`; False when this very batch was committed before. Raises Fenced."""
        follower, lease, new = self.fold.follower, self.lease, changes[-1]
        if lease is None:
            raise Fenced(f"{follower.name} on shard {self.shard} has no lease")
        old = self.place
        moved = await connection.fetchval(
            _SQL.move_cursor,
            follower.name, self.shard, old.xid, old.id, new.xid, new.id, len(changes), lease.epoch,
        )  # fmt: skip
        if moved:
            return True
        held = await connection.fetchrow(_SQL.load_cursor, follower.name, self.shard)
        if held is None or held["epoch"] != lease.epoch or Place(held["cursor_xid"], held["cursor_id"]) != new:
            raise Fenced(f"{follower.name} on shard {self.shard} was taken over")
        return False  # the connection died during COMMIT, and it had happened
