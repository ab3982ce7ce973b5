"""Accounts, and the book of what admins did to them: a change and its line in the book are one transaction."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from api.callers import Tier
from lib.errors import VakanzError
from lib.store.connections import Connection, Database
from sql import statements

_SQL = statements("accounts")
OPERATOR: Final = "operator"  # the account that every database has, for keys that are nobody's in particular
_NAME = re.compile(r"[a-z0-9][a-z0-9._@+-]{0,99}", re.ASCII)


class NoAccount(VakanzError):
    """There is no open account of this name or id."""


class UnusableName(VakanzError):
    """An account cannot have this name."""


class NameTaken(VakanzError):
    """Another account has this name, or had it once."""


@dataclass(frozen=True)
class Account:
    """An account as a list shows it; `keys`: how many of them open something. Times are aware UTC."""

    id: int
    name: str
    tier: Tier
    signs_in: bool
    keys: int
    created_at: datetime
    closed_at: datetime | None


@dataclass(frozen=True)
class Deed:
    """One line of the book. `who`: an account's name, or user@host of a command."""

    at: datetime
    who: str
    action: str
    subject: str
    details: dict[str, Any]


async def create_account(database: Database, name: str, tier: Tier, *, sealed: str | None, who: str) -> int:
    """A new account's id. `sealed`: its password as `passwords.seal` gives it, None for keys only.

    Raises UnusableName, NameTaken.
    """
    if not _NAME.fullmatch(name):
        raise UnusableName("an account's name has up to 100 small letters, digits and .-_@+, and begins with no sign")

    async def work(connection: Connection) -> int:
        account_id: int | None = await connection.fetchval(_SQL.create_account, name, tier, sealed)
        if account_id is None:
            raise NameTaken(f"there is an account {name} already")
        await write_audit(connection, who, "account created", name, {"tier": tier})
        return account_id

    return await database.transaction(work)


async def list_accounts(database: Database) -> list[Account]:
    """All accounts, oldest first."""
    return [Account(**row) for row in await database.fetch(_SQL.list_accounts)]


async def find_account(database: Database, name: str) -> int:
    """The id of an open account. Raises NoAccount."""
    account_id: int | None = await database.fetchval(_SQL.find_account, name)
    if account_id is None:
        raise NoAccount(f"there is no open account {name!r}")
    return account_id


async def name_of(database: Database, account_id: int) -> str:
    """The name of an account, open or not."""
    name: str = await database.fetchval(_SQL.name_account, account_id)
    return name


async def load_account(connection: Connection, account_id: int) -> Mapping[str, Any]:
    """`id`, `name` and `tier` of an open account, locked until the transaction ends. Raises NoAccount."""
    row: Mapping[str, Any] | None = await connection.fetchrow(_SQL.load_account, account_id)
    if row is None:
        raise NoAccount(f"there is no open account {account_id}")
    return row


async def set_tier(database: Database, account_id: int, tier: Tier, *, who: str) -> None:
    """Makes an account one of another tier; its keys follow within seconds. Raises NoAccount."""

    async def work(connection: Connection) -> None:
        account = await load_account(connection, account_id)
        await connection.execute(_SQL.set_tier, account_id, tier)
        await write_audit(connection, who, "tier changed", account["name"], {"from": account["tier"], "to": tier})

    await database.transaction(work)


async def set_password(database: Database, account_id: int, sealed: str, *, who: str) -> None:
    """Gives an account a new password and ends its sessions. Raises NoAccount."""

    async def work(connection: Connection) -> None:
        account = await load_account(connection, account_id)
        await connection.execute(_SQL.set_password, account_id, sealed)
        await connection.execute(_SQL.end_sessions, account_id)
        await write_audit(connection, who, "password changed", account["name"], {})

    await database.transaction(work)


async def close_account(database: Database, account_id: int, *, who: str) -> None:
    """Closes an account: its sessions end, its keys open nothing any more, within seconds. Raises NoAccount."""

    async def work(connection: Connection) -> None:
        account = await load_account(connection, account_id)
        await connection.execute(_SQL.close_account, account_id)
        await connection.execute(_SQL.end_sessions, account_id)
        await write_audit(connection, who, "account closed", account["name"], {})

    await database.transaction(work)


async def write_audit(connection: Connection, who: str, action: str, subject: str, details: Mapping[str, Any]) -> None:
    """Adds a line to the book, which nothing changes any more once the transaction is through."""
    await connection.execute(_SQL.write_audit, who, action, subject, dict(details))


async def list_audit(database: Database, most: int) -> list[Deed]:
    """The newest lines of the book, newest first."""
    return [Deed(**row) for row in await database.fetch(_SQL.list_audit, most)]
