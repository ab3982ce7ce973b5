"""Every operation against its own description: whatever is asked, each answer is one that the document announces."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass
from typing import Any

import pytest
import schemathesis
from aiohttp.test_utils import TestClient
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from api import accounts, passwords
from api.keys import create_key
from api.openapi import document
from api.operation import Operation
from api.operations import OPERATIONS
from lib.store.connections import Cache, Database
from tests.integration.api_client import caller, open_config, server
from tests.integration.open_market import fill

_SCHEMA = schemathesis.openapi.from_dict(document(open_config()))
_CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
_EXAMPLES = 15
_ANSWER_S = 20.0
_PASSWORD = "a long enough password"
pytestmark = pytest.mark.usefixtures("quick_passwords")
_KEEP_RESUME = (
    "INSERT INTO resume (id, account_id, language, pages, ocr, text, sections, keep_until)"
    " SELECT gen_random_uuid(), id, 'de', 1, false, 'Koch', '[]', now() + interval '1 day' FROM account"
    " WHERE name = 'someone' RETURNING id"
)


def _label(operation: Operation) -> str:
    return f"{operation.method} {operation.path}"


@dataclass(frozen=True)
class Known:
    """What there is: an id for the path, a body that makes sense with its media type."""

    id: str | None
    body: Any
    media_type: str | None


@pytest.mark.parametrize("operation", OPERATIONS, ids=_label)
async def test_every_answer_is_documented(operation: Operation, database: Database, cache: Cache) -> None:
    """Half of the requests keep to the document, half do not; half of all name what there is."""
    market = await fill(database, 40)
    headers = await caller(database, "someone", "admin")
    sealed = passwords.seal(_PASSWORD, b"s" * passwords.SALT_BYTES)
    async with TestClient(server(database, cache)) as client:
        answer = await client.post("/match", json={"text": "Koch"}, headers=headers)
        ids = {
            "jobs": str(market[0].id),
            "searches": (await answer.json())["id"],
            "resumes": str(await database.fetchval(_KEEP_RESUME)),
            "accounts": str(await accounts.create_account(database, "else", "free", sealed=sealed, who="test")),
            "keys": str((await create_key(database, "", b"k" * 32))[0]),
        }
        bodies: dict[str, Any] = {
            "/session": {"name": "else", "password": _PASSWORD},
            "/profiles": {"text": "Koch in Bern"},
            "/tailor": {"posting_id": market[0].id, "resume_id": ids["resumes"]},
            "/resumes": b"Lebenslauf\n\nBerufserfahrung\nKoch in Bern",
        }
        known = Known(
            ids.get(operation.path.split("/")[1]),
            bodies.get(operation.path) if operation.method == "POST" else None,
            "text/plain" if operation.uploads else "application/json",
        )
        url = str(client.make_url("")).rstrip("/")
        statuses = await asyncio.to_thread(_drive, operation, url, headers, known)
    assert any(status < 300 for status in statuses), statuses


def _drive(operation: Operation, url: str, headers: dict[str, str], known: Known) -> Counter[int]:
    """Asks the operation at `url`, at times for what is known. How often each status was the answer."""
    described = _SCHEMA[operation.path][operation.method]
    statuses: Counter[int] = Counter()

    def check(case: Case, sensible: bool) -> None:
        if sensible and "id" in case.path_parameters:
            case.path_parameters["id"] = known.id
        if sensible and known.body is not None:
            case.body, case.media_type, case.query = known.body, known.media_type, {}
        answer = case.call(base_url=url, headers=headers, timeout=_ANSWER_S)
        case.validate_response(answer, checks=_CHECKS)
        statuses[answer.status_code] += 1

    takes_nothing = not (operation.body or operation.query or operation.uploads or operation.path != operation.route)
    for mode in (GenerationMode.POSITIVE,) if takes_nothing else GenerationMode:
        bounded = settings(
            max_examples=_EXAMPLES // 3 if operation.uploads else _EXAMPLES, deadline=None, database=None,
            derandomize=True, phases=(Phase.generate,), suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        bounded(given(described.as_strategy(mode), st.booleans())(check))()
    return statuses


def test_the_document_is_one() -> None:
    _SCHEMA.validate()
