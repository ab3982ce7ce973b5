"""concludis job portals, pages only.

Source   https://{tenant}.concludis.de/ (leads to /prj/lst/{view}/GesamtlisteOffenePositionen.htm?page=N), then
         /prj/shw/{hash}/{id}/....htm for each text. Facts: three clients and a saved list in one of their tests, read
         2026-11; they disagree on whether every customer's list is in the page.
Shape    25 rows a page and their number in words ("206 Stellen gefunden"); each posting's page has a JSON-LD JobPosting
Units    dates are ISO 8601
Errors   none is known; a page without the number of postings is never taken for an empty board
Unsure   that the words at the end of a posting's address do not matter; whether its hash ever changes (it is a part of
         the id here, as the page cannot be asked for without it); unknown tenants; limits, ETag
Traps    the root redirects to the customer's view, whose hash is often but not always the same; rows are opened by a
         script; some customers' postings redirect elsewhere and then have no text here
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from lxml import etree

from daemons.sources.families.page_rows import outermost, said
from lib.errors import Malformed
from lib.net.messages import Request, Response
from lib.posting.contract import Completeness, Confidence, Healthy, Page, Posting, Record, read_page
from lib.posting.jobposting import job_postings, read_job_posting
from lib.posting.links import Tenants, read_link
from lib.posting.trees import html_tree, text_of
from lib.posting.values import line, places

_TENANTS = Tenants(
    "concludis", re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?", re.ASCII), frozenset({"www", "api", "static"})
)
_HOST = re.compile(r"([a-z0-9-]{1,63})\.concludis\.de", re.ASCII)
_VIEW = re.compile(r"/prj/lst/([0-9a-f]{32})/", re.ASCII)
_CURSOR = re.compile(r"([0-9a-f]{32}|):(\d{1,4})", re.ASCII)
_ID = re.compile(r"(\d{1,12})-([0-9a-f]{32}_\d{1,6})", re.ASCII)
_POSTING = re.compile(r"/prj/shw/([0-9a-f]{32}_\d{1,6})/(\d{1,12})/", re.ASCII)
_ROW = re.compile(r"line_\d{1,12}", re.ASCII)
_FOUND = re.compile(r"(\d{1,6})\s+(?:Stellen?|Jobs?|positions?|vacanc\w+)\b", re.ASCII | re.IGNORECASE)
_SUMMARY = re.compile(r"\bam Standort\s+(.{2,120}?)(?:\s+-\s+([^-]{2,60}))?\Z")
_PAGE_SIZE = 25
_MAX_PAGES = 400


class Concludis:
    name = "concludis"
    title = "concludis"
    every = timedelta(hours=6)
    completeness = Completeness.TOTAL
    healthy = Healthy()
    confidence = Confidence.PARTIAL
    consent = None

    def detect(self, url: str) -> str | None:
        link = read_link(url)
        found = _HOST.fullmatch(link.host) if link else None
        return _TENANTS.find(found[1]) if found else None

    def board_url(self, tenant: str) -> str:
        return f"https://{_TENANTS.check(tenant)}.concludis.de/"

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

    def detail_request(self, tenant: str, external_id: str) -> Request:
        return Request(url=_address(self.board_url(tenant), external_id), params={"b": "0"})

    def parse_detail(self, tenant: str, response: Response) -> Posting:
        """The full posting. Raises Malformed when the page has none."""
        asked = _POSTING.search(response.request.url)
        external_id = f"{asked[2]}-{asked[1]}" if asked else ""
        found = job_postings(response.body)
        if not found:
            raise Malformed("no JobPosting in the page")
        url = _address(self.board_url(tenant), external_id)
        page = read_page(found[:1], lambda item: read_job_posting(item, external_id=external_id, url=url))
        if page.rejected:
            raise Malformed(page.rejected[0].reason)
        return page.rows[0]


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
    found = _POSTING.search(row.need("onclick", str))
    if found is None:
        raise Malformed("no address of the posting")
    external_id = f"{found[2]}-{found[1]}"
    summary = _SUMMARY.search(row.get("kurzb", str) or "")
    return Posting(
        external_id=external_id,
        title=row.need("stellenlink", str),
        url=_address(board, external_id),
        places=places([summary[1] if summary else None]),
        employment_type=line(summary[2]) if summary else None,
    )
