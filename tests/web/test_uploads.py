"""Résumés in forms: as large as they may be, with scripts and without; a form of nobody's session is not even read."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from yarl import URL

from tests.unit.papers import GERMAN, lines
from tests.unit.portable import bound, pdf, scan
from tests.web.conftest import Open, SignIn

PADDED = ("\n".join(lines(GERMAN)) + "\n").encode() + b" " * 3_000_000


@pytest.mark.parametrize("scripts", [True, False])
async def test_a_large_resume_is_read_out_of_a_form(site: str, visit: Open, sign_in: SignIn, scripts: bool) -> None:
    page = await visit(java_script_enabled=scripts)
    await sign_in(page, "paid")
    await page.set_input_files("#file", {"name": "me.txt", "mimeType": "text/plain", "buffer": PADDED})
    await page.click("form[action='/search'] > .send button")
    await page.locator("#matches > li").first.wait_for()
    assert "14 Diensten" in await page.input_value("#text")


@pytest.mark.parametrize("scripts", [True, False])
async def test_what_is_too_large_is_said_on_the_page(site: str, visit: Open, sign_in: SignIn, scripts: bool) -> None:
    page = await visit(java_script_enabled=scripts, expect_errors=True)
    await sign_in(page, "free")
    await page.set_input_files("#file", {"name": "me.txt", "mimeType": "text/plain", "buffer": b" " * 12_000_000})
    await page.click("form[action='/search'] > .send button")
    await page.get_by_text("The file is too large: 10 MB at most.").wait_for()


async def test_where_nothing_reads_pictures_that_is_said(
    site: str, visit: Open, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    page = await visit(expect_errors=True)
    await page.goto(site)
    monkeypatch.setenv("PATH", str(tmp_path))
    await page.set_input_files("#file", {"name": "me.pdf", "mimeType": "application/pdf", "buffer": scan(["Koch"])})
    await page.click("form[action='/search'] > .send button")
    await page.get_by_text("Pictures and scans cannot be read here at the moment").wait_for()
    text = pdf([[(60, 80 + 15 * row, 11, line) for row, line in enumerate(lines(GERMAN))]])
    both = bound([text, scan(["Zeugnis"])])
    await page.set_input_files("#file", {"name": "me.pdf", "mimeType": "application/pdf", "buffer": both})
    await page.click("form[action='/search'] > .send button")
    await page.get_by_text("1 scanned page was not read").wait_for()


async def test_a_resume_that_is_written_wins_over_a_kept_one(
    unlinked: str, visit: Open, sign_in: SignIn, adverts: None
) -> None:
    page = await visit()
    await sign_in(page, "paid", unlinked)
    await page.set_input_files("#file", {"name": "me.txt", "mimeType": "text/plain", "buffer": b"Koch, SQL"})
    await page.get_by_label("30 days").check(force=True)
    await page.click("form[action='/search'] > .send button")
    await page.locator(".match h3 a").first.click()
    assert await page.input_value("#resume_id") != ""
    await page.fill("#resume_text", "Ich kann Terraform.")
    assert await page.input_value("#resume_id") == ""


async def test_why_a_resume_cannot_be_read_is_said_in_german(site: str, visit: Open) -> None:
    page = await visit(locale="de-DE", expect_errors=True)
    await page.goto(site)
    locked = pdf([[(60, 60, 12, "secret")]], encrypt=True)
    await page.set_input_files("#file", {"name": "me.pdf", "mimeType": "application/pdf", "buffer": locked})
    await page.click("form[action='/search'] > .send button")
    await page.get_by_text("Der Lebenslauf ist nicht zu lesen: das Dokument ist verschlüsselt").wait_for()


async def test_a_forged_form_is_refused_before_its_file_arrives(site: str, visit: Open, sign_in: SignIn) -> None:
    page = await visit()
    await sign_in(page, "paid")
    jar = aiohttp.CookieJar(unsafe=True)
    jar.update_cookies({one["name"]: one["value"] for one in await page.context.cookies()}, URL(site))
    token = await page.locator("form[action='/search'] input[name=csrf]").get_attribute("value")
    assert token is not None
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    file = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nKoch in Wien'

    async def endless(*parts: bytes) -> AsyncIterator[bytes]:
        for part in (*parts, *itertools.repeat(b"Koch in Wien ", 1_000_000)):
            yield part
            await asyncio.sleep(0.01)

    async with aiohttp.ClientSession(cookie_jar=jar, timeout=aiohttp.ClientTimeout(10)) as client:
        for path in ("/search", "/j/1/application", "/resumes"):
            for before in ((), (_field("csrf", "x" * 32),), (_field("text", "Koch"),)):
                body = endless(*before, file)
                async with client.post(f"{site}{path}", data=body, headers=headers) as answer:
                    assert answer.status == 403
        whole = _field("text", "Koch") + _field("csrf", token) + file + b"\r\n--x--\r\n"
        async with client.post(f"{site}/search", data=whole, headers=headers) as answer:
            assert answer.status == 200
        async with client.post(f"{site}/resumes", data=whole, headers=headers) as answer:
            assert (await answer.json())["text"] == "Koch in Wien"


def _field(name: str, value: str) -> bytes:
    return f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
