"""rexx systems job portals, pages only: a list in one of two layouts, then each posting's page.

Source   https://{tenant}-portal.rexx-systems.com/stellenangebote.html?start=0, then /...-de-j{id}.html for each text
         Also on {tenant}-portal.rexx-recruitment.com and hosts of the customers. Facts: a saved page, working clients
         and measurements of others, read 2026-11. No key. robots.txt forbids the default names of HTTP libraries.
Shape    a table or cards, 20, 50 or 100 to a page as the customer has it, further pages by `start`; each posting's page
         has a JSON-LD JobPosting whose parts (description, responsibilities, ...) may repeat each other
Units    dates in figures, day first, "00.00.0000" for none; the JSON-LD has ISO 8601 dates
Errors   404 for an unknown portal; an ended posting is 404 or shows the list
Unsure   that the words before "-de-j1234.html" do not matter (the number is what stays when a title changes), which
         only an address that no list gave relies on; what `data-all-count` says on a filtered list; limits, ETag
Traps    some skins have no link to the next page; `start` past the end repeats a page; links carry session ids and
         may lead to the customer's host; texts are entity-encoded, and twice so where UTF-8 was taken for Latin-1
"""

from __future__ import annotations

import re
from html import escape, unescape
from typing import Any
from urllib.parse import urljoin, urlsplit

from lxml import etree

from daemons.sources.families.own_hosts import OwnHosts, Portals
from daemons.sources.families.page_rows import classed, outermost
from daemons.sources.families.posting_pages import asked_address, page_request, read_posting
from lib.errors import Gone, Malformed
from lib.net.messages import Request, Response
from lib.posting.contract import Completeness, Confidence, Page, Posting, Record, read_page
from lib.posting.jobposting import job_postings
from lib.posting.links import Ids, Link, web_url
from lib.posting.trees import html_tree, text_of
from lib.posting.values import day, language, line, places

_IDS = Ids(re.compile(r"\d{1,18}", re.ASCII))
_POSTING = re.compile(r"(?:.{0,300}-)?([a-z]{2})-j(\d{1,18})\.html", re.ASCII)
_CURSOR = re.compile(r"(\d{1,6}):(\d{1,18})", re.ASCII)
_START = re.compile(r"[?&]start=(\d{1,6})(?:&|\Z)", re.ASCII)
_PAGE_SIZES = (20, 50, 100)
_PLACES = ("job_standort", "standort_bez")
_DEPARTMENTS = ("job_details_first", "taetigkeiten")
_ENDS = ("valid_until",)
_PARTS = ("responsibilities", "qualifications", "jobBenefits")
_ENTITIES = re.compile(r"(?:&(?:#\d{2,4}|[A-Za-z]{2,8}\d{0,2});){2,8}")
_LIST = ("joboffers", "joboffer_table_container", "joblist_navigator")


class Rexx(Portals):
    name = "rexx"
    title = "rexx systems"
    completeness = Completeness.DOCUMENT
    confidence = Confidence.WORKING
    hosts = OwnHosts("rexx systems", "-portal.rexx-systems.com", ("rexx-systems.com", "rexx-recruitment.com"))
    page = "/stellenangebote.html"

    def is_own(self, link: Link) -> bool:
        return len(link.segments) == 1 and _POSTING.fullmatch(link.segments[0]) is not None

    def request(self, tenant: str, cursor: str | None) -> Request:
        start, shown = _place(cursor)
        # The fragment stays here; it says what the page before began with.
        return Request(url=self.board_url(tenant) + (f"#{shown}" if shown else ""), params={"start": str(start)})

    def parse(self, tenant: str, response: Response) -> Page:
        tree = html_tree(response.body)
        rows = _rows(tree)
        if not rows and not _identified(tree, *_LIST):
            raise Malformed("no list of postings in the page")
        page = read_page(rows, lambda row: _row(row, self.board_url(tenant)))
        first = page.rows[0].external_id if page.rows else ""
        if first and first == urlsplit(response.request.url).fragment:
            return Page(rows=())
        following = _following(tree, int(response.request.params.get("start", "0")), len(rows))
        cursor = f"{following}:{first}" if first and following else None
        return Page(
            rows=page.rows, rejected=page.rejected, total=_count(tree, "data-all-count"), cursor=cursor,
            unknown=page.unknown,
        )  # fmt: skip

    def detail_request(self, tenant: str, external_id: str, url: str) -> Request:
        host = self.hosts.host(tenant)
        return page_request(host, url, external_id, guess=_guess(host, external_id))

    def parse_detail(self, tenant: str, response: Response) -> Posting:
        """The full posting. Raises Malformed, or Gone when the page shows the list instead."""
        tree = html_tree(response.body)
        found = job_postings(tree)
        if not found:
            raise (
                Gone("the list is shown instead", status=410) if _rows(tree) else Malformed("no JobPosting in the page")
            )
        host, external_id = self.hosts.host(tenant), response.request.state
        url = asked_address(response, host, _guess(host, external_id))
        return read_posting(_whole(found[0]), external_id, url)


def _guess(host: str, external_id: str) -> str:
    return f"https://{host}/stellenangebot-de-j{_IDS.check(external_id)}.html"


def _place(cursor: str | None) -> tuple[int, str]:
    """Where a page starts, and the id that the page before began with."""
    if cursor is None:
        return 0, ""
    found = _CURSOR.fullmatch(cursor)
    if found is None:
        raise Malformed(f"{cursor[:80]!r} is no place in a list")
    return int(found[1]), found[2]


def _following(tree: etree._Element, start: int, rows: int) -> int | None:
    """Where the next page starts; None on the last."""
    navigators = _identified(tree, "joblist_navigator")
    for link in (one for navigator in navigators for one in classed(navigator, "nav_next")):
        hrefs = [one.get("href") or "" for one in link.iter("a")]
        for found in filter(None, map(_START.search, hrefs)):
            return int(found[1]) if int(found[1]) > start else None
    if navigators:
        return None
    # Some skins have no such link: a page of a length that customers can choose may have others after it.
    count = _count(tree, "data-all-count")
    goes_on = rows in _PAGE_SIZES if count is None else start + rows < count
    return start + rows if rows and goes_on else None


def _count(tree: etree._Element, name: str) -> int | None:
    for holder in _identified(tree, "joboffer_table_container"):
        stated = holder.get(name) or ""
        return int(stated) if re.fullmatch(r"\d{1,6}", stated, re.ASCII) else None
    return None


def _identified(tree: etree._Element, *names: str) -> list[etree._Element]:
    return outermost(tree, lambda element: element.get("id") in names)


def _rows(tree: etree._Element) -> list[dict[str, Any]]:
    """What each posting of the list says, as JSON-like objects."""
    rows = [_card(card) for card in classed(tree, "joboffer_container")]
    for table in _identified(tree, "joboffers"):
        columns = [_column(head) for head in table.iter("th")]
        rows += [
            _table_row(row, columns)
            for row in outermost(table, lambda one: one.tag == "tr")
            if row.find("td") is not None
        ]
    return rows


def _card(card: etree._Element) -> dict[str, Any]:
    title = classed(card, "joboffer_title_text")
    details = outermost(card, lambda one: (one.get("class") or "").startswith("job_"))
    said = {(one.get("class") or "").split()[0]: text_of(one) for one in details}
    return _linked(title[0] if title else card) | {"said": said}


def _column(head: etree._Element) -> str:
    """The field that a column is ordered by, "" where it cannot be ordered."""
    for link in head.iter("a"):
        found = re.search(r"order(?:\[|%5B)field(?:\]|%5D)=(\w{1,40})", link.get("href") or "", re.ASCII)
        if found:
            return found[1]
    return ""


def _table_row(row: etree._Element, columns: list[str]) -> dict[str, Any]:
    cells = dict(zip(columns, row.iterchildren("td"), strict=False))
    return _linked(row) | {"said": {name: text_of(cell) for name, cell in cells.items() if name}}


def _linked(holder: etree._Element) -> dict[str, Any]:
    """Address and words of the first link to a posting."""
    for link in holder.iter("a"):
        href = (link.get("href") or "").partition("?")[0]
        if _POSTING.fullmatch(href.rpartition("/")[2]):
            return {"href": href, "title": text_of(link)}
    return {}


def _row(row: Record, board: str) -> Posting:
    href = urljoin(board, row.need("href", str))
    found = _POSTING.fullmatch(href.rpartition("/")[2])
    url = web_url(href)
    if found is None or url is None:
        raise Malformed("no address of the posting")
    said = row.sub("said")
    if said:
        said.skip(("stellenbezeichnung", "job_location", "job_details_second"))
    return Posting(
        external_id=found[2],
        title=row.need("title", str),
        url=url,
        places=places([said.get(name, str) for name in _PLACES] if said else ()),
        department=_first(said, _DEPARTMENTS),
        language=language(found[1]),
        valid_through=day(_first(said, _ENDS), "dmy"),
    )


def _first(said: Record | None, names: tuple[str, ...]) -> str | None:
    """What is said in the first of these columns that has anything."""
    return next(filter(None, [line(said.get(name, str)) for name in names] if said else ()), None)


def _whole(node: dict[str, Any]) -> dict[str, Any]:
    """The posting with each of its parts once, and its letters as they were written."""
    mended = {name: _mended(value) if isinstance(value, str) else value for name, value in node.items()}
    text = mended.get("description")
    if not isinstance(text, str):
        return mended
    repeated = [name for name in _PARTS if isinstance(mended.get(name), str) and mended[name].strip(" .\n") in text]
    return {name: value for name, value in mended.items() if name not in repeated}


def _mended(text: str) -> str:
    """`text` without entities that stand for the bytes of a letter instead of the letter ("&Atilde;&frac14;": ü)."""
    return _ENTITIES.sub(_letters, text)


def _letters(run: re.Match[str]) -> str:
    try:
        return escape(unescape(run[0]).encode("cp1252").decode())
    except UnicodeError:
        return run[0]
