"""Workable's public widget: one document, one row per place of a job, dates without a time, no pay."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

import orjson

from tests.sim.companies import Company
from tests.sim.places import COUNTRY_NAMES, City
from tests.sim.posting import Posting
from tests.sim.text import markup
from tests.sim.view import View
from tests.sim.wire import Answer, Asked, Call, Saved, System, board_page, missing, posting_or_missing

_API = re.compile(r"/api/v1/widget/accounts/([^/]+)/?")
_PAGE = re.compile(r"/([^/]+)(?:/j/([0-9A-F]{10})(?:/apply)?)?/?")
_EMPLOYMENT = {
    "full_time": "Full-time", "part_time": "Part-time", "temporary": "Contract", "internship": "Internship",
}  # fmt: skip


class Workable(System):
    """apply.workable.com. A job in several places is repeated; the text comes when it is asked for."""

    name = "workable"

    def tenant(self, company: Company) -> str:
        return "-".join(company.words).lower()

    def board_url(self, tenant: str) -> str:
        return f"https://apply.workable.com/{quote(tenant)}/"

    def external_id(self, posting: Posting) -> str:
        return f"{posting.number:010X}"

    def posting_url(self, tenant: str, posting: Posting) -> str:
        return f"{self.board_url(tenant)}j/{self.external_id(posting)}"

    def serves(self, host: str) -> bool:
        return host == "apply.workable.com"

    def route(self, asked: Asked) -> Call | None:
        match = _API.fullmatch(asked.path)
        if match:
            return Call("list", match[1], (asked.query.get("details") == "true",))
        match = _PAGE.fullmatch(asked.path)
        return Call("page", match[1], (match[2] or "",)) if match and match[1] != "api" else None

    def answer(self, call: Call, view: View) -> Answer:
        if call.kind == "list":
            rows = [row for posting in view.postings() for row in self._rows(posting, view.board.tenant)]
            if not call.args[0]:
                rows = [{name: value for name, value in row.items() if name != "description"} for row in rows]
            company = view.board.company
            about = f"<p>{company.name}</p>" if call.args[0] else None
            return Answer(orjson.dumps({"name": company.name, "description": about, "jobs": rows}))
        if not call.args[0]:
            return board_page(self, view.board.tenant, view)
        return posting_or_missing(view.find(int(str(call.args[0]), 16)))

    def unknown(self, call: Call) -> Answer:
        return missing(b'{"error":"Not found"}', "application/json; charset=utf-8")

    def replay(self, call: Call, saved: Saved) -> Answer:
        return Answer(saved.listing) if call.kind == "list" else missing()

    def _rows(self, posting: Posting, tenant: str) -> list[dict[str, Any]]:
        code, style = self.external_id(posting), posting.company.style
        job = {
            "title": posting.title,
            "shortcode": code,
            "code": "",
            "employment_type": _EMPLOYMENT[posting.employment],
            "telecommuting": posting.remote == "remote",
            "department": posting.department if posting.company.quirk < 0.7 else "",
            "url": f"https://apply.workable.com/j/{code}",
            "shortlink": f"https://apply.workable.com/j/{code}",
            "application_url": f"https://apply.workable.com/j/{code}/apply",
            "published_on": posting.published.date().isoformat(),
            "created_at": posting.published.date().isoformat(),
            "education": "",
            "experience": "Associate",
            "function": "",
            "industry": posting.company.sector.title(),
            "description": "".join(markup(section, style) for section in posting.sections()),
        }
        return [job | _place(city) for city in posting.cities]


def _place(city: City) -> dict[str, Any]:
    country = COUNTRY_NAMES[city.country]["en"]
    location = {
        "country": country, "countryCode": city.country, "city": city.name, "region": city.region, "hidden": False,
    }  # fmt: skip
    return {"country": country, "city": city.name, "state": city.region, "locations": [location]}


SYSTEM = Workable()
