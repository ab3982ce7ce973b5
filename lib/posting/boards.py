"""Boards as rows: registered, claimed by one crawler at a time, finished with what was learnt."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import asyncpg

from lib.net.validators import Validators
from lib.store.batches import Executor
from lib.store.connections import Connection, Database
from sql import statements

_SQL = statements("boards")
_MOVES = statements("moves")
CLAIM_S = 60.0
BoardState = Literal["active", "suspect", "denied", "gone", "paused", "moved", "metered"]


@dataclass(frozen=True, kw_only=True)
class Board:
    """One tenant of one source. Times are ours; `last_count` is the length of the last complete list."""

    id: int
    source: str
    tenant: str
    company: str | None
    url: str
    state: BoardState
    next_due: datetime
    every_s: int
    last_crawled_at: datetime | None
    last_complete_at: datetime | None
    last_count: int | None
    suspect_count: int
    failures: int
    last_error: str | None

    @classmethod
    def of(cls, row: asyncpg.Record) -> Board:
        """The board in a row that has all its columns."""
        return cls(**{name: row[name] for name in cls.__dataclass_fields__})


@dataclass(frozen=True, kw_only=True)
class Finished:
    """What a crawl leaves on its board. `count` is None unless the list was complete."""

    state: BoardState
    next_in_s: float
    at: datetime
    complete: bool
    count: int | None
    suspect_count: int
    failures: int
    error: str | None


@dataclass(frozen=True)
class Mark:
    """What a page of a complete list is known by: what its server marked it with, and the SHA-256 of its bytes.

    `cursor`: what it said to ask for next.
    """

    validators: Validators | None
    body_hash: bytes
    cursor: str | None


@dataclass(frozen=True, kw_only=True)
class RawResponse:
    """What was asked, when, and where the answer's body is kept: `size` bytes of a blob, from `blob_from` on."""

    board_id: int
    session: str
    url: str
    status: int
    content_hash: bytes
    blob_key: str
    size: int
    fetched_at: datetime
    blob_from: int = 0


async def add(
    database: Database, source: str, tenant: str, company: str | None, url: str, every_s: int
) -> tuple[int, bool]:
    """The board's id, and whether it is new."""
    row = await database.fetchrow(_SQL.add_board, source, tenant, company, url, every_s)
    assert row is not None  # the upsert always returns its row
    return row["id"], row["added"]


async def add_many(database: Database, rows: Sequence[tuple[str, str, str | None, str, int]]) -> None:
    """Registers (source, tenant, company, url, every_s) rows; known ones are left alone."""
    await database.execute(_SQL.add_boards, *map(list, zip(*rows, strict=True)))


async def list_all(database: Database) -> list[tuple[Board, int]]:
    """All boards, each with how many of its postings are open."""
    return [(Board.of(row), row["open"]) for row in await database.fetch(_SQL.list_boards, None)]


@dataclass(frozen=True, kw_only=True)
class Yield:
    """What the boards of one source bring. `listed`: postings on their last complete lists; `failing`: boards whose
    last crawl ended with an error or a doubt."""

    source: str
    boards: int
    failing: int
    last_run: datetime | None
    last_complete: datetime | None
    listed: int


async def yields(database: Database) -> list[Yield]:
    """What each source brings that has boards."""
    return [Yield(**dict(row)) for row in await database.fetch(_SQL.yield_by_source)]


async def find(database: Database, name: str) -> list[int]:
    """Ids of the boards that `name` may mean: an id, a tenant, source:tenant, or the board's address."""
    return [row["id"] for row in await database.fetch(_SQL.find_boards, name)]


async def source_of(database: Database, board_id: int) -> str:
    """The name of the source of a board that there is."""
    return str(await database.fetchval(_SQL.source_of_board, board_id))


async def claim_due(
    database: Database, owner: str, limit: int, running: Collection[int], sources: Collection[str] | None = None
) -> list[Board]:
    """Up to `limit` due boards of `sources` (None: of any) that nobody works on, now claimed for CLAIM_S seconds."""
    of = None if sources is None else list(sources)
    rows = await database.fetch(_SQL.claim_due_boards, owner, CLAIM_S, limit, list(running), of)
    return [Board.of(row) for row in rows]


async def claim(database: Database, owner: str, board_id: int) -> Board | None:
    """The board, claimed whether due or not; None while another crawler works on it."""
    row = await database.fetchrow(_SQL.claim_board, owner, CLAIM_S, board_id)
    return None if row is None else Board.of(row)


async def extend_claims(database: Database, owner: str, board_ids: Collection[int]) -> None:
    """Extends all claims of one crawler by CLAIM_S seconds from now."""
    await database.execute(_SQL.extend_claims, owner, CLAIM_S, list(board_ids))


async def still_claimed(connection: Connection, owner: str, board_id: int) -> bool:
    """Locks the board for this transaction if it is still `owner`'s."""
    return bool(await connection.fetchval(_SQL.hold_claim, board_id, owner))


async def finish(
    executor: Executor,
    owner: str,
    session: str,
    board_id: int,
    end: Finished,
    *,
    all_seen: bool = False,
    marks: Mapping[str, Mark] | None = None,
) -> bool:
    """Writes the end of a crawl and frees the claim. False when the board is not `owner`'s any more.

    `all_seen`: every open posting was. `marks` of a complete list take the place of the board's; None leaves those.
    """
    pages = [] if marks is None else list(marks.values())
    sent = [mark.validators or Validators() for mark in pages]
    return bool(
        await executor.fetchval(
            _SQL.finish_board, board_id, owner, end.state, end.next_in_s, end.at, end.complete, end.count,
            end.suspect_count, end.failures, end.error, all_seen, marks is not None, session, list(marks or ()),
            [one.etag for one in sent], [one.last_modified for one in sent], [mark.body_hash for mark in pages],
            [mark.cursor for mark in pages],
        )
    )  # fmt: skip


async def company_pages(database: Database, board: Board) -> list[str]:
    """Pages of the company whose board this is, as far as it was found by its site."""
    return [row["url"] for row in await database.fetch(_MOVES.company_pages, board.source, board.tenant)]


async def move(database: Database, board: Board, source: str, tenant: str, url: str, every_s: int) -> bool:
    """Registers the board that `board` has moved to. False when the two are one."""
    moved = await database.fetchval(_MOVES.move_board, board.id, source, tenant, board.company, url, every_s)
    return moved is not None


async def load_marks(database: Database, board_id: int, session: str) -> dict[str, Mark]:
    """The marks of the board's last complete list by address, none where another version read it than `session`'s."""
    rows = await database.fetch(_SQL.load_marks, board_id, session)
    return {
        row["url"]: Mark(
            Validators(etag=row["etag"], last_modified=row["last_modified"]), row["body_hash"], row["cursor"]
        )
        for row in rows
    }


async def open_session(database: Database, session: str, host: str, version: str) -> None:
    """Registers a crawler's run, which everything that it writes will name."""
    await database.execute(_SQL.open_session, session, host, version)


async def add_raw(database: Database, raw: RawResponse) -> int:
    """Keeps the record of one answer and returns its id."""
    value: Any = await database.fetchval(
        _SQL.add_raw, raw.board_id, raw.session, raw.url, raw.status, raw.content_hash, raw.blob_key, raw.size,
        raw.fetched_at,
    )  # fmt: skip
    return int(value)


async def add_raws(connection: Connection, raws: Sequence[RawResponse]) -> list[int]:
    """Keeps the records of many answers in one statement; ids in their order."""
    rows = await connection.fetch(
        _SQL.add_raws, [raw.board_id for raw in raws], [raw.session for raw in raws], [raw.url for raw in raws],
        [raw.status for raw in raws], [raw.content_hash for raw in raws], [raw.blob_key for raw in raws],
        [raw.blob_from for raw in raws], [raw.size for raw in raws], [raw.fetched_at for raw in raws],
    )  # fmt: skip
    return [row["id"] for row in rows]
