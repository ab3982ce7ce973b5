"""Companies without a job-board system: their own sites, each made by another hand.

The sites stand beside the boards: their companies and postings are drawn in the same way, and have days as well.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from html import escape
from random import Random
from typing import Any

import orjson

from tests.sim import career_twins as twins
from tests.sim.career_script import SCRIPT, shell
from tests.sim.companies import Company, found_companies
from tests.sim.pdf import pdf_of
from tests.sim.posting import Edit, Language, Posting, draw_posting
from tests.sim.text import markup
from tests.sim.wire import HTML, Answer, Asked

MAKES = (
    "json_ld", "microdata", "plain", "documents", "sitemap_index", "paginated", "scripted", "reserved", "disallowed",
)  # fmt: skip
_FIRST_KEY = 700_000  # far from the boards' postings
_PER_PAGE = 4
_FOLD = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})
_PATH = re.compile(r"/(?:karriere/stelle|media/stellen|api/jobs)/[a-z0-9-]*?(\d{7,})(?:-neu)?(?:\.pdf|\.json)?")


@dataclass
class CompanySite:
    """One company's site. `open`, `closed`: indices of its postings today; `renamed`: those whose page has moved.

    `twins`: whether lists lead to further addresses of the same ads.
    """

    company: Company
    make: str
    open: list[int] = field(default_factory=list)
    closed: list[int] = field(default_factory=list)
    renamed: set[int] = field(default_factory=set)
    twins: bool = False

    @property
    def host(self) -> str:
        """Where it is."""
        return f"www.{self.company.domain}"

    @property
    def tenant(self) -> str:
        """As the crawler calls it."""
        return f"{self.host}/karriere"

    @property
    def url(self) -> str:
        """The careers page."""
        return f"https://{self.tenant}"

    @property
    def is_forbidden(self) -> bool:
        """Whether its postings are not for robots, or not for text mining."""
        return self.make in ("reserved", "disallowed")


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
            return Answer(_robots(site).encode(), content_type="text/plain")
        path = twins.meant(asked.path)
        found = _PATH.fullmatch(path)
        if found:
            answer = self._posting_page(site, int(found[1]), path)
            return _bare(answer) if twins.is_print_view(asked.query) else answer
        return self._other(site, asked) or Answer(
            _page(site, "Nicht gefunden", "<h1>Seite nicht gefunden</h1>"), 404, HTML
        )

    def _posting_page(self, site: CompanySite, number: int, path: str) -> Answer:
        for key in (*site.open, *site.closed):
            posting = self.posting(site, key)
            if posting.number == number:
                now_at = url_of(site, posting).partition(site.host)[2]
                if path.startswith("/karriere") and path.removesuffix(".pdf") != now_at:
                    return Answer(b"", 301, HTML, {"Location": f"https://{site.host}{now_at}"})
                return _show(site, posting, path) if key in site.open else _ended(site, path)
        return Answer(b"", 404, HTML)

    def _other(self, site: CompanySite, asked: Asked) -> Answer | None:
        postings = [self.posting(site, key) for key in site.open]
        path = asked.path.rstrip("/") or "/"
        if path == "/karriere":
            return _careers_page(site, postings, int(asked.query.get("seite", "1") or 1))
        pages: Mapping[str, Callable[[], Answer]] = {
            "/": lambda: Answer(_page(site, site.company.name, "<h1>Willkommen</h1><p>Wir über uns.</p>"), 200, HTML),
            "/datenschutz": lambda: Answer(_page(site, "Datenschutz", "<h1>Datenschutz</h1>"), 200, HTML),
            "/sitemap.xml": lambda: _sitemap(site, postings),
            "/sitemap-index.xml": lambda: _sitemap_index(site),
            "/sitemap-karriere.xml.gz": lambda: _sitemap(site, postings, packed=True),
            "/karriere/app.js": lambda: Answer(SCRIPT.encode(), 200, "text/javascript"),
            "/api/jobs.json": lambda: _jobs(site, postings),
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
        return pages[path]() if path in pages and site.make in needs.get(path, MAKES) else None


def url_of(site: CompanySite, posting: Posting) -> str:
    """The address of a posting's page."""
    slug = re.sub(r"[^a-z0-9]+", "-", posting.title.lower().translate(_FOLD)).strip("-")
    if site.make == "documents":
        return f"https://{site.host}/media/stellen/{slug}-{posting.number}.pdf"
    moved = "-neu" if posting.key in site.renamed else ""
    return f"https://{site.host}/karriere/stelle/{slug}-{posting.number}{moved}"


def _robots(site: CompanySite) -> str:
    lines = ["User-agent: *", "Disallow: /intern/"]
    if site.make == "disallowed":
        lines.append("Disallow: /karriere")
    lines.append("Content-Signal: search=yes, ai-train=no")
    named = {"json_ld": "sitemap.xml", "sitemap_index": "sitemap-index.xml", "reserved": "sitemap.xml"}
    if site.make in named:
        lines.append(f"Sitemap: https://{site.host}/{named[site.make]}")
    return "\n".join(lines) + "\n"


def _page(site: CompanySite, title: str, body: str, head: str = "") -> bytes:
    name = escape(site.company.name)
    return (
        f'<!doctype html><html lang="de"><head><meta charset="utf-8"><title>{escape(title)} | {name}</title>'
        f'{head}</head><body><header><a href="/">{name}</a><nav><a href="/karriere">Karriere</a> '
        f'<a href="/produkte">Produkte</a></nav></header><main>{body}</main><footer><p>© 2026 {name}</p>'
        '<a href="/datenschutz">Datenschutz</a> <a href="/impressum">Impressum</a></footer></body></html>'
    ).encode()


def _careers_page(site: CompanySite, postings: list[Posting], number: int) -> Answer:
    if site.make == "scripted":
        return Answer(shell(site.company.name), 200, HTML)
    if site.make == "sitemap_index":
        body = "<h1>Karriere</h1><p>Werden Sie Teil unseres Teams. Wir freuen uns auf Sie.</p>"
        return Answer(_page(site, "Karriere", body), 200, HTML, tagged=True)
    pages = -(-len(postings) // _PER_PAGE) if site.make == "paginated" else 1
    if site.make == "paginated":
        postings = postings[(number - 1) * _PER_PAGE : number * _PER_PAGE]
    links = "".join(
        f'<li><a href="{escape(url_of(site, one).partition(site.host)[2])}">{escape(one.title)}</a>'
        f"{_further(site, one)}</li>"
        for one in postings
    )
    further = "".join(f'<a href="/karriere?seite={page}">{page}</a> ' for page in range(1, pages + 1)) * (pages > 1)
    body = f"<h1>Unsere Stellenangebote</h1><ul>{links}</ul><p>{further}</p>"
    return Answer(_page(site, "Karriere", body), 200, HTML, tagged=True)


def _further(site: CompanySite, posting: Posting) -> str:
    urls = twins.further_links(url_of(site, posting), posting.key) if site.twins else []
    if posting.language == "en":  # files are in German
        urls = [url for url in urls if not url.endswith(".pdf")]
    return "".join(f' <a href="{escape(url)}">{escape(posting.title)}</a>' for url in urls)


def _bare(answer: Answer) -> Answer:
    """A page without its menus and without what its head says."""
    text = re.sub(r"<header>.*?</header>|<link [^>]*>", "", answer.body.decode())
    return Answer(text.encode(), answer.status, answer.content_type, answer.headers)


def _show(site: CompanySite, posting: Posting, path: str) -> Answer:
    makers: Mapping[str, Callable[[CompanySite, Posting], bytes]] = {
        "json_ld": _json_ld, "reserved": _json_ld, "disallowed": _json_ld, "microdata": _microdata,
    }  # fmt: skip
    if path.endswith(".pdf"):
        return Answer(pdf_of(posting), 200, "application/pdf", tagged=True)
    if site.make == "scripted":
        if path.startswith("/api/"):
            return Answer(orjson.dumps({"title": posting.title, "html": _text(posting)}), tagged=True)
        return Answer(shell(site.company.name), 200, HTML)
    return Answer(makers.get(site.make, _plain)(site, posting), 200, HTML, tagged=True)


def _ended(site: CompanySite, path: str) -> Answer:
    """What is left of a posting: each make has its own way."""
    gone = _page(site, "Stelle nicht gefunden", "<h1>Hoppla</h1><p>Diese Stelle ist leider nicht mehr verfügbar.</p>")
    if site.make == "sitemap_index":
        return Answer(b"", 302, HTML, {"Location": f"https://{site.host}/karriere"})
    if site.make == "plain":
        return Answer(gone, 200, HTML)
    if site.make == "paginated":
        body = "<h1>Danke</h1><p>Die ausgeschriebene Position wurde bereits besetzt.</p>"
        return Answer(_page(site, "Karriere", body), 200, HTML)
    if site.make == "scripted" and not path.startswith("/api/"):
        return Answer(shell(site.company.name), 200, HTML)
    return Answer(gone, 410 if site.make == "json_ld" else 404, HTML)


def _text(posting: Posting) -> str:
    return "".join(markup(section, posting.company.style) for section in posting.sections())


def _facts(posting: Posting) -> str:
    label = "Einsatzort" if posting.language == "de" else "Location"
    names = ", ".join(city.english if posting.language == "en" else city.name for city in posting.cities)
    return f"<p><strong>{label}:</strong> {escape(names)}</p>"


def _plain(site: CompanySite, posting: Posting) -> bytes:
    apply = "Jetzt bewerben" if posting.language == "de" else "Apply now"
    body = (
        f"<h1>{escape(posting.title)}</h1>{_facts(posting)}{_text(posting)}"
        f'<p><a href="mailto:jobs@{site.company.domain}">{apply}</a></p>'
    )
    return _page(site, posting.title, body, _languages(site, posting))


def _languages(site: CompanySite, posting: Posting) -> str:
    return twins.language_links(url_of(site, posting)) if site.twins and twins.has_languages(posting.key) else ""


def _node(posting: Posting) -> dict[str, Any]:
    city = posting.city
    return {
        "@context": "https://schema.org/",
        "@type": "JobPosting",
        "title": posting.title,
        "description": _text(posting),
        "datePosted": posting.published.date().isoformat(),
        "validThrough": (posting.published + timedelta(days=400)).isoformat(),
        "hiringOrganization": {"@type": "Organization", "name": posting.company.name},
        "jobLocation": [
            {
                "@type": "Place",
                "address": {
                    "@type": "PostalAddress",
                    "addressLocality": one.english if posting.language == "en" else one.name,
                    "addressCountry": city.country,
                },
            }
            for one in posting.cities
        ],
    }


def _json_ld(site: CompanySite, posting: Posting) -> bytes:
    node = _node(posting)
    text = orjson.dumps(({"@graph": [node]}, [node], node)[posting.key % 3]).decode().replace("</", "<\\/")
    if posting.key % 4 == 0:
        text = escape(text)
    head = f'<script type="application/ld+json">{text}</script>'
    head += f'<link rel="canonical" href="{url_of(site, posting)}">{_languages(site, posting)}'
    return _page(site, posting.title, f"<h1>{escape(posting.title)}</h1>{_text(posting)}", head)


def _microdata(site: CompanySite, posting: Posting) -> bytes:
    node = _node(posting)
    places = "".join(
        '<span itemprop="jobLocation" itemscope itemtype="https://schema.org/Place"><span itemprop="address" itemscope '
        f'itemtype="https://schema.org/PostalAddress"><span itemprop="addressLocality">'
        f"{escape(place['address']['addressLocality'])}</span></span></span>"
        for place in node["jobLocation"]
    )
    body = (
        '<div itemscope itemtype="https://schema.org/JobPosting">'
        f'<h1 itemprop="title">{escape(posting.title)}</h1>{places}<time itemprop="datePosted" '
        f'datetime="{node["datePosted"]}"></time><span itemprop="hiringOrganization" itemscope '
        f'itemtype="https://schema.org/Organization"><span itemprop="name">{escape(posting.company.name)}</span></span>'
        f'<div itemprop="description">{_text(posting)}</div></div>'
    )
    return _page(site, posting.title, body, _languages(site, posting))


def _sitemap(site: CompanySite, postings: list[Posting], *, packed: bool = False) -> Answer:
    entries = "".join(
        f"<url><loc>{escape(url_of(site, one))}</loc><lastmod>{one.published.date().isoformat()}</lastmod></url>"
        for one in postings
    )
    entries += f"<url><loc>https://{site.host}/produkte/pumpen</loc></url>"
    text = f'<?xml version="1.0"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{entries}</urlset>'
    return Answer(gzip.compress(text.encode(), mtime=0) if packed else text.encode(), 200, "application/xml")


def _sitemap_index(site: CompanySite) -> Answer:
    names = ("sitemap-produkte.xml", "sitemap-karriere.xml.gz")
    entries = "".join(f"<sitemap><loc>https://{site.host}/{name}</loc></sitemap>" for name in names)
    text = f'<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{entries}</sitemapindex>'
    return Answer(text.encode(), 200, "application/xml")


def _jobs(site: CompanySite, postings: list[Posting]) -> Answer:
    rows = [{"title": one.title, "path": url_of(site, one).partition(site.host)[2]} for one in postings]
    return Answer(orjson.dumps(rows), tagged=True)
