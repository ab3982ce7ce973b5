"""Ashby's public posting API: one document, names of countries, a tree of compensation."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

import orjson

from tests.sim.companies import Company
from tests.sim.pay import Pay
from tests.sim.places import COUNTRY_NAMES, City
from tests.sim.posting import Posting
from tests.sim.text import markup
from tests.sim.view import View
from tests.sim.wire import Answer, Asked, Call, Saved, System, board_page, missing, posting_or_missing

_API = re.compile(r"/posting-api/job-board/([^/]+)/?")
_PAGE = re.compile(r"/([^/]+)(?:/([0-9a-f-]{36})(?:/application)?)?/?")
_EMPLOYMENT = {"full_time": "FullTime", "part_time": "PartTime", "temporary": "Temporary", "internship": "Intern"}
_WORKPLACE = {"remote": "Remote", "hybrid": "Hybrid", "onsite": "OnSite", None: None}
_INTERVAL = {"year": "1 YEAR", "month": "1 MONTH", "hour": "1 HOUR"}


class Ashby(System):
    """api.ashbyhq.com and the boards' pages. Tokens may hold capitals and blanks."""

    name = "ashby"

    def tenant(self, company: Company) -> str:
        return (" " if company.index % 4 == 0 else "").join(word.capitalize() for word in company.words)

    def board_url(self, tenant: str) -> str:
        return f"https://jobs.ashbyhq.com/{quote(tenant)}"

    def external_id(self, posting: Posting) -> str:
        return posting.uuid

    def posting_url(self, tenant: str, posting: Posting) -> str:
        return f"{self.board_url(tenant)}/{posting.uuid}"

    def serves(self, host: str) -> bool:
        return host in ("api.ashbyhq.com", "jobs.ashbyhq.com")

    def route(self, asked: Asked) -> Call | None:
        if asked.host.startswith("api"):
            match = _API.fullmatch(asked.path)
            return Call("list", match[1], (asked.query.get("includeCompensation") == "true",)) if match else None
        match = _PAGE.fullmatch(asked.path)
        return Call("page", match[1], (match[2] or "",)) if match else None

    def answer(self, call: Call, view: View) -> Answer:
        if call.kind == "page":
            if not call.args[0]:
                return board_page(self, view.board.tenant, view)
            return posting_or_missing(view.find_uuid(str(call.args[0])))
        with_pay = bool(call.args[0])
        jobs = [self._job(posting, view.board.tenant, with_pay) for posting in view.postings()]
        # A posting that has just been closed stays for a day, unlisted, on every second board.
        hidden = view.closed_today() if jobs and view.board.company.index % 2 else []
        jobs += [{**self._job(posting, view.board.tenant, with_pay), "isListed": False} for posting in hidden]
        return Answer(orjson.dumps({"jobs": jobs, "apiVersion": "1"}))

    def unknown(self, call: Call) -> Answer:
        return missing()

    def replay(self, call: Call, saved: Saved) -> Answer:
        return Answer(saved.listing) if call.kind == "list" else missing()

    def _job(self, posting: Posting, tenant: str, with_pay: bool) -> dict[str, Any]:
        sections, url, city = posting.sections(), self.posting_url(tenant, posting), posting.city
        job = {
            "id": posting.uuid,
            "title": posting.title,
            "department": posting.department,
            "team": posting.company.sector.title(),
            "employmentType": _EMPLOYMENT[posting.employment],
            "location": _name(city, posting),
            "shouldDisplayCompensationOnJobPostings": posting.structured and posting.pay is not None,
            "secondaryLocations": [
                {"location": _name(other, posting), "address": _address(other)} for other in posting.cities[1:]
            ],
            "publishedAt": posting.published.isoformat(timespec="milliseconds"),
            "isListed": True,
            "isRemote": posting.remote == "remote",
            "workplaceType": _WORKPLACE[posting.remote],
            "address": _address(city),
            "jobUrl": url,
            "applyUrl": f"{url}/application",
            "descriptionHtml": "".join(markup(section, posting.company.style) for section in sections),
            "descriptionPlain": "\n\n".join(section.plain() for section in sections),
        }
        if with_pay:
            job["compensation"] = _compensation(posting.pay if posting.structured else None, posting)
        return job


def _name(city: City, posting: Posting) -> str:
    return city.english if posting.language == "en" else city.name


def _address(city: City) -> dict[str, Any]:
    country = COUNTRY_NAMES[city.country]["en"]
    region = "" if city.country == "CH" else city.region
    return {"postalAddress": {"addressLocality": city.name, "addressRegion": region, "addressCountry": country}}


def _compensation(pay: Pay | None, posting: Posting) -> dict[str, Any]:
    if pay is None:
        return {
            "compensationTierSummary": None,
            "scrapeableCompensationSalarySummary": None,
            "compensationTiers": [],
            "summaryComponents": [],
        }
    symbol = "€" if pay.currency == "EUR" else "CHF "
    upper = "" if pay.max is None else f" – {symbol}{pay.max:,.0f}"
    summary = f"{symbol}{pay.min:,.0f}{upper}"
    component = {
        "compensationType": "Salary",
        "interval": _INTERVAL[pay.period],
        "currencyCode": pay.currency,
        "minValue": pay.min,
        "maxValue": pay.max,
    }
    equity = {"compensationType": "EquityPercentage", "interval": "NONE", "minValue": None, "maxValue": None}
    components = [{"id": posting.uuid, "summary": summary, **component}]
    if posting.company.quirk < 0.2:
        components.append(
            {"id": posting.uuid, "summary": "Offers Equity", **equity, "minValue": None, "maxValue": None}
        )
    tier = {"id": posting.uuid, "tierSummary": summary, "title": None, "additionalInformation": None}
    return {
        "compensationTierSummary": summary,
        "scrapeableCompensationSalarySummary": summary.replace("–", "-"),
        "compensationTiers": [{**tier, "components": components}],
        "summaryComponents": [component],
    }


SYSTEM = Ashby()
