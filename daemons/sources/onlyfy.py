"""onlyfy one (formerly Prescreen) career sites, pages only.

Source   https://{tenant}.onlyfy.jobs/candidate/job/ajax_list (the rows that the customer's own page loads), then
         https://{tenant}.onlyfy.jobs/job/show/{token}/full?lang=de&mode=candidate for each text
         Facts: clients of single customers, 2023 to 2026, and measurements of others, read 2026-11; no saved answer.
Shape    a fragment with one `row-table` per posting, as many a page as asked for; the advert is a page whose text is in
         elements of the classes `text-element-...`
Units    dates in the rows are dd.mm.yy
Errors   404 for what is gone; hosts of the old domains (jobbase.io, prescreenapp.io) redirect to the new one
Unsure   how an unknown host and an empty list look: a page without a row is never taken for an empty board; the largest
         page; whether every customer's site has this list (newer ones are made by a script); limits, ETag
Traps    the JSON-LD of older sites has a text that is cut short: the advert's own page is read instead; the place is a
         line of the text ("Standort: ..."); the language's part of an address comes and goes, the token stays
"""

from __future__ import annotations

import re
from typing import Any

import msgspec
from lxml import etree

from daemons.sources.families.page_rows import classed, outermost
from daemons.sources.families.subdomains import Subdomains
from lib.errors import Malformed
from lib.net.messages import Request, Response
from lib.posting.contract import Completeness, Confidence, Page, Posting, Record, clean_text, read_page
from lib.posting.envelopes import next_page, number_of
from lib.posting.jobposting import job_postings, read_job_posting
from lib.posting.links import Ids
from lib.posting.markup import joined
from lib.posting.trees import html_tree, inner_html, text_of
from lib.posting.values import day, places

_IDS = Ids(re.compile(r"[a-z0-9][a-z0-9-]{3,99}", re.ASCII))
_IN_PATH = re.compile(r"/job/(?:show/)?([a-z0-9][a-z0-9-]{3,99})(?:[/?#]|\Z)", re.ASCII)
_DATE = re.compile(r"\d{1,2}\.\d{1,2}\.\d{2,4}", re.ASCII)
_ICON = re.compile(r"icon-[a-z-]{1,40}", re.ASCII)
_MAX_ICONS = 20
_PLACE = re.compile(r"(?:Standort|Location|Arbeitsort)\s*:\s*([^|:]{2,120}?)\s*(?:\||Zeitpunkt\b|Start\b|\Z)")
_PAGE_SIZE = 100
_MAX_PAGES = 500


class Onlyfy(Subdomains):
    name = "onlyfy"
    title = "onlyfy one"
    completeness = Completeness.SHORT_PAGE
    confidence = Confidence.PARTIAL
    ending = ".onlyfy.jobs"
    endings = (".jobbase.io", ".prescreenapp.io")
    reserved = frozenset({"content"})

    def request(self, tenant: str, cursor: str | None) -> Request:
        asked = {
            "display_length": str(_PAGE_SIZE),
            "page": str(number_of(cursor, 1)),
            "sort": "date",
            "sort_dir": "DESC",
        }
        return Request(url=f"{self.board_url(tenant)}/candidate/job/ajax_list", params=asked)

    def parse(self, tenant: str, response: Response) -> Page:
        number = response.request.params.get("page", "1")
        if number != "1" and not response.body.strip():
            return Page(rows=())  # the last page was a full one
        tree = html_tree(response.body)
        rows = [row for row in map(_fields, classed(tree, "row-table")) if row["href"]]
        if not rows and (number == "1" or text_of(tree)):
            raise Malformed("no posting in the page")
        cursor = next_page(number, more=len(rows) >= _PAGE_SIZE, most=_MAX_PAGES)
        return read_page(rows, lambda row: _row(row, self.board_url(tenant)), cursor=cursor)

    def detail_request(self, tenant: str, external_id: str, url: str) -> Request:
        return Request(
            url=f"{self.board_url(tenant)}/job/show/{_IDS.check(external_id)}/full",
            params={"lang": "de", "mode": "candidate"},
            state=external_id,
            assumed=True,  # the list leads to the page around the advert
        )

    def parse_detail(self, tenant: str, response: Response) -> Posting:
        """The full posting. Raises Malformed when the page has no text of an advert."""
        tree = html_tree(response.body)
        external_id = _IDS.check(response.request.state)
        url = f"{self.board_url(tenant)}/job/{external_id}"
        texts = classed(tree, "text-element-body_text", "text-element-header_text")
        if not texts:
            raise Malformed("no text of an advert in the page")
        title = clean_text(text_of(next(tree.iter("title"), None)) or "").strip()
        stated = _stated(tree, external_id, url) or Posting(external_id=external_id, title=title, url=url)
        if not stated.title.strip():
            raise Malformed("no title")
        lines = (text_of(element) or "" for element in texts)
        told = next(filter(None, map(_PLACE.search, lines)), None)
        named = stated.places or places([told[1] if told else None])
        return msgspec.structs.replace(stated, places=named, html=joined(map(_markup, texts)))


def _fields(row: etree._Element) -> dict[str, Any]:
    """What a row says, as a JSON-like object."""
    links = [link for link in row.iter("a") if _IN_PATH.search(link.get("href") or "")]
    named = next((link for link in links if text_of(link)), None)
    icons = outermost(row, lambda element: any(map(_ICON.fullmatch, (element.get("class") or "").split())))
    dates = (text_of(cell) or "" for cell in classed(row, "cell-table"))
    return {
        "href": named.get("href") if named is not None else None,
        "title": text_of(named),
        "date": next((text for text in dates if _DATE.fullmatch(text)), None),
        "icons": {_icon(icon): text_of(icon.getparent()) for icon in icons[:_MAX_ICONS]},
    }


def _icon(element: etree._Element) -> str:
    """Its name, which says what stands beside it: "icon-map-marker"."""
    return next(name for name in (element.get("class") or "").split() if _ICON.fullmatch(name))


def _row(row: Record, board: str) -> Posting:
    found = _IN_PATH.search(row.need("href", str))
    external_id = found[1] if found else ""
    beside = row.sub("icons")
    return Posting(
        external_id=external_id,
        title=row.need("title", str),
        url=f"{board}/job/{external_id}",
        places=places([beside.get("icon-map-marker", str) if beside else None]),
        posted_at=day(row.get("date", str), "dmy"),
    )


def _markup(element: etree._Element) -> str:
    tag = element.tag if element.tag in ("p", "ul", "ol", "h1", "h2", "h3", "h4") else "div"
    return f"<{tag}>{inner_html(element)}</{tag}>"


def _stated(tree: etree._Element, external_id: str, url: str) -> Posting | None:
    """What the page's JSON-LD says, where it has one that can be read."""
    page = read_page(job_postings(tree)[:1], lambda item: read_job_posting(item, external_id=external_id, url=url))
    return page.rows[0] if page.rows else None
