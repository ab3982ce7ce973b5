"""Mini-batches: one transaction for 50 rows, and a poison row costs itself only.

The happy path is one plain transaction. Only when PostgreSQL refuses the data is the batch taken apart: halves under
savepoints until the culprit stands alone, which is buried with its reason; all others and whatever belongs to the
batch (a follower's cursor) commit together.

A connection that dies during COMMIT makes the transaction run again although it may have happened. A batch that can
tell (by its cursor) says so in `begin`, and then nothing is written twice.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TypeAlias, TypeVar

import asyncpg

from lib.store.connections import Connection, Database

BATCH_ROWS = 50
R = TypeVar("R")
Write = Callable[[Connection, Sequence[R]], Awaitable[None]]
Executor: TypeAlias = "Connection | Database"
Statement = Callable[[Executor, Sequence[R]], Awaitable[None]]
Bury = Callable[[Connection, R, str], Awaitable[None]]
Begin = Callable[[Connection], Awaitable[bool]]

REFUSED = (
    asyncpg.DataError,  # class 22: out of range, invalid text, NUL; also values that asyncpg cannot encode
    asyncpg.IntegrityConstraintViolationError,  # class 23
    asyncpg.ProgramLimitExceededError,  # class 54: a text too long for its index
)


async def write_batch(
    database: Database,
    rows: Sequence[R],
    write: Write[R],
    *,
    bury: Bury[R],
    begin: Begin | None = None,
) -> None:
    """Calls `begin` and writes `rows` with `write`, in one transaction.

    `begin` returns False when this batch was committed before: then nothing else is done. Without it, `write` must be
    idempotent, as the transaction is repeated when the server is lost. Errors of `begin`, and errors that are not
    about data, are raised.
    """

    async def all_in_one(connection: Connection, written: Write[R]) -> None:
        if begin is not None and not await begin(connection):
            return
        if rows:
            await written(connection, rows)

    async def whole(connection: Connection) -> None:
        await all_in_one(connection, write)

    async def apart(connection: Connection) -> None:
        await all_in_one(connection, partial(_bisect, write=write, bury=bury))

    try:
        await database.transaction(whole)
    except REFUSED:
        await database.transaction(apart)


async def write_rows(database: Database, rows: Sequence[R], write: Statement[R], *, bury: Bury[R]) -> None:
    """Writes `rows` with `write`, which is one idempotent statement and so a transaction by itself: one round trip.

    Errors that are not about data are raised.
    """
    try:
        await write(database, rows)
    except REFUSED:
        await database.transaction(partial(_bisect, rows=rows, write=write, bury=bury))


async def _bisect(connection: Connection, rows: Sequence[R], write: Write[R], bury: Bury[R]) -> None:
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
