"""Breezy HR career portals, the JSON behind them.

A tenant is "acme" for acme.breezy.hr, or a company's own host, which has the same paths.

Source   https://{tenant}.breezy.hr/json?verbose=true, and https://{tenant}.breezy.hr/p/{id} where that has no text
         Facts: working clients of other projects, read 2026-11; no payload of our own. No key, not documented:
         robots.txt is obeyed.
Shape    a bare array with the whole board. `verbose` adds the description; a posting's page has it as JSON-LD
Units    times are ISO 8601 in UTC; pay is free text
Errors   404 or a redirect to breezy.hr for an unknown tenant
Unsure   whether every portal knows `verbose`; whether a posting's page is found by the id without its slug, as it is
         asked for where the list has no address of it; limits and conditional GET are not documented
Traps    most fields may be missing; a state is an object or a text; remote work is a flag of the place
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from daemons.sources.families.own_hosts import Branded
from daemons.sources.families.posting_pages import only_posting, page_request, read_posting
from lib.net.messages import Request, Response
from lib.posting.contract import Completeness, Confidence, Page, Posting, Record, Remote, read_page
from lib.posting.countries import country_code
from lib.posting.links import Ids, read_link, web_url
from lib.posting.values import any_remote, line, moment, places, salary_phrase

_IDS = Ids(re.compile(r"[A-Za-z0-9]{1,64}", re.ASCII))
_IGNORED = ("friendly_id", "category", "experience", "education", "tags", "requirements", "responsibilities")


class Breezy(Branded):
    name = "breezy"
    title = "Breezy HR"
    completeness = Completeness.DOCUMENT
    confidence = Confidence.WORKING
    ending = ".breezy.hr"
    reserved = frozenset({"assets-cdn", "developer", "help", "marketing", "status"})

    def request(self, tenant: str, cursor: str | None) -> Request:
        return Request(url=f"{self.board_url(tenant)}/json", params={"verbose": "true"})

    def parse(self, tenant: str, response: Response) -> Page:
        board = self.board_url(tenant)
        self.check_hosted(response)
        return read_page(response.json_array(), lambda position: _row(position, board))

    def detail_request(self, tenant: str, external_id: str, url: str) -> Request:
        host, external_id = self.host(tenant), _IDS.check(external_id)
        return page_request(host, url, external_id, guess=f"https://{host}/p/{external_id}")

    def parse_detail(self, tenant: str, response: Response) -> Posting:
        """The posting on its page: the one that was asked for, or that its address names. Raises Malformed, Gone."""
        self.check_hosted(response)
        node = only_posting(response.body)
        external_id = _IDS.check(response.request.state or _named(node.get("url")))
        return read_posting(node, external_id, web_url(response.url) or f"{self.board_url(tenant)}/p/{external_id}")


def _named(address: Any) -> str:
    link = read_link(address) if isinstance(address, str) else None
    segments = link.segments if link else ()
    return segments[1].partition("-")[0] if len(segments) > 1 and segments[0] == "p" else ""


def _row(position: Record, board: str) -> Posting:
    external_id = _IDS.check(position.need("id", str))
    named, country, remote = _where(position)
    kind, company = position.sub("type"), position.sub("company")
    if company:
        company.skip(("logo_url", "friendly_id", "isMultipleLocationsEnabled"))
    url = web_url(position.get("url", str)) or f"{board}/p/{external_id}"
    position.skip(_IGNORED)
    return Posting(
        external_id=external_id,
        title=line(position.need("name", str)) or "",
        url=url,
        apply_url=web_url(f"{url}/apply"),
        company=line(company.get("name", str)) if company else None,
        places=named,
        country=country,
        remote=remote,
        employment_type=_label(kind),
        department=line(position.get("department", str)),
        posted_at=moment(position.get("published_date", str)),
        salary=salary_phrase(position.get("salary", str)),
        html=position.html("description") or None,
    )


def _where(position: Record) -> tuple[tuple[str, ...], str | None, Remote | None]:
    """The places' names, the main one's country, and whether it is a remote one."""
    named: list[str | None] = []
    countries: list[str | None] = []
    flags: list[bool | None] = []
    for place in _places(position):
        country, city, name = place.sub("country"), place.get("city", str), place.get("name", str)
        named.append(line(name) or line(city))
        countries.append(country_code(country.get("id", str) or country.get("name", str)) if country else None)
        if country:
            country.skip(("name",))
        flags.append(place.get("is_remote", bool))
        place.skip(("id", "_id", "primary", "state", "streetAddress", "postal_code", "remote_details"))
    is_remote = bool(flags and flags[0]) or any_remote(places(named[:1]))
    return places(named), next(iter(countries), None), "remote" if is_remote else None


def _places(position: Record) -> Iterator[Record]:
    main: Any = position.sub("location")
    if main is not None:
        yield main
    yield from position.subs("locations")


def _label(kind: Record | None) -> str | None:
    if kind is None:
        return None
    key, label = line(kind.get("id", str)), line(kind.get("name", str))
    return label or key
