"""Leases with fencing epochs: one worker at a time, and a zombie that wakes up late cannot write.

Time is PostgreSQL's, so servers whose clocks differ agree. A lease alone is no lock: whoever writes under one names
its epoch in the same transaction (see `lib.store.changes`), and a write under an old epoch touches no row.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from lib.store.connections import Database
from sql import statements

_SQL = statements("leases")
TERM_S = 30.0


@dataclass(frozen=True)
class Lease:
    """A lease that we held when it was given; `epoch` proves later whether we still do."""

    name: str
    owner: str
    epoch: int


async def acquire(database: Database, name: str, owner: str, term_s: float = TERM_S) -> Lease | None:
    """The lease `name`, or None while somebody else holds it. Asking again as the same owner extends it."""
    epoch = await database.fetchval(_SQL.acquire_lease, name, owner, term_s)
    return None if epoch is None else Lease(name, owner, epoch)


async def renew(database: Database, owner: str, names: Collection[str], term_s: float = TERM_S) -> set[str]:
    """Extends the leases and returns the names that are still ours, in one statement for all of them."""
    rows = await database.fetch(_SQL.renew_leases, owner, term_s, list(names))
    return {row["name"] for row in rows}


async def release(database: Database, lease: Lease) -> None:
    """Gives the lease back at once."""
    await database.execute(_SQL.release_lease, lease.name, lease.owner)
