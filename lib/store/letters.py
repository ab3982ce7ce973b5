"""Dead letters: work that was set aside with its reason, to be inspected, retried or pruned by a person.

`queue` says whose work it was (`follower:<name>`, `stream:<name>`, `crawl:<source>`, `detail:<source>`), `key` what
it was about. What happens at a retry depends on the part of the queue before the colon: see `Retrier`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeAlias

import asyncpg
import orjson

from lib.errors import VakanzError
from lib.store.connections import Connection, Database
from sql import statements

_SQL = statements("letters")
_LONGEST_KEY = 500  # a key is indexed, and an index row has room for 2,700 bytes
_LONGEST_REASON = 2_000
_LONGEST_PAYLOAD = 1_000_000
_EXCERPT = 10_000


class NotRetryable(VakanzError):
    """This letter cannot be put back to work; the message says why."""


@dataclass(frozen=True)
class DeadLetter:
    """One piece of work that was set aside. `payload` is `{"unreadable": ...}` where JSON could not hold it."""

    id: int
    queue: str
    key: str
    shard: int | None
    payload: dict[str, Any]
    reason: str
    attempts: int
    created_at: datetime
    updated_at: datetime

    @property
    def readable(self) -> bool:
        """Whether `payload` is what it was."""
        return self.payload.keys() != {"unreadable"}


@dataclass(frozen=True)
class Retried:
    """What a retry did: how many letters went back to work, and which did not, with the reason."""

    done: int
    refused: Mapping[int, str]


Retrier: TypeAlias = Callable[[Connection, DeadLetter], Awaitable[None]]
"""Puts one letter back to work, inside the transaction that removes it. Raises NotRetryable."""


async def bury(
    connection: Connection, queue: str, key: str, shard: int | None, payload: Mapping[str, Any], reason: str
) -> None:
    """Sets work aside inside the caller's transaction. A letter of the same queue and key is replaced and counted.

    Any content is taken: what PostgreSQL could not hold (NUL, lone surrogates, megabytes) is kept as an excerpt.
    """
    await connection.execute(
        _SQL.bury,
        _storable(queue),
        _short(_storable(key)),
        shard,
        _document(payload),
        _storable(reason)[:_LONGEST_REASON],
    )


async def list_letters(database: Database, *, queue: str | None = None, limit: int = 100) -> list[DeadLetter]:
    """At most `limit` letters, newest first."""
    return [_letter(row) for row in await database.fetch(_SQL.list, queue, limit)]


async def retry(
    database: Database,
    retriers: Mapping[str, Retrier],
    *,
    ids: Sequence[int] | None = None,
    queue: str | None = None,
    told: Callable[[int, int], None] = lambda handled, total: None,
) -> Retried:
    """Puts the letters with these `ids`, or of this `queue`, back to work, one transaction each.

    `retriers` maps the part of a queue before the colon to who can retry it. Letters that are buried again meanwhile
    are new ones and are left alone. `told` hears after each letter how many were handled, of how many.
    """
    chosen = await database.fetch(_SQL.choose, None if ids is None else list(ids), queue)
    done, refused = 0, {}
    for handled, row in enumerate(chosen, 1):
        letter_id = row["id"]

        async def put_back(connection: Connection, letter_id: int = letter_id) -> int:
            return await _put_back(connection, retriers, letter_id)

        try:
            done += await database.transaction(put_back)
        except NotRetryable as error:
            refused[letter_id] = str(error)
        told(handled, len(chosen))
    return Retried(done, refused)


async def renew_place(connection: Connection, letter: DeadLetter) -> None:
    """The Retrier of followers and of details, whose letters are about postings: the posting takes a new place in the
    change log. One that is gone needs no retry."""
    if not letter.key.isdecimal() or int(letter.key) >= 2**63:
        raise NotRetryable(f"{letter.queue}: {letter.key!r} is not the id of a posting")
    await connection.execute(_SQL.renew_place, int(letter.key))


async def recrawl(connection: Connection, letter: DeadLetter) -> None:
    """The Retrier of crawls: the letter's board is due now and is read anew, changed or not."""
    source = letter.queue.partition(":")[2]
    if await connection.fetchval(_SQL.recrawl, source, letter.key) is None:
        raise NotRetryable(f"{letter.queue}: there is no board for {letter.key}")


async def prune(database: Database, older_than: timedelta, now: datetime, *, queue: str | None = None) -> int:
    """Deletes the letters that nothing happened to since `now - older_than`, and says how many."""
    return len(await database.fetch(_SQL.prune, now - older_than, queue))


async def _put_back(connection: Connection, retriers: Mapping[str, Retrier], letter_id: int) -> int:
    row = await connection.fetchrow(_SQL.take, letter_id)
    if row is None:
        return 0  # somebody else was faster
    letter = _letter(row)
    retrier = retriers.get(letter.queue.partition(":")[0])
    if retrier is None:
        raise NotRetryable(f"{letter.queue}: nobody here can retry letters of this queue")
    await retrier(connection, letter)
    return 1


def _letter(row: asyncpg.Record) -> DeadLetter:
    return DeadLetter(**row)


def _storable(text: str) -> str:
    """`text` without what a PostgreSQL text cannot hold."""
    return text.encode("utf-8", "replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")


def _short(key: str) -> str:
    if len(key.encode()) <= _LONGEST_KEY:
        return key
    return f"{key[:80]}...sha256:{hashlib.sha256(key.encode()).hexdigest()}"


def _document(payload: Mapping[str, Any]) -> dict[str, Any]:
    try:
        encoded = orjson.dumps(payload)
    except orjson.JSONEncodeError:
        return {"unreadable": ascii(payload)[:_EXCERPT]}
    if len(encoded) > _LONGEST_PAYLOAD or b"\\u0000" in encoded:
        return {"unreadable": ascii(payload)[:_EXCERPT]}
    return dict(payload)
