"""B-ITE job listings, embedded by companies in their own pages.

Source   https://cs-assets.b-ite.com/{customer}/jobs-api/{listing}.min.js for the listing's key,
         POST https://jobs.b-ite.com/api/v1/postings/search, then /jobposting/{id}/json for each text
         Facts: three working clients, read 2026-11. The key stands in the script for everybody to see
Shape    `jobPostings` in pages of 100 by `page.offset`; `page.total` counts the list. The list has no text
Units    times are ISO 8601; countries are codes in small letters; salaries are numbers in major units
Errors   404 for an unknown customer, listing or posting
Unsure   whether postings of other languages are listed under the locale de; limits; conditional GET
Traps    a tenant is "customer:listing", as in the attribute `data-bite-jobs-api-listing` of the page that shows it; the
         listing has no page of its own, its script stands for it; addresses of postings may be on the company's host
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import orjson

from daemons.sources.families.system import System
from lib.errors import Malformed
from lib.net.messages import Request, Response
from lib.posting.contract import Completeness, Confidence, Page, Posting, Record, Salary, read_one, read_page
from lib.posting.countries import country_code
from lib.posting.envelopes import need_count, rows_of
from lib.posting.links import Ids, Link, Tenants, web_url
from lib.posting.values import language, line, moment, places, salary

_TENANTS = Tenants("B-ITE", re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,79}:[A-Za-z0-9][A-Za-z0-9_-]{0,159}", re.ASCII))
_SCRIPT = re.compile(r"([A-Za-z0-9_-]+)/jobs-api/([A-Za-z0-9_-]+)(?:\.min)?\.js", re.ASCII)
_KEY = re.compile(rb"""["']([0-9a-f]{40})["']""")
_CURSOR = re.compile(r"([0-9a-f]{40}):(\d{1,6})", re.ASCII)
_IDS = Ids(re.compile(r"[0-9a-f]{40,42}", re.ASCII))
_IN_PATH = re.compile(r"/jobposting/([0-9a-f]{40,42})(?:/|\?|$)", re.ASCII)
_API = "https://jobs.b-ite.com"
_PAGE_SIZE = 100
_MAX_ROWS = 20_000


class Bite(System):
    name = "bite"
    title = "B-ITE"
    every = timedelta(hours=12)
    completeness = Completeness.TOTAL
    confidence = Confidence.WORKING

    def tenant_of(self, link: Link) -> str | None:
        if link.host != "cs-assets.b-ite.com":
            return None
        found = _SCRIPT.fullmatch("/".join(link.segments))
        return _TENANTS.find(f"{found[1]}:{found[2]}") if found else None

    def board_url(self, tenant: str) -> str:
        customer, _, listing = _TENANTS.check(tenant).partition(":")
        return f"https://cs-assets.b-ite.com/{customer}/jobs-api/{listing}.min.js"

    def request(self, tenant: str, cursor: str | None) -> Request:
        if cursor is None:
            return Request(url=self.board_url(tenant))
        found = _CURSOR.fullmatch(cursor)
        if found is None:
            raise Malformed(f"{cursor[:80]!r} is no place in a list")
        page = {"num": _PAGE_SIZE, "offset": int(found[2])}
        body = {"key": found[1], "channel": 0, "locale": "de", "page": page, "filter": {}}
        return Request(
            url=f"{_API}/api/v1/postings/search",
            method="POST",
            headers={"Content-Type": "application/json"},
            body=orjson.dumps(body),
            state=cursor,
        )

    def parse(self, tenant: str, response: Response) -> Page:
        """The listing's script is a page without rows that leads to the first one with some."""
        if response.request.method == "GET" and not response.body.lstrip().startswith(b"{"):
            return Page(rows=(), cursor=f"{_key(response.body)}:0")
        body = response.json_object()
        found, total = rows_of(body, "jobPostings"), need_count(body, "page", "total")
        return read_page(found, _row, total=total, cursor=_next(response.request.state, len(found), total))

    def detail_request(self, tenant: str, external_id: str, url: str) -> Request:
        _TENANTS.check(tenant)
        return Request(
            url=f"{_API}/jobposting/{_IDS.check(external_id)}/json",
            params={"locale": "de", "contentRendered": "true"},
        )

    def parse_detail(self, tenant: str, response: Response) -> Posting:
        asked = _IN_PATH.search(response.request.url)
        body = response.json_object()
        return read_one(body, lambda item: _detail(item, asked[1] if asked else None))


def _key(script: bytes) -> str:
    found = _KEY.search(script)
    if found is None:
        raise Malformed("no key in the listing's script")
    return found[1].decode()


def _next(state: str, rows: int, total: int) -> str | None:
    key, _, offset = state.partition(":")
    following = int(offset or 0) + rows
    if not state or rows == 0 or following >= total:
        return None
    if following > _MAX_ROWS:
        raise Malformed(f"more than {_MAX_ROWS} rows")
    return f"{key}:{following}"


def _row(item: Record) -> Posting:
    address = web_url(item.get("url", str))
    found = _IN_PATH.search(address or "")
    if address is None or found is None:
        raise Malformed("no address of a posting")
    named, country = _where(item.sub("address"))
    item.skip(("id", "custom", "modifiedOn", "startsOn", "channels", "identification"))
    return Posting(
        external_id=found[1],
        title=line(item.need("title", str)) or "",
        url=address,
        apply_url=web_url(item.get("applyUrl", str)),
        places=named,
        country=country,
        employment_type=_employment(item),
        posted_at=moment(item.get("createdOn", str)),
        valid_through=moment(item.get("endsOn", str)),
    )


def _detail(item: Record, asked: str | None) -> Posting:
    external_id = _IDS.check(asked or item.need("hash", str))
    named, country = _where(item.sub("address"))
    content, employer = item.sub("content"), item.sub("employer")
    html = content.sub("html") if content else None
    return Posting(
        external_id=external_id,
        title=line(item.need("title", str)) or "",
        url=f"{_API}/jobposting/{external_id}",
        company=line(employer.get("name", str)) if employer else None,
        places=named,
        country=country,
        employment_type=_employment(item),
        language=language(item.get("locale", str)),
        posted_at=moment(item.get("activatedAt", str)) or moment(item.get("createdAt", str)),
        salary=_salary(item.sub("baseSalary")),
        html=(html.html("rendered") if html else None) or "",
    )


def _where(address: Record | None) -> tuple[tuple[str, ...], str | None]:
    if address is None:
        return (), None
    address.skip(("postCode", "street", "houseNumber", "latitude", "longitude", "state", "district"))
    return places([address.get("city", str)]), country_code(address.get("country", str))


def _employment(item: Record) -> str | None:
    stated: Any = item.take("employmentType")
    words = [word for word in stated if isinstance(word, str)] if isinstance(stated, list) else [stated]
    return line(", ".join(word.replace("_", "-") for word in words[:10] if isinstance(word, str))[:200])


def _salary(stated: Record | None) -> Salary | None:
    if stated is None:
        return None
    low, high = stated.get("minValue", float), stated.get("maxValue", float)
    return salary(low, high, stated.get("currency", str), stated.get("unitText", str))
