"""Accounts and keys: what each opens, when it ends, and that all of it is written down for good."""

from __future__ import annotations

import asyncio
import secrets
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from api import accounts
from api.accounts import OPERATOR, NameTaken, NoAccount, UnusableName
from api.callers import USUAL_SCOPES, Caller, Tier
from api.keys import KeyRing, Replaced, UnusableScope, create_key, list_keys, revoke_key, rotate_key
from lib.store.connections import Database


def secret() -> bytes:
    return secrets.token_bytes(32)


async def open_account(database: Database, name: str = "someone", tier: Tier = "paid") -> int:
    return await accounts.create_account(database, name, tier, sealed=None, who="test")


async def test_a_key_without_an_account_is_the_operators(database: Database) -> None:
    key_id, key = await create_key(database, "analytics", secret())
    operator = await accounts.find_account(database, OPERATOR)
    assert await KeyRing(database).verify(key) == Caller(operator, "free", key_id, USUAL_SCOPES)


async def test_a_key_has_its_accounts_tier_and_its_own_scopes(database: Database) -> None:
    account = await open_account(database)
    key_id, key = await create_key(database, "", secret(), account, {"jobs"})
    assert await KeyRing(database).verify(key) == Caller(account, "paid", key_id, frozenset({"jobs"}))
    await accounts.set_tier(database, account, "partner", who="test")
    caller = await KeyRing(database).verify(key)
    assert caller is not None
    assert (caller.tier, caller.may_spend) == ("partner", True)


async def test_only_admins_have_the_scope_admin(database: Database) -> None:
    account = await open_account(database)
    with pytest.raises(UnusableScope):
        await create_key(database, "", secret(), account, {"admin"})
    await accounts.set_tier(database, account, "admin", who="test")
    _, key = await create_key(database, "", secret(), account, {"admin", "jobs"})
    await accounts.set_tier(database, account, "free", who="test")
    caller = await KeyRing(database).verify(key)
    assert caller is not None
    assert caller.scopes == {"jobs"}


async def test_keys_end_by_time_and_with_their_account(database: Database) -> None:
    account = await open_account(database)
    soon = datetime.now(UTC) + timedelta(seconds=0.2)
    _, short = await create_key(database, "", secret(), account, expires_at=soon)
    _, long = await create_key(database, "", secret(), account, expires_at=soon + timedelta(days=1))
    await database.execute("SELECT pg_sleep(0.25)")
    moment = 0.0
    ring = KeyRing(database, lambda: moment)
    assert await ring.verify(short) is None
    assert await ring.verify(long) is not None
    await accounts.close_account(database, account, who="test")
    moment = 6.0
    assert await ring.verify(long) is None
    assert all(key.revoked_at is not None for key in await list_keys(database))


async def test_a_rotated_key_lives_on_for_the_overlap(database: Database) -> None:
    account = await open_account(database)
    ends = datetime.now(UTC) + timedelta(days=90)
    old_id, old = await create_key(database, "etl", secret(), account, {"jobs"}, ends)
    made = await rotate_key(database, old_id, secret(), timedelta(hours=1), who="test")
    assert made is not None
    new_id, new = made
    before, after = await list_keys(database)
    assert (after.id, after.label, after.scopes, after.account) == (new_id, "etl", ["jobs"], "someone")
    assert before.expires_at is not None
    assert after.expires_at is not None
    assert before.expires_at - datetime.now(UTC) < timedelta(hours=1, minutes=1)
    assert abs(after.expires_at - ends) < timedelta(minutes=1)
    assert all([await KeyRing(database).verify(key) for key in (old, new)])
    await rotate_key(database, new_id, secret(), timedelta(0), who="test")
    assert await KeyRing(database).verify(new) is None


async def test_a_key_is_rotated_once_and_then_the_one_in_its_place(database: Database) -> None:
    """Or the next one would live no longer than what is left of the overlap."""
    first, _ = await create_key(database, "for ever", secret())
    rivals = (rotate_key(database, first, secret(), timedelta(hours=1), who="test") for _ in range(4))
    made = await asyncio.gather(*rivals, return_exceptions=True)
    (second,) = [one[0] for one in made if isinstance(one, tuple)]
    assert [str(one) for one in made if isinstance(one, Replaced)] == [
        f"key {first} was rotated before, and key {second} stands in its place: rotate that one"
    ] * 3
    await rotate_key(database, second, secret(), timedelta(hours=1), who="test")
    *old, last = await list_keys(database)
    assert [key.expires_at is None for key in (*old, last)] == [False, False, True]
    await revoke_key(database, last.id)
    assert await rotate_key(database, last.id, secret(), timedelta(0), who="test") is None


async def test_last_use_is_noted_now_and_then(database: Database) -> None:
    _, key = await create_key(database, "", secret())
    await KeyRing(database).verify(key)
    (first,) = await list_keys(database)
    await KeyRing(database).verify(key)
    (second,) = await list_keys(database)
    assert first.used_at is not None
    assert second.used_at == first.used_at


@pytest.mark.parametrize("name", ["", "A", "a b", ".a", "a" * 101, "ä", "a\n"])
async def test_names_are_plain(database: Database, name: str) -> None:
    with pytest.raises(UnusableName):
        await open_account(database, name)


async def test_a_name_is_given_once(database: Database) -> None:
    account = await open_account(database)
    await accounts.close_account(database, account, who="test")
    with pytest.raises(NameTaken):
        await open_account(database)
    with pytest.raises(NoAccount):
        await accounts.find_account(database, "someone")
    with pytest.raises(NoAccount):
        await accounts.set_tier(database, account, "admin", who="test")
    with pytest.raises(NoAccount):
        await create_key(database, "", secret(), account)


async def test_every_change_is_written_down(database: Database) -> None:
    account = await open_account(database)
    key_id, _ = await create_key(database, "etl", secret(), account, {"jobs"}, who="test")
    made = await rotate_key(database, key_id, secret(), timedelta(hours=2), who="test")
    assert made is not None
    await revoke_key(database, key_id, "test")
    assert not await revoke_key(database, key_id, "test")
    await accounts.set_tier(database, account, "admin", who="other")
    await accounts.set_password(database, account, "scrypt$...", who="test")
    await accounts.close_account(database, account, who="test")
    deeds = (await accounts.list_audit(database, 100))[::-1]
    assert [(deed.action, deed.subject) for deed in deeds] == [
        ("account created", "someone"),
        ("key created", f"key {key_id}"),
        ("key rotated", f"key {key_id}"),
        ("key revoked", f"key {key_id}"),
        ("tier changed", "someone"),
        ("password changed", "someone"),
        ("account closed", "someone"),
    ]
    assert [deed.who for deed in deeds if deed.action == "tier changed"] == ["other"]
    assert deeds[1].details["scopes"] == ["jobs"]
    assert deeds[2].details == {"new": made[0], "overlap_h": 2.0}
    assert deeds[4].details == {"from": "paid", "to": "admin"}
    assert "scrypt" not in str(deeds)


@pytest.mark.parametrize(
    "rewriting",
    [
        "UPDATE admin_audit SET who = 'nobody'",
        "DELETE FROM admin_audit",
        "TRUNCATE admin_audit",
        "MERGE INTO admin_audit USING account ON true WHEN MATCHED THEN UPDATE SET who = 'nobody'",
    ],
)
async def test_the_book_is_not_rewritten(database: Database, rewriting: str) -> None:
    await open_account(database)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await database.execute(rewriting)
    (deed,) = await accounts.list_audit(database, 10)
    assert deed.who == "test"
