"""POST /profiles: what a text says, ready for POST /match."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient

from lib.match.profile import MAX_TEXT_CHARS
from lib.people.occupation.files import MODEL
from lib.store.connections import Cache, Database
from tests.integration.test_resumes import Api
from tests.unit.papers import GERMAN, lines

Client = TestClient[Any, Any]
TEXT = "\n".join(lines(GERMAN))


@pytest.fixture
async def api(database: Database, cache: Cache, tmp_path: Path) -> Api:
    return Api(database, cache, home=tmp_path)


@pytest.fixture
async def client(api: Api) -> AsyncIterator[Client]:
    async with api.client("anna") as client:
        yield client


async def test_a_text_becomes_a_profile_that_can_be_matched(client: Client) -> None:
    response = await client.post("/profiles", json={"text": TEXT})
    reading = await response.json()
    assert response.status == 200, reading
    assert (reading["occupation"]["isco"], reading["occupation"]["taxonomy"]) == ("2512", "seed")
    assert {"Java", "SQL", "Kubernetes"} <= {skill["name"] for skill in reading["skills"]}
    assert reading["degree"]["level"] == "bachelor"
    assert "anna@example.org" not in reading["profile"]["text"]
    answer = await client.post("/match", json=reading["profile"])
    assert answer.status == 200, await answer.text()


async def test_a_kept_resume_is_read_and_nobody_elses(
    api: Api, client: Client, database: Database, cache: Cache
) -> None:
    kept = await (await client.post("/resumes?keep_days=1", data=TEXT.encode())).json()
    by_id = await client.post("/profiles", json={"resume_id": kept["id"]})
    assert by_id.status == 200
    assert (await by_id.json())["occupation"]["isco"] == "2512"
    async with Api(database, cache).client("berta") as other:
        assert (await other.post("/profiles", json={"resume_id": kept["id"]})).status == 404
    assert (await client.post("/profiles", json={"resume_id": str(uuid.uuid4())})).status == 404


@pytest.mark.parametrize(
    "asked",
    [{}, {"text": ""}, {"text": "Koch", "resume_id": str(uuid.uuid4())}, {"text": "x" * (MAX_TEXT_CHARS + 1)},
     {"resume_id": "1"}, {"text": "Koch", "more": 1}],
)  # fmt: skip
async def test_one_of_both_is_asked_for(client: Client, asked: dict[str, str]) -> None:
    assert (await client.post("/profiles", json=asked)).status == 422


async def test_a_broken_model_is_told(client: Client, tmp_path: Path) -> None:
    path = tmp_path / "models" / MODEL
    path.parent.mkdir(parents=True)
    path.write_bytes(b"broken")
    response = await client.post("/profiles", json={"text": "Koch"})
    assert response.status == 503
    assert "cannot be read" in (await response.json())["detail"]


async def test_strange_letters_are_read(client: Client) -> None:
    response = await client.post("/profiles", data=b'{"text": "Koch\\u0000 \\ud83d\\ude00 \\u202e in Wien"}')
    assert response.status == 200
    assert [place["name"] for place in (await response.json())["places"]] == ["Wien"]
