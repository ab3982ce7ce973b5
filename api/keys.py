"""API keys: shown once when they are made, kept as SHA-256 only.

A key has 256 random bits, so a plain hash is enough: there is nothing to guess. Lookups are remembered for a few
seconds, which is how long a revoked key, or one of an account that was closed, may still work.
"""

from __future__ import annotations

import base64
import hashlib
import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from api.callers import USUAL_SCOPES, Caller, scopes_of
from lib.errors import VakanzError
from lib.posting.contract import clean_text
from lib.store.connections import Database
from sql import statements

_SQL = statements("api")
PREFIX = "vk_"
_FORM = re.compile(r"vk_[A-Za-z0-9_-]{43}")
_REMEMBER_S = 5.0
_MOST_REMEMBERED = 10_000


OPERATOR = "operator"  # the account that every database has, for keys that are nobody's in particular


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


class NoAccount(VakanzError):
    """There is no open account of this name."""


def key_from(secret: bytes) -> str:
    """The key that 32 random bytes make."""
    return PREFIX + base64.urlsafe_b64encode(secret).rstrip(b"=").decode()


async def create_key(
    database: Database,
    label: str,
    secret: bytes,
    account: str = OPERATOR,
    scopes: Iterable[str] = USUAL_SCOPES,
    expires_at: datetime | None = None,
) -> tuple[int, str]:
    """A new key's id and the key itself, which nobody can read again later. `secret`: 32 random bytes.

    Raises NoAccount.
    """
    key = key_from(secret)
    key_id: int | None = await database.fetchval(
        _SQL.create_key, account, clean_text(label, 200), _hash(key), sorted(scopes), expires_at
    )
    if key_id is None:
        raise NoAccount(f"there is no open account {account!r}")
    return key_id, key


async def list_keys(database: Database) -> list[ApiKey]:
    """All keys, oldest first."""
    return [ApiKey(**row) for row in await database.fetch(_SQL.list_keys)]


async def revoke_key(database: Database, key_id: int) -> bool:
    """Whether there was such a key to revoke."""
    return await database.fetchval(_SQL.revoke_key, key_id) is not None


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
