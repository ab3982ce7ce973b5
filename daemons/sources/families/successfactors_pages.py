"""Pages of SAP SuccessFactors career sites, which both ways of reading their lists share."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from urllib.parse import urljoin

import msgspec
from lxml.html import HtmlElement

from daemons.sources.families.own_hosts import Portals
from daemons.sources.families.posting_pages import asked_address, page_request
from lib.errors import Gone, Malformed
from lib.net.messages import Request, Response
from lib.posting.contract import Posting, read_page
from lib.posting.jobposting import job_postings, read_job_posting
from lib.posting.links import Ids, web_url
from lib.posting.markup import joined
from lib.posting.trees import html_tree, inner_html, text_of
from lib.posting.values import day, moment

JOB = re.compile(r"/job/[^/?#]{1,400}/(\d{3,15})(?:-[a-z]{2}_[A-Z]{2})?(?=[/?#]|\Z)")
_JAVA_DATE = re.compile(r"[A-Z][a-z]{2} ([A-Z][a-z]{2} \d{1,2}) \d\d:\d\d:\d\d [A-Z]{3,4} (\d{4})", re.ASCII)
_TEXTS = (
    './/*[@itemprop="description"]', './/*[contains(concat(" ", @class, " "), " jobdescription ")]',
    './/*[@data-careersite-propertyid="description"]', './/*[contains(concat(" ", @class, " "), " joblayouttoken ")]',
)  # fmt: skip
_TITLES = ('.//*[@itemprop="title"]', './/*[@data-careersite-propertyid="title"]', ".//h1")


class PostingPages(Portals):
    """Sites whose postings are read on their own pages. `posting`: the path of such a page, of an id that is one of
    `ids`."""

    ids: Ids
    posting: str

    def detail_request(self, tenant: str, external_id: str, url: str) -> Request:
        host = self.hosts.host(tenant)
        return page_request(host, url, external_id, guess=self._page(host, self.ids.check(external_id)))

    def parse_detail(self, tenant: str, response: Response) -> Posting:
        """The full posting. Raises Malformed, Gone when its address leads elsewhere."""
        host, external_id = self.hosts.host(tenant), response.request.state
        return _read_detail(response, external_id, asked_address(response, host, self._page(host, external_id)))

    def _page(self, host: str, external_id: str) -> str:
        return f"https://{host}{self.posting.format(external_id)}"


def shown_day(text: str | None) -> datetime | None:
    """A date as pages show it: "Jul 9, 2026", "09.07.2026", "Tue Jul 14 07:00:00 UTC 2026", ISO 8601."""
    text = (text or "").strip()
    java = _JAVA_DATE.fullmatch(text)
    if java:
        text = f"{java[1]}, {java[2]}"
    if re.match(r"[A-Z][a-z]{2} \d", text):
        try:
            return moment(datetime.strptime(text, "%b %d, %Y").replace(tzinfo=UTC).isoformat())
        except ValueError:
            return None
    return (day(text, "dmy") if re.match(r"\d{1,2}\.\d", text) else None) or moment(text)


def results(body: bytes, board: str) -> list[dict[str, str | None]]:
    """The jobs on a page of search results, each once: id, title, url, place, date, department.

    A row names its job twice, for large screens and small ones. One that names several is read once.
    """
    found: dict[str, dict[str, str | None]] = {}
    read: dict[HtmlElement, dict[str, str | None]] = {}
    for link in html_tree(body).xpath('//a[contains(concat(" ", @class, " "), " jobTitle-link ")][@href]'):
        address = web_url(urljoin(f"{board}/", link.get("href")))
        job = JOB.search(address or "")
        if job is None or job[1] in found:
            continue
        row = _row_of(link)
        if row is not None and row not in read:
            read[row] = {
                "place": _first(row, './/*[contains(@class, "jobLocation")]', './/*[contains(@class, "location")]'),
                "date": _first(row, './/*[contains(@class, "jobDate")]'),
                "department": _first(row, './/*[contains(@class, "jobDepartment")]'),
            }
        said = read[row] if row is not None else {}
        found[job[1]] = {"id": job[1], "title": text_of(link), "url": address, **said}
    return list(found.values())


def _row_of(link: HtmlElement) -> HtmlElement | None:
    for element in link.iterancestors("tr", "li", "div"):
        classes = f" {element.get('class')} "
        if " data-row " in classes or " job-tile " in classes:
            return element
    return None


def _first(row: HtmlElement, *paths: str) -> str | None:
    """The first text at the first of these paths that has one."""
    return next((text for path in paths for element in row.xpath(path) if (text := text_of(element))), None)


def _read_detail(response: Response, external_id: str, url: str) -> Posting:
    """The posting on its own page. Its places are left to the list: the page cuts them off.

    Raises Malformed, Gone when the answer is another page: that is where withdrawn postings lead.
    """
    if external_id.partition("-")[0] not in response.url:
        raise Gone("redirected away from the posting", status=410)
    tree = html_tree(response.body)
    nodes = job_postings(tree)[:1]
    for node in nodes:
        stated = node.get("datePosted")
        shown = shown_day(stated) if isinstance(stated, str) else None
        node["datePosted"] = shown.isoformat() if shown else None
        node["title"] = node.get("title") or _first(tree, *_TITLES)
    page = read_page(nodes, lambda node: read_job_posting(node, external_id=external_id, url=url))
    text = next((joined(map(inner_html, found)) for path in _TEXTS if (found := tree.xpath(path)[:50])), "")
    if page.rows:
        return msgspec.structs.replace(page.rows[0], places=(), html=page.rows[0].html or text)
    title = _first(tree, *_TITLES)
    if title is None or not text:
        raise Malformed("no posting in the page")
    return Posting(external_id=external_id, title=title[:500], url=url, html=text)
