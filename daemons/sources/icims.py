"""iCIMS career portals, read from their pages.

Source   https://{tenant}.icims.com/jobs/search?ss=1&in_iframe=1&pr={page}, then /jobs/{id}/job?in_iframe=1 for texts
         Facts: working clients and a trimmed page, read 2026-11. No key; robots.txt differs by tenant
Shape    pages from 0, their length is the tenant's choice (20, 50); "Page 1 of 4" counts them. The list has no text:
         the detail has JSON-LD
Units    the detail's dates are ISO; places are "DE-Berlin", "US-IL-Chicago", "DE", several with | between
Errors   410 for a posting that is gone
Unsure   limits, conditional GET; branded portals on other hosts (Jibe) are not read; that the words in a posting's
         address may be any, which only an address that no list gave relies on
Traps    without `in_iframe=1` the page is an empty shell around a frame, and looks like an empty board; a number of
         another portal answers 200 with something else: ids are unique per portal only
"""

from __future__ import annotations

import re
from datetime import timedelta
from urllib.parse import urljoin

from lxml.html import HtmlElement

from daemons.sources.families.classes import first_with_class, with_class
from daemons.sources.families.posting_pages import asked_address, page_request, read_posting
from daemons.sources.families.subdomains import Subdomains
from lib.errors import Gone, Malformed
from lib.net.messages import Request, Response
from lib.posting.contract import Completeness, Confidence, Page, Posting, Record, read_page
from lib.posting.envelopes import next_page, number_of
from lib.posting.jobposting import job_postings
from lib.posting.links import Ids, Link, web_url
from lib.posting.trees import html_tree, text_of
from lib.posting.values import line, places

_IDS = Ids(re.compile(r"\d{1,12}", re.ASCII))
_IN_PATH = re.compile(r"/jobs/(\d{1,12})/", re.ASCII)
_PAGES = re.compile(r"\bpage\s+\d{1,4}\s+of\s+(\d{1,4})\b", re.IGNORECASE | re.ASCII)
_NOTHING = re.compile(r"\bno (?:jobs|results|positions|openings)\b", re.IGNORECASE | re.ASCII)
_NUMBERED = re.compile(r"\d{1,12}\s*-\s*", re.ASCII)
_PLACE = re.compile(r"([A-Z]{2})(?:-(?:[A-Z0-9]{1,3}-)?(.+))?", re.ASCII)
_FRAME = "icims_content_iframe"
_LAST_PAGE = 500
_EMPLOYMENT = ("position type", "type", "employment type", "job type")


class Icims(Subdomains):
    name = "icims"
    title = "iCIMS"
    every = timedelta(hours=12)
    completeness = Completeness.SHORT_PAGE
    confidence = Confidence.CONFIRMED
    ending = ".icims.com"
    reserved = frozenset({"login", "developer", "developer-community", "support", "c"})
    page = "/jobs"

    def tenant_of(self, link: Link) -> str | None:
        return super().tenant_of(link) if link.segments[:1] in ((), ("",), ("jobs",)) else None

    def request(self, tenant: str, cursor: str | None) -> Request:
        asked = {"ss": "1", "in_iframe": "1", "pr": str(number_of(cursor, 0))}
        return Request(url=f"{self.board_url(tenant)}/search", params=asked)

    def parse(self, tenant: str, response: Response) -> Page:
        tree = html_tree(response.body)
        anchors: dict[str, HtmlElement] = {}
        for anchor in with_class(tree, "iCIMS_Anchor"):
            if found := _IN_PATH.search(anchor.get("href") or ""):
                anchors.setdefault(found[1], anchor)
        if not anchors:
            _check_empty(tree)
        board = self.board_url(tenant)
        cards: dict[HtmlElement, dict[str, str | None]] = {}
        items = [_listed(external_id, anchor, cards) for external_id, anchor in anchors.items()]
        page, pages = response.request.params.get("pr"), _PAGES.search(text_of(tree) or "")
        more = bool(anchors and page and pages and int(page) + 1 < int(pages[1]))
        cursor = next_page(page, more=more, most=_LAST_PAGE)
        return read_page(items, lambda item: _row(item, board), cursor=cursor)

    def detail_request(self, tenant: str, external_id: str, url: str) -> Request:
        guess = f"{self.board_url(tenant)}/{_IDS.check(external_id)}/job"
        return page_request(self.host(tenant), url, external_id, guess=guess, params={"in_iframe": "1"})

    def parse_detail(self, tenant: str, response: Response) -> Posting:
        asked = _IN_PATH.search(response.request.url)
        came = _IN_PATH.search(response.url)
        if asked and (came is None or came[1] != asked[1]):
            raise Gone(f"sent on to {response.url[:200]}", status=404)
        tree = html_tree(response.body)
        found = job_postings(tree)
        if not found:
            _check_frame(tree)
            raise Malformed("no JSON-LD in the page")
        own = asked or _IN_PATH.search(str(found[0].get("url")))
        if own is None:
            raise Malformed("no id in the page")
        url = asked_address(response, self.host(tenant), f"{self.board_url(tenant)}/{own[1]}/job")
        return read_posting(found[0], own[1], url)


def _check_frame(tree: HtmlElement) -> None:
    if tree.xpath("//iframe[@id=$frame]", frame=_FRAME):
        raise Malformed("the shell around the frame, without anything in it")


def _check_empty(tree: HtmlElement) -> None:
    """Raises Malformed unless the page is a list, or says so, and leads to no posting: a portal's login and its
    postings' pages have the same look."""
    _check_frame(tree)
    is_list = any(with_class(tree, name) for name in ("iCIMS_JobsTable", "iCIMS_NoResults"))
    if not is_list and not (_is_portal(tree) and _NOTHING.search(text_of(tree) or "")):
        raise Malformed("no list of an iCIMS portal")
    if any(_IN_PATH.search(link.get("href") or "") for link in tree.iter("a")):
        raise Malformed("postings that cannot be read")


def _is_portal(tree: HtmlElement) -> bool:
    return bool(tree.xpath("//*[contains(@class, 'iCIMS_')]"))


def _listed(
    external_id: str, anchor: HtmlElement, cards: dict[HtmlElement, dict[str, str | None]]
) -> dict[str, str | None]:
    """What stands in the anchor and on its card. `cards`: those that were read already; each is read once."""
    heading = next(anchor.iter("h2", "h3", "h4"), None)
    title = text_of(heading) or _NUMBERED.sub("", anchor.get("title") or "", count=1)
    card = next((one for one in anchor.iterancestors("li", "div") if _is_card(one)), None)
    if card is not None and card not in cards:
        cards[card] = _labelled(card)
    named = {"id": external_id, "title": title, "href": anchor.get("href")}
    return (cards[card] if card is not None else {}) | named


def _is_card(element: HtmlElement) -> bool:
    classes = (element.get("class") or "").split()
    return "iCIMS_JobCardItem" in classes or (element.tag == "div" and "row" in classes)


def _labelled(card: HtmlElement) -> dict[str, str | None]:
    """What the card says under its labels, labels in small letters."""
    found: dict[str, str | None] = {}
    for label in with_class(card, "field-label"):
        value = label.getnext()
        if value is not None:
            found.setdefault((text_of(label) or "").lower(), text_of(value))
    for tag in with_class(card, "iCIMS_JobHeaderTag"):
        name, value = first_with_class(tag, "iCIMS_JobHeaderField"), first_with_class(tag, "iCIMS_JobHeaderData")
        found.setdefault((text_of(name) or "").lower(), text_of(value))
    return found


def _row(item: Record, board: str) -> Posting:
    external_id, href = item.need("id", str), item.need("href", str)
    where = [item.get(label, str) for label in ("job locations", "job location", "location", "locations")]
    named, country = _places(next((one for one in where if one), None))
    kinds = [item.get(label, str) for label in _EMPLOYMENT]
    row = Posting(
        external_id=external_id,
        title=line(item.need("title", str)) or "",
        url=web_url(urljoin(board, re.split("[?#]", href)[0])) or f"{board}/{external_id}/job",
        places=named,
        country=country,
        employment_type=line(next((one for one in kinds if one), None)),
        department=line(item.get("category", str)),
    )
    item.skip(("job id", "id", "job title", "title", "requisition id", ""))
    return row


def _places(text: str | None) -> tuple[tuple[str, ...], str | None]:
    """Towns and the first one's country in "DE-Berlin | US-IL-Chicago"; what is written otherwise stays as it is."""
    names: list[str | None] = []
    countries: list[str] = []
    for part in (text or "").split("|"):
        found = _PLACE.fullmatch(part.strip())
        names.append(found[2] if found else part)
        countries += [found[1]] if found else []
    return places(names), countries[0] if countries else None
