"""SAP SuccessFactors career sites (Recruiting Marketing), by their feed.

Source   https://{host}/googlefeed.xml; where it is switched off, /sitemap.xml and then /search/?startrow=
         A tenant is "acme" for acme.jobs2web.com, or a company's own host. Facts: working clients and a small feed,
         read 2026-11. No key. robots.txt is kept to; the JSON under /services/ is a source of its own.
Shape    RSS with the whole board and its texts; the search has 25 rows a page and no texts, the sitemap only addresses
Units    dates without a time, in the form of the page's language; no salary
Errors   an unknown host is unknown to DNS or shows the vendor's page; a withdrawn posting leads to the search; a feed
         that is switched off is 404, or 200 with a page
Unsure   whether every site has the feed; that a posting's address takes any slug, which only an address that no list
         gave relies on; limits and conditional GET are not documented
Traps    the search repeats rows and loses others between pages, so it is held against the sitemap's count and closes
         nothing when rows are missing; titles end in the place in brackets; a description may be the title again;
         `job_function` may be ATS_WEBFORM
"""

from __future__ import annotations

import re
from html import unescape
from typing import Any

from lxml import etree

from daemons.sources.families.own_hosts import OwnHosts
from daemons.sources.families.successfactors_pages import JOB, PostingPages, results, shown_day
from lib.errors import Malformed
from lib.net.messages import Request, Response
from lib.posting.contract import Completeness, Confidence, Page, Posting, Record, read_page
from lib.posting.countries import country_code
from lib.posting.links import Ids, Link, address_on, web_url
from lib.posting.trees import xml_tree
from lib.posting.values import language, line, moment, places

_GOOGLE = "{http://base.google.com/ns/1.0}"
_IDS = Ids(re.compile(r"\d{1,15}", re.ASCII))
_SEARCH = re.compile(r"search:(\d{1,6}):(\d{1,6})", re.ASCII)
_POSTING_PATH = re.compile(r"(?:[^/]{1,100}/)?job/[^/]{1,400}/\d{7,15}", re.ASCII)
_PAGE_SIZE = 25
_MORE_PLACES = re.compile(r"\s*\+\s*\d+ more\W*\Z", re.IGNORECASE)


class SuccessFactors(PostingPages):
    name = "successfactors"
    title = "SAP SuccessFactors"
    completeness = Completeness.DOCUMENT
    confidence = Confidence.WORKING
    hosts = OwnHosts("SAP SuccessFactors", ".jobs2web.com")
    ids = _IDS
    posting = "/job/x/{}/"

    def is_own(self, link: Link) -> bool:
        is_posting = _POSTING_PATH.fullmatch("/".join(link.segments)) is not None
        return is_posting or link.segments[-1:] == ("googlefeed.xml",)

    def request(self, tenant: str, cursor: str | None) -> Request:
        board = self.board_url(tenant)
        if cursor is None:
            return Request(url=f"{board}/googlefeed.xml", answers=frozenset({404, 410}))
        if cursor == "sitemap":
            return Request(url=f"{board}/sitemap.xml", state=cursor)
        start, _ = _place(cursor)
        return Request(url=f"{board}/search/", params={"q": "", "startrow": str(start)}, state=cursor)

    def parse(self, tenant: str, response: Response) -> Page:
        board, step = self.board_url(tenant), response.request.state
        if step.startswith("search:"):
            return _search_page(response, board)
        if not step and (response.status != 200 or b"<rss" not in response.body[:4_000]):
            return Page(rows=(), cursor="sitemap")
        root = xml_tree(response.body)
        if root.tag == "rss":
            items = root.iter("item")
            return read_page(map(_fields, items), lambda item: _row(item, board))
        if step and etree.QName(root).localname == "urlset":
            places = [loc.text or "" for loc in root.iter("{*}loc")]
            if not any(address_on(place.strip(), self.hosts.host(tenant)) for place in places):
                raise Malformed("a sitemap without a page of this site")
            jobs = {found[1] for place in places if (found := JOB.search(place))}
            return Page(rows=(), total=len(jobs), cursor=f"search:0:{len(jobs)}" if jobs else None)
        raise Malformed(f"a feed or a sitemap was expected, not {str(root.tag)[:80]}")


def _place(cursor: str) -> tuple[int, int]:
    """First row and number of all rows in a cursor of the search. Raises Malformed."""
    found = _SEARCH.fullmatch(cursor)
    if found is None:
        raise Malformed(f"{cursor[:80]!r} is no cursor")
    return int(found[1]), int(found[2])


def _search_page(response: Response, board: str) -> Page:
    start, total = _place(response.request.state)
    rows = results(response.body, board)
    following = start + _PAGE_SIZE
    cursor = f"search:{following}:{total}" if rows and following < total else None
    return read_page(rows, lambda row: _result(row, board), total=total, cursor=cursor)


def _result(row: Record, board: str) -> Posting:
    external_id = row.need("id", str)
    place, url = row.get("place", str), web_url(row.get("url", str))
    return Posting(
        external_id=external_id,
        title=line(row.need("title", str)) or "",
        url=url or f"{board}/job/x/{external_id}/",
        places=places([_MORE_PLACES.sub("", place) if place else None]),
        country=_country(place),
        department=row.get("department", str),
        posted_at=shown_day(row.get("date", str)),
    )


def _fields(item: etree._Element) -> dict[str, Any]:
    """The item as a JSON-like object; names of the Google namespace begin with `g:`."""
    return {str(child.tag).replace(_GOOGLE, "g:"): child.text or "" for child in item.iterchildren("*")}


def _row(item: Record, board: str) -> Posting:
    link, guid, number = web_url(item.get("link", str)), item.get("guid", str), item.get("g:id", str)
    job = JOB.search(link or "")
    external_id = job[1] if job else _IDS.check((number or guid or "").strip())
    place, title = line(item.get("g:location", str)), line(item.need("title", str)) or ""
    shown = title.removesuffix(f"({place})").rstrip() or title
    function = line(item.get("g:job_function", str))
    row = Posting(
        external_id=external_id,
        title=shown,
        url=link.partition("?")[0] if link else f"{board}/job/x/{external_id}/",
        company=line(item.get("g:employer", str)),
        places=places([place]),
        country=_country(place),
        department=None if function == "ATS_WEBFORM" else function,
        language=language(item.get("language", str)),
        valid_through=moment(item.get("g:expiration_date", str)),
        html=_text(item.html("description"), title, shown),
    )
    item.skip(("pubDate",))
    return row


def _country(place: str | None) -> str | None:
    """The country in "City, ST, CC, zip": the last part of two letters that a country has."""
    parts = [part.strip() for part in _MORE_PLACES.sub("", place or "").split(",")]
    if len(parts) > 1 and re.search(r"\d", parts[-1]):
        parts.pop()
    return country_code(parts[-1]) if len(parts) > 1 else None


def _text(description: str | None, *titles: str) -> str | None:
    """The description's markup, which is escaped once more than it should be; None when it is only the title again."""
    markup = unescape(description or "") if "&lt;" in (description or "") else (description or "")
    return None if line(markup) in (None, *titles) else markup
