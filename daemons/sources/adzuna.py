"""Adzuna, a search engine for jobs, through its keyed API. A tenant is a search, its list the newest rows of it.

Source   https://api.adzuna.com/v1/api/jobs/{country}/search/{page}, with the operator's `adzuna_app_id` and
         `adzuna_app_key`. Facts: developer.adzuna.com (search, terms) and clients, read 2026-11
Shape    `results` in pages from 1, at most 50 rows; `count` counts the whole search
Units    times are ISO 8601 in UTC; salaries are a year's, in the country's money
Errors   no key: 400 with HTML; a wrong one: 401; 404 for an unknown country; 503 with HTML
Unsure   conditional GET; whether pages far behind the first are whole: only the newest 2,000 rows are read
Traps    `salary_is_predicted` "1": the salary is Adzuna's guess, not the employer's; `description` is a teaser of at
         most 500 characters, never the text; `redirect_url` carries marks that change with every request; the default
         key has 25 requests a minute and 250 a day; contract, coordinates and company may be missing
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

from daemons.sources.families.searches import Searches, query_of
from daemons.sources.families.system import System
from lib.net.messages import Request, Response
from lib.posting.contract import Completeness, Confidence, Healthy, Page, Posting, Record, Salary, read_page
from lib.posting.envelopes import need_count, number_of, rows_of
from lib.posting.links import Ids, Link, web_url
from lib.posting.values import line, moment, places, salary

_SITES = {"de": "adzuna.de", "at": "adzuna.at", "ch": "adzuna.ch", "gb": "adzuna.co.uk"}
_CURRENCIES = {"de": "EUR", "at": "EUR", "ch": "CHF", "gb": "GBP"}
_SEARCHES = Searches("Adzuna", frozenset(_SITES))
_API = re.compile(r"v1/api/jobs/([a-z]{2})/search/\d+", re.ASCII)
_IDS = Ids(re.compile(r"\d{1,30}", re.ASCII))
_PAGE_SIZE = 50
_LAST_PAGE = 40
_IGNORED = ("__CLASS__", "adref", "latitude", "longitude", "description")  # the last: a teaser is no text


class Adzuna(System):
    name = "adzuna"
    title = "Adzuna"
    every = timedelta(hours=24)
    completeness = Completeness.TOTAL
    healthy = Healthy()
    confidence = Confidence.CONFIRMED
    consent = (
        "its terms ask for attribution and for consent to aggregation. Agree with Adzuna, and set your keys as"
        " VAKANZ_SOURCE_KEYS=adzuna_app_id=...,adzuna_app_key=..."
    )
    metered = 250

    def tenant_of(self, link: Link) -> str | None:
        api = _API.fullmatch("/".join(link.segments)) if link.host == "api.adzuna.com" else None
        if api is not None:
            return _SEARCHES.find(api[1], link.query.get("what"), link.query.get("where"))
        country = next((one for one, site in _SITES.items() if link.host.removeprefix("www.") == site), None)
        if country is None or link.segments != ("search",):
            return None
        return _SEARCHES.find(country, link.query.get("q"), link.query.get("w"))

    def board_url(self, tenant: str) -> str:
        country, what, where = _SEARCHES.check(tenant)
        return f"https://www.{_SITES[country]}/search?{query_of(q=what, w=where)}"

    def request(self, tenant: str, cursor: str | None) -> Request:
        country, what, where = _SEARCHES.check(tenant)
        page = number_of(cursor, 1)
        return Request(
            url=f"https://api.adzuna.com/v1/api/jobs/{country}/search/{page}?{query_of(what=what, where=where)}",
            params={
                "app_id": "{adzuna_app_id}",
                "app_key": "{adzuna_app_key}",
                "results_per_page": str(_PAGE_SIZE),
                "sort_by": "date",
                "content-type": "application/json",
            },
            secrets=("adzuna_app_id", "adzuna_app_key"),
            documented_api=True,
            state=str(page),
        )

    def parse(self, tenant: str, response: Response) -> Page:
        body = response.json_object()
        results, total = rows_of(body, "results"), None if body.get("count") is None else need_count(body, "count")
        country = _SEARCHES.check(tenant).country
        cursor = _next(response.request.state, results, total)
        return read_page(results, lambda item: _row(item, country), total=total, cursor=cursor)


def _next(state: str, results: list[Any], total: int | None) -> str | None:
    if not state or not results or total is None:
        return None
    page = int(state)
    return str(page + 1) if page * _PAGE_SIZE < total and page < _LAST_PAGE else None


def _row(item: Record, country: str) -> Posting:
    external_id = _IDS.check(item.take("id"))
    company, location, category = item.sub("company"), item.sub("location"), item.sub("category")
    contract = (item.get("contract_time", str), item.get("contract_type", str))
    row = Posting(
        external_id=external_id,
        title=line(item.need("title", str)) or "",
        url=_address(item) or f"https://www.{_SITES[country]}/details/{external_id}",
        company=line(company.get("display_name", str)) if company else None,
        places=places([location.get("display_name", str)]) if location else (),
        country=country.upper(),  # each country has an index of its own
        employment_type=line(", ".join(word.replace("_", "-") for word in contract if word)),
        department=line(category.get("label", str)) if category else None,
        posted_at=moment(item.get("created", str)),
        salary=_salary(item, country),
    )
    if location is not None:
        location.skip(("__CLASS__", "area"))
    for part in (company, category):
        if part is not None:
            part.skip(("__CLASS__", "tag", "canonical_name"))
    item.skip(_IGNORED)
    return row


def _address(item: Record) -> str | None:
    """Where the ad is shown, without the marks of this request."""
    address = web_url(item.get("redirect_url", str))
    return address.partition("?")[0] if address else None


def _salary(item: Record, country: str) -> Salary | None:
    """What the employer states; a prediction is not that."""
    predicted = item.take("salary_is_predicted")
    low, high = item.get("salary_min", float), item.get("salary_max", float)
    return salary(low, high, _CURRENCIES[country], "year") if predicted in ("0", 0, False) else None
