"""What a connection was opened with, and whether it still opens anything: asked for many long connections at once."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from aiohttp import web

from api.room import CALLER, SESSION
from api.sessions import IDLE, mark_of
from lib.store.connections import Database
from sql import statements

_SQL = statements("accounts")


class Pass(NamedTuple):
    """The id of a program's key, or the hash by which a person's session is kept; neither on this machine itself."""

    key_id: int | None
    session: bytes | None


def pass_of(request: web.Request) -> Pass:
    """What a request that was let in came with."""
    return Pass(request[CALLER].key_id, mark_of(request) if request[SESSION] is not None else None)


async def standing(database: Database, passes: Collection[Pass]) -> set[Pass]:
    """Those that still open something: not revoked, ended or expired, and of an account that is not closed."""
    keys = [one.key_id for one in passes if one.key_id is not None]
    sessions = [one.session for one in passes if one.session is not None]
    rows = await database.fetch(_SQL.standing, keys, sessions, IDLE)
    return {Pass(row["key_id"], row["session"]) for row in rows} | {one for one in passes if one == Pass(None, None)}
