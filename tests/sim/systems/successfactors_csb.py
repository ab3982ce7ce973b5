"""SAP SuccessFactors' unified search: ten rows a page, one list per published language, empty for any other."""

from __future__ import annotations

import re
from html import escape
from random import Random
from typing import Any
from urllib.parse import quote

import orjson

from tests.sim.companies import Company
from tests.sim.hosted import Hosted
from tests.sim.places import COUNTRY_NAMES
from tests.sim.posting import Posting
from tests.sim.systems.successfactors import microdata
from tests.sim.view import View
from tests.sim.wire import Answer, Asked, Call, Saved, page

_JOB = re.compile(r"/job/[^/]+/(\d{1,15})-([a-z]{2}_[A-Z]{2})/?")
_PAGE_SIZE = 10
_LOCALES = {"de": "de_DE", "en": "en_US"}


class SuccessFactorsUnified(Hosted):
    """{name}.jobs.hr.cloud.sap.

    `lost`: which share of a list's rows one walk over its pages does not show; each page is another draw.
    """

    name = "successfactors_csb"
    hosts = re.compile(r"([a-z0-9-]+)\.jobs\.hr\.cloud\.sap")
    lost = 0.0

    def __init__(self) -> None:
        self._asked = 0

    def tenant(self, company: Company) -> str:
        return "".join(company.words).lower()

    def board_url(self, tenant: str) -> str:
        return f"https://{quote(tenant)}.jobs.hr.cloud.sap/search/"

    def external_id(self, posting: Posting) -> str:
        return f"{posting.number}-{_LOCALES[posting.language]}"

    def posting_url(self, tenant: str, posting: Posting) -> str:
        return f"https://{quote(tenant)}.jobs.hr.cloud.sap/job/{_slug(posting)}/{self.external_id(posting)}"

    def robots(self, host: str) -> str | None:
        return "User-agent: *\nDisallow: /services/\n"

    def route_of(self, tenant: str, asked: Asked) -> Call | None:
        job = _JOB.fullmatch(asked.path)
        if job:
            return Call("detail", tenant, (int(job[1]), job[2]))
        if asked.path in ("/", "/search/"):
            return Call("page", tenant)
        if asked.path != "/services/recruiting/v1/jobs" or asked.method != "POST":
            return None
        try:
            query = orjson.loads(asked.body)
            locale, number = str(query["locale"]), int(query["pageNumber"])
        except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
            return None
        self._asked += 1  # the same page is another one the next time it is asked for
        return Call("list", tenant, (locale, number, self._asked if self.lost else 0))

    def answer(self, call: Call, view: View) -> Answer:
        if call.kind == "detail":
            found = view.find(int(call.args[0]))
            if found is None or not found[1] or _LOCALES[found[0].language] != call.args[1]:
                return Answer(b"", 302, headers={"Location": "/search/"})
            return page(found[0].title, microdata(found[0]))
        locales = [_LOCALES[language] for language in view.board.languages]
        if call.kind == "page":
            links = "".join(f'<a href="/search/?q=&amp;locale={locale}">{locale[:2]}</a>' for locale in locales)
            return page(view.board.company.name, f"<nav>{links}</nav><div id=search></div>")
        return self._listing(str(call.args[0]), int(call.args[1]), int(call.args[2]), view)

    def unknown(self, call: Call) -> Answer:
        return page("SAP SuccessFactors", "<h1>SAP SuccessFactors</h1>")

    def replay(self, call: Call, saved: Saved) -> Answer:
        return Answer(saved.listing) if call.kind == "list" and not call.args[1] else Answer(b'{"totalJobs":0}')

    def _listing(self, locale: str, number: int, draw: int, view: View) -> Answer:
        rows = [posting for posting in view.postings() if _LOCALES[posting.language] == locale]
        if not rows:
            return Answer(b'{"totalJobs":0}')
        total = len(rows) + view.total - len(view.keys)  # a lie about the board's total is one about each list's
        chance = Random(draw)
        shown = [
            chance.choice(rows) if chance.random() < self.lost else one
            for one in rows[number * _PAGE_SIZE : (number + 1) * _PAGE_SIZE]
        ]
        found = [{"response": _row(posting, locale)} for posting in shown]
        return Answer(orjson.dumps({"totalJobs": total, "jobSearchResult": found}))


def _slug(posting: Posting) -> str:
    return quote(re.sub(r"[^\w()]+", "-", posting.title), safe="")


def _row(posting: Posting, locale: str) -> dict[str, Any]:
    started = posting.published
    return {
        "id": str(posting.number),
        "unifiedStandardTitle": escape(posting.title),
        "unifiedUrlTitle": escape(_slug(posting)),
        "jobLocationShort": [f"{city.name}, {city.country}, {city.postal}<br/>" for city in posting.cities],
        "jobLocationCountry": [COUNTRY_NAMES[city.country]["en"] for city in posting.cities],
        "unifiedStandardStart": f"{started.month}/{started.day}/{started.year % 100:02d}",
        "supportedLocales": [locale],
        "filter1": [posting.department],
        "filter2": [posting.employment],
    }


SYSTEM = SuccessFactorsUnified()
