"""Lever job sites, public Postings API v0.

Source   https://api.lever.co/v0/postings/{site}?mode=json, https://api.eu.lever.co for the European instance
         Facts: github.com/lever/postings-api, read 2026-11. No key; robots.txt allows the paths.
Shape    a bare array, paged by `skip` and `limit`; the last page is the first one shorter than `limit`
Units    `createdAt` is Unix milliseconds; salaries are in major units
Errors   404 with {"ok": false} for an unknown site; an empty board is 200 with []
Unsure   the limit for reading is not documented; an ETag was seen, conditional GET is not documented
Traps    `description` is without the `lists` and `additional`; the two instances hold different sites, so a European
         tenant is written `eu:site`; `commitment` is each customer's own words
"""

from __future__ import annotations

import re
from urllib.parse import quote

from daemons.sources.families.system import System
from lib.errors import Malformed
from lib.net.messages import Request, Response
from lib.posting.contract import Completeness, Confidence, Page, Posting, Record, Remote, Salary, read_page
from lib.posting.countries import country_code
from lib.posting.envelopes import number_of
from lib.posting.links import Link, Tenants, web_url
from lib.posting.markup import joined, paragraphs, section
from lib.posting.values import any_remote, line, moment_ms, places, salary

_TENANTS = Tenants(
    "Lever",
    re.compile(r"(?:eu:)?[A-Za-z0-9][A-Za-z0-9._-]{0,99}", re.ASCII),
    frozenset({"js", "css", "eu:js", "eu:css"}),
)
_EUROPE = "eu:"
_PAGE_SIZE = 100
_MAX_ROWS = 50_000
_IGNORED = (
    "opening",  # parts of `description`, which has both
    "openingPlain",
    "descriptionBody",
    "descriptionBodyPlain",
    "salaryDescriptionPlain",
    "updatedAt",
)
_REMOTE: dict[str, Remote] = {"remote": "remote", "hybrid": "hybrid", "on-site": "onsite", "onsite": "onsite"}


class Lever(System):
    name = "lever"
    title = "Lever"
    completeness = Completeness.SHORT_PAGE
    confidence = Confidence.CONFIRMED

    def tenant_of(self, link: Link) -> str | None:
        service, _, domain = link.host.partition(".")
        if domain not in ("lever.co", "eu.lever.co") or service not in ("jobs", "api"):
            return None
        if service == "api" and link.segments[:2] != ("v0", "postings"):
            return None
        site = "".join(link.segments[2:3] if service == "api" else link.segments[:1])
        return _TENANTS.find(f"{_EUROPE}{site}" if domain.startswith("eu.") else site)

    def board_url(self, tenant: str) -> str:
        site, region = _site(tenant)
        return f"https://jobs{region}.lever.co/{site}"

    def request(self, tenant: str, cursor: str | None) -> Request:
        site, region = _site(tenant)
        return Request(
            url=f"https://api{region}.lever.co/v0/postings/{site}",
            params={"mode": "json", "skip": str(number_of(cursor, 0)), "limit": str(_PAGE_SIZE)},
            documented_api=True,
        )

    def parse(self, tenant: str, response: Response) -> Page:
        items = response.json_array()
        board = self.board_url(tenant)
        asked = response.request.params
        return read_page(
            items,
            lambda item: _row(item, board),
            cursor=_next(len(items), asked["skip"], asked["limit"]) if {"skip", "limit"} <= asked.keys() else None,
        )


def _site(tenant: str) -> tuple[str, str]:
    """The site's name and what its hosts have before the domain."""
    _TENANTS.check(tenant)
    return (tenant.removeprefix(_EUROPE), ".eu") if tenant.startswith(_EUROPE) else (tenant, "")


def _next(rows: int, skip: str, limit: str) -> str | None:
    """The following page's cursor; more rows than asked for are a whole board from a server that does not page."""
    if rows != int(limit):
        return None
    following = int(skip) + rows
    if following > _MAX_ROWS:
        raise Malformed(f"more than {_MAX_ROWS} rows, and no short page")
    return str(following)


def _row(item: Record, board: str) -> Posting:
    external_id = item.need("id", str)
    title = line(item.need("text", str)) or ""
    commitment, department, named = _categories(item.sub("categories"))
    workplace = line(item.get("workplaceType", str))
    item.skip(_IGNORED)
    return Posting(
        external_id=external_id,
        title=title,
        url=web_url(item.get("hostedUrl", str)) or f"{board}/{quote(external_id, safe='')}",
        apply_url=web_url(item.get("applyUrl", str)),
        places=named,
        country=country_code(item.get("country", str)),
        remote=_REMOTE.get((workplace or "").lower()) or ("remote" if any_remote(named) else None),
        employment_type=commitment,
        department=department,
        posted_at=moment_ms(item.get("createdAt", float)),
        salary=_salary(item.sub("salaryRange")),
        html=_html(item),
    )


def _categories(categories: Record | None) -> tuple[str | None, str | None, tuple[str, ...]]:
    """Commitment, department (or team) and places."""
    if categories is None:
        return None, None, ()
    categories.skip(("level",))
    department, team = line(categories.get("department", str)), line(categories.get("team", str))
    named = places([categories.get("location", str), *categories.strings("allLocations")])
    return line(categories.get("commitment", str)), department or team, named


def _salary(stated: Record | None) -> Salary | None:
    if stated is None:
        return None
    low, high = stated.get("min", float), stated.get("max", float)
    return salary(low, high, stated.get("currency", str), stated.get("interval", str))


def _html(item: Record) -> str | None:
    """Opening and body, the lists, the closing, the words on pay; plain text where a part has no markup."""
    lists = []
    for one in item.subs("lists"):
        content = one.html("content") or ""
        lists.append(section(line(one.get("text", str)), f"<ul>{content}</ul>" if content.strip() else ""))
    parts = [_part(item, "description"), *lists, _part(item, "additional"), item.html("salaryDescription")]
    return joined(parts) or None


def _part(item: Record, name: str) -> str | None:
    markup, plain = item.html(name), item.html(f"{name}Plain")
    return markup if markup and markup.strip() else paragraphs(plain or "")
