"""Which of a page's links, and of a sitemap's addresses, are worth a visit. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from daemons.careers.pages import Lead, Page
from daemons.careers.reading import Anchor, Reading
from daemons.careers.site import Site, address, hints_at_job, is_aside, is_document, is_further_page
from daemons.careers.words import GENDERS

MAX_DEPTH = 3
MAX_LEADS = 1_000
_TO_JOBS = re.compile(
    r"\b(?:jobs?|stellen\w*|karriere\w*|career\w*|vacanc\w*|offene positionen|open (?:positions|roles)|ausbildung\w*|"
    r"praktik\w*|werkstudent\w*|arbeiten bei|join us|mitarbeiter gesucht|wir suchen)\b",
    re.IGNORECASE,
)
_TO_ONE = re.compile(
    r"^(?:mehr(?: erfahren| infos?| details)?|details?|zur (?:stelle\w*|anzeige|ausschreibung)|ansehen|anzeigen|"
    r"weiterlesen|read more|learn more|view(?: job| details)?|more)\W*$",
    re.IGNORECASE,
)
_ONWARD = re.compile(
    r"^(?:\d{1,3}|weiter\w*|nächste\w*(?: seite)?|next(?: page)?|ältere\w*|more jobs|[›»>→]+)\W*$", re.I
)
_OTHER_SITEMAP = re.compile(r"product|produkt|image|video|news|blog|tag|author|categor|event|presse|shop|media", re.I)


def from_page(page: Page, reading: Reading, site: Site) -> list[Lead]:
    """The pages that `page` leads to: jobs, lists and further pages of a list. A job's page leads nowhere else."""
    if reading.stands_for is not None:
        return [Lead(url=reading.stands_for, depth=page.depth)]
    if reading.verdict not in ("list", "other") or page.depth >= MAX_DEPTH:
        return []
    of_jobs = reading.verdict == "list" or hints_at_job(page.url) or (page.depth == 0 and bool(site.prefix))
    found = (_lead(page, anchor, of_jobs=of_jobs) for anchor in reading.links)
    return [lead for lead in found if lead is not None][:MAX_LEADS]


def _lead(page: Page, anchor: Anchor, *, of_jobs: bool) -> Lead | None:
    url, text = anchor.url, anchor.text
    marked = bool(GENDERS.search(text))
    if is_document(url):
        wanted = of_jobs and (marked or hints_at_job(url) or bool(_TO_JOBS.search(text)))
        return Lead(url=url, depth=page.depth + 1, kind="document") if wanted else None
    if of_jobs and is_further_page(url, page.url):
        return Lead(url=url, depth=page.depth, kind="list")
    if marked or hints_at_job(url) or _TO_JOBS.search(text) or (of_jobs and (_TO_ONE.match(text) or text == "job")):
        return Lead(url=url, depth=page.depth + 1)
    return Lead(url=url, depth=page.depth) if of_jobs and _ONWARD.match(text) else None


def from_sitemap(pages: Mapping[str, str], site: Site) -> Iterator[Lead]:
    """The pages of a sitemap that look like jobs, in its order."""
    for written, lastmod in pages.items():
        url = address(written, site.start)
        if url is not None and site.may_list(url) and not is_aside(url):
            yield Lead(url=url, depth=1, kind="document" if is_document(url) else "unknown", lastmod=lastmod)


def sitemaps_to_read(listed: Sequence[str], site: Site) -> list[str]:
    """The sitemaps of an index that may have jobs in them, those that say so by their names first."""
    own = [url for url in listed if site.has(url)]
    named = [url for url in own if hints_at_job(url.replace("sitemap", ""))]
    others = [url for url in own if url not in set(named) and not _OTHER_SITEMAP.search(url)]
    return named + others
