"""SAP SuccessFactors career sites: a feed with the whole board, or a sitemap and a search that loses rows."""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape
from random import Random
from urllib.parse import quote

from tests.sim.companies import Company
from tests.sim.hosted import Hosted
from tests.sim.places import City
from tests.sim.posting import Posting
from tests.sim.text import markup
from tests.sim.view import View
from tests.sim.wire import HTML, Answer, Asked, Call, Saved, missing, page, size

_JOB = re.compile(r"/job/[^/]+/(\d{1,15})/?")
_BASE = 1_100_000_000
_PAGE_SIZE = 25
_XML = "text/xml; charset=utf-8"
_STEPS = {"/googlefeed.xml": "feed", "/sitemap.xml": "sitemap", "/search/": "search"}


class SuccessFactors(Hosted):
    """{name}.jobs2web.com. Every third customer or so switched the feed off, half of them with a page in its place.

    `lost`: which share of a search page's rows is replaced by rows of the page before, as the real paging does.
    """

    name = "successfactors"
    hosts = re.compile(r"([a-z0-9-]+)\.jobs2web\.com")
    also = ("sap_successfactors",)
    lost = 0.0

    def tenant(self, company: Company) -> str:
        return "-".join(company.words).lower()

    def board_url(self, tenant: str) -> str:
        return f"https://{quote(tenant)}.jobs2web.com"

    def external_id(self, posting: Posting) -> str:
        return str(_BASE + posting.number)

    def posting_url(self, tenant: str, posting: Posting) -> str:
        return f"{self.board_url(tenant)}{self._path(posting)}"

    def robots(self, host: str) -> str | None:
        return "User-agent: *\nDisallow: /services/\nDisallow: /talentcommunity/\n"

    def route_of(self, tenant: str, asked: Asked) -> Call | None:
        job = _JOB.fullmatch(asked.path)
        if job:
            return Call("detail", tenant, (int(job[1]),))
        step = _STEPS.get(asked.path, "home" if asked.path == "/" else "")
        start = size(asked.query.get("startrow"), 0, 999_999)
        kind = "list" if step in ("feed", "search") else "page"
        return Call(kind, tenant, (step, start)) if step else None

    def answer(self, call: Call, view: View) -> Answer:
        if call.kind == "detail":
            found = view.find(int(call.args[0]) - _BASE)
            if found is None or not found[1]:
                return Answer(b"", 302, headers={"Location": "/search/"})
            return _detail(found[0])
        if call.args[0] == "feed":
            return self._feed(view)
        if call.args[0] == "sitemap":
            return self._sitemap(view)
        return self._search(view, int(call.args[1]))

    def unknown(self, call: Call) -> Answer:
        return page("SAP SuccessFactors", "<h1>SAP SuccessFactors</h1>")

    def replay(self, call: Call, saved: Saved) -> Answer:
        feed = b"<rss" in saved.listing
        if call.args[:1] == ("feed",):
            return Answer(saved.listing, content_type=_XML) if feed else missing()
        if call.args[:1] == ("sitemap",) and not feed:
            jobs = sorted(set(re.findall(r'href="(/job/[^"]+)"', saved.listing.decode())))
            return _urlset(f"https://{call.tenant}.jobs2web.com{job}" for job in jobs)
        return Answer(saved.listing, content_type=HTML) if call.args[:1] == ("search",) else missing()

    def _path(self, posting: Posting) -> str:
        slug = quote(re.sub(r"[^\w()]+", "-", f"{posting.city.name} {posting.title}"))
        return f"/job/{slug}/{self.external_id(posting)}/"

    def _feed(self, view: View) -> Answer:
        company = view.board.company
        if company.quirk < 0.35:
            return page("Feed", "<p>This feed is switched off.</p>") if company.index % 2 else missing()
        items = "".join(self._item(posting, view.board.tenant) for posting in view.postings())
        head = f"<title>{escape(company.name)}</title><description>Jobs</description>"
        document = (
            '<?xml version="1.0" encoding="UTF-8" ?><rss version="2.0" xmlns:g="http://base.google.com/ns/1.0">'
            f"<channel>{head}{items}</channel></rss>"
        )
        return Answer(document.encode(), content_type=_XML, tagged=True)

    def _item(self, posting: Posting, tenant: str) -> str:
        place, number = _place(posting.city), self.external_id(posting)
        text = posting.title if posting.number % 10 == 0 else escape(_text(posting))
        return (
            f"<item><title>{escape(posting.title)} ({escape(place)})</title>"
            f"<description><![CDATA[{text}]]></description>"
            f'<link>{self.posting_url(tenant, posting)}?feedId=1</link><guid isPermaLink="false">{number}</guid>'
            f"<g:id>{number}</g:id><g:location>{escape(place)}</g:location>"
            f"<g:employer>{escape(posting.company.name)}</g:employer><g:job_function>ATS_WEBFORM</g:job_function>"
            "</item>"
        )

    def _sitemap(self, view: View) -> Answer:
        return _urlset(self.posting_url(view.board.tenant, posting) for posting in view.postings())

    def _search(self, view: View, start: int) -> Answer:
        postings = view.postings(start, start + _PAGE_SIZE)
        before = view.postings(max(0, start - _PAGE_SIZE), start)
        chance = Random(view.market.seed * 31 + start)
        shown = [chance.choice(before) if before and chance.random() < self.lost else one for one in postings]
        rows = "".join(self._result(posting) for posting in shown)
        last = min(start + _PAGE_SIZE, view.total)
        label = f'<span class="paginationLabel">Results <b>{start + 1} – {last}</b> of <b>{view.total}</b></span>'
        return page(view.board.company.name, f'{label}<table id="searchresults"><tbody>{rows}</tbody></table>')

    def _result(self, posting: Posting) -> str:
        link = f'<a href="{self._path(posting)}" class="jobTitle-link">{escape(posting.title)}</a>'
        small = f'<span class="jobTitle visible-phone">{link}</span>'
        more = f" +{len(posting.cities) - 1} more…" if len(posting.cities) > 1 else ""
        place = f'<span class="jobLocation">{escape(_place(posting.city))}{more}</span>'
        shown = posting.published.strftime("%d.%m.%Y" if posting.language == "de" else "%b %d, %Y")
        return (
            f'<tr class="data-row"><td class="colTitle"><span class="jobTitle hidden-phone">{link}</span>'
            f'<div class="jobdetail-phone visible-phone">{small}{place}</div>'
            f'</td><td class="colLocation">{place}</td>'
            f'<td class="colDepartment"><span class="jobDepartment">{escape(posting.department)}</span></td>'
            f'<td class="colDate"><span class="jobDate">{shown}</span></td></tr>'
        )


def _urlset(urls: Iterable[str]) -> Answer:
    entries = "".join(f"<url><loc>{escape(url)}</loc></url>" for url in urls)
    document = f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{entries}</urlset>'
    return Answer(document.encode(), content_type=_XML, tagged=True)


def _place(city: City) -> str:
    return f"{city.name}, {city.region_code}, {city.country}, {city.postal}"


def _text(posting: Posting) -> str:
    return "".join(markup(section, posting.company.style) for section in posting.sections())


def microdata(posting: Posting) -> str:
    """A posting's page content with schema.org microdata."""
    shown = posting.published.strftime("%a %b %d %H:%M:%S UTC %Y")
    return (
        '<div itemscope itemtype="http://schema.org/JobPosting"><h1>'
        f'<span itemprop="title" data-careersite-propertyid="title">{escape(posting.title)}</span></h1>'
        f'<meta itemprop="datePosted" content="{shown}">'
        f'<meta itemprop="hiringOrganization" content="{escape(posting.company.name)}">'
        '<span itemprop="jobLocation" itemscope itemtype="http://schema.org/Place"><span itemprop="address" itemscope'
        ' itemtype="http://schema.org/PostalAddress">'
        f'<meta itemprop="addressLocality" content="{escape(posting.city.name[:4])}">'
        f'<meta itemprop="addressCountry" content="{posting.city.country}"></span></span>'
        f'<div itemprop="description"><span class="jobdescription">{_text(posting)}</span></div></div>'
    )


def _detail(posting: Posting) -> Answer:
    return page(posting.title, microdata(posting))


SYSTEM = SuccessFactors()
