"""The pages in a real Chromium, on a small generated market; what a browser complains about fails the test."""

from __future__ import annotations

import re
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from aiohttp.test_utils import TestServer

from api import passwords
from api.accounts import create_account
from api.app import create_app
from api.callers import Tier
from lib.life.config import Config
from lib.store.connections import Cache, Database
from lib.text.html import clean_html
from tests.integration.open_market import Row, encoders, fill

CHROMIUM = shutil.which("chromium") or ""
PATIENCE_MS = 30_000
PASSWORD = "a long enough password"
# Everything found is too little, so that whoever pays is searched for live.
LIVE = Config(gateway_url="http://127.0.0.1:9", gateway_key="k" * 32, discovery_score=100.0, discovery_found=10_000)

ADVERT = """<h2>Ihre Aufgaben</h2><p>Sie entwickeln Dienste in Berlin.</p>
<ul><li>Sicherer Umgang mit Java und SQL</li><li>Erfahrung mit Terraform</li><li>Englisch mindestens B2</li>
<li>Mindestens drei Jahre Berufserfahrung</li></ul>"""

Open = Callable[..., Awaitable[Any]]
SignIn = Callable[..., Awaitable[int]]


@pytest.fixture
async def market(database: Database) -> list[Row]:
    return await fill(database, 300)


@pytest.fixture
async def adverts(database: Database, market: list[Row]) -> None:
    """Texts for all postings, and a change in the past of each."""
    clean = clean_html(ADVERT)
    await database.execute(
        "UPDATE posting_text SET description_html = $1, description_text = $2", clean, re.sub("<[^>]*>", "\n", clean)
    )
    await database.execute(
        "INSERT INTO posting_history (posting_id, revision, at, session, changes)"
        " SELECT id, 2, now(), 's', $1 FROM posting",
        {"title": ["Aushilfe", "Fachkraft"]},
    )


@pytest.fixture
async def site(database: Database, cache: Cache, market: list[Row]) -> AsyncIterator[str]:
    """The address of the pages on this machine, with live search for those who pay."""
    async with TestServer(create_app(LIVE, database, cache, encoders())) as server:
        yield str(server.make_url("")).rstrip("/")


@pytest.fixture
async def unlinked(database: Database, cache: Cache, market: list[Row]) -> AsyncIterator[str]:
    """The same pages where nothing can ever be bought: neither live search nor a language model."""
    async with TestServer(create_app(Config(discovery_score=100.0), database, cache, encoders())) as server:
        yield str(server.make_url("")).rstrip("/")


@pytest.fixture
async def browser() -> AsyncIterator[Any]:
    if not CHROMIUM:
        pytest.skip("no Chromium is installed on this machine")
    playwright = pytest.importorskip("playwright.async_api", reason="playwright is not installed")
    async with playwright.async_playwright() as started:
        chromium = await started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield chromium
        await chromium.close()


def _complains(said: Any, expect_errors: bool) -> bool:
    """A browser also complains of every answer that is an error, and of none, which some tests are about."""
    asked_for = expect_errors and said.text.startswith(("Failed to load resource", "htmx: htmx:error: Failed to fetch"))
    return said.type in ("error", "warning") and not asked_for


@pytest.fixture
async def visit(browser: Any) -> AsyncIterator[Open]:
    """Opens a page. At the end of the test nothing may have been refused, blocked or thrown in any of them."""
    complaints: list[str] = []

    async def open_page(expect_errors: bool = False, **how: Any) -> Any:
        context = await browser.new_context(**({"locale": "en-GB", "reduced_motion": "reduce"} | how))
        page = await context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.on("console", lambda said: _complains(said, expect_errors) and complaints.append(said.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", lambda dialog: complaints.append(f"a script of a stranger ran: {dialog.message}"))
        return page

    yield open_page
    assert complaints == []


@pytest.fixture
async def sign_in(database: Database, site: str) -> SignIn:
    """Makes an account of a tier and signs a page in by the form; the account's id."""

    async def signed_in(page: Any, tier: Tier, at: str = site) -> int:
        account_id = await create_account(
            database, f"somebody-{tier}", tier, sealed=passwords.seal(PASSWORD, b"s" * 16), who="t"
        )
        await page.goto(f"{at}/sign-in")
        await page.fill("#name", f"somebody-{tier}")
        await page.fill("#password", PASSWORD)
        await page.click("main button")
        await page.wait_for_url(f"{at}/")
        return account_id

    return signed_in
