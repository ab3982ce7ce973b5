"""Jooble, a search engine for jobs, through its keyed API. A tenant is a search, its list the first rows of it.

Source   POST https://{country}.jooble.org/api/{key}, with the operator's `jooble_key_{country}`
         Facts: clients, and what they quote of the help pages, read 2026-11
Shape    `jobs` in pages from 1, `totalCount` counts the whole search; no rows behind the last page
Units    `updated` (not the day of publication) is ISO 8601 with seven decimals; `salary` is free text, often empty
Errors   403 for a wrong key
Unsure   all of it: no answer of our own was seen. Whether national hosts answer like jooble.org; how many rows a page
         may have (100 are asked for, 20 come unasked); limits
Traps    each country needs a key of its own; a free key has 500 requests in its whole life, not per month; `snippet` is
         a few words around the search, never the text; ids are 64-bit numbers and may be negative
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import orjson

from daemons.sources.families.searches import Searches, query_of
from daemons.sources.families.system import System
from lib.net.messages import Request, Response
from lib.posting.contract import Completeness, Confidence, Healthy, Page, Posting, Record, read_page
from lib.posting.envelopes import need_count, number_of, rows_of
from lib.posting.links import Ids, Link, web_url
from lib.posting.values import line, places, salary_phrase

_COUNTRIES = frozenset({"de", "at", "ch"})
_SEARCHES = Searches("Jooble", _COUNTRIES)
_IDS = Ids(re.compile(r"-?\d{1,20}", re.ASCII))
_LAST_PAGE = 20
_PAGE_SIZE = 100
_IGNORED = ("snippet", "source", "updated")  # a few words are no text, and an update is no first publication


class Jooble(System):
    name = "jooble"
    title = "Jooble"
    every = timedelta(hours=24)
    completeness = Completeness.TOTAL
    healthy = Healthy()
    confidence = Confidence.PARTIAL
    consent = (
        "its keys are for showing its results with a link back. Agree with Jooble, and set a key per country as"
        " VAKANZ_SOURCE_KEYS=jooble_key_de=..."
    )
    metered = 20

    def tenant_of(self, link: Link) -> str | None:
        country, _, domain = link.host.partition(".")
        if domain != "jooble.org" or link.segments != ("SearchResult",):
            return None
        return _SEARCHES.find(country, link.query.get("ukw"), link.query.get("rgns"))

    def board_url(self, tenant: str) -> str:
        country, what, where = _SEARCHES.check(tenant)
        return f"https://{country}.jooble.org/SearchResult?{query_of(rgns=where, ukw=what)}"

    def request(self, tenant: str, cursor: str | None) -> Request:
        country, what, where = _SEARCHES.check(tenant)
        key, page = f"jooble_key_{country}", str(number_of(cursor, 1))
        asked = {"keywords": what, "location": where, "page": page, "ResultOnPage": str(_PAGE_SIZE)}
        return Request(
            url=f"https://{country}.jooble.org/api/{{{key}}}",
            method="POST",
            headers={"Content-Type": "application/json"},
            body=orjson.dumps(asked),
            secrets=(key,),
            documented_api=True,
            state=page,
        )

    def parse(self, tenant: str, response: Response) -> Page:
        body = response.json_object()
        jobs, total = rows_of(body, "jobs"), need_count(body, "totalCount")
        country = _SEARCHES.check(tenant).country
        return read_page(
            jobs, lambda item: _row(item, country), total=total, cursor=_next(response.request.state, jobs)
        )


def _next(state: str, jobs: list[Any]) -> str | None:
    return str(int(state) + 1) if state and jobs and int(state) < _LAST_PAGE else None


def _row(item: Record, country: str) -> Posting:
    external_id = _IDS.check(item.take("id"))
    row = Posting(
        external_id=external_id,
        title=line(item.need("title", str)) or "",
        url=web_url(item.get("link", str)) or f"https://{country}.jooble.org/desc/{external_id}",
        company=line(item.get("company", str)),
        places=places([item.get("location", str)]),
        employment_type=line(item.get("type", str)),
        salary=salary_phrase(item.get("salary", str)),
    )
    item.skip(_IGNORED)
    return row
