"""The pages are for everybody: by keyboard, on a phone, in both languages, in the dark, without much movement."""

from __future__ import annotations

import re
import uuid
from typing import Any

import msgspec
import pytest

from lib.match import searches
from lib.store.connections import Database
from tests.integration.open_market import Row
from tests.web.conftest import Open, SignIn
from tests.web.test_flow import TEXT, search

# The colours of every visible text and of what is behind it, as an sRGB contrast (WCAG 2.2, 1.4.3).
CONTRASTS = """() => {
  const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
  const channel = value => (value /= 255) <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  const painted = colours => {
    canvas.clearRect(0, 0, 1, 1);
    for (const colour of colours) { canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1); }
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const poor = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode.textContent.trim(), item = walker.currentNode.parentElement;
    if (!text || !item.checkVisibility({opacityProperty: true, visibilityProperty: true})) continue;
    const style = getComputedStyle(item), behind = [];
    for (let one = item; one; one = one.parentElement) behind.unshift(getComputedStyle(one).backgroundColor);
    const colour = item instanceof SVGElement ? style.fill : style.color;
    const [front, back] = [light(painted([...behind, colour])), light(painted(behind))];
    const ratio = (Math.max(front, back) + 0.05) / (Math.min(front, back) + 0.05);
    if (ratio < 4.5 && item.tagName !== 'NOSCRIPT') poor.push(`${text.slice(0, 30)}: ${ratio.toFixed(2)}`);
  }
  return poor;
}"""


async def _focused(page: Any) -> str:
    return await page.evaluate("document.activeElement.id || document.activeElement.textContent.trim()")


async def _tab_to(page: Any, what: str) -> None:
    """Presses Tab until something has the focus; whatever has it on the way must show it."""
    for _ in range(60):
        await page.keyboard.press("Tab")
        shown = await page.evaluate(
            """() => { const item = document.activeElement, near = item.nextElementSibling ?? item;
                       return [item, near].some(one => parseFloat(getComputedStyle(one).outlineWidth) >= 2
                                                      && getComputedStyle(one).outlineStyle !== 'none'); }"""
        )
        assert shown, f"nobody sees that {await _focused(page)} has the focus"
        if await _focused(page) == what:
            return
    raise AssertionError(f"{what} cannot be reached")


async def test_everything_works_by_keyboard(site: str, visit: Open) -> None:
    page = await visit()
    await page.goto(site)
    await page.keyboard.press("Tab")
    assert await _focused(page) == "Skip to content"
    await page.keyboard.press("Enter")
    assert await _focused(page) == "main"
    await _tab_to(page, "text")
    await page.keyboard.type("Koch in der Gemeinschaftsverpflegung")
    await _tab_to(page, "Hard limits")
    await page.keyboard.press("Enter")
    await _tab_to(page, "salary")
    await _tab_to(page, "Show matching jobs")
    await page.keyboard.press("Enter")
    await page.wait_for_function("() => document.activeElement.id === 'results'")  # what came is where reading goes on
    await page.keyboard.press("Tab")
    first = await page.locator(".match h3 a").first.inner_text()
    assert await _focused(page) == first
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    assert await page.locator(".match details").first.get_attribute("open") is not None
    await page.keyboard.press("Shift+Tab")
    await page.keyboard.press("Enter")
    await page.wait_for_url(re.compile("/j/"))
    assert await page.inner_text("h1") == first


async def test_a_phone_shows_everything_within_its_width(
    database: Database, site: str, visit: Open, sign_in: SignIn, market: list[Row]
) -> None:
    await database.execute("UPDATE posting SET company = 'Donaudampfschifffahrtsgesellschaftskapitänsmützenmacherei'")
    page = await visit(viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True, locale="de-DE")
    await sign_in(page, "paid")
    await search(page, site)
    results, posting = page.url, await page.locator(".match h3 a").first.get_attribute("href")
    for path in ("/", results.removeprefix(site), posting, "/account", "/sign-in"):
        await page.goto(f"{site}{path}")
        await page.locator("details").evaluate_all("all => all.forEach(one => one.open = true)")
        wide = await page.evaluate(
            "[...document.querySelectorAll('body *')].filter(one => one.getBoundingClientRect().right > 360.5"
            " && !one.closest('.wide, .unseen')).map(one => one.outerHTML.slice(0, 80))"
        )
        assert wide == [], path
        assert await page.evaluate("document.scrollingElement.scrollWidth") <= 360, path
        small = await page.locator("main button, main summary, .choice span").evaluate_all(
            "all => all.filter(one => one.getBoundingClientRect().height < 24).map(one => one.textContent)"
        )
        assert small == [], path


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_text_can_be_told_from_its_ground(site: str, visit: Open, sign_in: SignIn, scheme: str) -> None:
    page = await visit(color_scheme=scheme)
    await page.goto(site)
    assert await page.evaluate(CONTRASTS) == []
    await sign_in(page, "paid")
    await search(page, site)
    await page.locator(".match summary").first.click()
    assert await page.evaluate(CONTRASTS) == []
    await page.locator(".match h3 a").first.click()
    for summary in await page.locator("summary").all():
        await summary.click()
    assert await page.evaluate(CONTRASTS) == []


async def test_both_languages_and_the_switch_between_them(site: str, visit: Open) -> None:
    page = await visit(locale="de-AT")
    await page.goto(site)
    assert await page.locator("html").get_attribute("lang") == "de"
    assert await page.inner_text("h1") == "Stellen, die zu Ihnen passen"
    await page.get_by_role("link", name="English").click()
    assert await page.inner_text("h1") == "Jobs that fit you"
    await search(page, site)  # which remembers the choice
    assert await page.locator("html").get_attribute("lang") == "en"
    await page.locator(".match h3 a").first.click()
    await page.get_by_role("link", name="Deutsch").click()
    assert await page.locator("html").get_attribute("lang") == "de"
    await page.get_by_text("Warum sie passt").wait_for()


async def test_every_field_has_a_name_and_every_page_one_heading(site: str, visit: Open, sign_in: SignIn) -> None:
    page = await visit()
    await sign_in(page, "paid")
    for path in ("/", "/account", "/sign-in"):
        await page.goto(f"{site}{path}")
        nameless = await page.locator("input:not([type=hidden]), textarea, select").evaluate_all(
            "all => all.filter(one => !one.labels?.length && !one.ariaLabel).map(one => one.outerHTML)"
        )
        assert nameless == []
        assert await page.locator("h1").count() == 1
        twice = await page.evaluate(
            "[...document.querySelectorAll('[id]')].map(one => one.id).filter((id, at, all) => all.indexOf(id) !== at)"
        )
        assert twice == []


@pytest.mark.parametrize("motion", ["reduce", "no-preference"])
async def test_items_move_only_where_movement_is_welcome(
    database: Database, site: str, visit: Open, sign_in: SignIn, motion: str
) -> None:
    page = await visit(reduced_motion=motion)
    await sign_in(page, "paid")
    await search(page, site, TEXT)
    await page.wait_for_url(re.compile(r"/s/[0-9a-f-]{36}$"))
    await page.evaluate(
        """() => {
             window.moved = -1;
             const start = document.startViewTransition.bind(document);
             document.startViewTransition = task => {
               const transition = start(task);
               transition.ready.then(() => {
                 const moving = document.getAnimations().map(one => one.effect.pseudoElement ?? '');
                 window.moved = moving.filter(one => one.includes('group') && !one.includes('root')).length;
               });
               return transition;
             };
           }"""
    )
    found = uuid.UUID(page.url.rpartition("/")[2])
    told = await searches.last_matches(database, found)
    assert told is not None
    turned = msgspec.structs.replace(told, matches=tuple(reversed(told.matches)))
    await database.transaction(lambda connection: searches.tell(connection, found, "matches", turned))
    await page.wait_for_function("() => window.moved >= 0")
    assert (await page.evaluate("window.moved") > 0) == (motion == "no-preference")
    await page.wait_for_function(
        "id => document.querySelector('#matches > li').id === id", arg=f"m{turned.matches[0].id}"
    )


async def test_a_posting_is_printed_without_its_surroundings(site: str, visit: Open, market: list[Row]) -> None:
    page = await visit()
    await page.goto(f"{site}/j/{market[0].id}")
    await page.emulate_media(media="print")
    assert await page.locator("h1").is_visible()
    assert await page.locator(".text").is_visible()
    assert not await page.locator(".top nav").is_visible()
    assert not await page.locator(".actions").is_visible()
