"""An application with a language model that invents things, or does not answer, as the page shows it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from aiohttp.test_utils import TestServer

from api.app import create_app
from lib.life.config import Config
from lib.store.connections import Cache, Database
from tests.integration.buying import GATEWAY_KEY, config_of, gateway
from tests.integration.open_market import Row, encoders
from tests.sim import llm
from tests.sim.llm import Model, inventing
from tests.web.conftest import Open, SignIn
from tests.web.test_flow import RESUME, search

MODEL_KEY = "model-0123456789abcdef"


@pytest.fixture
async def model() -> AsyncIterator[Model]:
    async with llm.playing(Model(inventing, MODEL_KEY)) as model:
        yield model


@pytest.fixture
async def written(
    database: Database, cache: Cache, market: list[Row], adverts: None, model: Model, tmp_path: Path
) -> AsyncIterator[str]:
    """The pages with a gateway to the model. Nothing is searched live: nobody works on it."""
    async with AsyncExitStack() as stack:
        behind = config_of(tmp_path, "", llm_url=model.url, llm_model="simulated", provider_keys=(f"llm={MODEL_KEY}",))
        url = await stack.enter_async_context(gateway(database, cache, behind))
        config = Config(gateway_url=url, gateway_key=GATEWAY_KEY, discovery_score=0.0)
        server = await stack.enter_async_context(TestServer(create_app(config, database, cache, encoders())))
        yield str(server.make_url("")).rstrip("/")


@pytest.mark.parametrize("scripts", [True, False])
async def test_what_is_invented_is_counted_and_never_suggested(
    written: str, visit: Open, sign_in: SignIn, scripts: bool
) -> None:
    page = await visit(java_script_enabled=scripts)
    await sign_in(page, "paid", written)
    await search(page, written, RESUME.decode())
    await page.locator(".match h3 a").first.click()
    await page.fill("#resume_text", RESUME.decode())
    await page.get_by_role("button", name="Make suggestions").click()
    await page.get_by_text("sentences without evidence were dropped").wait_for()
    told = await page.inner_text(".suggestions >> nth=-1")
    assert "Entwicklung von 14 Diensten mit Java und SQL" in told
    assert "without a language model" not in told.casefold()
    for lie in ("Initrode", "Atlantis", "golden hammer", "COBOL"):
        assert lie not in told
    await page.get_by_text("sentences without evidence were dropped").click()
    assert "Atlantis" in await page.inner_text(".suggestions >> nth=-1")


async def test_a_model_that_does_not_answer_is_named_as_the_reason(
    written: str, visit: Open, sign_in: SignIn, model: Model
) -> None:
    model.misbehave("server_error", 20)
    page = await visit(locale="de-DE")
    await sign_in(page, "paid", written)
    await search(page, written, RESUME.decode())
    await page.locator(".match h3 a").first.click()
    await page.get_by_role("button", name="Vorschläge machen").click()
    await page.get_by_text("Das Sprachmodell antwortet gerade nicht.").wait_for()
    assert "Ohne Sprachmodell" in await page.inner_text(".suggestions >> nth=-1")
