"""Crawls of simulated company sites: what is found, what ends, and what is left alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from daemons.careers import visits
from daemons.careers.site import Site
from lib.posting import boards
from lib.store.connections import Database
from lib.text.ocr import OcrMissing
from tests.integration.careering import Scene, careers_scene
from tests.sim.places import CITIES
from tests.sim.wire import HTML, Answer

READABLE = ("json_ld", "microdata", "plain", "documents", "sitemap_index", "paginated")
_LOCAL = {city.english: city.name for city in CITIES}


async def test_a_first_turn_has_every_posting_with_title_company_and_places(database: Database, tmp_path: Path) -> None:
    async with careers_scene(database, tmp_path, postings=9) as scene:
        outcomes = await scene.crawl(*READABLE)
        rows, truth = await scene.rows(), scene.truth(*READABLE)
        assert rows.keys() == truth.keys()
        assert {make: outcome.error for make, outcome in outcomes.items()} == dict.fromkeys(READABLE)
        for key, row in rows.items():
            assert row["title"] == truth[key]["title"]
            assert row["company"] == truth[key]["company"]
            assert row["url"] == truth[key]["url"]
            assert row["state"] == "described"
            named = [_LOCAL.get(place.partition(",")[0], place.partition(",")[0]) for place in row["places"]]
            # A PDF file names its main place only.
            wanted = truth[key]["cities"]
            assert named == (wanted[:1] if row["url"].endswith(".pdf") else wanted)


async def test_the_text_of_a_plain_page_is_its_own_and_not_that_of_its_menus(
    database: Database, tmp_path: Path
) -> None:
    async with careers_scene(database, tmp_path) as scene:
        await scene.crawl("plain")
        site = scene.site("plain")
        rows = await scene.rows("plain")
        for key in site.open:
            posting = scene.sites.posting(site, key)
            html = next(row["html"] for row in rows.values() if str(posting.number) in row["url"])
            words = {word for section in posting.sections() for word in section.plain().split()}
            assert sum(word in html for word in words) > 0.95 * len(words)
            assert "Datenschutz" not in html
            assert "Impressum" not in html


async def test_a_second_turn_changes_nothing_and_reads_nothing(database: Database, tmp_path: Path) -> None:
    async with careers_scene(database, tmp_path) as scene:
        await scene.crawl(*READABLE)
        first = await scene.rows()
        raw = await database.fetchval("SELECT count(*) FROM raw_response")
        await database.execute("UPDATE career_page SET due_at = now(), read_at = read_at - interval '1 day'")
        outcomes = await scene.crawl(*READABLE)
        second = await scene.rows()
        assert {outcome.new + outcome.changed + outcome.closed for outcome in outcomes.values()} == {0}
        assert await database.fetchval("SELECT count(*) FROM raw_response") == raw
        assert second.keys() == first.keys()
        for key, row in second.items():
            assert row["last_seen"] > first[key]["last_seen"]
            assert row["revision"] == 1


@pytest.mark.parametrize("make", READABLE)
async def test_what_ends_is_closed_at_once_and_what_is_new_is_found(
    database: Database, tmp_path: Path, make: str
) -> None:
    async with careers_scene(database, tmp_path, postings=3) as scene:
        await scene.crawl(make)
        for _ in range(2):
            await scene.days_later()
            (outcome,) = (await scene.crawl(make)).values()
            assert (outcome.new, outcome.closed) == (1, 1)
            assert (await scene.rows(make)).keys() == scene.truth(make).keys()
        assert len(await scene.rows(make, state=["closed"])) == 2


@pytest.mark.parametrize("kind", ["server_error", "forbidden", "rate_limited", "reset"])
async def test_a_site_that_is_away_closes_nothing(database: Database, tmp_path: Path, kind: str) -> None:
    async with careers_scene(database, tmp_path) as scene:
        await scene.crawl("plain")
        before = await scene.rows("plain")
        scene.sim.misbehave(kind, host=scene.site("plain").host, times=None, retry_after_s=600)
        for _ in range(4):
            await scene.days_later()
            (outcome,) = (await scene.crawl("plain")).values()
            assert outcome.closed == 0
            assert outcome.error
        assert (await scene.rows("plain")).keys() == before.keys()


async def test_a_posting_that_nothing_links_to_stays_open_while_its_page_lives(
    database: Database, tmp_path: Path
) -> None:
    async with careers_scene(database, tmp_path) as scene:
        await scene.crawl("plain")
        await database.execute("UPDATE career_page SET linked_at = linked_at - interval '200 days' WHERE depth > 0")
        scene.sim.misbehave("not_found", host=scene.site("plain").host, path="/karriere", times=1)
        await database.execute("UPDATE career_page SET due_at = now(), read_at = read_at - interval '1 day'")
        (outcome,) = (await scene.crawl("plain")).values()
        assert outcome.closed == 0
        assert (await scene.rows("plain")).keys() == scene.truth("plain").keys()


async def test_reserved_and_disallowed_pages_are_left_alone(database: Database, tmp_path: Path) -> None:
    async with careers_scene(database, tmp_path) as scene:
        outcomes = await scene.crawl("reserved", "disallowed")
        assert await scene.rows() == {}
        assert all(outcome.error for outcome in outcomes.values())
        asked = scene.sim.traffic.as_object()["hosts"]
        for make in ("reserved", "disallowed"):
            paths = asked[scene.site(make).host]["paths"]
            assert not any(path.startswith("/karriere/stelle") for path in paths)
            assert all(page["reason"] for page in (await scene.pages(make)).values() if page["state"] == "aside")


async def test_a_page_that_needs_a_browser_is_told_and_kept(database: Database, tmp_path: Path) -> None:
    async with careers_scene(database, tmp_path) as scene:
        outcomes = await scene.crawl("scripted")
        assert (outcomes["scripted"].waiting, outcomes["scripted"].seen) == (1, 0)
        (page,) = (await scene.pages("scripted")).values()
        assert page["state"] == "browser"


async def test_the_crawl_daemon_and_the_careers_daemon_claim_their_own(database: Database, tmp_path: Path) -> None:
    async with careers_scene(database, tmp_path) as scene:
        await boards.add(database, "lever", "acme", None, "https://jobs.lever.co/acme", 3_600)
        of_crawl = await boards.claim_due(database, "crawl", 50, (), ["lever"])
        of_careers = await boards.claim_due(database, "careers", 50, (), ["careers"])
        assert {board.source for board in of_crawl} == {"lever"}
        assert {board.tenant for board in of_careers} == {Site.of(site.url).tenant for site in scene.sites.sites}  # type: ignore[union-attr]


async def test_a_site_whose_jobs_are_on_a_board_leads_to_it(database: Database, tmp_path: Path) -> None:
    async with careers_scene(database, tmp_path) as scene:
        frame = '<iframe src="https://boards.greenhouse.io/embed/job_board?for=acme"></iframe>'
        _serve(scene, f"<html><body><h1>Karriere</h1>{frame}</body></html>")
        outcome = (await scene.crawl("json_ld"))["json_ld"]
        assert outcome.elsewhere is not None
        assert (outcome.elsewhere.source, outcome.elsewhere.tenant) == ("greenhouse", "acme")
        assert (
            await database.fetchval("SELECT count(*) FROM board WHERE source = 'greenhouse' AND tenant = 'acme'") == 1
        )


def _serve(scene: Scene, page: str) -> None:
    """Every page of every site is this one from now on."""
    scene.sites.answer = lambda asked: Answer(page.encode(), 200, HTML)  # type: ignore[method-assign]


async def test_a_picture_that_nobody_can_read_is_set_aside_and_read_when_somebody_can(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the reader of pictures its file says what to install, and is not lost."""

    async def missing(*_: object) -> None:
        raise OcrMissing("this document is a picture: apt install tesseract-ocr tesseract-ocr-deu, then try again")

    async with careers_scene(database, tmp_path, postings=1) as scene:
        with monkeypatch.context() as without:
            without.setattr(visits, "read_apart", missing)
            outcome = (await scene.crawl("documents"))["documents"]
        assert (outcome.aside, outcome.seen) == (1, 0)
        (page,) = [page for page in (await scene.pages("documents")).values() if page["kind"] == "document"]
        assert page["state"] == "aside"
        assert "apt install tesseract-ocr" in page["reason"]
        await database.execute("UPDATE career_page SET due_at = now(), read_at = read_at - interval '1 day'")
        await scene.crawl("documents")
        assert (await scene.rows("documents")).keys() == scene.truth("documents").keys()
