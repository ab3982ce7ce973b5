"""Jobvite career sites, read from their pages.

Source   https://jobs.jobvite.com/{tenant}/search?p={page}, then /{tenant}/job/{id} for each text
         Facts: working clients and two trimmed pages, read 2026-11. No key, no robots.txt
Shape    pages of 50 rows from 0, in `table.jv-job-list`; "1-50 of 224" counts the list, `a.jv-pagination-next` is
         missing on the last page. The list has no text and no dates
Units    none in the list; the detail's JSON-LD, where there is one, has ISO dates
Errors   an unknown company is redirected to a page of the vendor's with `invalid=1`, an unknown posting to the board
         with `error=404`: both end with 200
Unsure   limits; whether every detail carries JSON-LD; how several places are written
Traps    "View All" (/{tenant}/jobs) cuts its groups on large boards: only the search is whole; a row with several
         places says "2 Locations", the detail names them
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import timedelta
from urllib.parse import urlsplit

from lxml.html import HtmlElement

from daemons.sources.families.classes import first_with_class, with_class
from daemons.sources.families.paths import Paths
from lib.errors import Gone, Malformed
from lib.net.messages import Request, Response
from lib.posting.contract import Completeness, Confidence, Page, Posting, Record, fill_row, read_page
from lib.posting.envelopes import next_page, number_of
from lib.posting.jobposting import job_postings, read_job_posting
from lib.posting.links import Ids, Tenants
from lib.posting.trees import html_tree, inner_html, text_of
from lib.posting.values import line, places

_HOST = "jobs.jobvite.com"
_RESERVED = frozenset({"careers", "job", "jobs", "search"})
_IDS = Ids(re.compile(r"[A-Za-z0-9]{1,40}", re.ASCII))
_IN_PATH = re.compile(r"/job/([A-Za-z0-9]{1,40})(?:/apply)?/?$", re.ASCII)
_COUNT = re.compile(r"\bof\s+(\d{1,7})\b", re.ASCII)
_SEVERAL = re.compile(r"\d+ locations?", re.IGNORECASE)
_CELL = "jv-job-list-"
_LAST_PAGE = 400


class Jobvite(Paths):
    name = "jobvite"
    title = "Jobvite"
    every = timedelta(hours=12)
    completeness = Completeness.SHORT_PAGE
    confidence = Confidence.WORKING
    tenants = Tenants("Jobvite", re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}", re.ASCII), _RESERVED)
    board = f"https://{_HOST}/"
    places = ((_HOST, ("careers",)), (_HOST, ()))

    def request(self, tenant: str, cursor: str | None) -> Request:
        asked = {"q": "", "l": "", "p": str(number_of(cursor, 0))}
        return Request(url=f"{self.board_url(tenant)}/search", params=asked)

    def parse(self, tenant: str, response: Response) -> Page:
        """Raises Gone, too, when we were sent to the vendor's page for unknown companies."""
        _check_place(response)
        tree = html_tree(response.body)
        anchors = _postings(tree, tenant)
        if not anchors:
            _check_empty(tree)
        more = bool(anchors and with_class(tree, "jv-pagination-next"))
        return read_page(
            _listed(anchors),
            lambda item: _row(item, self.board_url(tenant)),
            total=_total(tree),
            cursor=next_page(response.request.params.get("p"), more=more, most=_LAST_PAGE),
        )

    def detail_request(self, tenant: str, external_id: str, url: str) -> Request:
        return Request(url=f"{self.board_url(tenant)}/job/{_IDS.check(external_id)}")

    def parse_detail(self, tenant: str, response: Response) -> Posting:
        _check_place(response)
        tree = html_tree(response.body)
        external_id = _id(response.request.url, tenant) or next(iter(_postings(tree, tenant)), None)
        if external_id is None:
            raise Malformed("no id in the page")
        url = f"{self.board_url(tenant)}/job/{external_id}"
        title = text_of(first_with_class(tree, "jv-header"))
        text = first_with_class(tree, "jv-job-detail-description")
        stated = [
            read_job_posting(Record(item, Counter()), external_id=external_id, url=url)
            for item in job_postings(tree)[:1]
        ]
        if not stated and (title is None or text is None):
            raise Malformed("neither a title with a description nor JSON-LD in the page")
        department, named = _meta(first_with_class(tree, "jv-job-detail-meta"))
        shown = Posting(
            external_id=external_id,
            title=title or stated[0].title,
            url=url,
            apply_url=f"{url}/apply",
            department=department,
            places=named,
            html=None if text is None else inner_html(text),
        )
        return fill_row(stated[0], shown) if stated else shown


def _check_place(response: Response) -> None:
    """Raises Gone when redirects led to where unknown companies and postings lead."""
    try:
        parts = urlsplit(response.url)
    except ValueError as error:
        raise Malformed(f"odd address: {error}") from error
    if (parts.scheme == "https" and parts.hostname != _HOST) or re.search(r"(invalid=1|error=404)", parts.query):
        raise Gone(f"sent on to {response.url[:200]}", status=404)


def _id(href: str | None, tenant: str) -> str | None:
    """The posting's id in a link to a posting of this tenant."""
    path = (href or "").partition("?")[0].partition("#")[0]
    found = _IN_PATH.search(path)
    return found[1] if found and f"/{tenant.lower()}/job/" in path.lower() else None


def _postings(tree: HtmlElement, tenant: str) -> dict[str, HtmlElement]:
    """The first link to each posting of this tenant, by the posting's id."""
    found: dict[str, HtmlElement] = {}
    for anchor in tree.iter("a"):
        external_id = _id(anchor.get("href"), tenant)
        if external_id is not None:
            found.setdefault(external_id, anchor)
    return found


def _check_empty(tree: HtmlElement) -> None:
    """Raises Malformed unless the page is one of a board, and leads to no posting of anybody."""
    if not tree.xpath("//*[starts-with(@class, 'jv-')]"):
        raise Malformed("no page of a Jobvite board")
    if any(_IN_PATH.search((link.get("href") or "").partition("?")[0]) for link in tree.iter("a")):
        raise Malformed("the postings are not this board's")


def _listed(anchors: Mapping[str, HtmlElement]) -> Iterator[dict[str, str | None]]:
    """What stands in each row, by the names of its cells; a row with several links is read once."""
    read: dict[HtmlElement, dict[str, str | None]] = {}
    for external_id, anchor in anchors.items():
        row = next(anchor.iterancestors("tr"), None)
        if row is not None and row not in read:
            read[row] = {(cell.get("class") or "").removeprefix(_CELL): text_of(cell) for cell in row.iter("td")}
        yield (read[row] if row is not None else {}) | {"id": external_id, "title": text_of(anchor)}


def _row(item: Record, board: str) -> Posting:
    external_id, place = item.need("id", str), line(item.get("location", str))
    item.skip(("name", ""))
    return Posting(
        external_id=external_id,
        title=line(item.need("title", str)) or "",
        url=f"{board}/job/{external_id}",
        places=() if place is None or _SEVERAL.fullmatch(place) else places([place]),
    )


def _total(tree: HtmlElement) -> int | None:
    said = text_of(first_with_class(tree, "jv-pagination-text"))
    found = _COUNT.search(said or "")
    return int(found[1]) if found else None


def _meta(facts: HtmlElement | None) -> tuple[str | None, tuple[str, ...]]:
    """The department, and the places behind it."""
    if facts is None:
        return None, ()
    first = line(facts.text)
    rest = [child.tail for child in facts]
    return first, places(rest)
