"""The writes that change what a posting is: each takes a place in the change log and leaves a row of history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import msgspec
import orjson

from lib.posting.closing import RECHECK
from lib.posting.contract import Posting
from lib.posting.fingerprint import HASH_BYTES, content_hash, text_hash
from lib.store.batches import Executor
from lib.store.connections import Connection, Database
from sql import statements

_SQL = statements("postings")
_LIST_SEPARATOR = "\x1f"  # between places: an array of arrays cannot be unnested row by row


@dataclass(frozen=True)
class Listed:
    """A row of a list on its way to the database: the posting, its hashes, and the raw response that it came in."""

    posting: Posting
    hash: bytes
    html_hash: bytes | None
    raw_id: int | None = None

    @classmethod
    def of(cls, posting: Posting, raw_id: int | None = None) -> Listed:
        """The row with its hashes computed."""
        html_hash = None if posting.html is None else text_hash(posting.html)
        return cls(posting, content_hash(posting, html_hash), html_hash, raw_id)


@dataclass(frozen=True)
class Described:
    """A text that was fetched for a posting that had none."""

    posting_id: int
    detail: Posting
    raw_id: int | None = None


def stated(posting: Posting) -> dict[str, Any]:
    """What the payload states beside the columns of its own, without what it does not say."""
    said = {
        "country": posting.country,
        "remote": posting.remote,
        "employment_type": posting.employment_type,
        "department": posting.department,
        "language": posting.language,
        "teaser": posting.teaser,
        "salary": None if posting.salary is None else msgspec.to_builtins(posting.salary),
    }
    return {name: value for name, value in said.items() if value is not None}


@dataclass(frozen=True)
class Held:
    """What we hold of a board, by external id. `hashes`: the content's, None where the posting is closed.

    `gone`: the hashes of those among the closed ones whose own page said lately that they are gone.
    """

    hashes: dict[str, bytes | None] = field(default_factory=dict)
    gone: dict[str, bytes] = field(default_factory=dict)


async def held(database: Database, board_id: int) -> Held:
    """What we hold of a board."""
    hashes: dict[str, bytes | None] = dict(await database.fetch(_SQL.held, board_id, RECHECK))
    gone = {one: known[1:] for one, known in hashes.items() if known is not None and len(known) > HASH_BYTES}
    hashes |= dict.fromkeys(gone)
    return Held(hashes, gone)


def ingest_arguments(board_id: int, session: str, owner: str, now: datetime, rows: Sequence[Listed]) -> list[Any]:
    """The arguments of the statement `ingest`: columns as arrays."""
    postings = [row.posting for row in rows]
    return [
        board_id,
        session,
        owner,
        now,
        [posting.external_id for posting in postings],
        [row.hash for row in rows],
        [posting.title for posting in postings],
        [posting.company for posting in postings],
        [posting.url for posting in postings],
        [posting.apply_url for posting in postings],
        [_LIST_SEPARATOR.join(posting.places) for posting in postings],
        [orjson.dumps(stated(posting)).decode() for posting in postings],
        [posting.posted_at for posting in postings],
        [posting.valid_through for posting in postings],
        [posting.html for posting in postings],
        [row.html_hash for row in rows],
        [row.raw_id for row in rows],
    ]


async def ingest(
    executor: Executor, board_id: int, session: str, owner: str, now: datetime, rows: Sequence[Listed]
) -> bool:
    """Writes new, changed and reopened rows of one board; ids must be unique in `rows`. Replaying changes nothing.

    False when the board is not `owner`'s any more: then nothing is written.
    """
    return bool(await executor.fetchval(_SQL.ingest, *ingest_arguments(board_id, session, owner, now, rows)))


async def touch(executor: Executor, board_id: int, owner: str, now: datetime, external_ids: Sequence[str]) -> bool:
    """These open postings of the board were seen now. False when the board is not `owner`'s any more."""
    return bool(await executor.fetchval(_SQL.touch, board_id, owner, now, list(external_ids)))


async def absences(database: Database, board_id: int) -> dict[str, int]:
    """Open postings that the board's last complete lists lacked: how many lists in a row, by external id."""
    return dict(await database.fetch(_SQL.absences, board_id))


async def note_absences(database: Database, board_id: int, owner: str, lists: Mapping[str, int]) -> bool:
    """Remembers what complete lists lacked. False when the board is not `owner`'s any more."""
    return bool(await database.fetchval(_SQL.note_absences, board_id, owner, list(lists), list(lists.values())))


async def close(
    connection: Connection, board_id: int, session: str, now: datetime, external_ids: Sequence[str]
) -> None:
    """Closes open postings of the board that a proven complete list did not have."""
    await connection.execute(_SQL.close, board_id, session, now, list(external_ids))


async def expire(database: Database, now: datetime, session: str, *, days: int, limit: int) -> int:
    """Expires up to `limit` postings not seen for `days` days and returns how many."""
    return len(await database.fetch(_SQL.expire, now - timedelta(days=days), now, session, limit))


async def describe(connection: Connection, session: str, now: datetime, items: Sequence[Described]) -> None:
    """Writes texts that were fetched one by one. Replaying changes nothing."""
    details = [item.detail for item in items]
    await connection.execute(
        _SQL.describe, now, session, [item.posting_id for item in items], [detail.html or "" for detail in details],
        [text_hash(detail.html or "") for detail in details], [detail.apply_url for detail in details],
        [orjson.dumps(stated(detail)).decode() for detail in details], [item.raw_id for item in items],
        [_LIST_SEPARATOR.join(detail.places) for detail in details], [detail.posted_at for detail in details],
        [detail.valid_through for detail in details],
    )  # fmt: skip


async def close_by_id(connection: Connection, session: str, now: datetime, posting_ids: Sequence[int]) -> None:
    """Closes postings whose own page says that they are gone."""
    await connection.execute(_SQL.close_by_id, now, session, list(posting_ids))
