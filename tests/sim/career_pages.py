"""What a company's own site shows: its careers page, its postings in each make's way, its maps and rules for robots."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from html import escape
from typing import Any

import orjson

from tests.sim import career_twins as twins
from tests.sim.career_script import shell
from tests.sim.career_site import CompanySite, url_of
from tests.sim.pdf import pdf_of
from tests.sim.posting import Posting
from tests.sim.text import markup
from tests.sim.wire import HTML, Answer

_PER_PAGE = 4


def robots(site: CompanySite) -> str:
    """Its rules for robots, with the way to its map."""
    lines = ["User-agent: *", "Disallow: /intern/"]
    if site.make == "disallowed":
        lines.append("Disallow: /karriere")
    lines.append("Content-Signal: search=yes, ai-train=no")
    named = {"json_ld": "sitemap.xml", "sitemap_index": "sitemap-index.xml", "reserved": "sitemap.xml"}
    if site.make in named:
        lines.append(f"Sitemap: https://{site.host}/{named[site.make]}")
    return "\n".join(lines) + "\n"


def framed(site: CompanySite, title: str, body: str, head: str = "") -> bytes:
    """A page between the site's header and its footer."""
    name = escape(site.company.name)
    return (
        f'<!doctype html><html lang="de"><head><meta charset="utf-8"><title>{escape(title)} | {name}</title>'
        f'{head}</head><body><header><a href="/">{name}</a><nav><a href="/karriere">Karriere</a> '
        f'<a href="/produkte">Produkte</a></nav></header><main>{body}</main><footer><p>© 2026 {name}</p>'
        '<a href="/datenschutz">Datenschutz</a> <a href="/impressum">Impressum</a></footer></body></html>'
    ).encode()


def careers_page(site: CompanySite, postings: list[Posting], number: int) -> Answer:
    """What leads to the postings. `number`: which page of the list is asked for, from 1."""
    if site.make == "scripted":
        return Answer(shell(site.company.name), 200, HTML)
    if site.make == "sitemap_index":
        body = "<h1>Karriere</h1><p>Werden Sie Teil unseres Teams. Wir freuen uns auf Sie.</p>"
        return Answer(framed(site, "Karriere", body), 200, HTML, tagged=True)
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
    return Answer(framed(site, "Karriere", body), 200, HTML, tagged=True)


def _further(site: CompanySite, posting: Posting) -> str:
    urls = twins.further_links(url_of(site, posting), posting.key) if site.twins else []
    if posting.language == "en":  # files are in German
        urls = [url for url in urls if not url.endswith(".pdf")]
    return "".join(f' <a href="{escape(url)}">{escape(posting.title)}</a>' for url in urls)


def bare(answer: Answer) -> Answer:
    """A page without its menus and without what its head says."""
    text = re.sub(r"<header>.*?</header>|<link [^>]*>", "", answer.body.decode())
    return Answer(text.encode(), answer.status, answer.content_type, answer.headers)


def show(site: CompanySite, posting: Posting, path: str) -> Answer:
    """An open posting as the site's make shows it at `path`."""
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


def ended(site: CompanySite, path: str) -> Answer:
    """What is left of a posting: each make has its own way."""
    gone = framed(site, "Stelle nicht gefunden", "<h1>Hoppla</h1><p>Diese Stelle ist leider nicht mehr verfügbar.</p>")
    if site.make == "sitemap_index":
        return Answer(b"", 302, HTML, {"Location": f"https://{site.host}/karriere"})
    if site.make == "plain":
        return Answer(gone, 200, HTML)
    if site.make == "paginated":
        body = "<h1>Danke</h1><p>Die ausgeschriebene Position wurde bereits besetzt.</p>"
        return Answer(framed(site, "Karriere", body), 200, HTML)
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
    return framed(site, posting.title, body, _languages(site, posting))


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
    return framed(site, posting.title, f"<h1>{escape(posting.title)}</h1>{_text(posting)}", head)


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
    return framed(site, posting.title, body, _languages(site, posting))


def sitemap(site: CompanySite, postings: list[Posting], *, packed: bool = False) -> Answer:
    """The addresses of the postings, and of a page that is none."""
    entries = "".join(
        f"<url><loc>{escape(url_of(site, one))}</loc><lastmod>{one.published.date().isoformat()}</lastmod></url>"
        for one in postings
    )
    entries += f"<url><loc>https://{site.host}/produkte/pumpen</loc></url>"
    text = f'<?xml version="1.0"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{entries}</urlset>'
    return Answer(gzip.compress(text.encode(), mtime=0) if packed else text.encode(), 200, "application/xml")


def sitemap_index(site: CompanySite) -> Answer:
    """Where the site's maps are."""
    names = ("sitemap-produkte.xml", "sitemap-karriere.xml.gz")
    entries = "".join(f"<sitemap><loc>https://{site.host}/{name}</loc></sitemap>" for name in names)
    text = f'<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{entries}</sitemapindex>'
    return Answer(text.encode(), 200, "application/xml")


def jobs(site: CompanySite, postings: list[Posting]) -> Answer:
    """The list that the script of an empty page asks for."""
    rows = [{"title": one.title, "path": url_of(site, one).partition(site.host)[2]} for one in postings]
    return Answer(orjson.dumps(rows), tagged=True)
