"""The whole way of a person: a few lines or a résumé, matches, a posting, an application."""

from __future__ import annotations

from typing import Any

import pytest

from lib.store.connections import Database
from tests.integration.open_market import Row
from tests.web.conftest import Open, SignIn

TEXT = "Ich bin Softwareentwickler mit Java, SQL und Spring. Sechs Jahre Erfahrung. Englisch C1."
RESUME = """Zusammenfassung
Softwareentwicklerin für Datenbanken

Berufserfahrung
01/2019 - heute
Softwareentwicklerin bei der Beispiel GmbH
Entwicklung von 14 Diensten mit Java und SQL

Sprachen
Deutsch (Muttersprache)
Englisch C1
""".encode()


async def search(page: Any, site: str, text: str = TEXT) -> None:
    """Fills the form in and waits for what it found."""
    await page.goto(site)
    await page.fill("#text", text)
    await page.fill("#location", "Berlin")
    await page.click("form[action='/search'] > .send button")
    await page.locator("#matches > li").first.wait_for()


async def test_from_a_few_lines_to_a_posting_and_back(site: str, visit: Open, adverts: None) -> None:
    page = await visit()
    await search(page, site)
    assert await page.input_value("#title") == "Softwareentwickler"
    assert await page.locator(".chips input:checked").evaluate_all("all => all.map(one => one.value)") == [
        "Java",
        "SQL",
    ]
    assert "6 years of experience" in await page.inner_text(".facts-read")
    scores = await page.locator(".match .ring text").evaluate_all("all => all.map(one => Number(one.textContent))")
    assert scores == sorted(scores, reverse=True)
    best = page.locator(".match").first
    assert "Kenntnisse" in await best.inner_text()
    await best.locator("summary").click()
    points = await best.locator("td.number").all_inner_texts()
    assert sum(map(float, points)) == pytest.approx(scores[0], abs=0.6)

    title = await best.locator("h3").inner_text()
    await best.locator("h3 a").click()
    assert await page.inner_text("h1") == title
    assert set(await page.locator("mark").all_inner_texts()) >= {"Java", "SQL", "Berlin"}
    assert "Terraform" not in await page.locator("mark").all_inner_texts()
    assert "Kenntnisse" in await page.inner_text("aside .reasons")
    await page.get_by_text("How we know").click()
    assert "derived" in await page.inner_text("article")
    await page.get_by_text("What changed").click()
    assert "Aushilfe" in await page.inner_text("article")
    await page.get_by_text("Back to the matches").click()
    assert await page.locator(".match h3").first.inner_text() == title


async def test_what_was_read_can_be_corrected(site: str, visit: Open) -> None:
    page = await visit()
    await search(page, site)
    await page.fill("#title", "Koch")
    await page.get_by_label("Java").uncheck(force=True)
    await page.fill("[name=more_skills]", "Kubernetes")
    await page.click(".reading button")
    await page.get_by_text("The job is what you call").or_(page.get_by_text("„Koch“")).first.wait_for()
    assert "Koch" in await page.locator(".match h3").first.inner_text()
    assert await page.locator(".chips input:checked").evaluate_all("all => all.map(one => one.value)") == [
        "SQL",
        "Kubernetes",
    ]
    assert not await page.get_by_label("Java").is_checked()


async def test_hard_limits_hold(site: str, visit: Open, market: list[Row]) -> None:
    page = await visit()
    await page.goto(site)
    await page.fill("#text", "Koch")
    await page.get_by_label("Germany").check(force=True)
    await page.get_by_text("Hard limits").click()
    await page.get_by_label("full time").check(force=True)
    await page.click("form[action='/search'] > .send button")
    await page.locator("#matches > li").first.wait_for()
    ids = await page.locator("#matches > li").evaluate_all("items => items.map(item => Number(item.id.slice(1)))")
    rows = {row.id: row for row in market}
    assert {rows[one].country for one in ids} == {"DE"}
    assert {rows[one].employment for one in ids} <= {"full_time", "full_or_part_time"}
    assert await page.get_by_label("full time").is_checked()


async def test_a_resume_is_read_and_matched_at_once(site: str, visit: Open) -> None:
    page = await visit()
    await page.goto(site)
    await page.set_input_files("#file", {"name": "me.txt", "mimeType": "text/plain", "buffer": RESUME})
    await page.click("form[action='/search'] button[type=submit]")
    await page.locator("#matches > li").first.wait_for()
    assert "14 Diensten" in await page.input_value("#text")
    assert await page.input_value("#title") == "Softwareentwicklerin"
    assert "English C1" in await page.inner_text(".facts-read")
    assert "Softwareentwickler" in await page.locator(".match h3").first.inner_text()


@pytest.mark.parametrize("scripts", [True, False])
async def test_what_cannot_be_read_is_said_in_words(site: str, visit: Open, scripts: bool) -> None:
    page = await visit(java_script_enabled=scripts, expect_errors=True)
    await page.goto(site)
    await page.set_input_files("#file", {"name": "me.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.7 no"})
    await page.click("form[action='/search'] button[type=submit]")
    await page.get_by_text("The résumé cannot be read").wait_for()
    await page.fill("#text", "...")
    await page.click("form[action='/search'] button[type=submit]")
    await page.get_by_text("There is nothing to compare with").wait_for()
    assert await page.input_value("#text") == "..."


async def test_a_resume_is_kept_and_forgotten_as_its_owner_says(
    database: Database, site: str, visit: Open, sign_in: SignIn
) -> None:
    page = await visit()
    await sign_in(page, "free")
    for keep in ("not at all", "30 days, deletable in your account"):
        await page.goto(site)
        await page.set_input_files("#file", {"name": "me.txt", "mimeType": "text/plain", "buffer": RESUME})
        await page.get_by_label(keep).check(force=True)
        await page.click("form[action='/search'] button[type=submit]")
        await page.locator("#matches > li").first.wait_for()
        assert await database.fetchval("SELECT count(*) FROM resume") == (keep != "not at all")
    await page.get_by_role("link", name="Account").click()
    await page.get_by_role("button", name="Delete 1 page").click()
    await page.get_by_text("None. A résumé is kept only if you choose so").wait_for()
    assert await database.fetchval("SELECT count(*) FROM resume") == 0


@pytest.mark.parametrize("scripts", [True, False])
async def test_an_application_is_improved(
    unlinked: str, visit: Open, sign_in: SignIn, adverts: None, scripts: bool
) -> None:
    page = await visit(java_script_enabled=scripts)
    await sign_in(page, "paid", unlinked)
    await search(page, unlinked, RESUME.decode())
    assert "Live search is not set up here." in await page.inner_text("#live")
    await page.locator(".match h3 a").first.click()
    if scripts:  # what was searched with is still in this tab
        assert "14 Diensten" in await page.input_value("#resume_text")
    else:
        await page.fill("#resume_text", RESUME.decode())
    await page.get_by_role("button", name="Make suggestions").click()
    await page.get_by_text("Without a language model").wait_for()
    told = await page.inner_text(".suggestions >> nth=-1")
    assert "No language model is set up here." in told
    assert "Terraform" in told.partition("What the posting asks for and your résumé shows")[0]
    assert "Entwicklung von 14 Diensten mit Java und SQL" in told
    assert {"3 years of experience", "English B2"} <= set(told.splitlines())


async def test_an_application_is_for_who_pays(site: str, visit: Open, sign_in: SignIn, adverts: None) -> None:
    page = await visit()
    await sign_in(page, "free")
    await search(page, site)
    await page.locator(".match h3 a").first.click()
    await page.get_by_text("Suggestions for the application are for paying accounts.").wait_for()
    assert await page.locator("#resume_text").count() == 0
    refused = await page.request.post(f"{site}/j/1/application", form={"resume_text": "Koch"})
    assert refused.status == 403
