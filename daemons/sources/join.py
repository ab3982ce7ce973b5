"""JOIN career pages: the data inside the page, and the list that the page itself loads.

Source   https://join.com/companies/{tenant} (`__NEXT_DATA__`) for the first page of the list,
         https://join.com/api/public/companies/{id}/jobs for the others, https://join.com/companies/{tenant}/{id}-...
         for each text. Facts: working clients and measurements of others, read 2026-11. No key, not documented.
Shape    `items` in pages of 5 (`pageSize` above 5 is 422); `pagination` has `pageCount` and the number of rows. The
         texts are Markdown in parts, in the detail only
Units    salaries in minor units (cents) with `salaryFrequency`; times are ISO 8601 in UTC
Errors   an unknown company is 200 with `statusCode` 404 in the page, or a placeholder company (id 233) of another
         name; a withdrawn posting 200 with 404 or 410 in the page, or another status than ONLINE; 429 is common
Unsure   that the words after the number in a posting's address do not matter, which only an address that no list gave
         relies on; the inner names of `language`; another client types the API's paging and places otherwise, both are
         read; ETag, limits
Traps    pages past the end repeat the last one; a posting is found by `id` and by the number that `idParam` begins
         with, and the two differ: the latter is in its address and is its id here
"""

from __future__ import annotations

import re
from typing import Any

import msgspec
from markdown_it import MarkdownIt

from daemons.sources.families.posting_pages import page_request
from daemons.sources.families.system import System
from lib.errors import Gone, Malformed
from lib.net.messages import Request, Response
from lib.posting.contract import (
    Completeness,
    Confidence,
    Page,
    Posting,
    Record,
    Remote,
    Salary,
    clean_text,
    read_one,
    read_page,
)
from lib.posting.countries import country_code
from lib.posting.envelopes import count_of
from lib.posting.links import Ids, Link, Tenants
from lib.posting.markup import joined
from lib.posting.trees import html_tree, script_json
from lib.posting.values import amount, language, line, moment, places, salary

_TENANTS = Tenants("JOIN", re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}", re.ASCII))
_IDS = Ids(re.compile(r"\d{1,18}", re.ASCII))
_ID_PARAM = re.compile(r"(\d{1,18})(?:-.*)?", re.ASCII | re.DOTALL)
_CURSOR = re.compile(r"(\d{1,18}):(\d{1,5})", re.ASCII)
_LOCALE = re.compile(r"[a-z]{2}", re.ASCII)
_PAGE_SIZE = 5
_MAX_PAGES = 2_000
_PLACEHOLDER_COMPANY = 233
_MAX_MARKDOWN_CHARS = 50_000
_MARKUP = re.compile(r"\s*</?[a-z][a-z0-9]{0,9}[\s>/]", re.IGNORECASE)
_INNER_STAR = re.compile(r"(?<=\w)\*(?=\w)")  # "Kolleg*innen und Kund*innen" is no emphasis
_MARKDOWN = MarkdownIt("commonmark", {"html": False})
_TEXTS = ("intro", "tasks", "requirements", "benefits", "outro")
_REMOTE: dict[str, Remote] = {"REMOTE": "remote", "HYBRID": "hybrid", "ONSITE": "onsite", "ON_SITE": "onsite"}
_IGNORED = ("id", "shareableUrl", "address", "coordinates", "contact", "company", "schemaDescription", "slug")


class Join(System):
    name = "join"
    title = "JOIN"
    completeness = Completeness.TOTAL
    confidence = Confidence.WORKING

    def tenant_of(self, link: Link) -> str | None:
        if link.host not in ("join.com", "www.join.com"):
            return None
        segments = link.segments[1:] if link.segments and _LOCALE.fullmatch(link.segments[0]) else link.segments
        return _TENANTS.find("".join(segments[1:2])) if segments[:1] == ("companies",) else None

    def board_url(self, tenant: str) -> str:
        return f"https://join.com/companies/{_TENANTS.check(tenant)}"

    def request(self, tenant: str, cursor: str | None) -> Request:
        if cursor is None:
            return Request(url=self.board_url(tenant))
        _TENANTS.check(tenant)
        found = _CURSOR.fullmatch(cursor)
        if found is None:
            raise Malformed(f"{cursor[:80]!r} is no company and page")
        return Request(
            url=f"https://join.com/api/public/companies/{found[1]}/jobs",
            params={"locale": "de-de", "page": found[2], "pageSize": str(_PAGE_SIZE)},
            headers={"Accept": "application/json"},
        )

    def parse(self, tenant: str, response: Response) -> Page:
        board = self.board_url(tenant)
        asked = _CURSOR.fullmatch(_cursor_of(response.request))
        if asked is None:
            state = _state(response.body)
            company, jobs = _company(state, tenant), state.get("jobs")
        else:
            company, jobs = asked[1], response.json_object()
        if not isinstance(jobs, dict) or not isinstance(jobs.get("items"), list):
            raise Malformed("no list of jobs")
        last, total = _paging(jobs.get("pagination"))
        page = int(asked[2]) if asked else 1
        if page > 1 and page > last:
            return Page(rows=(), total=total)  # the list became shorter: this is its last page once more
        cursor = f"{company}:{page + 1}" if page < last else None
        return read_page(jobs["items"], lambda item: _row(item, board), total=total, cursor=cursor)

    def detail_request(self, tenant: str, external_id: str, url: str) -> Request:
        guess = f"{self.board_url(tenant)}/{_IDS.check(external_id)}-job"
        return page_request("join.com", url, external_id, guess=guess)

    def parse_detail(self, tenant: str, response: Response) -> Posting:
        """The full posting; its `html` is "" when all parts are empty. Raises Malformed, Gone when not online."""
        board = self.board_url(tenant)
        job = _state(response.body).get("job")
        if not isinstance(job, dict):
            raise Malformed("no job in the page")
        row, status = read_one(job, lambda item: _detailed(item, board)), job.get("status")
        if isinstance(status, str) and status.upper() != "ONLINE":
            raise Gone(f"posting {row.external_id} is {clean_text(status, 40)!r}", status=410)
        return row


def _cursor_of(request: Request) -> str:
    """The cursor that led to this request."""
    company = re.fullmatch(r"https://join\.com/api/public/companies/(\d+)/jobs", request.url)
    return f"{company[1]}:{request.params.get('page', '')}" if company else ""


def _state(body: bytes) -> dict[str, Any]:
    """What a page holds as `initialState`. Raises Gone when the page says that there is nothing."""
    held = script_json(html_tree(body), '//script[@id="__NEXT_DATA__"]')
    for name in ("props", "pageProps"):
        held = held.get(name) if isinstance(held, dict) else None
    if not isinstance(held, dict):
        raise Malformed("no pageProps in the page")
    status = held.get("statusCode")
    if status in (404, 410):
        raise Gone(f"the page says {status}", status=status)
    state = held.get("initialState")
    if not isinstance(state, dict):
        raise Malformed("no initialState in the page")
    return state


def _company(state: dict[str, Any], tenant: str) -> str:
    """The company's number, once it is sure that the page is the tenant's."""
    company = state.get("company")
    number = company.get("id") if isinstance(company, dict) else None
    if not isinstance(company, dict) or not isinstance(number, int) or not 0 < number < 10**18:
        raise Malformed("no company in the page")
    domain = company.get("domain")
    if isinstance(domain, str) and domain.casefold() == tenant.casefold():
        return str(number)
    if number == _PLACEHOLDER_COMPANY:
        raise Gone(f"{tenant} is unknown: the page is that of a placeholder")
    raise Malformed(f"the page is that of {clean_text(str(domain), 80)!r}")


def _paging(stated: Any) -> tuple[int, int]:
    """The last page's number and the number of rows."""
    paging = stated if isinstance(stated, dict) else {}
    last = _count(paging, "pageCount", "totalPages")
    total = _count(paging, "rowCount", "total")
    if last is None or total is None:
        raise Malformed("pagination has no number of pages or rows")
    if last > _MAX_PAGES:
        raise Malformed(f"more than {_MAX_PAGES} pages")
    return last, total


def _count(paging: dict[str, Any], *names: str) -> int | None:
    for name in names:
        value = count_of(paging, name)
        if value is not None:
            return value
    return None


def _row(item: Record, board: str) -> Posting:
    stated, title = line(item.need("idParam", str)) or "", line(item.need("title", str)) or ""
    found = _ID_PARAM.fullmatch(stated)
    if found is None:
        raise Malformed(f"{stated[:80]!r} does not begin with a number")
    named, country = _where(item)
    created, published = item.get("createdAt", str), item.get("publishedAt", str)
    item.skip((*_IGNORED, *_TEXTS, "status"))
    return Posting(
        external_id=found[1],
        title=title,
        url=f"{board}/{stated}" if re.fullmatch(r"[\w-]{1,300}", stated, re.ASCII) else f"{board}/{found[1]}-job",
        places=named,
        country=country,
        remote=_REMOTE.get((line(item.get("workplaceType", str)) or "").upper()),
        employment_type=_label(item, "employmentType"),
        department=_label(item, "category"),
        language=language(_label(item, "language")),
        posted_at=moment(published) or moment(created),
        salary=_salary(item),
    )


def _detailed(item: Record, board: str) -> Posting:
    parts = [item.html(name) for name in _TEXTS]
    ready = item.html("schemaDescription")
    row = _row(item, board)
    html = joined(_rendered(part) for part in parts if part) or joined([_rendered(ready or "")])
    return msgspec.structs.replace(row, html=html)


def _rendered(text: str) -> str:
    """Markdown as markup; what is markup already stays as it is."""
    if _MARKUP.match(text):
        return text
    return str(_MARKDOWN.render(_INNER_STAR.sub(r"\*", text[:_MAX_MARKDOWN_CHARS]))).strip()


def _where(item: Record) -> tuple[tuple[str, ...], str | None]:
    """The places as "town, region, country", and the country's code where all agree."""
    named: list[str | None] = []
    countries: set[str | None] = set()
    city = item.sub("city")
    for place in [*([city] if city else []), *item.subs("locations")]:
        town = line(place.get("cityName", str)) or line(place.get("name", str))
        region, country = line(place.get("regionName", str)), line(place.get("countryName", str))
        named.append(", ".join(dict.fromkeys(part for part in (town, region, country) if part)))
        countries.add(country_code(country))
    return places(named), next(iter(countries)) if len(countries) == 1 else None


def _label(item: Record, field: str) -> str | None:
    """What people read of `{name}`, `{iso6391}` or a plain text."""
    value = item.take(field)
    if isinstance(value, dict):
        value = next((value[name] for name in ("name", "iso6391", "iso", "code") if name in value), None)
    return line(clean_text(value)) if isinstance(value, str) else None


def _salary(item: Record) -> Salary | None:
    low, high, settings = item.sub("salaryAmountFrom"), item.sub("salaryAmountTo"), item.sub("settings")
    per = (item.get("salaryFrequency", str) or "").replace("_", "-")
    shown = settings is None or settings.get("showSalary", bool) is not False
    least, most = (amount(bound.take("amount")) if bound else None for bound in (low, high))
    codes = [bound.get("currency", str) for bound in (low, high) if bound]
    if not shown:
        return None
    return salary(least and least / 100, most and most / 100, next(filter(None, codes), None), per)
