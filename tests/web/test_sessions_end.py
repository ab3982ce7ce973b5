"""A session that ends in the middle: people are told to sign in again, and lose nothing that they wrote."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from aiohttp.test_utils import TestServer

from api.app import create_app
from lib.life.config import Config
from lib.store.connections import Cache, Database
from tests.integration.open_market import Row, encoders
from tests.web.conftest import PASSWORD, Open, SignIn
from tests.web.test_flow import TEXT, search


@pytest.fixture
async def public(database: Database, cache: Cache, market: list[Row]) -> AsyncIterator[str]:
    """The pages as others reach them: every one of them needs a session."""
    async with TestServer(create_app(Config(api_host="0.0.0.0"), database, cache, encoders())) as server:
        yield f"http://127.0.0.1:{server.port}"


@pytest.mark.parametrize("scripts", [True, False])
async def test_who_is_no_longer_signed_in_is_told_so_and_keeps_the_text(
    public: str, visit: Open, sign_in: SignIn, scripts: bool
) -> None:
    page = await visit(java_script_enabled=scripts, expect_errors=True)
    await sign_in(page, "free", public)
    await page.fill("#text", TEXT)
    await page.context.clear_cookies()
    await page.click("form[action='/search'] > .send button")
    await page.get_by_text("You are no longer signed in.").wait_for()
    await page.get_by_role("main").get_by_role("link", name="Sign in").click()
    await page.fill("#name", "somebody-free")
    await page.fill("#password", PASSWORD)
    await page.click("main button")
    await page.wait_for_url(f"{public}/")
    assert await page.input_value("#text") == (TEXT if scripts else "")
    await page.reload()
    assert await page.input_value("#text") == ""


async def test_an_application_goes_on_where_it_was(public: str, visit: Open, sign_in: SignIn, adverts: None) -> None:
    page = await visit(expect_errors=True)
    await sign_in(page, "paid", public)
    await search(page, public)
    await page.locator(".match h3 a").first.click()
    posting = page.url.partition("?")[0]
    await page.context.clear_cookies()
    await page.get_by_role("button", name="Make suggestions").click()
    await page.get_by_role("alert").get_by_role("link", name="Sign in").click()
    await page.fill("#name", "somebody-paid")
    await page.fill("#password", PASSWORD)
    await page.click("main button")
    await page.wait_for_url(posting)
    assert await page.input_value("#resume_text") == TEXT


async def test_a_page_older_than_the_session_says_so(public: str, visit: Open, sign_in: SignIn) -> None:
    page = await visit(expect_errors=True)
    await sign_in(page, "free", public)
    other = await page.context.new_page()
    await other.goto(f"{public}/sign-in")
    await other.fill("#name", "somebody-free")
    await other.fill("#password", PASSWORD)
    await other.click("main button")
    await other.wait_for_url(f"{public}/")
    await page.fill("#text", TEXT)
    await page.click("form[action='/search'] > .send button")
    await page.get_by_text("the page is older than your sign-in").wait_for()
