"""What a search tells over HTTP: streamed and listed, to whoever started it, across cuts and restarts."""

from __future__ import annotations

import asyncio
import secrets
import time
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any

import aiohttp
import asyncpg
import msgspec
import orjson
import pytest
from aiohttp.test_utils import TestServer
from structlog.testing import capture_logs

from api import accounts, events, passwords
from api.app import create_app
from api.callers import Tier
from api.keys import create_key, revoke_key
from api.room import LISTENING, SESSIONS
from lib.life.config import Config
from lib.match import searches
from lib.match.answer import Answer
from lib.match.searches import finish, tell
from lib.store.connections import Cache, Database
from tests.integration.open_market import encoders, fill
from tests.waiting import until

COMMON = {"text": "Pflegefachkraft"}
WAITING = (
    "SELECT count(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database"
    " WHERE NOT l.granted AND d.datname = current_database()"
)
RUNNING = "SELECT id FROM search_request WHERE account_id = $1 AND live = 'running'"
ODD = {"text": "Glasbläser in Lauscha", "title": "Glasbläser"}
PASSWORD = "a long enough password"
pytestmark = pytest.mark.usefixtures("quick_passwords")
Heard = tuple[int, str, dict[str, Any]]


class House:
    """One running API, and callers with accounts of their own."""

    def __init__(self, database: Database, server: TestServer, stack: AsyncExitStack) -> None:
        self.database, self.server, self._stack = database, server, stack

    async def caller(self, name: str, tier: Tier) -> aiohttp.ClientSession:
        _, _, client = await self.holder(name, tier)
        return client

    async def holder(self, name: str, tier: Tier = "paid") -> tuple[int, int, aiohttp.ClientSession]:
        """The ids of a new account and of its key, and a client that brings the key."""
        sealed = passwords.seal(PASSWORD, b"s" * passwords.SALT_BYTES)
        account = await accounts.create_account(self.database, name, tier, sealed=sealed, who="test")
        key_id, key = await create_key(self.database, "", secrets.token_bytes(32), account)
        return account, key_id, await self.client({"Authorization": f"Bearer {key}"})

    async def signed_in(self, name: str) -> tuple[aiohttp.ClientSession, str]:
        """A client that brings the cookie of a new session, and the cookie."""
        cookie = await self.server.app[SESSIONS].sign_in(name, PASSWORD, "", "")
        return await self.client({"Cookie": f"vakanz_session={cookie}"}), cookie

    @property
    def listeners(self) -> int:
        return self.server.app[LISTENING].listeners

    async def client(self, headers: dict[str, str]) -> aiohttp.ClientSession:
        session = aiohttp.ClientSession(self.server.make_url("/"), headers=headers)
        return await self._stack.enter_async_context(session)

    async def say(self, search: str, found: int) -> int:
        body = {"phase": "discovery", "found": found, "done": 0, "to_do": 0, "credits_used": 5}
        return await self.database.transaction(lambda connection: tell(connection, uuid.UUID(search), "progress", body))

    async def finish(self, search: str) -> None:
        await self.database.transaction(lambda connection: finish(connection, uuid.UUID(search), "done", None, 5))


@pytest.fixture
async def house(database: Database, cache: Cache) -> AsyncIterator[House]:
    config = Config(api_host="0.0.0.0", gateway_url="http://127.0.0.1:9", gateway_key="k" * 16)
    await fill(database, 200)
    async with AsyncExitStack() as stack:
        server = TestServer(create_app(config, database, cache, encoders()))
        await server.start_server()
        stack.push_async_callback(server.close)
        yield House(database, server, stack)


@pytest.fixture
async def paying(house: House) -> aiohttp.ClientSession:
    return await house.caller("paying", "paid")


async def start(client: aiohttp.ClientSession) -> str:
    answer = await (await client.post("/match", json=ODD)).json()
    assert answer["live"] == "running"
    return str(answer["id"])


async def hear(response: aiohttp.ClientResponse, most: int = 99) -> list[Heard]:
    """Events up to `done`, or as many as asked for."""
    heard: list[Heard] = []
    fields: dict[str, str] = {}
    async with asyncio.timeout(20):
        async for line in response.content:
            name, _, value = line.decode().rstrip("\n").partition(": ")
            if name:
                fields[name] = value
            elif "id" in fields:
                heard.append((int(fields["id"]), fields["event"], orjson.loads(fields["data"])))
                fields = {}
                if len(heard) == most:
                    break
    return heard


async def test_a_search_is_streamed_until_it_is_done(house: House, paying: aiohttp.ClientSession) -> None:
    search = await start(paying)
    async with paying.get(f"/searches/{search}/events") as response:
        assert response.status == 200
        assert response.headers["Content-Type"] == "text/event-stream"
        assert response.headers["Cache-Control"] == "no-store"
        assert [heard[:2] for heard in await hear(response, 1)] == [(1, "matches")]
        said = time.monotonic()
        await house.say(search, 3)
        ((seq, kind, body),) = await hear(response, 1)
        assert time.monotonic() - said < 1.5
        assert (seq, kind, body["found"]) == (2, "progress", 3)
        await house.finish(search)
        ((seq, kind, body),) = await hear(response)
        assert (seq, kind, body) == (3, "done", {"live": "done", "why": None, "credits_used": 5})
    state = await (await paying.get(f"/searches/{search}")).json()
    assert (state["live"], state["credits_used"], state["events"]) == ("done", 5, 3)
    assert (state["answer"]["id"], state["answer"]["live"], state["answer"]["credits_used"]) == (search, "done", 5)
    assert (await paying.get(f"/searches/{search}/events", headers={"Last-Event-ID": "3"})).status == 204


@pytest.mark.parametrize(
    ("query", "header", "first"),
    [("", "2", 3), ("?after=1", "", 2), ("?after=1", "2", 3), ("?after=2", "1", 3), ("", "junk", 1), ("", "٣", 1),
     ("", "9" * 40, 1), ("", "-1", 1)],
)  # fmt: skip
async def test_who_comes_again_hears_what_follows(
    house: House, paying: aiohttp.ClientSession, query: str, header: str, first: int
) -> None:
    search = await start(paying)
    for found in range(3):
        await house.say(search, found)
    await house.finish(search)
    async with paying.get(f"/searches/{search}/events{query}", headers={"Last-Event-ID": header}) as response:
        assert [seq for seq, _, _ in await hear(response)] == list(range(first, 6))


async def test_who_accepts_json_gets_a_list(house: House, paying: aiohttp.ClientSession) -> None:
    search = await start(paying)
    await house.say(search, 7)
    headers = {"Accept": "application/json"}
    told = await (await paying.get(f"/searches/{search}/events?after=1", headers=headers)).json()
    assert told["live"] == "running"
    assert [(one["seq"], one["kind"], one["body"]["found"]) for one in told["events"]] == [(2, "progress", 7)]
    for wrong in ("after=-1", "after=x", "after=99999999999", "since=1"):
        response = await paying.get(f"/searches/{search}/events?{wrong}", headers=headers)
        assert (response.status, (await response.json())["error"]) == (422, "invalid")


async def test_nobody_else_sees_a_search(house: House, paying: aiohttp.ClientSession) -> None:
    search, other = await start(paying), await house.caller("other", "admin")
    for path in (f"/searches/{search}", f"/searches/{search}/events", f"/searches/{uuid.uuid4()}"):
        for accept in ("application/json", "text/event-stream"):
            response = await other.get(path, headers={"Accept": accept})
            assert response.status == 404
            assert search not in await response.text()
    assert (await (await house.client({})).get(f"/searches/{search}")).status == 401
    again = await (await other.post("/match", json=ODD)).json()
    assert again["cached"]
    assert again["id"] != search
    assert (await paying.get(f"/searches/{again['id']}")).status == 404


async def test_a_search_that_does_not_go_on_has_nothing_to_tell(house: House) -> None:
    free = await house.caller("free", "free")
    answer = await (await free.post("/match", json=ODD)).json()
    assert (answer["live"], answer["live_why"], answer["credits_used"]) == ("unavailable", "tier", 0)
    assert (await free.get(f"/searches/{answer['id']}/events")).status == 204
    state = await (await free.get(f"/searches/{answer['id']}")).json()
    assert state["answer"]["matches"] == answer["matches"]
    assert state["posting_ids"] == [match["id"] for match in answer["matches"]]


@pytest.mark.parametrize("tier", ["paid", "free"])
async def test_a_search_that_is_looked_at_later_shows_nothing_that_closed(house: House, tier: Tier) -> None:
    """`paid`: what it told; `free`: what is kept for its profile."""
    client = await house.caller("somebody", tier)
    started = await (await client.post("/match", json=COMMON if tier == "free" else ODD)).json()
    first = started["matches"] or await nearest(house, started["id"])
    await house.database.execute("UPDATE posting SET state = 'closed' WHERE id = $1", first[0]["id"])
    state = await (await client.get(f"/searches/{started['id']}")).json()
    assert [match["id"] for match in state["answer"]["matches"]] == [match["id"] for match in first[1:]] != []


async def nearest(house: House, search: str) -> list[dict[str, Any]]:
    """Has a search tell what others find; returns that."""
    common = await house.caller("else", "free")
    answer = await (await common.post("/match", json=COMMON)).json()
    told = msgspec.convert(answer, Answer)
    await house.database.transaction(lambda connection: tell(connection, uuid.UUID(search), "matches", told))
    matches: list[dict[str, Any]] = answer["matches"]
    return matches


async def test_a_search_goes_on_when_its_caller_hangs_up(house: House, dsn: str) -> None:
    """Whoever asks again begins anew; what is bought meanwhile is there for both."""
    account, _, paying = await house.holder("hasty")
    body = orjson.dumps(ODD)
    head = f"POST /match HTTP/1.1\r\nHost: x\r\nAuthorization: {paying.headers['Authorization']}\r\n"
    _, writer = await asyncio.open_connection(house.server.host, house.server.port)
    writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
    other = await asyncpg.connect(dsn)
    try:
        async with other.transaction():
            await other.execute("LOCK search_request IN EXCLUSIVE MODE")
            await until(lambda: other.fetchval(WAITING), 20)
            writer.transport.abort()
    finally:
        await other.close()
    await until(lambda: house.database.fetchval(RUNNING, account), 20)
    left = await house.database.fetchval(RUNNING, account)
    assert (await (await paying.get(f"/searches/{left}")).json())["live"] == "running"
    assert await start(paying) != str(left)


async def test_a_cut_connection_to_the_database_cuts_no_listener(
    house: House, paying: aiohttp.ClientSession, dsn: str
) -> None:
    search = await start(paying)
    async with paying.get(f"/searches/{search}/events") as response:
        await hear(response, 1)
        async with Database(dsn) as other:
            await other.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        await house.finish(search)
        assert [kind for _, kind, _ in await hear(response)] == ["done"]


async def test_news_that_cannot_be_read_once_end_no_listening(
    house: House, paying: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "_REST_S", 0.05)
    read, failed = searches.events_after, asyncio.Event()

    async def fail(*_: Any) -> list[searches.Event]:
        failed.set()
        raise asyncpg.UndefinedTableError("search_event is away")

    search = await start(paying)
    with capture_logs() as logs:
        async with paying.get(f"/searches/{search}/events") as response:
            await hear(response, 1)
            monkeypatch.setattr(searches, "events_after", fail)
            async with asyncio.timeout(5):
                await failed.wait()
            monkeypatch.setattr(searches, "events_after", read)
            await house.finish(search)
            assert [kind for _, kind, _ in await hear(response)] == ["done"]
    (told, *_) = [line for line in logs if line["log_level"] == "error"]
    assert told["exc_info"] and told["listeners"] == 1
    async with paying.get(f"/searches/{await start(paying)}/events") as response:
        assert [kind for _, kind, _ in await hear(response, 1)] == ["matches"]


async def test_many_events_are_told_without_a_pause(
    house: House, paying: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searches, "MOST_EVENTS", 3)
    monkeypatch.setattr(events, "_EVERY_S", 3.0)
    ones = [await start(paying) for _ in range(4)]
    for search in ones:
        await house.say(search, 1)
        await house.finish(search)
    began = time.monotonic()
    heard = await asyncio.gather(*(_all(paying, search) for search in ones))
    assert [len(one) for one in heard] == [3, 3, 3, 3]
    assert time.monotonic() - began < 2.9 + 3.0  # one pause at most: for who came a moment after the first


async def _all(client: aiohttp.ClientSession, search: str) -> list[Heard]:
    async with client.get(f"/searches/{search}/events") as response:
        return await hear(response)


async def test_silence_is_filled_and_ends_by_itself(
    house: House, paying: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "_PING_S", 0.05)
    monkeypatch.setattr(events, "_LONGEST_S", 0.5)
    search = await start(paying)
    async with paying.get(f"/searches/{search}/events?after=1") as response, asyncio.timeout(10):
        assert (await response.content.read()).count(b": still here\n\n") > 2


async def test_an_account_listens_to_so_many_at_a_time(house: House, paying: aiohttp.ClientSession) -> None:
    search, other = await start(paying), await house.caller("other", "paid")
    async with AsyncExitStack() as stack:
        for _ in range(events.MOST_PER_ACCOUNT):
            response = await stack.enter_async_context(paying.get(f"/searches/{search}/events"))
            assert response.status == 200
        refused = await paying.get(f"/searches/{search}/events")
        assert (refused.status, refused.headers["Retry-After"]) == (429, "5")
        theirs = await start(other)
        assert (await stack.enter_async_context(other.get(f"/searches/{theirs}/events"))).status == 200
    await eventually(lambda: not house.listeners)
    assert (await paying.get(f"/searches/{search}/events")).status == 200


async def test_a_stream_ends_with_what_opened_it(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "_LOOK_S", 0.1)
    account, key_id, keyed = await house.holder("someone")
    _, _, other = await house.holder("other")
    person, cookie = await house.signed_in("someone")
    mine, others = await start(keyed), await start(other)
    async with AsyncExitStack() as stack:

        async def listen(client: aiohttp.ClientSession, search: str) -> aiohttp.ClientResponse:
            return await stack.enter_async_context(client.get(f"/searches/{search}/events?after=1"))

        by_key, by_session, theirs = await listen(keyed, mine), await listen(person, mine), await listen(other, others)
        await asyncio.sleep(0.3)
        assert house.listeners == 3
        await revoke_key(house.database, key_id)
        async with asyncio.timeout(5):
            await by_key.content.read()
        await eventually(lambda: house.listeners == 2)
        await house.server.app[SESSIONS].sign_out(cookie)
        async with asyncio.timeout(5):
            await by_session.content.read()
        again = await listen((await house.signed_in("someone"))[0], mine)
        await eventually(lambda: house.listeners == 2)
        await accounts.close_account(house.database, account, who="test")
        async with asyncio.timeout(5):
            await again.content.read()
        await house.say(others, 4)
        assert [body["found"] for _, _, body in await hear(theirs, 1)] == [4]


async def test_nobody_is_cut_off_for_long_at_a_shutdown(house: House, paying: aiohttp.ClientSession) -> None:
    search = await start(paying)
    async with paying.get(f"/searches/{search}/events") as response:
        await hear(response, 1)
        began = time.monotonic()
        async with asyncio.TaskGroup() as group:
            group.create_task(house.server.close())
            assert b"event" not in await response.content.read()
        assert time.monotonic() - began < 3


async def eventually(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not true():  # noqa: ASYNC110 - nobody tells when a connection is gone
            await asyncio.sleep(0.02)
