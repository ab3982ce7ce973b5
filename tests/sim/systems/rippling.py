"""Rippling's job board API v1: a bare array with one row per place, then one detail per job."""

from __future__ import annotations

import re
from html import escape
from typing import Any
from urllib.parse import quote

import orjson

from tests.sim.companies import Company
from tests.sim.places import City
from tests.sim.posting import Posting
from tests.sim.text import markup
from tests.sim.view import View
from tests.sim.wire import Answer, Asked, Call, Saved, System, board_page, missing, posting_page

_API = re.compile(r"/platform/api/ats/v1/board/([^/]+)/jobs(?:/([^/]+))?/?")
_PAGE = re.compile(r"(?:/[a-z]{2}-[A-Z]{2})?/([^/]+)/jobs(?:/([0-9a-f-]{36})(?:/apply)?)?/?")
_EMPLOYMENT = {
    "full_time": ("SALARIED_FT", "Salaried, full-time"),
    "part_time": ("SALARIED_PT", "Salaried, part-time"),
    "temporary": ("TEMPORARY", "Temporary"),
    "internship": ("INTERN", "Intern"),
}
_FREQUENCY = {"year": "ANNUAL", "month": "MONTHLY", "hour": "HOURLY"}


class Rippling(System):
    """api.rippling.com and the boards at ats.rippling.com."""

    name = "rippling"

    def tenant(self, company: Company) -> str:
        return "-".join(company.words).lower() + ("-careers" if company.index % 3 == 0 else "")

    def board_url(self, tenant: str) -> str:
        return f"https://ats.rippling.com/{quote(tenant)}/jobs"

    def external_id(self, posting: Posting) -> str:
        return posting.uuid

    def posting_url(self, tenant: str, posting: Posting) -> str:
        return f"{self.board_url(tenant)}/{posting.uuid}"

    def serves(self, host: str) -> bool:
        return re.fullmatch(r"(?:api|ats|ats\.us1)\.rippling\.com", host) is not None

    def route(self, asked: Asked) -> Call | None:
        if asked.host.startswith("api"):
            match = _API.fullmatch(asked.path)
            return Call("detail" if match[2] else "list", match[1], (match[2] or "",)) if match else None
        match = _PAGE.fullmatch(asked.path)
        return Call("page", match[1], (match[2] or "",)) if match else None

    def answer(self, call: Call, view: View) -> Answer:
        tenant = view.board.tenant
        if call.kind == "list":
            rows = [row for posting in view.postings() for row in self._rows(posting, tenant)]
            return Answer(orjson.dumps(rows))
        if not call.args[0]:
            return board_page(self, tenant, view)
        found = view.find_uuid(str(call.args[0]))
        if found is None or not found[1]:
            return missing()
        return posting_page(found[0]) if call.kind == "page" else Answer(orjson.dumps(self._detail(found[0], tenant)))

    def unknown(self, call: Call) -> Answer:
        return missing(b'{"detail":"Not found."}', "application/json; charset=utf-8")

    def replay(self, call: Call, saved: Saved) -> Answer:
        return Answer(saved.listing) if call.kind == "list" else missing()

    def _rows(self, posting: Posting, tenant: str) -> list[dict[str, Any]]:
        row = {
            "uuid": posting.uuid,
            "name": posting.title,
            "department": {"id": posting.department, "label": posting.department},
            "url": self.posting_url(tenant, posting),
        }
        labels = (_label(city, posting) for city in posting.cities)
        return [{**row, "workLocation": {"label": label, "id": label}} for label in labels]

    def _detail(self, posting: Posting, tenant: str) -> dict[str, Any]:
        code, worded = _EMPLOYMENT[posting.employment]
        parts = [markup(section, posting.company.style) for section in posting.sections()]
        pay = posting.pay if posting.structured else None
        ranges = []
        for city in posting.cities if pay else ():
            stated = {"rangeStart": pay.min, "rangeEnd": pay.max, "currency": pay.currency} if pay else {}
            frequency = _FREQUENCY[pay.period] if pay else None
            ranges.append({**stated, "frequency": frequency, "location": city.name, "isRemote": False})
        return {
            "uuid": posting.uuid,
            "name": posting.title,
            "description": {"company": f"<p>{escape(posting.company.name)}</p>", "role": "".join(parts)},
            "workLocations": [_label(city, posting) for city in posting.cities],
            "department": {"name": posting.department, "base_department": posting.department, "department_tree": []},
            "employmentType": {"label": code, "id": worded},
            "createdOn": posting.published.isoformat(timespec="seconds"),
            "companyName": posting.company.name,
            "payRangeDetails": ranges,
            "url": self.posting_url(tenant, posting),
        }


def _label(city: City, posting: Posting) -> str:
    name = f"{city.english if posting.language == 'en' else city.name}, {city.country}"
    return f"Remote ({name})" if posting.remote == "remote" else name


SYSTEM = Rippling()
