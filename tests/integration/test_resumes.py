"""Résumés over HTTP: read, kept only when that is asked, shown to their owner only, forgotten."""

from __future__ import annotations

import asyncio
import secrets
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import FormData
from aiohttp.test_utils import TestClient, TestServer

from api.accounts import create_account
from api.app import create_app
from api.keys import create_key
from api.room import READER
from lib.life.config import Config
from lib.people import resumes
from lib.store.connections import Cache, Database
from tests.integration.open_market import encoders
from tests.unit.papers import ENGLISH, GERMAN, docx, lines
from tests.unit.portable import bound, pdf, scan

Client = TestClient[Any, Any]
TEXT = "\n".join(lines(GERMAN)).encode()


class Api:
    """The API of one process, with a client for each account."""

    def __init__(self, database: Database, cache: Cache, **settings: Any) -> None:
        self.database = database
        self.app = create_app(Config(api_host="0.0.0.0", **settings), database, cache, encoders())
        self.server = TestServer(self.app)

    @asynccontextmanager
    async def client(self, name: str) -> AsyncIterator[Client]:
        account_id = await create_account(self.database, name, "free", sealed=None, who="test")
        _, key = await create_key(self.database, "test", secrets.token_bytes(32), account_id)
        async with TestClient(self.server, headers={"Authorization": f"Bearer {key}"}) as client:
            yield client


@pytest.fixture
async def api(database: Database, cache: Cache) -> Api:
    return Api(database, cache)


@pytest.fixture
async def client(api: Api) -> AsyncIterator[Client]:
    async with api.client("anna") as client:
        yield client


async def test_a_resume_is_read_and_not_kept(client: Client, database: Database) -> None:
    response = await client.post("/resumes", data=docx(GERMAN), headers={"Content-Type": "text/plain"})
    resume = await response.json()
    assert response.status == 200, resume
    assert (resume["id"], resume["keep_until"], resume["language"], resume["ocr"]) == (None, None, "de", False)
    kinds = [section["kind"] for section in resume["sections"]]
    assert kinds == ["other", "summary", "experience", "education", "languages", "skills", "other"]
    assert await database.fetchval("SELECT count(*) FROM resume") == 0


async def test_a_form_brings_one_as_well(client: Client) -> None:
    form = FormData({"comment": "mine"})
    form.add_field("file", "\n".join(lines(ENGLISH)).encode(), filename="cv.exe", content_type="image/png")
    resume = await (await client.post("/resumes", data=form)).json()
    assert resume["language"] == "en"
    assert "Example Hospital" in resume["text"]


async def test_a_kept_one_is_its_owners_until_its_time_is_over(
    api: Api, client: Client, database: Database, cache: Cache
) -> None:
    before = datetime.now(UTC)
    kept = await (await client.post("/resumes?keep_days=3", data=TEXT)).json()
    assert timedelta(days=3) <= datetime.fromisoformat(kept["keep_until"]) - before < timedelta(days=3, minutes=1)
    path = f"/resumes/{kept['id']}"
    shown = await client.get(path)
    assert (shown.status, await shown.json()) == (200, kept)
    async with Api(database, cache).client("berta") as other:
        assert (await other.get(path)).status == 404
        assert (await other.delete(path)).status == 404
        assert await (await other.delete("/resumes")).json() == {"forgotten": 0}
    assert (await client.get(path)).status == 200
    assert await resumes.prune(database, before + timedelta(days=2)) == 0
    assert await resumes.prune(database, before + timedelta(days=3, minutes=1)) == 1
    assert (await client.get(path)).status == 404


async def test_one_that_is_over_is_not_shown_before_it_is_pruned(client: Client, database: Database) -> None:
    kept = await (await client.post("/resumes?keep_days=1", data=TEXT)).json()
    await database.execute("UPDATE resume SET keep_until = now() - interval '1 second'")
    assert (await client.get(f"/resumes/{kept['id']}")).status == 404


async def test_forgetting_leaves_nothing(client: Client, database: Database) -> None:
    ids = [(await (await client.post("/resumes?keep_days=1", data=TEXT)).json())["id"] for _ in range(3)]
    assert await (await client.delete(f"/resumes/{ids[0]}")).json() == {"forgotten": 1}
    assert (await client.delete(f"/resumes/{ids[0]}")).status == 404
    assert await (await client.delete("/resumes")).json() == {"forgotten": 2}
    assert await database.fetchval("SELECT count(*) FROM resume") == 0


async def test_an_account_keeps_a_few(client: Client, database: Database) -> None:
    assert (await client.post("/resumes?keep_days=1", data=TEXT)).status == 200
    await database.execute(
        "INSERT INTO resume SELECT gen_random_uuid(), account_id, language, pages, ocr, text, sections, created_at, "
        "keep_until FROM resume, generate_series(2, $1)",
        resumes.MAX_KEPT,
    )
    assert (await client.post("/resumes?keep_days=1", data=TEXT)).status == 409
    assert (await client.post("/resumes", data=TEXT)).status == 200


@pytest.mark.parametrize("query", ["keep_days=91", "keep_days=-1", "keep_days=x", "keep=1", "keep_days=1&keep_days=2"])
async def test_what_is_asked_must_make_sense(client: Client, query: str) -> None:
    assert (await client.post(f"/resumes?{query}", data=TEXT)).status == 422


async def test_who_has_no_account_keeps_nothing(database: Database, cache: Cache) -> None:
    await create_key(database, "operator", secrets.token_bytes(32))
    app = create_app(Config(), database, cache, encoders())
    async with TestClient(TestServer(app)) as client:
        assert (await client.post("/resumes", data=TEXT)).status == 401
        assert (await client.get(f"/resumes/{uuid.uuid4()}")).status == 401


async def test_what_cannot_be_read_says_what_to_do(client: Client) -> None:
    response = await client.post("/resumes", data=b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600))
    assert response.status == 422
    assert await response.json() == {
        "error": "unreadable",
        "detail": "this is a file of Word 97-2003: save it as DOCX or PDF, then send it again",
    }
    assert (await client.post("/resumes", data=b"")).status == 422


async def test_a_form_must_have_the_file(client: Client) -> None:
    assert (await client.post("/resumes", data=FormData({"other": "1"}, default_to_multipart=True))).status == 400
    broken = {"Content-Type": "multipart/form-data; boundary=x"}
    assert (await client.post("/resumes", data=b"no boundary at all", headers=broken)).status == 400
    assert (await client.post("/resumes", data=b"", headers={"Content-Type": "multipart/form-data"})).status == 400


async def test_only_resumes_may_be_large(database: Database, cache: Cache) -> None:
    async with Api(database, cache, resume_bytes=600_000).client("anna") as client:
        fitting = b"word " * 100 + b" " * 500_000
        assert (await client.post("/resumes", data=fitting)).status == 200
        assert (await client.post("/resumes", data=bytes(600_001))).status == 413

        async def unannounced() -> AsyncIterator[bytes]:
            for _ in range(100):
                yield bytes(10_000)

        assert (await client.post("/resumes", data=unannounced())).status == 413
        assert (await client.post("/match", data=b'{"text": "' + b"a" * 300_000 + b'"}')).status == 413


async def test_who_finds_all_places_taken_is_told_when_to_come_back(api: Api, client: Client) -> None:
    reader = api.app[READER]
    taken = [reader.place() for _ in range(10)]
    for place in taken:
        place.__enter__()
    response = await client.post("/resumes", data=TEXT)
    assert (response.status, response.headers["Retry-After"]) == (503, "5")
    taken[0].__exit__(None, None, None)
    assert (await client.post("/resumes", data=TEXT)).status == 200


async def test_a_failed_reading_gives_its_place_back(api: Api, client: Client) -> None:
    for _ in range(12):
        assert (await client.post("/resumes", data=b"")).status == 422
    answers = await asyncio.gather(*(client.post("/resumes", data=TEXT) for _ in range(4)))
    assert [answer.status for answer in answers] == [200] * 4


async def test_where_pictures_cannot_be_read_texts_still_can(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    response = await client.post("/resumes", data=scan(["Anna Beispiel"]))
    assert (response.status, response.headers["Retry-After"]) == (503, "3600")
    assert (await response.json())["error"] == "unavailable"
    assert (await client.post("/resumes", data=TEXT)).status == 200
    text = pdf([[(60, 80 + 15 * row, 11, line) for row, line in enumerate(lines(GERMAN))]])
    both = await client.post("/resumes?keep_days=1", data=bound([text, scan(["Zeugnis"])]))
    kept = await (await client.get(f"/resumes/{(await both.json())['id']}")).json()
    assert (kept["pages"], kept["ocr"], kept["unread"]) == (2, False, 1)
