"""Brings a database to the newest schema, once, however many processes try at the same time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import asyncpg

from lib.errors import VakanzError
from sql import Migration, migrations

_LOCK = 7_236_418_001  # of this purpose only; taken for the length of one transaction, so poolers are no obstacle

_FOREIGN = (
    "SELECT EXISTS (SELECT FROM schema_migration WHERE number <> ALL($1::integer[]) AND stage IS DISTINCT FROM 'pre')"
)


class SchemaTooNew(VakanzError):
    """A newer Vakanz has finished its rollout on the database: older ones do not work on it any more."""


class NoDatabase(VakanzError):
    """There is no database at the address, or it does not let us in."""


class SchemaTooOld(VakanzError):
    """The database lacks migrations that this version needs."""


async def migrate(dsn: str, stages: Sequence[str] = ("pre", "post")) -> list[Migration]:
    """Applies what is missing of `stages`, in order, and returns it. Raises NoDatabase, SchemaTooNew, asyncpg's."""
    async with _connected(dsn) as connection, connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
        await connection.execute(
            "CREATE TABLE IF NOT EXISTS schema_migration"
            " (number integer PRIMARY KEY, name text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())"
        )
        # Old code works on what a newer version did before its start, but not on what it did after the old one's end.
        await connection.execute("ALTER TABLE schema_migration ADD COLUMN IF NOT EXISTS stage text")
        known = migrations()
        numbers = [migration.number for migration in known]
        if await connection.fetchval(_FOREIGN, numbers):
            raise SchemaTooNew("the database has migrations that only a newer version works with: upgrade Vakanz")
        applied = await _applied(connection)
        missing = [step for step in known if step.stage in stages and step.number not in applied]
        for step in missing:
            await connection.execute(step.text)
            await connection.execute(
                "INSERT INTO schema_migration (number, name, stage) VALUES ($1, $2, $3)",
                step.number, step.name, step.stage,
            )  # fmt: skip
    return missing


async def check(dsn: str) -> None:
    """Looks whether this version can work on the database, which it can between the two stages of a rollout, and when
    a newer version has migrated it. Raises NoDatabase, SchemaTooOld."""
    async with _connected(dsn) as connection:
        there = await connection.fetchval("SELECT to_regclass('schema_migration') IS NOT NULL")
        applied = await _applied(connection) if there else set()
    missing = [step for step in migrations() if step.stage == "pre" and step.number not in applied]
    if missing:
        raise SchemaTooOld(f"the database lacks {len(missing)} migrations: run `vakanz migrate`")


async def _applied(connection: asyncpg.Connection[asyncpg.Record]) -> set[int]:
    return {row["number"] for row in await connection.fetch("SELECT number FROM schema_migration")}


@asynccontextmanager
async def _connected(dsn: str) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    try:
        connection = await asyncpg.connect(dsn, statement_cache_size=0)
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise NoDatabase(f"PostgreSQL: {error or type(error).__name__}") from error
    try:
        yield connection
    finally:
        await connection.close()
