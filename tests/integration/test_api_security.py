"""What callers may not do: use others' keys, see others' searches and résumés, or bring the API down by any text."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp.test_utils import TestClient

from api import accounts, middleware
from api.callers import SCOPES
from api.keys import create_key, revoke_key
from api.operation import Operation
from api.operations import OPERATIONS
from lib.store.connections import Cache, Database
from tests.integration.api_client import Client, caller, open_config, server
from tests.integration.open_market import fill

pytestmark = pytest.mark.usefixtures("quick_passwords")
INJECTIONS = (
    "'; DROP TABLE posting; --", '" OR 1=1', "%00", "\\x00", "${7*7}", "{{7*7}}", "../../etc/passwd", "%s%n", "\u202e",
    "<script>alert(1)</script>", "A" * 5_000, "\r\nX-Evil: 1", "[]", "null", "-1", "1e999", "🙂",
)  # fmt: skip


@pytest.fixture
async def client(database: Database, cache: Cache) -> AsyncIterator[Client]:
    async with TestClient(server(database, cache)) as client:
        yield client


def _path(operation: Operation, value: str) -> str:
    return operation.path.replace("{id}", value)


def _id(operation: Operation) -> str:
    return str(secrets.token_hex(4)) + "-0000-4000-8000-000000000000" if operation.path_uuids else "1"


# ── keys ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "key",
    ["", "vk_", "vk_" + "a" * 42, "vk_" + "a" * 43, "vk_" + "a" * 44, "vk_" + "a" * 42 + "=", "vk_" + "a" * 6_000,
     "é" * 46, "vk_%00", "null"],
)  # fmt: skip
async def test_a_key_that_is_none_opens_nothing(client: Client, key: str) -> None:
    for headers in ({"Authorization": f"Bearer {key}"}, {"X-API-Key": key}, {"Authorization": f"Basic {key}"}):
        for path in ("/jobs", "/accounts", "/nowhere"):
            assert (await client.get(path, headers=headers)).status == 401


async def test_revoked_and_expired_keys_open_nothing(client: Client, database: Database) -> None:
    revoked_id, revoked = await create_key(database, "", secrets.token_bytes(32))
    await revoke_key(database, revoked_id)
    past = datetime.now(UTC) - timedelta(seconds=1)
    _, expired = await create_key(database, "", secrets.token_bytes(32), expires_at=past)
    for key in (revoked, expired):
        assert (await client.get("/jobs", headers={"X-API-Key": key})).status == 401


@pytest.mark.parametrize("scope", SCOPES)
async def test_a_key_opens_what_its_scope_is_for_and_nothing_else(
    client: Client, database: Database, scope: str
) -> None:
    headers = await caller(database, "someone", "admin", {scope})
    for one in OPERATIONS:
        if one.open:
            continue
        answer = await client.request(one.method, _path(one, _id(one)), headers=headers)
        body = await answer.json() if answer.content_type == "application/json" else {}
        if one.scope == scope:
            assert answer.status not in (401, 403), (one.path, body)
        else:
            assert answer.status == 403
            assert body["detail"] == f"the scope {one.scope} is missing"


def test_every_operation_that_is_not_open_asks_for_a_scope() -> None:
    assert [one.path for one in OPERATIONS if one.open == (one.scope is not None)] == []


# ── rates ─────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_each_key_has_its_tiers_rate(database: Database, cache: Cache) -> None:
    config = open_config(rate_free=3, rate_paid=5)
    free, paid = await caller(database, "free", "free"), await caller(database, "paid", "paid")
    async with TestClient(server(database, cache, config)) as client:
        first = await client.get("/jobs", headers=free)
        assert first.headers["RateLimit-Policy"] == '"free";q=3;w=60'
        assert first.headers["RateLimit"].startswith('"free";r=2;t=')
        statuses = [(await client.get("/jobs", headers=free)).status for _ in range(3)]
        assert statuses == [200, 200, 429]
        refused = await client.get("/nowhere", headers=free)
        assert refused.status == 429
        assert 1 <= int(refused.headers["Retry-After"]) <= 20
        assert (await refused.json())["error"] == "too_many_requests"
        assert (await client.get("/healthz", headers=free)).status == 200
        assert (await client.get("/jobs", headers=paid)).headers["RateLimit"].startswith('"paid";r=4;t=')


async def test_limits_hold_without_redis(database: Database) -> None:
    headers = await caller(database, "free", "free")
    async with (
        Cache("unix:///nowhere/valkey.sock") as gone,
        TestClient(server(database, gone, open_config(rate_free=2))) as client,
    ):
        assert [(await client.get("/jobs", headers=headers)).status for _ in range(3)] == [200, 200, 429]


# ── accounts among each other ─────────────────────────────────────────────────────────────────────────────────────


async def test_nobody_sees_anothers_searches(client: Client, database: Database) -> None:
    await fill(database, 40)
    mine, yours = await caller(database, "mine"), await caller(database, "yours")
    found = await (await client.post("/match", json={"text": "Koch"}, headers=mine)).json()
    for path in ("/searches/{}", "/searches/{}/events", "/s/{}", "/s/{}/events"):
        headers = {"Accept": "application/json"}
        assert (await client.get(path.format(found["id"]), headers=headers | mine)).status in (200, 204), path
        refused = await client.get(path.format(found["id"]), headers=headers | yours)
        unknown = await client.get(path.format(_NOTHING), headers=headers | yours)
        assert (refused.status, await refused.text()) == (404, await unknown.text()), path


async def test_nobody_sees_uses_or_forgets_anothers_resumes(client: Client, database: Database) -> None:
    market = await fill(database, 10)
    mine, yours = await caller(database, "mine"), await caller(database, "yours")
    text = "Lebenslauf\n\nBerufserfahrung\nKoch, Gasthaus am Markt, 2015 bis 2024\n\nKenntnisse\nKochen, HACCP\n"
    plain = {"Content-Type": "text/plain; charset=utf-8"}
    kept = await client.post("/resumes?keep_days=2", data=text.encode(), headers=mine | plain)
    assert kept.status == 200, await kept.text()
    path = f"/resumes/{(await kept.json())['id']}"
    for used, body in (("/profiles", {}), ("/tailor", {"posting_id": market[0].id})):
        asked = body | {"resume_id": path.removeprefix("/resumes/")}
        assert (await client.post(used, json=asked, headers=yours)).status == 404, used
        assert (await client.post(used, json=asked, headers=mine)).status == 200, used
    refused, unknown = [await client.get(one, headers=yours) for one in (path, f"/resumes/{_NOTHING}")]
    assert (refused.status, await refused.json()) == (404, await unknown.json())
    assert (await client.delete(path, headers=yours)).status == 404
    assert (await client.delete("/resumes", headers=yours)).status == 200
    assert (await client.get(path, headers=mine)).status == 200


async def test_accounts_see_their_own_credits_and_admins_all(client: Client, database: Database) -> None:
    mine, yours = await caller(database, "mine"), await caller(database, "yours")
    await database.execute(
        "INSERT INTO credit_use (day, account_id, used) SELECT (now() AT TIME ZONE 'UTC')::date, id, 7 FROM account"
        " WHERE name = 'mine'"
    )
    used = await (await client.get("/status/credits", headers=mine)).json()
    assert (used["used"], [day["used"] for day in used["days"]], used["all"]) == (7, [7], None)
    other = await client.get("/status/credits", headers=yours)
    assert await other.json() == {"used": 0, "days": [], "all": None}
    admin = await caller(database, "chief", "admin")
    everything = (await (await client.get("/status/credits", headers=admin)).json())["all"]
    assert everything["granted"] == 200_000
    assert [account["name"] for account in everything["accounts"]] == ["mine"]


async def test_only_admins_touch_accounts(client: Client, database: Database) -> None:
    admin = await caller(database, "chief", "admin")
    made = await client.post("/accounts", json={"name": "new", "tier": "free"}, headers=admin)
    assert made.status == 201
    account = (await made.json())["id"]
    again = await client.post("/accounts", json={"name": "new", "tier": "free"}, headers=admin)
    assert again.status == 409
    for tier in ("free", "paid", "partner"):
        headers = await caller(database, f"{tier}-one", tier)
        asked = (
            client.get("/accounts", headers=headers),
            client.patch(f"/accounts/{account}", json={"tier": "admin"}, headers=headers),
            client.post(f"/accounts/{account}/keys", json={}, headers=headers),
            client.delete(f"/accounts/{account}", headers=headers),
            client.delete("/keys/1", headers=headers),
        )
        assert {(await one).status for one in asked} == {403}
    refused = await client.post(f"/accounts/{account}/keys", json={"scopes": ["admin"]}, headers=admin)
    assert refused.status == 422
    given = await client.post(f"/accounts/{account}/keys", json={"scopes": ["jobs"], "expires_days": 1}, headers=admin)
    key = await given.json()
    assert (await client.get("/jobs", headers={"X-API-Key": key["key"]})).status == 200
    assert (await client.patch(f"/accounts/{account}", json={"tier": "paid"}, headers=admin)).status == 204
    assert (await client.delete(f"/keys/{key['id']}", headers=admin)).status == 204
    assert (await client.delete(f"/accounts/{account}", headers=admin)).status == 204
    assert [(deed.who, deed.action) for deed in await accounts.list_audit(database, 5)] == [
        ("chief", "account closed"), ("chief", "key revoked"), ("chief", "tier changed"), ("chief", "key created"),
        ("operator", "key created"),
    ]  # fmt: skip


_NOTHING = "00000000-0000-4000-8000-000000000000"


# ── what is sent ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: f"{one.method} {one.path}")
async def test_no_text_is_more_than_a_text(client: Client, database: Database, operation: Operation) -> None:
    await fill(database, 10)
    headers = await caller(database, "someone", "admin")
    names = {"q", "cursor", "x"} | set(getattr(operation.query, "__struct_fields__", ()))
    fields = set(getattr(operation.body, "__struct_fields__", ()))
    for text in INJECTIONS:
        answer = await client.request(
            operation.method, _path(operation, _id(operation)), params=dict.fromkeys(names, text), headers=headers,
            json=dict.fromkeys(fields, text) if fields else None,
        )  # fmt: skip
        assert answer.status < 500, (text, await answer.text())
        assert "X-Evil" not in answer.headers
        if operation.path_ids or operation.path_uuids:
            strange = await client.request(operation.method, _path(operation, text), headers=headers)
            assert strange.status < 500
    assert await database.fetchval("SELECT count(*) FROM posting") == 10


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("multipart/form-data", b"x"),
        ("multipart/form-data; boundary=x", b"--x\r\nnot a header\r\n\r\n--x--"),
        ("multipart/form-data; boundary=x", b'--x\r\nContent-Disposition: form-data; name="text"\r\n\r\nKoch'),
        ("application/x-www-form-urlencoded; charset=klingon", b"text=Koch"),
        ("application/x-www-form-urlencoded", b"text=%ff%fe&id=%00&name=%ed%a0%80&" + b"a=b&" * 2_000),
        ("text/plain", b"\x00\xff"),
    ],
)
async def test_pages_survive_any_form(client: Client, database: Database, kind: str, body: bytes) -> None:
    await fill(database, 10)
    headers = await caller(database, "someone") | {"Content-Type": kind}
    described = {one.path for one in OPERATIONS}
    assert client.app is not None
    pages = {(one.method, one.resource.canonical) for one in client.app.router.routes() if one.resource is not None}
    for method, path in sorted(pages):
        if path in described or method == "HEAD":
            continue
        for given in (1, _NOTHING):
            answer = await client.request(
                method, path.replace("{id}", str(given)), data=body, headers=headers, allow_redirects=False
            )
            assert answer.status < 500, (method, path, await answer.text())


async def test_a_body_that_is_too_large_is_not_read(client: Client, database: Database) -> None:
    headers = await caller(database, "someone", "admin")
    for operation in OPERATIONS:
        if operation.body is None:
            continue
        path = _path(operation, _id(operation))
        answer = await client.request(operation.method, path, data=b"a" * 5_000_000, headers=headers)
        assert answer.status == 413, operation.path


async def test_a_body_that_never_ends_is_given_up(
    database: Database, cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(middleware, "REQUEST_S", 0.5)
    headers = await caller(database, "someone")

    async def drip() -> AsyncIterator[bytes]:
        for _ in range(600):
            yield b" "
            await asyncio.sleep(0.1)

    async with TestClient(server(database, cache)) as client:
        answer = await client.post("/match", data=drip(), headers=headers)
        assert answer.status == 408
        assert (await answer.json())["error"] == "request_timeout"


async def test_every_answer_keeps_browsers_careful(client: Client, database: Database) -> None:
    headers: dict[str, Any] = await caller(database, "someone")
    for path in ("/jobs", "/nowhere", "/healthz", "/jobs?limit=x"):
        answer = await client.get(path, headers=headers)
        assert "unsafe" not in answer.headers["Content-Security-Policy"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"] == "no-store"
