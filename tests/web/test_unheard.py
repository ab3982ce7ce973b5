"""A form that gets no answer says so, and what was written stays."""

from __future__ import annotations

from typing import Any

import pytest

from tests.web.conftest import Open, SignIn
from tests.web.test_flow import TEXT, search

UNHEARD = "The server cannot be reached at the moment."


async def _cut(route: Any) -> None:
    await route.abort()


async def _proxy(route: Any) -> None:
    await route.fulfill(status=502, content_type="text/html", body="<html><body><h1>Bad Gateway</h1></body></html>")


@pytest.mark.parametrize("answer", [_cut, _proxy], ids=["cut", "proxy"])
async def test_a_search_without_an_answer_can_be_sent_again(site: str, visit: Open, answer: Any) -> None:
    page = await visit(expect_errors=True)
    await page.goto(site)
    await page.fill("#text", TEXT)
    await page.route("**/search", answer)
    await page.click("form[action='/search'] > .send button")
    await page.get_by_text(UNHEARD).wait_for()
    assert await page.input_value("#text") == TEXT
    await page.unroute("**/search")
    await page.click("form[action='/search'] > .send button")
    await page.locator("#matches > li").first.wait_for()
    assert not await page.get_by_text(UNHEARD).is_visible()


@pytest.mark.parametrize("answer", [_cut, _proxy], ids=["cut", "proxy"])
async def test_an_application_without_an_answer_can_be_sent_again(
    unlinked: str, visit: Open, sign_in: SignIn, adverts: None, answer: Any
) -> None:
    page = await visit(expect_errors=True)
    await sign_in(page, "paid", unlinked)
    await search(page, unlinked)
    await page.locator(".match h3 a").first.click()
    await page.route("**/application", answer)
    await page.get_by_role("button", name="Make suggestions").click()
    await page.get_by_text(UNHEARD).wait_for()
    await page.unroute("**/application")
    await page.get_by_role("button", name="Make suggestions").click()
    await page.get_by_text("Without a language model").wait_for()
