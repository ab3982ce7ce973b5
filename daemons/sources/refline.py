"""Refline, an applicant tracking system of Swiss public bodies, universities and banks, read from its pages.

Source   https://apply.refline.ch/{tenant}/search.html?form.buttons.listAll=1, then /{tenant}/{id}/pub/{n}/index.html
         Facts: what others measured on three tenants, read 2026-11. No key; robots.txt allows both
Shape    one page with one table, its cells named by their class; some tenants print "Es liegen 23 Angebote vor." above
         it. The list has no text: the ad has JSON-LD
Units    days as dd.mm.yyyy in the list, ISO in the ad
Errors   an unknown tenant is 200 with the vendor's own page; an unknown ad 200 with an empty title and no JSON-LD
Unsure   all columns but the title's are the tenant's choice; whether a new publication of a position keeps its number
Traps    tenants are numbers of six digits on one host; a link to another tenant's ad is not this board's
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import timedelta

from lxml.html import HtmlElement

from daemons.sources.families.classes import with_class
from daemons.sources.families.paths import Paths
from daemons.sources.families.posting_pages import read_posting
from lib.errors import Gone, Malformed
from lib.net.messages import Request, Response
from lib.posting.contract import Completeness, Confidence, Page, Posting, Record, read_page
from lib.posting.jobposting import job_postings
from lib.posting.links import Tenants
from lib.posting.trees import html_tree, text_of
from lib.posting.values import day, line, places

_HOST = "apply.refline.ch"
_ID = re.compile(r"(\d{1,12})-(\d{1,6})", re.ASCII)
_AD = re.compile(r"/(\d{6})/(\d{1,12})/pub/(\d{1,6})(?:/|$)", re.ASCII)
_COUNT = re.compile(r"Es lieg(?:en|t) (\d{1,6}|keine) Angebote? vor")


class Refline(Paths):
    name = "refline"
    title = "Refline"
    every = timedelta(hours=12)
    completeness = Completeness.DOCUMENT
    confidence = Confidence.WORKING
    tenants = Tenants("Refline", re.compile(r"\d{6}", re.ASCII))
    board = f"https://{_HOST}/"
    page = "/search.html"
    places = ((_HOST, ()),)

    def request(self, tenant: str, cursor: str | None) -> Request:
        return Request(url=self.board_url(tenant), params={"form.buttons.listAll": "1"})

    def parse(self, tenant: str, response: Response) -> Page:
        tree = html_tree(response.body)
        total = _total(tree)
        cells: dict[str, HtmlElement] = {}
        column = [cell for cell in with_class(tree, "position") if cell.tag in ("th", "td")]
        for cell in column:
            anchor = next(cell.iter("a"), None)
            found = _AD.search((anchor.get("href") or "") if anchor is not None else "")
            if found and found[1] == tenant:
                cells.setdefault(f"{found[2]}-{found[3]}", cell)
        if not cells and any(cell.tag == "td" for cell in column):
            raise Malformed("no ad of this tenant in the list")
        if not column and total is None:
            raise Malformed("no list of a Refline tenant")
        return read_page(_listed(cells), lambda item: _row(item, tenant), total=total)

    def detail_request(self, tenant: str, external_id: str, url: str) -> Request:
        return Request(url=_address(self.tenants.check(tenant), external_id))

    def parse_detail(self, tenant: str, response: Response) -> Posting:
        tree = html_tree(response.body)
        asked = _AD.search(response.request.url)
        found = job_postings(tree)
        if not found:
            if text_of(next(tree.iter("title"), None)) is None:
                raise Gone("a page without title: the ad is not there", status=404)
            raise Malformed("no JSON-LD in the page")
        own = asked or _AD.search(str(found[0].get("url")))
        if own is None:
            raise Malformed("no number of an ad in the page")
        external_id = f"{own[2]}-{own[3]}"
        return read_posting(found[0], external_id, _address(self.tenants.check(tenant), external_id))


def _address(tenant: str, external_id: str) -> str:
    found = _ID.fullmatch(external_id)
    if found is None:
        raise Malformed(f"{external_id[:80]!r} cannot be the number of an ad")
    return f"https://{_HOST}/{tenant}/{found[1]}/pub/{found[2]}/index.html"


def _total(tree: HtmlElement) -> int | None:
    found = _COUNT.search(text_of(tree) or "")
    return None if found is None else 0 if found[1] == "keine" else int(found[1])


def _listed(cells: Mapping[str, HtmlElement]) -> Iterator[dict[str, str | None]]:
    """What stands in each ad's row; a row with several ads is read once."""
    read: dict[HtmlElement, dict[str, str | None]] = {}
    for external_id, title in cells.items():
        row = next(title.iterancestors("tr"), None)
        if row is not None and row not in read:
            read[row] = {cell.get("class") or "": text_of(cell) for cell in row.iter("td")}
        yield (read[row] if row is not None else {}) | {"id": external_id, "title": text_of(title)}


def _row(item: Record, tenant: str) -> Posting:
    external_id = item.need("id", str)
    item.skip(("position", "locale", "segment", ""))
    department, area = line(item.get("department", str)), line(item.get("operationArea", str))
    return Posting(
        external_id=external_id,
        title=line(item.need("title", str)) or "",
        url=_address(tenant, external_id),
        places=places([item.get("workplace", str)]),
        employment_type=line(item.get("workload", str)),
        department=department or area,
        posted_at=day(item.get("published", str), "dmy"),
    )
