"""SAP SuccessFactors career sites, by the JSON that their unified search asks (Career Site Builder).

Source   https://{host}/search/ for the site's languages, POST /services/recruiting/v1/jobs, and the postings' pages
         A tenant is "acme" for acme.jobs.hr.cloud.sap, or a company's own host. Facts: measurements of working clients,
         read 2026-11. No key; not documented for others.
Shape    `jobSearchResult` in pages of 10 by `pageNumber`, `totalJobs` counts one language's list; no texts
Units    dates are M/D/YY or ISO 8601; no salary
Errors   401 where a site asks for its cookie and token; a withdrawn posting leads to the search page
Unsure   the meaning of `filter1` and so on is the customer's; how old the list is; limits
Traps    a language that the site does not publish is 200 with `totalJobs: 0`, so only those that its page links to are
         asked for; a walk over the pages misses rows, so each language is walked twice; titles are escaped; each
         language version is a posting of its own
"""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from typing import Annotated
from urllib.parse import quote

import msgspec
import orjson

from daemons.sources.families.own_hosts import OwnHosts
from daemons.sources.families.successfactors_pages import PostingPages
from lib.errors import Malformed
from lib.net.messages import Request, Response
from lib.posting.contract import Completeness, Confidence, Page, Posting, Record, read_page
from lib.posting.countries import country_code
from lib.posting.envelopes import need_count, rows_of
from lib.posting.links import Ids, Link
from lib.posting.trees import decoded
from lib.posting.values import day, language, line, moment, places

_LOCALE = re.compile(r"[?&](?:amp;)?locale=([a-z]{2}_[A-Z]{2})\b")
_IDS = Ids(re.compile(r"\d{1,15}(?:-[a-z]{2}_[A-Z]{2})?", re.ASCII))
_POSTING_PATH = re.compile(r"job/[^/]{1,400}/\d{1,15}-[a-z]{2}_[A-Z]{2}", re.ASCII)
_PAGE_SIZE = 10
_WALKS = 2
_MOST_ROWS = 20_000
_MOST_LANGUAGES = 40
_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)
_IGNORED = ("custRMKMappingPicklist", "businessUnit_obj", "department_obj", "currency", "sfstd_jobLocation_obj")


_Locale = Annotated[str, msgspec.Meta(pattern=r"\A[a-z]{2}_[A-Z]{2}\Z")]
_Count = Annotated[int, msgspec.Meta(ge=0, le=_MOST_LANGUAGES * _MOST_ROWS)]


class _Place(msgspec.Struct, frozen=True, array_like=True):
    """The page to ask for: the languages still to walk, the current one first; `before`: rows of those walked."""

    locales: tuple[_Locale, ...]
    walk: _Count = 0
    page: _Count = 0
    before: _Count = 0
    total: _Count = 0


class SuccessFactorsUnified(PostingPages):
    name = "successfactors_csb"
    title = "SAP SuccessFactors, unified search"
    every = timedelta(hours=12)
    completeness = Completeness.TOTAL
    confidence = Confidence.WORKING
    consent = (
        "It asks /services/, which robots.txt of many of these sites disallows, for data that they show to everybody. "
        "Decide whether your use of it is allowed."
    )

    hosts = OwnHosts("SAP SuccessFactors", ".jobs.hr.cloud.sap")
    page = "/search/"
    ids = _IDS
    posting = "/job/x/{}"

    def is_own(self, link: Link) -> bool:
        is_posting = _POSTING_PATH.fullmatch("/".join(link.segments)) is not None
        return is_posting or link.segments[:2] == ("services", "recruiting")

    def request(self, tenant: str, cursor: str | None) -> Request:
        if cursor is None:
            return Request(url=self.board_url(tenant))
        place = _at(cursor)
        query = {
            "keywords": "", "locale": place.locales[0], "location": "", "pageNumber": place.page, "sortBy": "recent",
            "facetFilters": {}, "brand": "", "skills": [], "categoryId": 0, "alertId": "", "rcmCandidateId": "",
        }  # fmt: skip
        return Request(
            url=f"https://{self.hosts.host(tenant)}/services/recruiting/v1/jobs",
            method="POST",
            headers={"Accept": "application/json", "Content-Type": "application/json"},
            body=orjson.dumps(query),
            documented_api=True,  # off until the operator has decided about robots.txt of these hosts
            state=cursor,
        )

    def parse(self, tenant: str, response: Response) -> Page:
        if not response.request.state:
            return Page(rows=(), cursor=_encoded(_Place(_locales(response.body))))
        place, body = _at(response.request.state), response.json_object()
        total, rows = need_count(body, "totalJobs"), rows_of({"jobSearchResult": []} | body, "jobSearchResult")
        if total > _MOST_ROWS:
            raise Malformed(f"more than {_MOST_ROWS} rows")
        total = max(total, place.total)
        host, locale = self.hosts.host(tenant), place.locales[0]
        cursor = _next(place, len(rows), total)
        return read_page(
            rows,
            lambda row: _row(row.sub("response") or row, host, locale),
            total=place.before + total,
            cursor=cursor,
        )


def _at(cursor: str) -> _Place:
    try:
        place = msgspec.json.decode(cursor, type=_Place)
    except (msgspec.DecodeError, UnicodeError) as error:
        raise Malformed(f"no cursor: {error}"[:200]) from error
    if not place.locales:
        raise Malformed("a cursor without a language")
    return place


def _encoded(place: _Place) -> str:
    return msgspec.json.encode(place).decode()


def _locales(body: bytes) -> tuple[str, ...]:
    """The languages that a site publishes, which its search page links to."""
    found = tuple(dict.fromkeys(_LOCALE.findall(decoded(body))))[:_MOST_LANGUAGES]
    if not found:
        raise Malformed("the search page names no language")
    return found


def _next(place: _Place, rows: int, total: int) -> str | None:
    """The next page, else the next walk over the same language, else the next language."""
    if rows and (place.page + 1) * _PAGE_SIZE < total:
        return _encoded(_Place(place.locales, place.walk, place.page + 1, place.before, total))
    if place.walk + 1 < _WALKS and total > _PAGE_SIZE:
        return _encoded(_Place(place.locales, place.walk + 1, 0, place.before, total))
    return _encoded(_Place(place.locales[1:], before=place.before + total)) if place.locales[1:] else None


def _row(row: Record, host: str, locale: str) -> Posting:
    number, slug = row.take("id"), unescape(row.get("unifiedUrlTitle", str) or "") or "x"
    external_id = _IDS.check(f"{number}-{locale}")
    countries = {country_code(name) for name in row.strings("jobLocationCountry")}
    started = row.get("unifiedStandardStart", str)
    posting = Posting(
        external_id=external_id,
        title=line(unescape(row.need("unifiedStandardTitle", str))) or "",
        url=f"https://{host}/job/{quote(slug.replace('/', '-'), safe='%')[:1_000]}/{external_id}",
        places=places(unescape(_BREAK.sub(" ", name)) for name in row.strings("jobLocationShort")),
        country=countries.pop() if len(countries) == 1 else None,
        language=language(locale),
        posted_at=day(started, "mdy") or moment(started),
    )
    row.skip(("supportedLocales", *(f"filter{number}" for number in range(1, 21)), *_IGNORED))
    return posting
