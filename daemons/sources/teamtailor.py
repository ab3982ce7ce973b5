"""Teamtailor career sites, public JSON feed.

A tenant is "acme" for acme.teamtailor.com, or a company's own host, which has the same paths.

Source   https://{tenant}.teamtailor.com/jobs.json
         Facts: recorded feeds and the JSON Feed 1.1 specification, read 2026-11. No key. robots.txt is each tenant's
         own, may hold reservations against some uses, and is obeyed.
Shape    one document with the whole board: `items`, each with a schema.org JobPosting under `_jobposting`
Units    times are ISO 8601 with an offset
Errors   404 for an unknown host
Unsure   whether long feeds come in pages: `next_url` is read as the specification says, but was never seen; limits
         and conditional GET are not documented
Traps    the item's id is a UUID that is found nowhere else: a posting's id is the number in its address; the region is
         the customer's own label ("Europe"), no state; remote work and departments are not in this feed; a tenant may
         lie in a region (`acme.na`)
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from daemons.sources.families.own_hosts import Branded
from lib.errors import Malformed
from lib.net.messages import Request, Response
from lib.posting.contract import Completeness, Confidence, Page, Posting, Record, clean_text, read_page
from lib.posting.countries import country_code
from lib.posting.envelopes import rows_of
from lib.posting.links import read_link, web_url
from lib.posting.values import line, moment, places

_NUMBERED = re.compile(r"(\d{1,18})(?:-.*)?", re.ASCII | re.DOTALL)
_QUERY = re.compile(r"[a-z_]{1,20}=\d{1,9}(?:&[a-z_]{1,20}=\d{1,9}){0,3}", re.ASCII)
_MAX_PLACES = 100
_IGNORED = ("id", "content_text", "summary", "date_modified", "image", "banner_image", "tags", "author", "authors")
_IGNORED_NODE = ("@context", "@type", "title", "description", "datePosted", "validThrough", "identifier")


class Teamtailor(Branded):
    name = "teamtailor"
    title = "Teamtailor"
    completeness = Completeness.DOCUMENT
    confidence = Confidence.CONFIRMED
    ending = ".teamtailor.com"
    reserved = frozenset({"docs", "support", "tt"})
    form = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z]{2,3})?", re.ASCII)
    page = "/jobs"

    def request(self, tenant: str, cursor: str | None) -> Request:
        """The feed, or its page at `cursor`: the numbers that the page before it asks for."""
        if cursor is not None and not _QUERY.fullmatch(cursor):
            raise Malformed(f"{cursor[:80]!r} cannot be a page of Teamtailor")
        query = (pair.split("=") for pair in cursor.split("&")) if cursor else ()
        return Request(url=f"{self.board_url(tenant)}.json", params=dict(query))

    def parse(self, tenant: str, response: Response) -> Page:
        board = self.board_url(tenant)
        feed = response.json_object()
        return read_page(rows_of(feed, "items"), lambda item: _row(item, board), cursor=_next(feed.get("next_url")))


def _next(url: Any) -> str | None:
    """What the next page is asked by. Raises Malformed where there is one and we cannot ask for it."""
    if url is None:
        return None
    query = url.partition("?")[2] if isinstance(url, str) else ""
    if not _QUERY.fullmatch(query):
        raise Malformed("the address of the next page cannot be read")
    return query


def _row(item: Record, board: str) -> Posting:
    title = line(item.need("title", str)) or ""
    address = web_url(item.get("url", str))
    node = item.sub("_jobposting")
    external_id = _number(address, node)
    named, country = _where(node.take("jobLocation") if node else None)
    company = node.sub("hiringOrganization") if node else None
    if company:
        company.skip(("@type", "sameAs", "logo", "url"))
    if node:
        node.skip(_IGNORED_NODE)
    row = Posting(
        external_id=external_id,
        title=title,
        url=address or f"{board}/{external_id}",
        company=line(company.get("name", str)) if company else None,
        places=named,
        country=country,
        posted_at=moment(item.get("date_published", str)),
        html=item.html("content_html") or None,
    )
    item.skip(_IGNORED)
    return row


def _number(address: str | None, node: Record | None) -> str:
    """The posting's number, from its address or its identifier."""
    link = read_link(address) if address else None
    for segment in link.segments if link else ():
        if found := _NUMBERED.fullmatch(segment):
            return found[1]
    identifier = node.sub("identifier") if node else None
    value = identifier.take("value") if identifier else None
    if isinstance(value, int) and not isinstance(value, bool) and _NUMBERED.fullmatch(str(value)):
        return str(value)
    raise Malformed("no number in the address, and none that identifies the posting")


def _where(locations: Any) -> tuple[tuple[str, ...], str | None]:
    """The places by town and country, and the country where all agree."""
    named, countries = [], set()
    for address in _addresses(locations):
        town, country = (_text(address.get(name)) for name in ("addressLocality", "addressCountry"))
        named.append(", ".join(part for part in (town, country) if part))
        countries.add(country_code(country))
    return places(named), countries.pop() if len(countries) == 1 else None


def _addresses(locations: Any) -> Iterator[dict[str, Any]]:
    for place in (locations if isinstance(locations, list) else [locations])[:_MAX_PLACES]:
        address = place.get("address") if isinstance(place, dict) else None
        if isinstance(address, dict):
            yield address


def _text(value: Any) -> str | None:
    return line(clean_text(value)) if isinstance(value, str) else None
