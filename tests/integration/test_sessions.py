"""Signing in: who gets a cookie, what it opens, when it ends, and who may not use it."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer, make_mocked_request
from multidict import CIMultiDict

from api import accounts, passwords
from api.app import create_app
from api.callers import Tier
from api.keys import create_key
from api.rates import Rates
from api.room import SESSIONS
from api.sessions import PER_ADDRESS, PER_NAME, Sessions, TooManyTries, WrongPassword, address_of
from lib.life.config import Config
from lib.store.connections import Cache, Database
from tests.integration.open_market import encoders

Client = TestClient[Any, Any]
PASSWORD = "a long enough password"
pytestmark = pytest.mark.usefixtures("quick_passwords")


def sealed() -> str:
    return passwords.seal(PASSWORD, b"s" * passwords.SALT_BYTES)


@pytest.fixture
async def client(database: Database, cache: Cache) -> AsyncIterator[Client]:
    """A browser before an API that others can reach; it knows this machine by its loopback address."""
    await person(database)
    config = Config(api_host="0.0.0.0")
    async with TestClient(TestServer(create_app(config, database, cache, encoders()))) as client:
        yield client


async def person(database: Database, name: str = "someone", tier: Tier = "paid") -> int:
    return await accounts.create_account(database, name, tier, sealed=sealed(), who="test")


async def sign_in(client: Client, name: str = "someone", password: str = PASSWORD, **headers: str) -> Any:
    return await client.post("/session", json={"name": name, "password": password}, headers=headers)


async def test_a_session_opens_what_a_key_opens(client: Client) -> None:
    assert (await client.get("/jobs")).status == 401
    signed_in = await sign_in(client, " Someone ")
    assert signed_in.status == 200
    assert (await signed_in.json())["tier"] == "paid"
    assert (await client.get("/jobs")).status == 200
    assert (await client.get("/accounts")).status == 403


async def test_people_are_shown_where_to_sign_in_and_programs_are_not(client: Client) -> None:
    page = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    shown = await client.get("/?q=a%26b", headers=page, allow_redirects=False)
    assert shown.status == 303
    assert shown.headers["Location"] == "/sign-in?next=/?q%3Da%2526b"
    assert (await client.get(shown.headers["Location"], headers=page)).status == 200
    assert (await client.get("/", allow_redirects=False)).status == 401
    assert (await client.post("/match", headers=page, allow_redirects=False)).status == 401


async def test_the_cookie_is_kept_from_scripts_and_other_sites(client: Client) -> None:
    local = (await sign_in(client)).headers["Set-Cookie"]
    assert local.startswith("vakanz_session=")
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(local.split("; "))
    public = (await sign_in(client, Host="jobs.example")).headers["Set-Cookie"]
    assert public.startswith("__Host-vakanz_session=")
    assert {"HttpOnly", "SameSite=Lax", "Path=/", "Secure"} <= set(public.split("; "))
    assert "Domain" not in public


async def test_only_the_cookies_hash_is_kept(client: Client, database: Database) -> None:
    cookie = (await sign_in(client)).cookies["vakanz_session"].value
    assert len(cookie) == 43
    kept = await database.fetchrow("SELECT hash, csrf FROM web_session")
    assert kept is not None
    assert cookie.encode() not in kept["hash"]
    assert kept["csrf"] not in cookie


@pytest.mark.parametrize(
    ("name", "password"), [("someone", "wrong"), ("nobody", PASSWORD), ("operator", ""), ("", ""), ("a\x00b", "\x00")]
)
async def test_what_does_not_fit_is_refused_alike(client: Client, name: str, password: str) -> None:
    refused = await sign_in(client, name, password)
    assert refused.status == 403
    assert (await refused.json())["detail"] == "name or password are wrong"
    assert "Set-Cookie" not in refused.headers


async def test_signing_in_again_ends_the_session_before(client: Client) -> None:
    signed_in = await sign_in(client)
    first, csrf = signed_in.cookies["vakanz_session"].value, (await signed_in.json())["csrf"]
    second = (await sign_in(client, **{"X-CSRF-Token": csrf})).cookies["vakanz_session"].value
    assert first != second
    client.session.cookie_jar.clear()
    for cookie, status in ((first, 401), (second, 200)):
        answer = await client.get("/jobs", headers={"Cookie": f"vakanz_session={cookie}"})
        assert answer.status == status


async def test_signing_out_ends_the_session_itself(client: Client) -> None:
    signed_in = await sign_in(client)
    cookie, csrf = signed_in.cookies["vakanz_session"].value, (await signed_in.json())["csrf"]
    gone = await client.delete("/session", headers={"X-CSRF-Token": csrf})
    assert gone.status == 204
    assert "vakanz_session" not in {one.key for one in client.session.cookie_jar}
    assert (await client.get("/jobs", headers={"Cookie": f"vakanz_session={cookie}"})).status == 401


@pytest.mark.parametrize(
    "end",
    [
        "UPDATE web_session SET expires_at = now()",
        "UPDATE web_session SET used_at = now() - interval '49 hours'",
        "UPDATE account SET closed_at = now()",
    ],
)
async def test_sessions_end(database: Database, cache: Cache, end: str) -> None:
    await person(database)
    moment = 0.0
    sessions = Sessions(database, Rates(cache), lambda: moment)
    cookie = await sessions.sign_in("someone", PASSWORD, "192.0.2.1", "")
    assert await sessions.find(cookie) is not None
    await database.execute(end)
    moment = 6.0
    assert await sessions.find(cookie) is None


async def test_a_session_in_use_goes_on(database: Database, cache: Cache) -> None:
    await person(database)
    sessions = Sessions(database, Rates(cache))
    cookie = await sessions.sign_in("someone", PASSWORD, "192.0.2.1", "")
    await database.execute("UPDATE web_session SET used_at = now() - interval '47 hours'")
    assert await Sessions(database, Rates(cache)).find(cookie) is not None
    assert await database.fetchval("SELECT used_at > now() - interval '1 minute' FROM web_session")


async def test_a_new_password_and_closing_end_all_sessions(database: Database, cache: Cache) -> None:
    account = await person(database)
    sessions = Sessions(database, Rates(cache))
    for end in (accounts.set_password, accounts.close_account):
        await sessions.sign_in("someone", PASSWORD, "192.0.2.1", "")
        arguments = (sealed(),) if end is accounts.set_password else ()
        await end(database, account, *arguments, who="test")  # type: ignore[operator]
        assert await database.fetchval("SELECT count(*) FROM web_session") == 0


async def test_guessing_is_slowed_down_by_address_and_by_name(database: Database, cache: Cache) -> None:
    await person(database)
    sessions = Sessions(database, Rates(cache))

    async def guess(name: str, address: str) -> str:
        try:
            await sessions.sign_in(name, "wrong", address, "")
        except (WrongPassword, TooManyTries) as error:
            return type(error).__name__
        return "in"

    from_one = await asyncio.gather(*(guess(f"name{number}", "192.0.2.1") for number in range(PER_ADDRESS.quota + 1)))
    assert from_one.count("TooManyTries") == 1
    for_one = await asyncio.gather(*(guess("someone", f"192.0.2.{number}") for number in range(2, PER_NAME.quota + 3)))
    assert for_one.count("TooManyTries") == 1
    with pytest.raises(TooManyTries) as slowed:
        await sessions.sign_in("someone", PASSWORD, "198.51.100.1", "")
    assert slowed.value.retry_s >= 1


async def test_too_many_tries_are_told_when_to_come_back(client: Client) -> None:
    answers = [await sign_in(client, "nobody", "wrong") for _ in range(PER_ADDRESS.quota + 1)]
    assert [answer.status for answer in answers] == [403] * PER_ADDRESS.quota + [429]
    assert int(answers[-1].headers["Retry-After"]) >= 1


async def test_a_proxy_names_whom_it_asks_for(client: Client) -> None:
    for number in range(PER_ADDRESS.quota + 1):
        answer = await sign_in(client, "nobody", "wrong", **{"X-Forwarded-For": f"evil, 192.0.2.{number}"})
        assert answer.status == 403


@pytest.mark.parametrize(
    ("peer", "named", "counted"),
    [
        ("203.0.113.9", "", "203.0.113.9"),
        ("8.8.8.8", "198.51.100.1", "8.8.8.8"),
        ("10.0.0.2", "8.8.8.8, 8.8.4.4", "8.8.4.4"),
        ("10.0.0.2", "nonsense", "10.0.0.2"),
        ("2a00:1450:4001:81b::200e", "", "2a00:1450:4001:81b::/64"),
        ("127.0.0.1", "2a00:1450:4001:81b::1", "2a00:1450:4001:81b::/64"),
        ("127.0.0.1", "::ffff:8.8.8.8", "8.8.8.8"),
        ("::ffff:8.8.8.8", "", "8.8.8.8"),
        ("", "8.8.8.8", ""),
    ],
)
def test_whom_guesses_are_counted_for(peer: str, named: str, counted: str) -> None:
    request = make_mocked_request("POST", "/session", headers={"X-Forwarded-For": named})
    assert address_of(request.clone(remote=peer)) == counted


def test_guesses_are_not_counted_for_whom_a_caller_names_above_the_proxy() -> None:
    fields = CIMultiDict([("X-Forwarded-For", "198.51.100.1"), ("X-Forwarded-For", "8.8.8.8")])
    request = make_mocked_request("POST", "/session", headers=fields)
    assert address_of(request.clone(remote="10.0.0.2")) == "8.8.8.8"


async def test_a_session_needs_its_token_to_change_anything(client: Client) -> None:
    csrf = (await (await sign_in(client)).json())["csrf"]
    profile = {"text": "Koch"}
    assert (await client.post("/match", json=profile)).status == 403
    assert (await client.post("/match", json=profile, headers={"X-CSRF-Token": "wrong"})).status == 403
    assert (await client.post("/match", json=profile, headers={"X-CSRF-Token": csrf})).status == 200
    assert (await client.delete("/session")).status == 403
    assert (await client.post("/session", data={"csrf": csrf})).status in (400, 422)  # past the door, but no JSON
    assert (await client.post("/session", data={"csrf": "wrong"})).status == 403


@pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}])
async def test_other_sites_change_nothing(client: Client, headers: dict[str, str]) -> None:
    csrf = (await (await sign_in(client)).json())["csrf"]
    assert (await client.delete("/session", headers=headers | {"X-CSRF-Token": csrf})).status == 403
    assert (await sign_in(client, **headers)).status == 403


async def test_a_key_needs_no_token(client: Client, database: Database) -> None:
    _, key = await create_key(database, "", secrets.token_bytes(32))
    headers = {"Authorization": f"Bearer {key}", "Sec-Fetch-Site": "cross-site"}
    assert (await client.post("/match", json={"text": "Koch"}, headers=headers)).status == 200


@pytest.mark.parametrize("cookie", ["", "x", "a" * 43, "é" * 43, "a" * 5_000])
async def test_any_cookie_is_only_a_cookie(client: Client, cookie: str) -> None:
    answer = await client.get("/jobs", headers={"Cookie": f"vakanz_session={cookie}"})
    assert answer.status == 401


async def test_sessions_are_known_to_the_application(client: Client) -> None:
    cookie = (await sign_in(client)).cookies["vakanz_session"].value
    session = await client.app[SESSIONS].find(cookie)  # type: ignore[index]
    assert session is not None
    assert session.caller.may_spend
    assert "admin" not in session.caller.scopes
