"""Titles and their vectors, each kept once for all postings that bear it."""

from __future__ import annotations

from typing import Final

import asyncpg

from lib.store.connections import Database
from sql import statements

_SQL = statements("match")
_AT_ONCE: Final = 5_000


async def forget_titles(database: Database) -> int:
    """Deletes vectors of titles that no posting bears any more, some at a time; returns how many."""
    try:
        return len(await database.fetch(_SQL.forget_titles, _AT_ONCE))
    except asyncpg.ForeignKeyViolationError:  # a posting came to bear one of them meanwhile: another time
        return 0
