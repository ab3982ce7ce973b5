"""softgarden career sites: the modern ones with a feed, the classic ones as pages.

Source   modern: https://{tenant}.career.softgarden.de/jobs.feed.json, tenant "acme" or the customer's own host;
         classic: https://{tenant}.softgarden.io/de/vacancies, then /job/{id} for each text, tenant "io:acme" or
         "io:" and the customer's own host. Facts: working clients and measurements of others, read 2026-11. No key.
Shape    modern: a schema.org DataFeed with all JobPostings; classic: a page whose script names all ids
         (`complete_job_id_list`), with cards for some or all of them; those without a card are read one by one, as
         further pages of the list. Details have a JSON-LD JobPosting
Units    the feed's times are ISO 8601 with an offset; cards have dd.mm.yy, on English pages m/d/yy; salaries are in
         major units
Errors   404 "Unknown subdomain."; a classic host answers 404 to the feed's path
Unsure   which boards leave out cards, and whether the list can be had in parts; that the words after the number in a
         posting's address do not matter, which only postings without a card rely on; limits, ETag
Traps    a salary of 0 to 0 is none; a `validThrough` of exactly two years after `datePosted` is filled in by the
         system; the street may be "-", countries are German names or codes; robots.txt of classic hosts forbids the
         widgets that list everything
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urljoin, urlsplit

import msgspec
from lxml import etree

from daemons.sources.families.own_hosts import OwnHosts
from daemons.sources.families.page_rows import classed, said
from daemons.sources.families.posting_pages import only_posting, page_request
from daemons.sources.families.system import System
from lib.errors import Malformed
from lib.net.messages import Request, Response
from lib.posting.contract import Completeness, Confidence, Page, Posting, Record, read_one, read_page
from lib.posting.envelopes import count_of, rows_of
from lib.posting.jobposting import read_job_posting
from lib.posting.links import Ids, Link, address_on, web_url
from lib.posting.trees import html_tree, text_of
from lib.posting.values import day, places

_MODERN = OwnHosts("softgarden", ".career.softgarden.de")
_CLASSIC = OwnHosts("softgarden", ".softgarden.io")
_MARK = "io:"
_IDS = Ids(re.compile(r"\d{1,18}", re.ASCII))
_CURSOR = re.compile(r"\d{1,18}(?:,\d{1,18})*", re.ASCII)
_IN_PATH = re.compile(r"/jobs?/(\d{1,18})(?:[/?#]|\Z)", re.ASCII)
_ALL_IDS = re.compile(r"\bcomplete_job_id_list\s*=\s*(?:\w{1,40}\s*=\s*)?\[([\d\s,]*)\]", re.ASCII)
_MAX_WITHOUT_CARD = 500
_FILLED_IN = (timedelta(days=729), timedelta(days=732))


class Softgarden(System):
    name = "softgarden"
    title = "softgarden"
    completeness = Completeness.DOCUMENT
    confidence = Confidence.WORKING

    def tenant_of(self, link: Link) -> str | None:
        if classic := _CLASSIC.tenant(link.host):
            return f"{_MARK}{classic}"
        return _MODERN.tenant(link.host) or _own(link)

    def board_url(self, tenant: str) -> str:
        origin, is_classic = _site(tenant)
        return f"{origin}/de/vacancies" if is_classic else origin

    def request(self, tenant: str, cursor: str | None) -> Request:
        origin, is_classic = _site(tenant)
        if not is_classic:
            return Request(url=f"{origin}/jobs.feed.json")
        if cursor is None:
            return Request(url=f"{origin}/de/vacancies")
        if not _CURSOR.fullmatch(cursor):
            raise Malformed(f"{cursor[:80]!r} is no list of ids")
        first, _, rest = cursor.partition(",")
        # The fragment stays here; it says which postings are to be read after this one.
        return Request(url=f"{origin}/job/{first}#{rest}", params={"l": "de"})

    def parse(self, tenant: str, response: Response) -> Page:
        origin, is_classic = _site(tenant)
        if not is_classic:
            return _feed(response.json_object(), origin)
        asked = _IN_PATH.search(response.request.url)
        if asked is None:
            return _vacancies(response.body, origin)
        rest = urlsplit(response.request.url).fragment
        node = only_posting(response.body)
        page = read_page([node], lambda item: _read(item, asked[1], _page_of(node, asked[1], origin)))
        return msgspec.structs.replace(page, cursor=rest or None)

    def detail_request(self, tenant: str, external_id: str, url: str) -> Request:
        origin, _ = _site(tenant)
        guess = f"{origin}/job/{_IDS.check(external_id)}"
        return page_request(origin.removeprefix("https://"), url, external_id, guess=guess, params={"l": "de"})

    def parse_detail(self, tenant: str, response: Response) -> Posting:
        """The full posting. Raises Malformed when the page has none."""
        (origin, _), external_id = _site(tenant), _IDS.check(response.request.state)
        node = only_posting(response.body)
        return read_one(node, lambda item: _read(item, external_id, _page_of(node, external_id, origin)))


def _site(tenant: str) -> tuple[str, bool]:
    """The site's origin, and whether it is a classic one. Raises Refused for what cannot be a tenant."""
    name = tenant.removeprefix(_MARK)
    hosts = _MODERN if name == tenant else _CLASSIC
    return f"https://{hosts.host(name)}", hosts is _CLASSIC


def _own(link: Link) -> str | None:
    """The tenant of an address on a customer's host, where the address itself says that it is softgarden's."""
    host = _CLASSIC.own(link.host)
    if host is None:
        return None
    if link.segments == ("jobs.feed.json",):
        return host
    return f"{_MARK}{host}" if "jobDbPVId" in link.query and "job" in link.segments else None


def _feed(body: dict[str, Any], origin: str) -> Page:
    elements, total = rows_of(body, "dataFeedElement"), count_of(body, "numberOfItems")
    return read_page(elements, lambda element: _element(element, origin), total=total)


def _element(element: Record, origin: str) -> Posting:
    item = element.sub("item")
    if item is None:
        raise Malformed("no item")
    element.skip(("@type", "dateModified"))
    url = web_url(item.get("url", str))
    stated = item.take("identifier")
    external_id = _IDS.find(stated.get("value") if isinstance(stated, dict) else stated) or _id_in(url or "")
    row = _read(item, external_id, url or f"{origin}/jobs/{external_id}/")
    return msgspec.structs.replace(row, html=row.html or "")


def _id_in(address: str) -> str:
    found = _IN_PATH.search(address)
    if found is None:
        raise Malformed("no id of the posting")
    return found[1]


def _read(item: Record, external_id: str, url: str) -> Posting:
    """The posting, without the end that the system fills in where nobody set one."""
    row = read_job_posting(item, external_id=external_id, url=url)
    if row.posted_at and row.valid_through and _FILLED_IN[0] < row.valid_through - row.posted_at < _FILLED_IN[1]:
        return msgspec.structs.replace(row, valid_through=None)
    return row


def _page_of(node: dict[str, Any], external_id: str, origin: str) -> str:
    """Where a posting's own page says that it is."""
    stated = node.get("url")
    own = address_on(stated, origin.removeprefix("https://")) if isinstance(stated, str) else None
    return own or f"{origin}/job/{external_id}"


def _vacancies(body: bytes, origin: str) -> Page:
    """The cards of a classic list; its cursor names the postings that have none."""
    tree = html_tree(body)
    named = _ALL_IDS.search(" ".join(script.text or "" for script in tree.iter("script")))
    cards = classed(tree, "matchElement")
    if named is None and not cards:
        raise Malformed("neither postings nor the list of their ids in the page")
    page = read_page(_fields(cards), lambda card: _card(card, origin))
    ids = dict.fromkeys(_IDS.form.findall(named[1])) if named else {}
    shown = {row.external_id for row in page.rows}
    bare = [one for one in ids if one not in shown]
    if len(bare) > _MAX_WITHOUT_CARD:
        raise Malformed(f"{len(bare)} postings without a card")
    return msgspec.structs.replace(page, total=len(ids) if named else None, cursor=",".join(bare) or None)


def _fields(cards: list[etree._Element]) -> Iterator[dict[str, Any]]:
    """What a card says, as a JSON-like object."""
    for card in cards:
        hrefs = [link.get("href") or "" for link in card.iter("a")]
        yield {
            "id": (card.get("id") or "").removeprefix("job_id_") or None,
            "href": next((href for href in hrefs if _IN_PATH.search(href)), None),
            "title": said(card, "title"),
            "date": said(card, "date"),
            "places": _places(card),
            "category": said(card, "jobcategory"),
        }


def _places(card: etree._Element) -> list[str]:
    shown = classed(card, "location-view-item") or classed(card, "location")
    return [text for text in map(text_of, shown) if text]


def _card(card: Record, origin: str) -> Posting:
    stated, href, date = card.get("id", str), card.get("href", str) or "", card.get("date", str)
    external_id = _IDS.find(stated) or _id_in(href)
    listed = urljoin(f"{origin}/de/vacancies", href.partition("?")[0])
    is_own = address_on(listed, origin.removeprefix("https://")) and _IN_PATH.search(listed)
    return Posting(
        external_id=external_id,
        title=card.need("title", str),
        url=listed if is_own else f"{origin}/job/{external_id}",
        places=places(card.strings("places")),
        department=card.get("category", str),
        posted_at=day(date, "mdy" if date and "/" in date else "dmy"),
    )
