"""The API over HTTP: keys, problems, lists, details, matches, and the document that describes them."""

from __future__ import annotations

import base64
import secrets
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import anyio
import orjson
import pytest
from aiohttp.test_utils import TestClient, TestServer

from api.app import create_app
from api.keys import KeyRing, create_key, list_keys, revoke_key
from api.operations import OPERATIONS
from lib.life.config import Config
from lib.store.connections import Cache, Database
from tests.integration.open_market import Row, encoders, fill

Client = TestClient[Any, Any]


async def _client(database: Database, cache: Cache, config: Config, key: bool) -> AsyncIterator[Client]:
    headers = {}
    if key:
        _, secret = await create_key(database, "test", secrets.token_bytes(32))
        headers = {"Authorization": f"Bearer {secret}"}
    async with TestClient(TestServer(create_app(config, database, cache, encoders())), headers=headers) as client:
        yield client


@pytest.fixture
async def client(database: Database, cache: Cache) -> AsyncIterator[Client]:
    """With a valid key, on a machine that others can reach."""
    async for one in _client(database, cache, Config(api_host="0.0.0.0"), key=True):
        yield one


@pytest.fixture
async def stranger(database: Database, cache: Cache) -> AsyncIterator[Client]:
    """Without a key, on a machine that others can reach."""
    async for one in _client(database, cache, Config(api_host="0.0.0.0"), key=False):
        yield one


@pytest.fixture
async def local(database: Database, cache: Cache) -> AsyncIterator[Client]:
    """Without a key, on this machine."""
    async for one in _client(database, cache, Config(), key=False):
        yield one


@pytest.fixture
async def market(database: Database) -> list[Row]:
    return await fill(database, 400)


async def _problem(response: Any, status: int, error: str) -> None:
    assert response.status == status, await response.text()
    body = await response.json()
    assert body["error"] == error
    assert body["detail"]
    assert set(body) == {"error", "detail"}


async def test_match_answers_with_scores_parts_and_reasons(client: Client, market: list[Row], cache: Cache) -> None:
    response = await client.post(
        "/match",
        json={
            "text": "Ich bin Softwareentwickler mit Java, SQL und Spring.",
            "location": "Berlin",
            "limits": {"countries": ["de"]},
        },
    )
    assert response.status == 200
    answer = await response.json()
    scores = [found["score"] for found in answer["matches"]]
    assert 0 < len(scores) <= 20
    assert scores == sorted(scores, reverse=True)
    best = answer["matches"][0]
    assert "Softwareentwickler" in best["title"]
    assert best["score"] == pytest.approx(sum(best["parts"].values()), abs=0.01)
    assert 0 <= best["score"] <= 100
    said = {reason["part"]: reason["text"] for reason in best["reasons"]}
    assert "Kenntnisse" in said["skills"]
    ((_, ((_, fields),)),) = await cache.client.xread({"vakanz:stream:{fulltext}": 0}, block=5_000)
    assert orjson.loads(fields[b"payload"])["posting_ids"] == [found["id"] for found in answer["matches"]]


async def test_match_does_not_wait_for_redis(database: Database, market: list[Row]) -> None:
    async with Cache("unix:///nowhere/valkey.sock") as gone:
        async for client in _client(database, gone, Config(api_host="0.0.0.0"), key=True):
            with anyio.fail_after(30):
                response = await client.post("/match", json={"text": "Koch"})
            assert response.status == 200
            ready = await (await client.get("/readyz")).json()
            assert (ready["ready"], ready["cache"]) == (True, False)


@pytest.mark.parametrize(
    ("body", "status", "error"),
    [
        (b"", 400, "malformed"),
        (b"{", 400, "malformed"),
        (b"\xff\xfe\x00", 400, "malformed"),
        (b'{"text": "\\ud800"}', 400, "malformed"),
        (b"[]", 422, "invalid"),
        (b"{}", 422, "unusable_profile"),
        (b'{"text": " \\u0000 ...!"}', 422, "unusable_profile"),
        (b'{"text": 7}', 422, "invalid"),
        (b'{"text": "Koch", "limit": {"countries": ["DE"]}}', 422, "invalid"),
        (b'{"text": "Koch", "limits": {"countries": []}}', 422, "invalid"),
        (b'{"text": "Koch", "limits": {"countries": ["Germany"]}}', 422, "invalid"),
        (b'{"text": "Koch", "limits": {"min_salary_eur": -1}}', 422, "invalid"),
        (b'{"text": "Koch", "limits": {"min_salary_eur": 1e400}}', 422, "invalid"),
        (b'{"text": "' + b"a" * 60_000 + b'"}', 422, "invalid"),
        (b'{"text": "' + b"a" * 300_000 + b'"}', 413, "request_entity_too_large"),
        (b"[" * 100_000, 422, "invalid"),
    ],
)
async def test_bad_profiles_get_a_clear_problem(client: Client, body: bytes, status: int, error: str) -> None:
    response = await client.post("/match", data=body)
    await _problem(response, status, error)


@pytest.mark.parametrize(
    "text", ["Koch\x00 in Bern", "Koch'; DROP TABLE posting; --", "Köchin 🙂" * 500, "Koch %s $1 {x}"]
)
async def test_odd_profiles_are_only_text(client: Client, market: list[Row], text: str) -> None:
    assert (await client.post("/match", json={"text": text, "title": text[:200], "location": text[:100]})).status == 200


async def test_everything_but_health_needs_a_key(stranger: Client) -> None:
    for one in OPERATIONS:
        response = await stranger.request(one.method, one.path.replace("{id}", "1"))
        if one.open:
            assert response.status in (200, 204, 400)
        else:
            await _problem(response, 401, "unauthorized")
    for path in ("/", "/nowhere", "/metrics"):
        await _problem(await stranger.get(path), 401, "unauthorized")
    for key in ("vk_", "vk_" + "a" * 43, "x", "Bearer", "\u00e9"):
        response = await stranger.get("/jobs", headers={"Authorization": f"Bearer {key}", "X-API-Key": key})
        await _problem(response, 401, "unauthorized")


async def test_keys_are_hashed_and_can_be_revoked(database: Database) -> None:
    key_id, key = await create_key(database, "one\x00", b"k" * 32)
    moment = 0.0
    ring = KeyRing(database, lambda: moment)
    caller = await ring.verify(key)
    assert caller is not None
    assert (caller.key_id, caller.tier) == (key_id, "free")
    assert key.encode() not in bytes(await database.fetchval("SELECT hash FROM api_key"))
    assert await revoke_key(database, key_id)
    assert not await revoke_key(database, key_id)
    assert await ring.verify(key) == caller  # remembered for some seconds
    moment = 6.0
    assert await ring.verify(key) is None
    assert [one.revoked_at is not None for one in await list_keys(database)] == [True]


async def test_the_key_may_stand_in_either_header(client: Client, stranger: Client) -> None:
    key = client.session.headers["Authorization"].removeprefix("Bearer ")
    assert (await stranger.get("/jobs", headers={"X-API-Key": key})).status == 200


async def test_jobs_are_served_newest_first_and_for_45_days(client: Client, market: list[Row]) -> None:
    served = {r.id for r in market if r.state != "closed" and r.last_seen > datetime.now(UTC) - timedelta(days=45)}
    found = await _walk(client, {})
    assert {job["id"] for job in found} == served
    assert found == sorted(found, key=lambda job: (job["first_seen"], job["id"]), reverse=True)


async def _walk(client: Client, query: dict[str, str], limit: int = 37) -> list[dict[str, Any]]:
    jobs: list[dict[str, Any]] = []
    cursor: str | None = ""
    while cursor is not None:
        asked = query | {"limit": str(limit)} | ({"cursor": cursor} if cursor else {})
        response = await client.get("/jobs", params=asked)
        assert response.status == 200, await response.text()
        page = await response.json()
        jobs += page["jobs"]
        cursor = page["next"]
    return jobs


async def test_paging_is_stable_while_postings_come_in(client: Client, database: Database, market: list[Row]) -> None:
    first = await (await client.get("/jobs", params={"limit": "50"})).json()
    expected = {job["id"] for job in await _walk(client, {})} - {job["id"] for job in first["jobs"]}
    await database.execute(
        "INSERT INTO posting (board_id, external_id, state, content_hash, title, url, first_seen, last_seen)"
        " SELECT min(board_id), 'new', 'described', 'x', 'New', 'https://b.example', now(), now() FROM posting"
    )
    rest, cursor = [], first["next"]
    while cursor is not None:
        page = await (await client.get("/jobs", params={"limit": "50", "cursor": cursor})).json()
        rest += [job["id"] for job in page["jobs"]]
        cursor = page["next"]
    assert len(rest) == len(set(rest))
    assert set(rest) == expected


@pytest.mark.parametrize("query", ["country=DE&country=AT", "limit=1e2", "limit=+5", "country=DE%0A"])
async def test_a_query_that_means_two_things_is_refused(client: Client, query: str) -> None:
    answer = await client.get(f"/jobs?{query}")
    assert answer.status == 422
    assert query.partition("=")[0] in await answer.text()


@pytest.mark.parametrize(
    ("query", "holds"),
    [
        ({"country": "ch"}, lambda row: row.country == "CH"),
        ({"language": "EN"}, lambda row: row.language == "en"),
        ({"remote": "remote"}, lambda row: row.remote == "remote"),
        ({"employment": "part_time"}, lambda row: row.employment in ("part_time", "full_or_part_time")),
        ({"company": "FIRMA 7"}, lambda row: row.company == "Firma 7"),
        ({"min_salary": "90000"}, lambda row: (row.salary or 0) >= 90_000),
        ({"q": "Baustelle", "country": "DE"}, lambda row: row.country == "DE" and "Projektleiter" in row.title),
        ({"q": "pipeline -kochen"}, lambda row: "Data Engineer" in row.title),
    ],
)
async def test_filters(client: Client, market: list[Row], query: dict[str, str], holds: Any) -> None:
    served = [r for r in market if r.state != "closed" and r.last_seen > datetime.now(UTC) - timedelta(days=45)]
    assert {job["id"] for job in await _walk(client, query)} == {row.id for row in served if holds(row)}


@pytest.mark.parametrize(
    "query",
    [
        {"limit": "0"}, {"limit": "101"}, {"limit": "x"}, {"cursor": "x"}, {"cursor": "bnVsbA=="}, {"countri": "DE"},
        {"country": "Germany"}, {"min_salary": "nan"}, {"min_salary": "-1"}, {"remote": "maybe"}, {"q": ""},
        {"cursor": "WyIyMDI2LTAxLTAxVDAwOjAwOjAwIiwgMV0="}, {"cursor": "é"}, {"q": "x" * 501},
        {"cursor": base64.urlsafe_b64encode(b'["0001-01-01T00:00:00+14:00",1]').decode()},
        {"cursor": base64.urlsafe_b64encode(b'["9999-12-31T23:59:59-14:00",1]').decode()},
    ],
)  # fmt: skip
async def test_bad_filters_get_a_clear_problem(client: Client, query: dict[str, str]) -> None:
    await _problem(await client.get("/jobs", params=query), 422, "invalid")


async def test_a_body_that_is_not_packed_as_it_says_gets_a_clear_problem(client: Client) -> None:
    headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
    await _problem(await client.post("/match", data=b"not gzip", headers=headers), 400, "malformed")


@pytest.mark.parametrize(
    "content_type",
    ["multipart/form-data", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded; charset=klingon"],
)
async def test_a_form_that_cannot_be_read_gets_a_clear_problem(local: Client, content_type: str) -> None:
    headers = {"Content-Type": content_type, "Accept-Language": "en"}
    response = await local.post("/search", data=b"text=Koch", headers=headers)
    assert response.status == 400
    assert "did not arrive in readable shape" in await response.text()


@pytest.mark.parametrize("host", ["127.0.0.1:99999999", "[::bad", "", "evil.example"])
async def test_a_host_header_that_is_not_this_machine_opens_nothing(local: Client, host: str) -> None:
    await _problem(await local.get("/", headers={"Host": host}), 401, "unauthorized")


@pytest.mark.parametrize("q", ["\x00", "'; DROP TABLE posting; --", '"unclosed', "a or or b", "-", ":*&|!()", "🙂"])
async def test_any_search_words_are_only_words(client: Client, market: list[Row], q: str) -> None:
    assert (await client.get("/jobs", params={"q": q})).status in (200, 422)


async def test_a_job_shows_text_provenance_and_history(client: Client, database: Database, market: list[Row]) -> None:
    row = market[0]
    await database.execute(
        "INSERT INTO posting_history (posting_id, revision, at, session, changes) VALUES ($1, 2, now(), 's', $2)",
        row.id, {"title": ["Old", row.title]},
    )  # fmt: skip
    job = await (await client.get(f"/jobs/{row.id}")).json()
    assert (job["title"], job["state"]) == (row.title, row.state)
    assert row.company in job["description_text"]
    assert job["provenance"]["language"]["kind"] == "derived"
    assert job["history"][0]["changes"] == {"title": ["Old", row.title]}
    assert job["origin"]["source"] == "greenhouse"


@pytest.mark.parametrize("path", ["/jobs/1", "/jobs/999999999999999999", "/jobs/9999999999999999999", "/jobs/x", "/x"])
async def test_what_is_not_there_is_404(client: Client, path: str) -> None:
    await _problem(await client.get(path), 404, "not_found")


async def test_a_wrong_method_is_405(client: Client) -> None:
    response = await client.get("/match")
    await _problem(response, 405, "method_not_allowed")
    assert "POST" in response.headers["Allow"]


async def test_health_and_readiness(stranger: Client) -> None:
    assert await (await stranger.get("/healthz")).json() == {"status": "ok"}
    assert (await (await stranger.get("/readyz")).json())["ready"] is True


async def test_not_ready_without_a_database(cache: Cache) -> None:
    async with Database("postgresql://nobody@/none?host=/nowhere") as gone:
        async for client in _client(gone, cache, Config(), key=False):
            response = await client.get("/readyz")
            assert response.status == 503
            assert await response.json() == {"ready": False, "database": False, "cache": True, "model": True}


async def test_figures(client: Client, market: list[Row]) -> None:
    await client.post("/match", json={"text": "Koch"})
    text = await (await client.get("/metrics")).text()
    assert "vakanz_match_seconds_count" in text


async def test_figures_of_the_fleet(client: Client, database: Database) -> None:
    await database.execute(
        "INSERT INTO daemon"
        " (unit, host, pid, version, started_at, heartbeat_at, progress_at, state, memory_bytes, counters)"
        " VALUES ('crawl@0', 'w1', 1, '1', now(), now() - interval '70 s', now(), 'idle', 5000, '{\"boards\": 7}')"
    )
    await database.execute("INSERT INTO dead_letter (queue, key, reason) VALUES ('stream:fulltext', 'a', 'no')")
    await database.execute("INSERT INTO follower (name, shard, version) VALUES ('text', 0, 1)")
    text = await (await client.get("/metrics")).text()
    assert 'vakanz_daemon_memory_bytes{host="w1",unit="crawl@0"} 5000.0' in text
    assert 'vakanz_daemon_counts{unit="crawl@0",what="boards"} 7.0' in text
    assert 'vakanz_dead_letters{queue="stream:fulltext"} 1.0' in text
    assert 'vakanz_follower_lag_changes{follower="text"}' in text


async def test_the_document_describes_every_operation(stranger: Client) -> None:
    document = await (await stranger.get("/openapi.json")).json()
    assert document["openapi"] == "3.1.0"
    described = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}
    assert described == {(one.method, one.path) for one in OPERATIONS}
    schemas = document["components"]["schemas"]
    for reference in _references(document):
        assert reference.removeprefix("#/components/schemas/") in schemas
    statuses = set(document["paths"]["/match"]["post"]["responses"])
    assert statuses == {"200", "400", "401", "403", "408", "413", "422", "429", "500", "503"}
    names = {parameter["name"] for parameter in document["paths"]["/jobs"]["get"]["parameters"]}
    assert names == {"country", "language", "remote", "employment", "company", "min_salary", "q", "cursor", "limit"}
    assert {"text", "title", "skills", "location", "limits"} <= set(schemas["Profile"]["properties"])


def _references(node: Any) -> list[str]:
    if isinstance(node, dict):
        return [value for key, value in node.items() if key == "$ref"] + [
            found for value in node.values() for found in _references(value)
        ]
    return [found for value in node for found in _references(value)] if isinstance(node, list) else []


async def test_the_pages_work_without_a_key_on_this_machine_only(
    local: Client, stranger: Client, market: list[Row]
) -> None:
    shown = await local.get("/")
    assert shown.status == 200
    assert "unsafe" not in shown.headers["Content-Security-Policy"]
    found = await local.post("/search", data={"text": "Koch <script>alert(1)</script>", "countries": "DE"})
    body = await found.text()
    assert "<script>" not in body
    assert 'id="matches"' in body
    english = {"Accept-Language": "en"}
    unusable = await local.post("/search", data={"text": "..."}, headers=english)
    assert (unusable.status, "nothing to compare" in await unusable.text()) == (422, True)
    for path in ("/", f"/j/{market[0].id}", f"/s/{uuid.uuid4()}"):
        await _problem(await local.get(path, headers={"Host": "evil.example"}), 401, "unauthorized")
        to_sign_in = await stranger.get(path, headers={"Accept": "text/html"}, allow_redirects=False)
        assert (to_sign_in.status, to_sign_in.headers["Location"]) == (303, f"/sign-in?next={path}")
    await _problem(await local.get("/jobs"), 401, "unauthorized")
