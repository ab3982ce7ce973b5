"""Adzuna's keyed search: pages of at most fifty teasers, salaries of which some are only predicted."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

import orjson

from tests.sim.companies import Company
from tests.sim.places import COUNTRY_NAMES
from tests.sim.posting import Posting
from tests.sim.view import View
from tests.sim.wire import HTML, Answer, Asked, Call, Saved, System, board_page, missing, posting_or_missing, size

_API = re.compile(r"/v1/api/jobs/([a-z]{2})/search/(\d{1,6})")
_SITE = re.compile(r"www\.adzuna\.(de|at|ch)")
_LARGEST_PAGE = 50
_TEASER_CHARS = 500
_TIMES = {"full_time": "full_time", "part_time": "part_time"}


class Adzuna(System):
    """api.adzuna.com and the national sites. Any key opens; without one there is an HTML page."""

    name = "adzuna"

    def tenant(self, company: Company) -> str:
        return f"{company.country.lower()}:{' '.join(company.words).lower()}:"

    def board_url(self, tenant: str) -> str:
        country, what, _ = tenant.split(":")
        return f"https://www.adzuna.{country}/search?q={quote(what)}"

    def external_id(self, posting: Posting) -> str:
        return str(4_700_000_000 + posting.number)

    def posting_url(self, tenant: str, posting: Posting) -> str:
        return f"https://www.adzuna.{tenant[:2]}/details/{self.external_id(posting)}"

    def serves(self, host: str) -> bool:
        return host == "api.adzuna.com" or _SITE.fullmatch(host) is not None

    def robots(self, host: str) -> str | None:
        return "User-agent: *\nDisallow: /\n"

    def route(self, asked: Asked) -> Call | None:
        query = asked.query
        site = _SITE.fullmatch(asked.host)
        if site is not None:
            number = asked.path.removeprefix("/details/")
            if asked.path == "/search":
                return Call("board", f"{site[1]}:{query.get('q', '')}:")
            return Call("page", "", (int(number) - 4_700_000_000,)) if number.isascii() and number.isdigit() else None
        match = _API.fullmatch(asked.path)
        if match is None:
            return None
        if not (query.get("app_id") and query.get("app_key")):
            return Call("keyless", "")
        rows = size(query.get("results_per_page"), 10, _LARGEST_PAGE)
        return Call("list", f"{match[1]}:{query.get('what', '')}:", (int(match[2]), rows))

    def number(self, call: Call) -> int | None:
        return int(call.args[0]) if call.kind == "page" else None

    def answer(self, call: Call, view: View) -> Answer:
        if call.kind == "board":
            return board_page(self, view.board.tenant, view)
        if call.kind == "page":
            return posting_or_missing(view.find(int(call.args[0])))
        page, rows = int(call.args[0]), int(call.args[1])
        start = max(0, page - 1) * rows
        results = [self._row(posting, view.board.tenant) for posting in view.postings(start, start + rows)]
        return _listing(view.total, results)

    def unknown(self, call: Call) -> Answer:
        if call.kind == "keyless":
            return Answer(b"<html><body>Authorisation failed</body></html>", 400, HTML)
        return _listing(0, []) if call.kind == "list" else missing()

    def saved_tenant(self, name: str, listing: bytes) -> str:
        return f"de:{name}:"

    def replay(self, call: Call, saved: Saved) -> Answer:
        return Answer(saved.listing) if call.kind == "list" and call.args[0] == 1 else self.unknown(call)

    def _row(self, posting: Posting, tenant: str) -> dict[str, Any]:
        city, pay = posting.city, posting.pay
        country = COUNTRY_NAMES[city.country]["de"]
        row: dict[str, Any] = {
            "__CLASS__": "Adzuna::API::Response::Job",
            "id": self.external_id(posting),
            "adref": f"eyJ{posting.uuid}",
            "title": posting.title,
            "description": posting.sections()[0].plain()[:_TEASER_CHARS] + "…",
            "redirect_url": f"{self.posting_url(tenant, posting)}?se={posting.uuid[:8]}&utm_medium=api",
            "created": posting.published.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "company": {"__CLASS__": "Adzuna::API::Response::Company", "display_name": posting.company.name},
            "location": {
                "__CLASS__": "Adzuna::API::Response::Location",
                "display_name": f"{city.name}, {country}",
                "area": [country, city.region, city.name],
            },
            "latitude": city.latitude,
            "longitude": city.longitude,
            "category": {"__CLASS__": "Adzuna::API::Response::Category", "label": posting.department, "tag": "x-jobs"},
            "contract_type": "contract" if posting.employment == "temporary" else "permanent",
            "salary_is_predicted": "1",
            "salary_min": 41_234.5,
            "salary_max": 41_234.5,
        }
        if posting.employment in _TIMES:
            row["contract_time"] = _TIMES[posting.employment]
        if pay is not None and pay.period == "year" and posting.structured:
            row |= {"salary_is_predicted": "0", "salary_min": pay.min, "salary_max": pay.max or pay.min}
        return row


def _listing(total: int, results: list[dict[str, Any]]) -> Answer:
    kind = "Adzuna::API::Response::JobSearchResults"
    return Answer(orjson.dumps({"__CLASS__": kind, "count": total, "mean": 48_000.5, "results": results}))


SYSTEM = Adzuna()
