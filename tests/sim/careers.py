"""Companies without a job-board system: their own sites, each made by another hand.

The sites stand beside the boards: their companies and postings are drawn in the same way, and have days as well.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date, timedelta
from random import Random
from typing import Any

from tests.sim import career_pages as pages
from tests.sim import career_twins as twins
from tests.sim.career_script import SCRIPT
from tests.sim.career_site import MAKES, CompanySite, url_of
from tests.sim.companies import found_companies
from tests.sim.posting import Edit, Language, Posting, draw_posting
from tests.sim.wire import HTML, Answer, Asked

_FIRST_KEY = 700_000  # far from the boards' postings
_PATH = re.compile(r"/(?:karriere/stelle|media/stellen|api/jobs)/[a-z0-9-]*?(\d{7,})(?:-neu)?(?:\.pdf|\.json)?")


class Sites:
    """`count` company sites, of all makes in turn."""

    def __init__(self, seed: int, count: int, start: date, *, postings: int = 9, twins: bool = False) -> None:
        self._seed = seed
        self._start = start
        self._day = 0
        self._opened: dict[int, int] = {}
        self._language: dict[int, Language] = {}
        self._edits: dict[int, tuple[Edit, ...]] = {}
        rng = Random(f"{seed}:sites")
        self.sites = [
            CompanySite(company, MAKES[number % len(MAKES)], twins=twins)
            for number, company in enumerate(found_companies(count, rng))
        ]
        self._hosts = {site.host: site for site in self.sites} | {site.company.domain: site for site in self.sites}
        for site in self.sites:
            for _ in range(postings):
                self._open(site, -rng.randint(1, 30))

    def _open(self, site: CompanySite, day: int) -> None:
        key = _FIRST_KEY + len(self._opened)
        self._opened[key] = day
        self._language[key] = "en" if site.make != "plain" and key % 3 == 0 else "de"
        site.open.append(key)

    def posting(self, site: CompanySite, key: int) -> Posting:
        """The posting with index `key`."""
        opened = self._start + timedelta(days=self._opened[key])
        return draw_posting(self._seed, key, site.company, self._language[key], opened, self._edits.get(key, ()))

    def advance(self) -> None:
        """The next day: on each site the oldest posting ends and a new one begins."""
        self._day += 1
        for site in self.sites:
            self.close(site, site.open[0])
            self._open(site, self._day)

    def some_day(self, rng: Random) -> None:
        """The next day, on which each site may open, close, change, move and reopen postings."""
        self._day += 1
        for site in self.sites:
            if rng.random() < 0.5:
                self._open(site, self._day)
            if rng.random() < 0.5 and len(site.open) > 2:
                self.close(site, rng.choice(site.open))
            if rng.random() < 0.2 and site.closed:
                self.reopen(site, rng.choice(site.closed))
            if rng.random() < 0.3:
                self.edit(rng.choice(site.open))
            if rng.random() < 0.1:
                site.renamed.add(rng.choice(site.open))

    def close(self, site: CompanySite, key: int) -> None:
        """Ends an open posting."""
        site.open.remove(key)
        site.closed.append(key)

    def reopen(self, site: CompanySite, key: int) -> None:
        """Begins a posting that has ended once more."""
        site.closed.remove(key)
        site.open.append(key)

    def edit(self, key: int) -> None:
        """Changes the text of a posting."""
        self._edits[key] = (*self._edits.get(key, ()), "text")

    def truth(self) -> Iterator[dict[str, Any]]:
        """The truth of each open posting, with the address of its page. `forbidden`: it is not for us."""
        for site in self.sites:
            for key in site.open:
                posting = self.posting(site, key)
                yield {
                    "source": "careers",
                    "tenant": site.tenant,
                    "external_id": str(posting.number),
                    "url": url_of(site, posting),
                    "title": posting.title,
                    "company": site.company.name,
                    "make": site.make,
                    "forbidden": site.is_forbidden,
                    **posting.truth(),
                }

    def board_list(self) -> list[dict[str, Any]]:
        """Every site as the boards are listed; the companies' names are for the sites to say."""
        return [
            {
                "source": "careers",
                "tenant": site.tenant,
                "url": site.url,
                "company": None,
                "open": 0 if site.is_forbidden else len(site.open),
            }
            for site in self.sites
        ]

    def answer(self, asked: Asked) -> Answer | None:
        """The answer of one of the sites, None for any other host."""
        site = self._hosts.get(asked.host)
        if site is None:
            return None
        if asked.path == "/robots.txt":
            return Answer(pages.robots(site).encode(), content_type="text/plain")
        path = twins.meant(asked.path)
        found = _PATH.fullmatch(path)
        if found:
            answer = self._posting_page(site, int(found[1]), path)
            return pages.bare(answer) if twins.is_print_view(asked.query) else answer
        return self._other(site, asked) or Answer(
            pages.framed(site, "Nicht gefunden", "<h1>Seite nicht gefunden</h1>"), 404, HTML
        )

    def _posting_page(self, site: CompanySite, number: int, path: str) -> Answer:
        for key in (*site.open, *site.closed):
            posting = self.posting(site, key)
            if posting.number == number:
                now_at = url_of(site, posting).partition(site.host)[2]
                if path.startswith("/karriere") and path.removesuffix(".pdf") != now_at:
                    return Answer(b"", 301, HTML, {"Location": f"https://{site.host}{now_at}"})
                return pages.show(site, posting, path) if key in site.open else pages.ended(site, path)
        return Answer(b"", 404, HTML)

    def _other(self, site: CompanySite, asked: Asked) -> Answer | None:
        postings = [self.posting(site, key) for key in site.open]
        path = asked.path.rstrip("/") or "/"
        if path == "/karriere":
            return pages.careers_page(site, postings, int(asked.query.get("seite", "1") or 1))
        paths: Mapping[str, Callable[[], Answer]] = {
            "/": lambda: Answer(
                pages.framed(site, site.company.name, "<h1>Willkommen</h1><p>Wir über uns.</p>"), 200, HTML
            ),
            "/datenschutz": lambda: Answer(pages.framed(site, "Datenschutz", "<h1>Datenschutz</h1>"), 200, HTML),
            "/sitemap.xml": lambda: pages.sitemap(site, postings),
            "/sitemap-index.xml": lambda: pages.sitemap_index(site),
            "/sitemap-karriere.xml.gz": lambda: pages.sitemap(site, postings, packed=True),
            "/karriere/app.js": lambda: Answer(SCRIPT.encode(), 200, "text/javascript"),
            "/api/jobs.json": lambda: pages.jobs(site, postings),
            "/.well-known/tdmrep.json": lambda: Answer(b'[{"location": "/karriere/*", "tdm-reservation": 1}]'),
        }
        needs = {
            "/sitemap.xml": ("json_ld", "reserved", "disallowed"),
            "/sitemap-index.xml": ("sitemap_index",),
            "/sitemap-karriere.xml.gz": ("sitemap_index",),
            "/karriere/app.js": ("scripted",),
            "/api/jobs.json": ("scripted",),
            "/.well-known/tdmrep.json": ("reserved",),
        }
        return paths[path]() if path in paths and site.make in needs.get(path, MAKES) else None
