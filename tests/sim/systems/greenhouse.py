"""Greenhouse's job board API: one document, text as HTML that is escaped once more inside the JSON string."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from html import escape
from typing import Any
from urllib.parse import quote

import orjson

from tests.sim.companies import Company
from tests.sim.places import COUNTRY_NAMES, City
from tests.sim.posting import Posting
from tests.sim.text import markup
from tests.sim.view import View
from tests.sim.wire import Answer, Asked, Call, Saved, System, board_page, missing, posting_or_missing

_API = re.compile(r"/v1/boards/([^/]+)(/jobs(?:/(\d{1,18}))?)?/?")
_PAGE = re.compile(r"/([^/]+)(?:/jobs/(\d{1,18}))?/?")
_EASTERN = timezone(timedelta(hours=-4))
_BASE = 8_000_000_000
_ENVELOPE_KEYS = ("content", "departments", "offices")


class Greenhouse(System):
    """boards-api.greenhouse.io, its EU twin, and the boards' pages."""

    name = "greenhouse"

    def tenant(self, company: Company) -> str:
        return "".join(company.words).lower()

    def board_url(self, tenant: str) -> str:
        return f"https://job-boards.greenhouse.io/{quote(tenant)}"

    def external_id(self, posting: Posting) -> str:
        return str(_BASE + posting.number)

    def posting_url(self, tenant: str, posting: Posting) -> str:
        if posting.company.quirk < 0.15:  # some customers show their ads on their own site
            return f"https://{posting.company.domain}/jobs?gh_jid={self.external_id(posting)}"
        return f"{self.board_url(tenant)}/jobs/{self.external_id(posting)}"

    def serves(self, host: str) -> bool:
        return re.fullmatch(r"(boards-api|boards|job-boards)(\.eu)?\.greenhouse\.io", host) is not None

    def route(self, asked: Asked) -> Call | None:
        if asked.host.startswith("boards-api"):
            if match := _API.fullmatch(asked.path):
                kind = "board" if match[2] is None else "list" if match[3] is None else "detail"
                flag = asked.query.get("content" if kind == "list" else "pay_transparency") == "true"
                return Call(kind, match[1], (int(match[3] or 0), flag))
        elif match := _PAGE.fullmatch(asked.path):
            return Call("page", match[1], (int(match[2] or 0),))
        return None

    def answer(self, call: Call, view: View) -> Answer:
        number = int(call.args[0]) - _BASE if call.args and call.args[0] else 0
        found = view.find(number)
        if call.kind == "page" and not number:
            return board_page(self, view.board.tenant, view)
        if call.kind == "page":
            return posting_or_missing(found)
        if call.kind == "detail":
            return _json(self._detail(found[0], view, bool(call.args[1]))) if found and found[1] else self.unknown(call)
        if call.kind == "board":
            return _json({"name": view.board.company.name, "content": ""})
        jobs = [self._job(posting, view) for posting in view.postings()]
        if not call.args[1]:
            jobs = [{key: value for key, value in job.items() if key not in _ENVELOPE_KEYS} for job in jobs]
        return _json({"jobs": jobs, "meta": {"total": view.total}})

    def unknown(self, call: Call) -> Answer:
        if call.kind == "page":
            return missing()
        return missing(b'{"status":404,"error":"Job not found"}', "application/json; charset=utf-8")

    def replay(self, call: Call, saved: Saved) -> Answer:
        return Answer(saved.listing) if call.kind == "list" else self.unknown(call)

    def _job(self, posting: Posting, view: View) -> dict[str, Any]:
        company, number = posting.company, posting.number
        updated = max(posting.published + timedelta(hours=30 * len(posting.edits)), view.touched)
        text = "".join(markup(section, company.style) for section in posting.sections())
        labels = {"full_time": "Vollzeit", "part_time": "Teilzeit", "temporary": "Befristet", "internship": "Praktikum"}
        kind = {"id": 4_095_122, "name": "Employment Type", "value": labels[posting.employment]}
        return {
            "absolute_url": self.posting_url(view.board.tenant, posting),
            "data_compliance": [_COMPLIANCE],
            "internal_job_id": None if number % 97 == 0 else number + 6_000_000_000,
            "location": {"name": _location(posting)},
            "metadata": [{**kind, "value_type": "single_select"}] if company.quirk < 0.5 else None,
            "id": _BASE + number,
            "updated_at": _stamp(updated),
            "requisition_id": "R-0000" if company.quirk > 0.8 else f"R-{number % 100_000}",
            "title": posting.title,
            "company_name": company.name + (" " if company.index % 4 == 0 else ""),
            "first_published": _stamp(posting.published),
            "language": posting.language,
            "application_deadline": None,
            "content": escape(f'<div class="content-intro">{text}</div>'),
            "departments": [_department(posting)],
            "offices": [_office(city) for city in posting.cities],
            "ai_disclaimer": None,
            "include_ai_disclaimer": None,
            "ai_opt_out_request_url": None,
        }

    def _detail(self, posting: Posting, view: View, with_pay: bool) -> dict[str, Any]:
        job = self._job(posting, view)
        pay = posting.pay
        if with_pay:
            ranges = []
            if pay is not None and posting.structured and pay.max is not None:
                cents = {"min_cents": round(pay.min * 100), "max_cents": round(pay.max * 100)}
                ranges = [{**cents, "currency_type": pay.currency, "title": f"Pay per {pay.period}", "blurb": ""}]
            job["pay_input_ranges"] = ranges
        return {**job, "questions": [], "location_questions": [], "compliance": None, "demographic_questions": None}


_COMPLIANCE = {
    "type": "gdpr",
    "requires_consent": False,
    "requires_processing_consent": False,
    "requires_retention_consent": False,
    "retention_period": None,
    "demographic_data_consent_applies": True,
}


def _json(value: Any) -> Answer:
    return Answer(orjson.dumps(value), tagged=True)


def _stamp(when: datetime) -> str:
    return when.astimezone(_EASTERN).isoformat(timespec="seconds")


def _location(posting: Posting) -> str:
    names = [city.english if posting.language == "en" else city.name for city in posting.cities]
    country = COUNTRY_NAMES[posting.city.country][posting.language]
    written = (
        f"{names[0]}, {country}",
        "; ".join(names),
        f"{posting.address}, {posting.city.postal} {names[0]}",
        f"{names[0]}, {posting.city.region}, {country}",
    )[posting.company.index % 4]
    return f"{written} (Remote)" if posting.remote == "remote" else written


def _department(posting: Posting) -> dict[str, Any]:
    number = 4_038_000 + len(posting.occupation.name) * 31
    return {"id": number, "name": posting.department, "child_ids": [], "parent_id": None}


def _office(city: City) -> dict[str, Any]:
    location = f"{city.english}, {COUNTRY_NAMES[city.country]['en']}"
    return {"id": 4_009_000 + city.weight, "name": city.name, "location": location, "child_ids": [], "parent_id": None}


SYSTEM = Greenhouse()
