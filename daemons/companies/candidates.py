"""Candidates as rows: tenants that something named, what one request said of them, and which became boards."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from daemons.companies.verdict import Verdict
from daemons.sources import SOURCES
from lib.posting import boards
from lib.posting.contract import clean_text
from lib.store.connections import Connection, Database
from sql import statements

_SQL = statements("companies")
MAX_ATTEMPTS = 5
_BATCH = 1_000


@dataclass(frozen=True)
class Candidate:
    """A tenant that something named. `state`: new, live, empty, gone, unknown, registered."""

    source: str
    tenant: str
    evidence: str
    found_in: str
    times: int
    state: str
    postings: int | None
    reason: str | None
    checked_at: datetime | None
    found_at: datetime


async def scanned(database: Database, addresses: Collection[str], domains: str) -> set[str]:
    """Which of these parts of the index were scanned to their end for these domains (a digest of them)."""
    return {row["address"] for row in await database.fetch(_SQL.scanned_parts, list(addresses), domains)}


async def add(database: Database, found_in: str, rows: Sequence[tuple[str, str, str, int]]) -> int:
    """Adds (source, tenant, evidence, times) rows, at most one per tenant however it is spelt; how many are new."""

    async def write(connection: Connection) -> int:
        return await _insert(connection, found_in, rows, counted=True)

    return await database.transaction(write)


async def add_part(
    database: Database, part: tuple[str, str], counts: tuple[int, int], rows: Sequence[tuple[str, str, str, int]]
) -> int:
    """A part of the index (its address, the digest of the domains) and the candidates in it, at once.

    `counts`: its captures, and those of known domains. Returns how many candidates are new. The captures of a part that
    was scanned before, by another process too, do not count again.
    """

    async def write(connection: Connection) -> int:
        first = bool(await connection.fetchval(_SQL.add_part, *part, *counts, len(rows)))
        return await _insert(connection, part[0], rows, counted=first)

    return await database.transaction(write)


async def _insert(
    connection: Connection, found_in: str, rows: Sequence[tuple[str, str, str, int]], *, counted: bool
) -> int:
    new = 0
    for start in range(0, len(rows), _BATCH):
        columns = [list(column) for column in zip(*rows[start : start + _BATCH], strict=True)]
        new += sum(row["added"] for row in await connection.fetch(_SQL.add_candidates, *columns, found_in, counted))
    return new


async def to_check(database: Database, sources: Collection[str], limit: int) -> list[tuple[str, str]]:
    """(source, tenant) of the next candidates to ask about."""
    rows = await database.fetch(_SQL.candidates_to_check, list(sources), MAX_ATTEMPTS, limit)
    return [(row["source"], row["tenant"]) for row in rows]


async def count_to_check(database: Database, sources: Collection[str]) -> int:
    """How many those are in all."""
    return int(await database.fetchval(_SQL.count_to_check, list(sources), MAX_ATTEMPTS))


async def note(database: Database, source: str, tenant: str, verdict: Verdict) -> None:
    """Writes what a request said of a candidate."""
    reason = None if verdict.reason is None else clean_text(verdict.reason)
    await database.execute(_SQL.note_check, source, tenant, verdict.state, verdict.postings, reason)


async def register(database: Database) -> int:
    """Makes boards of all live candidates whose sources are known here; how many."""
    rows = await database.fetch(_SQL.candidates_to_register)
    pairs = [(row["source"], row["tenant"]) for row in rows if row["source"] in SOURCES]
    for start in range(0, len(pairs), _BATCH):
        batch = pairs[start : start + _BATCH]
        await boards.add_many(database, [board_row(source, tenant) for source, tenant in batch])
        await database.execute(_SQL.note_registered, *map(list, zip(*batch, strict=True)))
    return len(pairs)


def board_row(source: str, tenant: str) -> tuple[str, str, str | None, str, int]:
    """A board to register: (source, tenant, company, url, every_s)."""
    system = SOURCES[source]
    return source, tenant, None, system.board_url(tenant), int(system.every.total_seconds())


async def listed(database: Database, state: str | None = None) -> list[Candidate]:
    """All candidates, or those in one state."""
    rows = await database.fetch(_SQL.list_candidates, state)
    return [Candidate(**{name: row[name] for name in Candidate.__dataclass_fields__}) for row in rows]


async def counts(database: Database) -> list[tuple[str, str, int, int]]:
    """(source, state, candidates, postings) of all candidates."""
    rows = await database.fetch(_SQL.count_candidates)
    return [(row["source"], row["state"], row["candidates"], row["postings"]) for row in rows]
