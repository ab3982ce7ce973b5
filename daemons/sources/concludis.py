"""concludis job portals, pages only.

Source   https://{tenant}.concludis.de/ (leads to /prj/lst/{view}/GesamtlisteOffenePositionen.htm?page=N), then
         /prj/shw/{hash}/{id}/....htm for each text. Facts: three clients and a saved list in one of their tests, read
         2026-11; they disagree on whether every customer's list is in the page.
Shape    25 rows a page and their number in words ("206 Stellen gefunden"); each posting's page has a JSON-LD JobPosting
Units    dates are ISO 8601
Errors   none is known; a page without the number of postings is never taken for an empty board
Unsure   that the words at the end of a posting's address do not matter, which only an address that no list gave relies
         on; whether its hash ever changes (it is a part of the id here); unknown tenants; limits, ETag
Traps    the root redirects to the customer's view, whose hash is often but not always the same; rows are opened by a
         script; some customers' postings redirect elsewhere and then have no text here
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urljoin, urlsplit

from lxml import etree

from daemons.sources.families.page_rows import outermost, said
from daemons.sources.families.posting_pages import asked_address, only_posting, page_request, read_posting
from daemons.sources.families.subdomains import Subdomains
from lib.errors import Malformed
from lib.net.messages import Request, Response
from lib.posting.contract import Completeness, Confidence, Page, Posting, Record, read_page
from lib.posting.links import web_url
from lib.posting.trees import html_tree, text_of
from lib.posting.values import line, places

_VIEW = re.compile(r"/prj/lst/([0-9a-f]{32})/", re.ASCII)
_CURSOR = re.compile(r"([0-9a-f]{32}|):(\d{1,4})", re.ASCII)
_ID = re.compile(r"(\d{1,12})-([0-9a-f]{32}_\d{1,6})", re.ASCII)
_OPENED = re.compile(r"\(\s*['\"]([^'\"\s]{1,1500})['\"]")
_POSTING = re.compile(r"/prj/shw/([0-9a-f]{32}_\d{1,6})/(\d{1,12})/", re.ASCII)
_ROW = re.compile(r"line_\d{1,12}", re.ASCII)
_FOUND = re.compile(r"(\d{1,6})\s+(?:Stellen?|Jobs?|positions?|vacanc\w+)\b", re.ASCII | re.IGNORECASE)
_SUMMARY = re.compile(r"\bam Standort\s+(.{2,120}?)(?:\s+-\s+([^-]{2,60}))?\Z")
_PAGE_SIZE = 25
_MAX_PAGES = 400


class Concludis(Subdomains):
    name = "concludis"
    title = "concludis"
    completeness = Completeness.TOTAL
    confidence = Confidence.PARTIAL
    ending = ".concludis.de"
    reserved = frozenset({"static"})
    page = "/"

    def request(self, tenant: str, cursor: str | None) -> Request:
        if cursor is None:
            return Request(url=self.board_url(tenant))
        found = _CURSOR.fullmatch(cursor)
        if found is None:
            raise Malformed(f"{cursor[:80]!r} is no page of a view")
        view = f"{found[1]}/GesamtlisteOffenePositionen.htm" if found[1] else ""
        return Request(url=f"{self.board_url(tenant)}prj/lst/{view}", params={"page": found[2]})

    def parse(self, tenant: str, response: Response) -> Page:
        board = self.board_url(tenant)
        tree = html_tree(response.body)
        total = _total(tree)
        rows = _rows(tree)
        number = int(response.request.params.get("page", "1"))
        if number > _MAX_PAGES:
            raise Malformed(f"more than {_MAX_PAGES} pages")
        view = _VIEW.search(urlsplit(response.url).path)
        goes_on = rows and number * _PAGE_SIZE < total
        cursor = f"{view[1] if view else ''}:{number + 1}" if goes_on else None
        return read_page(rows, lambda row: _row(row, board), total=total, cursor=cursor)

    def detail_request(self, tenant: str, external_id: str, url: str) -> Request:
        guess = _address(self.board_url(tenant), external_id)
        return page_request(self.host(tenant), url, external_id, guess=guess, params={"b": "0"})

    def parse_detail(self, tenant: str, response: Response) -> Posting:
        """The full posting. Raises Malformed when the page has none."""
        node, external_id = only_posting(response.body), response.request.state
        guess = _address(self.board_url(tenant), external_id)
        return read_posting(node, external_id, asked_address(response, self.host(tenant), guess))


def _address(board: str, external_id: str) -> str:
    found = _ID.fullmatch(external_id)
    if found is None:
        raise Malformed(f"{external_id[:80]!r} cannot be the id of a posting")
    return f"{board}prj/shw/{found[2]}/{found[1]}/stelle.htm"


def _total(tree: etree._Element) -> int:
    found = _FOUND.search(said(tree, "stellensum") or "")
    if found:
        return int(found[1])
    raise Malformed("the page does not say how many postings there are")


def _rows(tree: etree._Element) -> list[dict[str, Any]]:
    """What each row says, as JSON-like objects."""
    return [
        {"onclick": row.get("onclick")} | {_name(span): text_of(span) for span in outermost(row, _is_named_span)}
        for row in outermost(tree, lambda one: _ROW.fullmatch(one.get("id") or "") is not None)
    ]


def _is_named_span(element: etree._Element) -> bool:
    return element.tag == "span" and bool((element.get("class") or "").split())


def _name(span: etree._Element) -> str:
    """The last class: "headerlink stellenlink" is "stellenlink"."""
    return (span.get("class") or "").split()[-1]


def _row(row: Record, board: str) -> Posting:
    opened = _OPENED.search(row.need("onclick", str))
    listed = urljoin(board, opened[1]).partition("?")[0] if opened else ""
    found = _POSTING.search(listed)
    if found is None:
        raise Malformed("no address of the posting")
    external_id = f"{found[2]}-{found[1]}"
    summary = _SUMMARY.search(row.get("kurzb", str) or "")
    return Posting(
        external_id=external_id,
        title=row.need("stellenlink", str),
        url=web_url(listed) or _address(board, external_id),
        places=places([summary[1] if summary else None]),
        employment_type=line(summary[2]) if summary else None,
    )
