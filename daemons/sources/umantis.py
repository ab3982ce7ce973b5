"""Umantis recruiting portals (Haufe, Abacus), pages only: a list in two templates, then each vacancy's page.

Source   https://recruitingapp-{tenant}.umantis.com/Jobs/All, then /Vacancies/{id}/Description/{segment} for each text
         Also on recruitingapp-{n}.de.umantis.com, {name}.umantis.com and hosts of the customers. Facts: working
         clients and measurements of others, read 2026-11. No key.
Shape    10 rows a page (some customers more), the next by `tc{number of the table}=p{page}`; the number is in the page
         only. The pages of vacancies have no JSON-LD: title, organisation and text are read from the page itself
Units    dates are DD.MM.YYYY where there are any
Errors   a closed or unknown vacancy is 403; a number that no customer has is 200 with a page of the vendor's
Unsure   what comes after the last page when it is full (a repeated page and one without rows are both the end); the
         meaning of the labels beyond those read here; salary, limits, ETag
Traps    the segment belongs to the vacancy and its language: a wrong one gives 200 with a title that begins with "|";
         some customers' lists are made by a script, and have no rows in the page: that is no empty board
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import urljoin, urlsplit

from lxml import etree

from daemons.sources.families.own_hosts import OwnHosts, Portals
from daemons.sources.families.page_rows import classed, has_class, outermost, said
from lib.errors import Malformed
from lib.net.messages import Request, Response
from lib.posting.contract import (
    MAX_TEXT_CHARS,
    Completeness,
    Confidence,
    Page,
    Posting,
    Record,
    clean_text,
    read_page,
)
from lib.posting.links import Ids, Link, address_on, web_url
from lib.posting.trees import html_tree, inner_html, text_of
from lib.posting.values import day, line, places

_NUMBER = re.compile(r"\d{1,9}", re.ASCII)
_NUMBERED = re.compile(r"recruitingapp-(\d{1,9})\.umantis\.com", re.ASCII)
_IDS = Ids(re.compile(r"\d{1,12}-\d{1,6}", re.ASCII))
_VACANCY = re.compile(r"/Vacancies/(\d{1,12})/Description/(\d{1,6})(?:[/?#]|\Z)", re.ASCII)
_CURSOR = re.compile(r"(\d{1,12}):(\d{1,4}):(\d{1,12}-\d{1,6})", re.ASCII)
_TABLE = re.compile(r'"TableNr"\s*:\s*"?(\d{1,12})|[?&]tc(\d{1,12})=p\d', re.ASCII)
_TITLE = "HSTableLinkSubTitle"
_OLD_TEXTS = ("tableaslist_text", "tableaslist_subtitle", "table-as-list__text", "table-as-list__subtitle")
_SHORTEST_PAGE = 10
_MAX_PAGES = 1_000
_PLACES = ("anstellungsort", "arbeitsort", "standort", "ort", "place of work", "work location", "location")
_TYPES = ("anstellungsart", "employment type", "art", "type", "arbeitspensum", "pensum")
_DATES = ("online seit", "publiziert am", "online since", "published")
_NO_TEXT = ("script", "style", "nav", "header", "footer", "form", "button", "iframe", "noscript", "template", "svg")


class Umantis(Portals):
    name = "umantis"
    title = "Umantis"
    completeness = Completeness.SHORT_PAGE
    confidence = Confidence.WORKING
    hosts = OwnHosts("Umantis", ".umantis.com", ("de.umantis.com", "ch.umantis.com"))

    def tenant_of(self, link: Link) -> str | None:
        numbered = _NUMBERED.fullmatch(link.host)
        return numbered[1] if numbered else super().tenant_of(link)

    def is_own(self, link: Link) -> bool:
        return link.segments[:1] == ("Vacancies",) and link.segments[2:3] == ("Description",)

    def board_url(self, tenant: str) -> str:
        return f"https://{self._host(tenant)}/Jobs/All"

    def request(self, tenant: str, cursor: str | None) -> Request:
        if cursor is None:
            return Request(url=self.board_url(tenant))
        found = _CURSOR.fullmatch(cursor)
        if found is None:
            raise Malformed(f"{cursor[:80]!r} is no page of a table")
        # The fragment stays here; it says what the page before began with.
        return Request(url=f"{self.board_url(tenant)}#{found[3]}", params={f"tc{found[1]}": f"p{found[2]}"})

    def parse(self, tenant: str, response: Response) -> Page:
        tree = html_tree(response.body)
        rows = _rows(tree)
        if not rows:
            _check_empty(tree)
        page = read_page(rows, lambda row: _row(row, self.board_url(tenant)))
        first = page.rows[0].external_id if page.rows else ""
        if first and first == urlsplit(response.request.url).fragment:
            return Page(rows=())
        cursor = _next(response, first) if len(rows) >= _SHORTEST_PAGE else None
        return Page(rows=page.rows, rejected=page.rejected, cursor=cursor, unknown=page.unknown)

    def detail_request(self, tenant: str, external_id: str, url: str) -> Request:
        host, number = self._host(tenant), _IDS.check(external_id).replace("-", "/Description/")
        listed = address_on(url, host)
        return Request(url=listed or f"https://{host}/Vacancies/{number}", state=external_id, assumed=listed is None)

    def parse_detail(self, tenant: str, response: Response) -> Posting:
        """The full posting, its text being what is left of the page. Raises Malformed for a page of no vacancy."""
        tree = html_tree(response.body)
        head = text_of(next(tree.iter("title"), None)) or ""
        title, bar, company = head.rpartition("|")
        if not bar:
            title, company = head, ""
        if not title.strip(" |"):
            raise Malformed("the page is not that of a vacancy")
        apply = next(
            (link.get("href") or "" for link in tree.iter("a") if "/Application/" in (link.get("href") or "")), ""
        )
        return Posting(
            external_id=_IDS.check(response.request.state),
            title=clean_text(title).strip(),
            url=response.request.url,
            apply_url=f"https://{self._host(tenant)}{apply.partition('?')[0]}"
            if re.match(r"/[\w/-]{1,200}(?:\?|\Z)", apply, re.ASCII)
            else None,
            company=line(clean_text(company)),
            html=_main(tree),
        )

    def _host(self, tenant: str) -> str:
        return f"recruitingapp-{tenant}.umantis.com" if _NUMBER.fullmatch(tenant) else self.hosts.host(tenant)


def _next(response: Response, first: str) -> str | None:
    """What asks for the next page; None where the page has no table that could go on."""
    table = _TABLE.search(response.body.decode("utf-8", "replace").replace("&quot;", '"'))
    if table is None or not first:
        return None
    asked = next((value for name, value in response.request.params.items() if name.startswith("tc")), "p1")
    page = int(asked[1:]) + 1
    if page > _MAX_PAGES:
        raise Malformed(f"more than {_MAX_PAGES} pages")
    return f"{table[1] or table[2]}:{page}:{first}"


def _check_empty(tree: etree._Element) -> None:
    """Raises Malformed unless there is a table, and nothing in it."""
    tables = classed(tree, "tableaslist", "table-as-list")
    if not tables or any(table.xpath('.//tr[contains(@class, "contentrow")]') for table in tables):
        raise Malformed("no table of vacancies in the page, or none that can be read")


def _rows(tree: etree._Element) -> list[dict[str, Any]]:
    """What each vacancy of the list says, as JSON-like objects."""
    links = [link for link in classed(tree, _TITLE) if link.tag == "a" and _VACANCY.search(link.get("href") or "")]
    holders = [next(link.iterancestors("tr", "ul"), None) for link in links]
    times = Counter(holders)
    # What holds several vacancies is no row; it would be read once for each of them.
    return [_fields(link, holder if times[holder] == 1 else None) for link, holder in zip(links, holders, strict=True)]


def _fields(link: etree._Element, row: etree._Element | None) -> dict[str, Any]:
    """What a row says, as a JSON-like object."""
    return {
        "href": link.get("href"),
        "title": text_of(link) or line(link.get("aria-label")),
        "labels": {} if row is None else dict(_labelled(row)),
    }


def _labelled(row: etree._Element) -> Iterator[tuple[str, str]]:
    """Labels in lower case and what they say: list items with a hidden label, or spans like "| Type: Full time"."""
    for item in outermost(row, lambda one: one.tag == "li" or has_class(one, *_OLD_TEXTS)):
        text, value = text_of(item) or "", said(item, "column-value")
        label = text.removesuffix(value) if value else text.strip(" |").partition(":")[0]
        value = value or text.strip(" |").partition(":")[2].strip()
        if value:
            yield label.strip(" :").casefold(), value


def _row(row: Record, board: str) -> Posting:
    listed = web_url(urljoin(board, re.split("[?#]", row.need("href", str))[0]))
    found = _VACANCY.search(listed or "")
    if listed is None or found is None:
        raise Malformed("no address of the vacancy")
    labels = row.sub("labels")
    return Posting(
        external_id=f"{found[1]}-{found[2]}",
        title=row.need("title", str),
        url=listed,
        places=places(_stated(labels, _PLACES)),
        employment_type=line(next(iter(_stated(labels, _TYPES)), None)),
        posted_at=day(next(iter(_stated(labels, _DATES)), None), "dmy"),
    )


def _stated(labels: Record | None, names: Iterable[str]) -> list[str]:
    """What is said under any of the labels."""
    texts = [labels.get(name, str) for name in names] if labels else []
    return [text for text in texts if text]


def _main(tree: etree._Element) -> str:
    """The page's markup without what is around a vacancy."""
    body = next(tree.iter("body"), tree)
    main = next(body.iter("main", "article"), body)
    for element in list(main.iter(*_NO_TEXT)):
        parent = element.getparent()
        if parent is not None and element is not main:
            element.drop_tree()  # type: ignore[attr-defined]
    return inner_html(main)[:MAX_TEXT_CHARS]
