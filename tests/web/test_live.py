"""A search that goes on: the page says so, and sorts its list anew as details arrive."""

from __future__ import annotations

import re
import uuid
from typing import Any

import msgspec

from lib.match import searches
from lib.match.answer import Answer
from lib.store.connections import Database
from tests.web.conftest import Open, SignIn

TEXT = "Ich bin Softwareentwickler mit Java, SQL und Spring."


async def _search(page: Any, site: str) -> uuid.UUID:
    await page.goto(site)
    await page.fill("#text", TEXT)
    await page.click("form[action='/search'] button[type=submit]")
    await page.wait_for_url(re.compile(r"/s/[0-9a-f-]{36}$"))
    return uuid.UUID(page.url.rpartition("/")[2])


async def _ids(page: Any) -> list[str]:
    return await page.locator("#matches > li").evaluate_all("items => items.map(item => item.id)")


async def _tell(database: Database, search: uuid.UUID, kind: Any, body: Any) -> None:
    await database.transaction(lambda connection: searches.tell(connection, search, kind, body))


async def test_the_list_sorts_itself_as_details_arrive(
    database: Database, site: str, visit: Open, sign_in: SignIn
) -> None:
    page = await visit()
    await sign_in(page, "paid")
    search = await _search(page, site)
    assert "Searching live" in await page.inner_text("#live")
    before = await _ids(page)
    await _tell(
        database, search, "progress", {"phase": "discovery", "found": 0, "done": 0, "to_do": 0, "credits_used": 5}
    )
    await page.get_by_text("5 credits used").wait_for()
    await _tell(
        database, search, "progress", {"phase": "details", "found": 9, "done": 2, "to_do": 9, "credits_used": 7}
    )
    await page.get_by_text("2 of 9 postings read").wait_for()

    first = page.locator("#matches > li").first.locator("a")
    await first.focus()
    told = await searches.last_matches(database, search)
    assert told is not None
    turned = tuple(reversed(told.matches))
    await _tell(database, search, "matches", msgspec.structs.replace(told, matches=turned))
    await page.wait_for_function("first => document.querySelector('#matches > li').id !== first", arg=before[0])
    assert await _ids(page) == before[::-1]
    assert await first.evaluate("item => item !== document.activeElement")  # it is another posting that is first now
    assert await page.evaluate("document.activeElement.closest('li')?.id") == before[0]
    assert turned[0].title in await page.inner_text("#sorted")

    await database.transaction(lambda connection: searches.finish(connection, search, "done", None, 9))
    await page.get_by_text("Live search is done").wait_for()
    assert "9 credits used" in await page.inner_text("#live")
    await page.reload()
    assert await _ids(page) == before[::-1]
    assert "9 credits used" in await page.inner_text("#live")


async def test_a_connection_that_broke_goes_on_where_it_was(
    database: Database, site: str, visit: Open, sign_in: SignIn
) -> None:
    page = await visit()
    await sign_in(page, "paid")
    asked: list[str | None] = []
    page.on("request", lambda one: "/events" in one.url and asked.append(one.headers.get("last-event-id")))
    search = await _search(page, site)
    await _tell(
        database, search, "progress", {"phase": "details", "found": 4, "done": 1, "to_do": 4, "credits_used": 6}
    )
    await page.get_by_text("1 of 4 postings read").wait_for()
    await page.evaluate("htmx.find('.results')._htmx.sse.reader.cancel()")
    await _tell(
        database, search, "progress", {"phase": "details", "found": 4, "done": 3, "to_do": 4, "credits_used": 8}
    )
    await page.get_by_text("3 of 4 postings read").wait_for()
    assert asked == [None, "2"]


async def test_who_does_not_pay_is_told_why_in_one_line(site: str, visit: Open, sign_in: SignIn) -> None:
    page = await visit()
    await sign_in(page, "free")
    await _search(page, site)
    line = await page.inner_text("#live")
    assert "Live search is for paying accounts. You see what is known already." in " ".join(line.split())
    assert "credit" not in line


async def test_nobody_sees_the_search_of_another(site: str, visit: Open, sign_in: SignIn) -> None:
    mine, other = await visit(), await visit()
    await sign_in(mine, "paid")
    search = await _search(mine, site)
    assert (await other.request.get(f"{site}/s/{search}")).status == 404
    assert (await other.request.get(f"{site}/s/{search}/events")).status == 404


async def test_without_scripts_the_page_renews_itself(
    database: Database, site: str, visit: Open, sign_in: SignIn
) -> None:
    page = await visit(java_script_enabled=False)
    await sign_in(page, "paid")
    await page.goto(site)
    await page.fill("#text", TEXT)
    await page.click("form[action='/search'] button[type=submit]")
    assert await page.locator("#matches > li").count() > 0
    renewed = await page.locator("meta[http-equiv=refresh]").get_attribute("content")
    await page.goto(f"{site}{renewed.partition('url=')[2]}")
    assert "Searching live" in await page.inner_text("#live")
    answer = await searches.last_matches(database, uuid.UUID(page.url.rpartition("/")[2]))
    assert isinstance(answer, Answer)
    assert len(await _ids(page)) == len(answer.matches)
