"""Mini-batches: one transaction for 50 rows, and a poison row costs itself only.

The happy path is one plain transaction. Only when PostgreSQL refuses the data is the batch taken apart: halves under
savepoints until the culprit stands alone, which is buried with its reason; all others and whatever belongs to the
batch (a follower's cursor) commit together.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import asyncpg

from lib.store.connections import Connection, Database

BATCH_ROWS = 50
R = TypeVar("R")
Write = Callable[[Connection, Sequence[R]], Awaitable[None]]
Bury = Callable[[Connection, R, str], Awaitable[None]]
Finish = Callable[[Connection], Awaitable[None]]

REFUSED = (
    asyncpg.DataError,  # class 22: out of range, invalid text, NUL; also values that asyncpg cannot encode
    asyncpg.IntegrityConstraintViolationError,  # class 23
    asyncpg.ProgramLimitExceededError,  # class 54: a text too long for its index
)


async def write_batch(
    database: Database, rows: Sequence[R], write: Write[R], *, bury: Bury[R], finish: Finish | None = None
) -> None:
    """Writes `rows` with `write` and calls `finish`, all in one transaction.

    `write` must be idempotent: the transaction is repeated when the server is lost. Errors of `finish`, and errors
    that are not about data, are raised.
    """

    async def whole(connection: Connection) -> None:
        await write(connection, rows)
        if finish is not None:
            await finish(connection)

    async def apart(connection: Connection) -> None:
        await _bisect(connection, rows, write, bury)
        if finish is not None:
            await finish(connection)

    try:
        await database.transaction(whole)
    except REFUSED:
        await database.transaction(apart)


async def _bisect(connection: Connection, rows: Sequence[R], write: Write[R], bury: Bury[R]) -> None:
    if not rows:
        return
    try:
        async with connection.transaction():
            await write(connection, rows)
    except REFUSED as error:
        if len(rows) == 1:
            await bury(connection, rows[0], f"{type(error).__name__}: {error}")
            return
        middle = len(rows) // 2
        await _bisect(connection, rows[:middle], write, bury)
        await _bisect(connection, rows[middle:], write, bury)
