"""Thirty days of companies' own sites, of all readable makes, that change every day and misbehave."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Set
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

from daemons.careers.visits import Readers
from lib.life.sandbox import Sandbox
from lib.net.fetch import Fetcher
from lib.posting import boards
from lib.store.connections import Database
from tests.integration.careering import Scene, careers_scene, free_policy
from tests.integration.crawling import OWNER
from tests.sim.career_site import CompanySite
from tests.sim.careers import Sites
from tests.sim.wire import HTML, Answer, Asked

SEED = 20_261_122
DAYS = 30
CALM = 4  # days until what failed again and again is asked once more
READABLE = ("json_ld", "microdata", "plain", "documents", "sitemap_index", "paginated")
KINDS = ("server_error", "forbidden", "reset", "half_body", "bad_request", "broken_json")
AWAY = {
    5: ("plain", 503), 9: ("json_ld", 404), 13: ("paginated", 302), 17: ("microdata", 200), 21: ("sitemap_index", 302),
    24: ("documents", 404),
}  # fmt: skip
_WALL = b"<html><head><title>Bitte warten</title></head><body><h1>Sicherheitspr\xc3\xbcfung</h1></body></html>"


@dataclass
class Unruly:
    """The sites' answers, some of them spoiled. `spoiled`: the makes whose sites were, today."""

    sites: Sites
    rng: random.Random
    away: dict[str, int] = field(default_factory=dict)
    spoiled: set[str] = field(default_factory=set)
    calm: bool = False

    def answer(self, asked: Asked, honest: Callable[[Asked], Answer | None]) -> Answer | None:
        """The answer to a request; `honest`: the sites' own."""
        answer = honest(asked)
        site = next((one for one in self.sites.sites if one.host.removeprefix("www.") in asked.host), None)
        if site is None or answer is None:
            return answer
        if site.make in self.away:
            return _of_site_that_is_away(site, self.away[site.make], answer, asked.path)
        if self.calm or self.rng.random() > 0.12:
            return answer
        spoilt = self._spoilt(asked, answer)
        if spoilt is not answer:
            self.spoiled.add(site.make)
        return spoilt

    def _spoilt(self, asked: Asked, answer: Answer) -> Answer:
        if asked.path == "/robots.txt":
            return replace(answer, status=503)
        if "sitemap" in asked.path:
            return Answer(b'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"></urlset>')
        if asked.path.rstrip("/") == "/karriere":
            kind = self.rng.randrange(3)
            if kind == 0:
                return replace(answer, body=answer.body[: len(answer.body) // 2])
            return replace(answer, body=re.sub(rb"<ul>.*</ul>", b"<p>Derzeit keine offenen Stellen</p>", answer.body))
        return answer


def _of_site_that_is_away(site: CompanySite, how: int, answer: Answer, path: str) -> Answer:
    if path == "/robots.txt" and how != 503:
        return answer
    if how == 302 and path != "/":
        return Answer(b"", 302, HTML, {"Location": f"https://{site.host}/"})
    return Answer(_WALL, 200 if how == 302 else how, HTML)


class Here:
    """Reads foreign files in this very process: what the sandbox does is tested with it, and costs a process a page."""

    async def call(self, read: Any, data: bytes, **more: Any) -> Any:
        return read(data)


async def test_after_thirty_bad_days_of_sites_nothing_is_wrong(database: Database, tmp_path: Path) -> None:
    """A turn a day; each day is compared with what the sites truly have."""
    rng = random.Random(SEED)
    async with careers_scene(database, tmp_path, postings=3, twins=True) as scene:
        unruly = Unruly(scene.sites, rng)
        honest = scene.sites.answer
        scene.sites.answer = lambda asked: unruly.answer(asked, honest)  # type: ignore[method-assign]
        unruly.calm = True
        await _turns(scene, 0)
        unruly.calm = False
        tally = Tally()
        for day in range(1, DAYS + 1):
            before = {make: (await scene.rows(make)).keys() for make in READABLE}
            yesterday = scene.truth(*READABLE).keys()
            scene.sites.some_day(rng)
            tally.opened += len(scene.truth(*READABLE).keys() - yesterday)
            tally.ended += len(yesterday - scene.truth(*READABLE).keys())
            unruly.away = {make: how for start, (make, how) in AWAY.items() if start <= day < start + 2}
            unruly.spoiled.clear()
            faults = {
                make: scene.sim.misbehave(
                    rng.choice(KINDS), host=scene.site(make).host, path="/karriere/", times=None, probability=0.04
                )
                for make in READABLE
            }
            await _turns(scene, day)
            scene.sim.behave()
            tally.struck += sum(fault.struck for fault in faults.values())
            troubled = unruly.spoiled | unruly.away.keys() | {make for make, fault in faults.items() if fault.struck}
            for make in READABLE:
                await _compare(scene, day, make, before[make], tally, in_trouble=make in troubled)
        unruly.calm, unruly.away = True, {}
        for day in range(DAYS + 1, DAYS + CALM + 1):
            await _turns(scene, day)
        rows, truth = await scene.rows(*READABLE), scene.truth(*READABLE)
        assert [rows[one]["url"] for one in rows.keys() - truth.keys()] == []
        assert [truth[one]["url"] for one in truth.keys() - rows.keys()] == []
        assert min(tally.opened, tally.ended, tally.struck, tally.untroubled) > 40


@dataclass
class Tally:
    """What happened, so that nobody takes thirty quiet days for a proof. `untroubled`: days of one site each."""

    opened: int = 0
    ended: int = 0
    struck: int = 0
    untroubled: int = 0
    missed: dict[str, int] = field(default_factory=dict)  # what began on a bad day of its site: the last such day


async def _compare(scene: Scene, day: int, make: str, before: Set[str], tally: Tally, *, in_trouble: bool) -> None:
    """Nothing that lives is closed, on any day. A site without trouble is known as it is: what ended is closed, nothing
    is there twice, and what began is there, if not on a bad day a short while ago."""
    truth, rows = scene.truth(make).keys(), await scene.rows(make)
    assert not (before - rows.keys()) & truth, f"wrongly closed: {make}, day {day}"
    if in_trouble:
        tally.missed |= dict.fromkeys(truth - rows.keys(), day)
        return
    tally.untroubled += 1
    phantoms = [rows[one]["url"] for one in rows.keys() - truth]
    assert not phantoms, f"phantoms: {make}, day {day}"
    assert not [one for one in truth - rows.keys() if day - tally.missed.get(one, 0) > CALM], f"{make}, day {day}"


async def _turns(scene: Scene, day: int) -> None:
    """One turn at each readable site, on that day, by a client that remembers no other day's robots.txt."""
    passed = timedelta(days=DAYS + CALM - day)
    readers = Readers(cast(Sandbox, Here()), cast(Sandbox, Here()))
    async with Fetcher(free_policy(scene.sim)) as client:
        crawler = replace(scene.crawler, client=client, readers=readers, clock=lambda: datetime.now(UTC) - passed)
        for site in scene.sites.sites:
            if site.make in READABLE:
                board = await boards.claim(scene.database, OWNER, await scene.board_id(site))
                assert board is not None
                await crawler.crawl(board)
