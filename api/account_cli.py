"""Commands of accounts and their keys. Every change is written down under the name of whoever typed it."""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, TypeVar

import msgspec
import typer

from api import accounts, keys, passwords
from api.accounts import OPERATOR
from api.callers import SCOPES, TIERS, USUAL_SCOPES
from lib.errors import VakanzError
from lib.life.person import person
from lib.life.session import open_database
from lib.life.tables import show_table
from lib.store.connections import Database

T = TypeVar("T")

account_app = typer.Typer(help="Accounts: who may ask, sign in and spend credits.", no_args_is_help=True)
key_app = typer.Typer(help="API keys: made once, shown once.", no_args_is_help=True)
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
Name = Annotated[str, typer.Argument(help="The account's name, as `account list` shows it.")]
TierName = Annotated[str, typer.Option("--tier", help="free, paid, partner or admin; all but free may spend credits.")]
KeyId = Annotated[int, typer.Argument(min=1, max=2**63 - 1, help="As `key list` shows it.")]
FromStdin = Annotated[
    bool, typer.Option("--password-stdin", help="Read a password from standard input: the account may sign in.")
]


@account_app.command("create")
def create_account(name: Name, tier: TierName = "free", password_stdin: FromStdin = False) -> None:
    """Opens an account, which has no key yet."""
    sealed = _sealed(_one_line()) if password_stdin else None
    wanted = _one_of(tier, TIERS, "tier")
    _with_database(lambda database: accounts.create_account(database, name, wanted, sealed=sealed, who=who()))
    typer.echo(f"account {name} is open")


@account_app.command("list")
def list_accounts(as_json: AsJson = False) -> None:
    """Lists all accounts with the number of their keys."""
    found = _with_database(accounts.list_accounts)
    if as_json:
        _print_json(found)
        return
    columns = ("id", "name", "tier", "signs in", "keys", "created", "closed")
    show_table(
        columns,
        [
            (one.id, one.name, one.tier, one.signs_in and "yes", one.keys, _time(one.created_at), _time(one.closed_at))
            for one in found
        ],
    )


@account_app.command("tier")
def change_tier(name: Name, tier: Annotated[str, typer.Argument(help="free, paid, partner or admin.")]) -> None:
    """Makes an account one of another tier, within seconds."""
    wanted = _one_of(tier, TIERS, "tier")

    async def work(database: Database) -> None:
        await accounts.set_tier(database, await accounts.find_account(database, name), wanted, who=who())

    _with_database(work)
    typer.echo(f"account {name} is {tier} now")


@account_app.command("password")
def change_password(name: Name) -> None:
    """Reads an account's new password from standard input, and ends its sessions."""
    sealed = _sealed(_one_line())

    async def work(database: Database) -> None:
        await accounts.set_password(database, await accounts.find_account(database, name), sealed, who=who())

    _with_database(work)
    typer.echo(f"account {name} has a new password")


@account_app.command("close")
def close_account(name: Name) -> None:
    """Closes an account for good: its sessions end, its keys open nothing any more, within seconds."""

    async def work(database: Database) -> None:
        await accounts.close_account(database, await accounts.find_account(database, name), who=who())

    _with_database(work)
    typer.echo(f"account {name} is closed")


@account_app.command("audit")
def show_audit(
    most: Annotated[int, typer.Option(min=1, max=100_000, help="So many of the newest lines.")] = 100,
    as_json: AsJson = False,
) -> None:
    """Shows what was done to accounts and keys, by whom, newest first."""
    deeds = _with_database(lambda database: accounts.list_audit(database, most))
    if as_json:
        _print_json(deeds)
        return
    show_table(
        ("at", "who", "action", "subject", "details"),
        [
            (_time(deed.at), deed.who, deed.action, deed.subject, msgspec.json.encode(deed.details).decode())
            for deed in deeds
        ],
    )


@key_app.command("create")
def create_key(
    label: Annotated[str, typer.Option(help="What the key is for.")] = "",
    account: Annotated[
        str, typer.Option(help="Whose key it is; the account that every database has is `operator`, of the tier free.")
    ] = OPERATOR,
    scope: Annotated[
        list[str] | None,
        typer.Option(help=f"What it may do: {', '.join(SCOPES)}; may be repeated. Without: all but admin."),
    ] = None,
    expires: Annotated[float | None, typer.Option(min=0.01, max=36_500, help="Ends after so many days.")] = None,
    as_json: AsJson = False,
) -> None:
    """Makes a key and prints it, this one time."""
    scopes = {_one_of(one, SCOPES, "scope") for one in scope} if scope else USUAL_SCOPES
    ends = None if expires is None else datetime.now(UTC) + timedelta(days=expires)

    async def work(database: Database) -> tuple[int, str]:
        owner = await accounts.find_account(database, account)
        return await keys.create_key(database, label, secrets.token_bytes(32), owner, scopes, ends, who())

    _show_key(_with_database(work), label, as_json)


@key_app.command("rotate")
def rotate_key(
    key_id: KeyId,
    overlap: Annotated[float, typer.Option(min=0, max=8_760, help="Hours that the old key goes on working.")] = 24.0,
    as_json: AsJson = False,
) -> None:
    """Makes a key that does what another one does, which ends itself after a while; prints the new one, once."""
    made = _with_database(
        lambda database: keys.rotate_key(database, key_id, secrets.token_bytes(32), timedelta(hours=overlap), who=who())
    )
    if made is None:
        raise VakanzError(f"there is no valid key {key_id}")
    _show_key(made, "", as_json)


@key_app.command("list")
def list_keys(as_json: AsJson = False) -> None:
    """Lists all keys; the keys themselves are not kept."""
    found = _with_database(keys.list_keys)
    if as_json:
        _print_json(found)
        return
    columns = ("id", "account", "label", "scopes", "created", "expires", "used", "revoked")
    show_table(
        columns,
        [(one.id, one.account, one.label, " ".join(one.scopes), *map(_time, _times(one))) for one in found],
    )


@key_app.command("revoke")
def revoke_key(key_id: KeyId) -> None:
    """Makes a key useless, within seconds."""
    if not _with_database(lambda database: keys.revoke_key(database, key_id, who())):
        raise VakanzError(f"there is no valid key {key_id}")
    typer.echo(f"key {key_id} is revoked")


def who() -> str:
    """Whoever runs this command, as user@host."""
    return f"{person(os.environ)}@{socket.gethostname()}"


def _with_database(work: Callable[[Database], Awaitable[T]]) -> T:
    async def run() -> T:
        async with open_database() as database:
            return await work(database)

    return asyncio.run(run())


def _one_of(given: str, known: tuple[T, ...], what: str) -> T:
    for one in known:
        if one == given:
            return one
    raise VakanzError(f"there is no {what} {given!r}: {', '.join(map(str, known))}")


def _one_line() -> str:
    return sys.stdin.buffer.readline(4_096).decode("utf-8", "replace").rstrip("\r\n")


def _sealed(password: str) -> str:
    return passwords.seal(password, secrets.token_bytes(passwords.SALT_BYTES))


def _show_key(made: tuple[int, str], label: str, as_json: bool) -> None:
    key_id, key = made
    if as_json:
        _print_json({"id": key_id, "label": label, "key": key})
    else:
        typer.echo(key)


def _times(key: keys.ApiKey) -> tuple[datetime | None, ...]:
    return key.created_at, key.expires_at, key.used_at, key.revoked_at


def _time(moment: datetime | None) -> str:
    return "" if moment is None else f"{moment:%Y-%m-%d %H:%M}"


def _print_json(value: Any) -> None:
    typer.echo(msgspec.json.encode(value).decode())
