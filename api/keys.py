"""API keys: shown once when they are made, kept as SHA-256 only.

A key has 256 random bits, so a plain hash is enough: there is nothing to guess. Lookups are remembered for a few
seconds, which is how long a revoked key, or one of an account that was closed, may still work.
"""

from __future__ import annotations

import base64
import hashlib
import re
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from api.accounts import OPERATOR, find_account, load_account, write_audit
from api.callers import USUAL_SCOPES, Caller, scopes_of
from lib.errors import VakanzError
from lib.posting.contract import clean_text
from lib.store.connections import Connection, Database
from sql import statements

_SQL = statements("api")
PREFIX = "vk_"
_FORM = re.compile(r"vk_[A-Za-z0-9_-]{43}")
_REMEMBER_S = 5.0
_MOST_REMEMBERED = 10_000


@dataclass(frozen=True)
class ApiKey:
    """A key as a list shows it; times are aware UTC. `used_at` may lie ten minutes behind."""

    id: int
    account: str
    label: str
    scopes: list[str]
    created_at: datetime
    expires_at: datetime | None
    used_at: datetime | None
    revoked_at: datetime | None


class Replaced(VakanzError):
    """The key was rotated before: the one in its place is to be rotated next."""


class UnusableScope(VakanzError):
    """There is no such scope, or not for an account of this tier."""


def key_from(secret: bytes) -> str:
    """The key that 32 random bytes make."""
    return PREFIX + base64.urlsafe_b64encode(secret).rstrip(b"=").decode()


async def create_key(
    database: Database,
    label: str,
    secret: bytes,
    account_id: int | None = None,
    scopes: Collection[str] = USUAL_SCOPES,
    expires_at: datetime | None = None,
    who: str = OPERATOR,
) -> tuple[int, str]:
    """A new key's id and the key itself, which nobody can read again later. `secret`: 32 random bytes.

    Without an account it is the operator's. Raises NoAccount, UnusableScope.
    """
    key, label = key_from(secret), clean_text(label, 200)
    owner = await find_account(database, OPERATOR) if account_id is None else account_id

    async def work(connection: Connection) -> int:
        account = await load_account(connection, owner)
        if refused := sorted(set(scopes) - scopes_of(account["tier"])):
            raise UnusableScope(f"an account of the tier {account['tier']} cannot have the scope {refused[0]}")
        values = (owner, label, _hash(key), sorted(scopes), expires_at)
        key_id: int = await connection.fetchval(_SQL.create_key, *values)
        details = {"account": account["name"], "label": label, "scopes": sorted(scopes), "expires_at": expires_at}
        await write_audit(connection, who, "key created", f"key {key_id}", details)
        return key_id

    return await database.transaction(work), key


async def rotate_key(
    database: Database, key_id: int, secret: bytes, overlap: timedelta, *, who: str
) -> tuple[int, str] | None:
    """A new key (id, key) that does and lives as another one, which itself works for `overlap` more.

    None: there is no such key, or it opens nothing any more. Raises Replaced.
    """
    key = key_from(secret)

    async def work(connection: Connection) -> int | None:
        new: int | None = await connection.fetchval(_SQL.rotate_key, key_id, _hash(key), overlap)
        if new is not None:
            details = {"new": new, "overlap_h": overlap / timedelta(hours=1)}
            await write_audit(connection, who, "key rotated", f"key {key_id}", details)
        elif (other := await connection.fetchval(_SQL.replacement, key_id)) is not None:
            raise Replaced(f"key {key_id} was rotated before, and key {other} stands in its place: rotate that one")
        return new

    new = await database.transaction(work)
    return None if new is None else (new, key)


async def list_keys(database: Database) -> list[ApiKey]:
    """All keys, oldest first."""
    return [ApiKey(**row) for row in await database.fetch(_SQL.list_keys)]


async def revoke_key(database: Database, key_id: int, who: str = OPERATOR) -> bool:
    """Whether there was such a key to revoke."""

    async def work(connection: Connection) -> bool:
        revoked = await connection.fetchval(_SQL.revoke_key, key_id) is not None
        if revoked:
            await write_audit(connection, who, "key revoked", f"key {key_id}", {})
        return revoked

    return await database.transaction(work)


def _hash(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()


class KeyRing:
    """Answers whose key a request carries."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._clock = clock
        self._known: dict[bytes, tuple[Caller, float]] = {}

    async def verify(self, key: str) -> Caller | None:
        """Who comes with the key, None when it opens nothing. Only keys that open something are remembered."""
        if not _FORM.fullmatch(key):
            return None
        mark = _hash(key)
        held = self._known.get(mark)
        if held is not None and held[1] > self._clock():
            return held[0]
        self._known.pop(mark, None)
        row = await self._database.fetchrow(_SQL.verify_key, mark)
        if row is None:
            return None
        caller = Caller(row["account_id"], row["tier"], row["id"], frozenset(row["scopes"]) & scopes_of(row["tier"]))
        if len(self._known) >= _MOST_REMEMBERED:
            self._known.clear()
        self._known[mark] = (caller, self._clock() + _REMEMBER_S)
        return caller
