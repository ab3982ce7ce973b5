"""The tables of the alerts. Every function waits while PostgreSQL is away; who cannot wait sets a limit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from keeper.alerts.cases import Book, Case, Chat, Message, Row
from keeper.alerts.level import Report
from keeper.incident import Incident
from lib.errors import Fenced
from lib.store.connections import Connection, Database
from lib.store.leases import TERM_S, Lease
from sql import statements

_SQL = statements("alerts")
_OWN_COLUMNS = ("key", "kind", "title", "host")
KEEP_DAYS = 90


@dataclass(frozen=True)
class Untold:
    """A request out of a chat whose outcome is to be told there; `answer` is None where nobody gave one."""

    id: int
    host: str
    unit: str
    what: str
    channel: str
    reply_to: int | None
    answer: str | None


async def write_reports(database: Database, host: str, incidents: Sequence[Incident]) -> None:
    """All that the keeper of `host` sees now."""
    reports = {incident.key: msgspec.to_builtins(incident) for incident in incidents}
    rows = [{"key": key, "content": content} for key, content in reports.items()]
    await database.execute(_SQL.write_reports, host, rows)


async def load_reports(database: Database) -> tuple[list[Report], float]:
    """What all keepers see, and the database's time in seconds since 1970."""
    rows = await database.fetch(_SQL.load_reports)
    reports = [
        Report(row["host"], msgspec.convert(row["content"], Incident), row["seen_at"])
        for row in rows
        if row["host"] is not None
    ]
    return reports, rows[0]["now"]


async def lease_free_s(database: Database, name: str) -> float | None:
    """How long nobody has held the lease, below 0 while somebody does; None where nobody ever did."""
    found: float | None = await database.fetchval(_SQL.lease_free_s, name)
    return found


async def save(database: Database, lease: Lease, rows: Sequence[Row], handled: Sequence[int] = ()) -> None:
    """Writes `rows` under the lease, and extends it; `handled` are requests whose answers are among them.

    Raises Fenced: another keeper tells the alerts now, and nothing was written.
    """
    cases = [row for row in rows if isinstance(row, Case)]
    messages = [msgspec.to_builtins(row) for row in rows if isinstance(row, Message)]
    chats = [msgspec.to_builtins(row) for row in rows if isinstance(row, Chat)]

    async def work(connection: Connection) -> None:
        if not await connection.fetchval(_SQL.hold_on, lease.name, lease.owner, lease.epoch, TERM_S):
            raise Fenced("another keeper tells the alerts now")
        for is_open in (False, True):  # a key is free again before its next case begins
            if columns := [_case_columns(case) for case in cases if case.open is is_open]:
                await connection.execute(_SQL.save_incidents, columns)
        if messages:
            await connection.execute(_SQL.save_messages, messages)
        if chats:
            await connection.execute(_SQL.save_chats, chats)
        if handled:
            await connection.execute(_SQL.tell_requests, handled)

    await database.transaction(work)


async def load_book(database: Database, recent_s: float) -> Book:
    """What is open, what was over in the last `recent_s`, and what waits to be told."""
    cases = [_case(row) for row in await database.fetch(_SQL.load_incidents, recent_s)]
    messages = await database.fetch(_SQL.load_messages, [case.id for case in cases])
    chats = await database.fetch(_SQL.load_chats)
    return Book().with_rows(
        *cases,
        *(msgspec.convert(dict(row), Message) for row in messages),
        *(Chat(**row) for row in chats),
    )


async def list_cases(database: Database, most: int) -> list[Case]:
    """What is open, then what was over last."""
    return [_case(row) for row in await database.fetch(_SQL.list_incidents, most)]


async def purge(database: Database) -> None:
    """Forgets what was over long ago."""
    await database.execute(_SQL.purge_alerts, KEEP_DAYS)


async def load_offset(database: Database, bot: int) -> int | None:
    """The first update of the bot that nobody has acted upon, None for a bot that nobody has listened to."""
    found: int | None = await database.fetchval(_SQL.load_offset, bot)
    return found


async def save_offset(database: Database, bot: int, next_update: int) -> None:
    """All updates before `next_update` are acted upon."""
    await database.execute(_SQL.save_offset, bot, next_update)


async def load_untold(database: Database, patience_s: float) -> list[Untold]:
    """Requests that were answered, or that nobody answered within `patience_s`."""
    return [Untold(**row) for row in await database.fetch(_SQL.load_untold, patience_s)]


def _case_columns(case: Case) -> Mapping[str, Any]:
    columns: dict[str, Any] = msgspec.to_builtins(case)
    content = columns.pop("incident")
    return columns | {name: content.pop(name) for name in _OWN_COLUMNS} | {"content": content}


def _case(row: Mapping[str, Any]) -> Case:
    columns = dict(row)
    content = columns.pop("content") | {name: columns.pop(name) for name in _OWN_COLUMNS}
    return msgspec.convert(columns | {"incident": content}, Case)
