"""Pages that are empty without a browser, in a real Chromium whose requests all go through the polite client."""

from __future__ import annotations

import shutil
from pathlib import Path

import psutil
import pytest

from daemons.careers import pages
from lib.errors import Gone
from lib.net.browser import Browser, NoBrowser, NoMemory, check_memory
from lib.net.messages import Request, Response
from lib.net.robots import SiteRules
from lib.net.validators import Validators
from lib.store.connections import Database
from tests.integration.careering import careers_scene
from tests.integration.crawling import OWNER

CHROMIUM = shutil.which("chromium") or ""
needs_chromium = pytest.mark.skipif(not CHROMIUM, reason="no Chromium is installed on this machine")
LEAST = 300_000_000


class Scripted:
    """A client that has a few answers, and remembers what it was asked for."""

    def __init__(self, answers: dict[str, tuple[str, bytes]]) -> None:
        self.answers = answers
        self.asked: list[str] = []

    async def send(self, request: Request, *, validators: Validators | None = None) -> Response:
        self.asked.append(request.url)
        if request.url not in self.answers:
            raise Gone("status 404", 404)
        kind, body = self.answers[request.url]
        return Response(request=request, url=request.url, status=200, headers={"content-type": kind}, body=body)

    async def site_rules(self, url: str) -> SiteRules:
        return SiteRules()


@needs_chromium
async def test_a_scripted_site_gives_all_its_postings(database: Database, tmp_path: Path) -> None:
    async with careers_scene(database, tmp_path, postings=3) as scene:
        await scene.crawl("scripted")
        assert await pages.for_browser(database, OWNER, 5) == [await scene.board_id(scene.site("scripted"))]
        async with Browser(CHROMIUM, scene.fetcher, least_memory=LEAST) as browser:
            await scene.crawl("scripted", client=browser, in_browser=True)  # the list, which leads to its jobs
            await scene.crawl("scripted")  # they are empty, too
            (outcome,) = (await scene.crawl("scripted", client=browser, in_browser=True)).values()
            rows, truth = await scene.rows("scripted"), scene.truth("scripted")
            assert outcome.error is None
            assert {key: row["title"] for key, row in rows.items()} == {k: row["title"] for k, row in truth.items()}
            assert {row["company"] for row in rows.values()} == {scene.site("scripted").company.name}


@needs_chromium
async def test_images_downloads_and_posts_are_left_out_and_scripts_run() -> None:
    page = b"""<html><body><div id=root></div><img src="/logo.png"><script src="/app.js"></script></body></html>"""
    script = b"""fetch('/write', {method: 'POST', body: 'x'}).catch(() => 0);
        fetch('/data').then(r => r.text()).then(t => { document.getElementById('root').textContent = t; });"""
    client = Scripted(
        {
            "https://acme.example/": ("text/html", page),
            "https://acme.example/app.js": ("text/javascript", script),
            "https://acme.example/data": ("text/plain", "Köchin gesucht".encode()),
        }
    )
    async with Browser(CHROMIUM, client, least_memory=LEAST) as browser:
        response = await browser.send(Request(url="https://acme.example/"))
        assert "Köchin gesucht" in response.body.decode()
        asked = set(client.asked)
        assert asked == {"https://acme.example/", "https://acme.example/app.js", "https://acme.example/data"}
        with pytest.raises(Gone):
            await browser.send(Request(url="https://acme.example/away"))


@needs_chromium
async def test_the_browser_knows_nothing_of_our_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAKANZ_SOURCE_KEYS", "some_key=0123456789")
    async with Browser(CHROMIUM, Scripted({}), least_memory=LEAST):
        ours = psutil.Process().children(recursive=True)
        chromium = [one.environ() for one in ours if "--headless=new" in one.cmdline()]
        assert chromium
        assert not [name for told in chromium for name in told if name.startswith("VAKANZ_")]


async def test_no_browser_is_a_clear_error() -> None:
    with pytest.raises(NoBrowser, match="VAKANZ_BROWSER"):
        async with Browser("/nowhere/chromium", Scripted({}), least_memory=0):
            raise AssertionError("it cannot start")


def test_a_browser_needs_memory() -> None:
    check_memory(500, available=500)
    with pytest.raises(NoMemory, match="499 MB"):
        check_memory(700_000_000, available=499_000_000)
