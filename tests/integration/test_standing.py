"""Long connections: what opened them is looked at again, for all of them together."""

from __future__ import annotations

import secrets

import pytest

from api.accounts import close_account, create_account
from api.keys import create_key, revoke_key
from api.standing import Pass, standing
from lib.store.connections import Database

NOBODY = Pass(None, None)


async def opened(database: Database, name: str) -> tuple[int, Pass, Pass]:
    """A new account, its key, and its session."""
    account = await create_account(database, name, "paid", sealed=None, who="test")
    key_id, _ = await create_key(database, "", secrets.token_bytes(32), account)
    session = secrets.token_bytes(32)
    await database.execute(
        "INSERT INTO web_session (hash, account_id, csrf, expires_at) VALUES ($1, $2, '', now() + interval '1 day')",
        session, account,
    )  # fmt: skip
    return account, Pass(key_id, None), Pass(None, session)


async def test_what_opens_something_stands(database: Database) -> None:
    _, key, session = await opened(database, "someone")
    unknown = {Pass(987_654, None), Pass(None, b"never")}
    assert await standing(database, {NOBODY, key, session} | unknown) == {NOBODY, key, session}
    assert await standing(database, set()) == set()


async def test_a_revoked_key_takes_no_session_with_it_and_a_closed_account_takes_both(database: Database) -> None:
    account, key, session = await opened(database, "someone")
    _, *others = await opened(database, "other")
    everything = {key, session, *others}
    assert key.key_id is not None
    await revoke_key(database, key.key_id)
    assert await standing(database, everything) == {session, *others}
    await close_account(database, account, who="test")
    assert await standing(database, everything) == set(others)


@pytest.mark.parametrize(
    ("table", "change", "left"),
    [
        ("api_key", "expires_at = now()", 1),
        ("api_key", "expires_at = now() + interval '1 minute'", 2),
        ("web_session", "expires_at = now()", 1),
        ("web_session", "used_at = now() - interval '49 hours'", 1),
    ],
)
async def test_what_expired_stands_no_more(database: Database, table: str, change: str, left: int) -> None:
    _, key, session = await opened(database, "someone")
    await database.execute(f"UPDATE {table} SET {change}")
    assert len(await standing(database, {key, session})) == left
