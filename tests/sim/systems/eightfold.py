"""Eightfold's career sites in both generations: ten rows a page, a domain that only the page tells, Unix seconds."""

from __future__ import annotations

import re
from html import escape
from typing import Any
from urllib.parse import quote

import orjson

from tests.sim.companies import Company
from tests.sim.hosted import Hosted
from tests.sim.places import COUNTRY_NAMES, City
from tests.sim.posting import Posting
from tests.sim.text import markup
from tests.sim.view import View
from tests.sim.wire import HTML, Answer, Asked, Call, Saved, missing, page, size

_JOB = re.compile(r"/careers/job/(\d{1,18})(?:-[^/]*)?/?")
_DETAIL = re.compile(r"/api/apply/v2/jobs/(\d{1,18})")
_BASE = 1_099_500_000_000
_PAGE_SIZE = 10
_SEARCHES = {"/api/apply/v2/jobs": 1, "/api/pcsx/search": 2}
_OPTIONS = {"remote": {1: "remote", 2: "remote_local"}, "hybrid": {1: "hybrid", 2: "hybrid"}}


class Eightfold(Hosted):
    """{name}.eightfold.ai. Most customers have the newer generation; the search of the other one is closed to them."""

    name = "eightfold"
    hosts = re.compile(r"([a-z0-9-]+)\.eightfold\.ai")

    def tenant(self, company: Company) -> str:
        return "".join(company.words).lower()

    def board_url(self, tenant: str) -> str:
        return f"https://{quote(tenant)}.eightfold.ai/careers"

    def external_id(self, posting: Posting) -> str:
        return str(_BASE + posting.number)

    def posting_url(self, tenant: str, posting: Posting) -> str:
        return f"{self.board_url(tenant)}/job/{self.external_id(posting)}"

    def route_of(self, tenant: str, asked: Asked) -> Call | None:
        domain, job, detail = asked.query.get("domain", ""), _JOB.fullmatch(asked.path), _DETAIL.fullmatch(asked.path)
        if asked.path in _SEARCHES:
            return Call("list", tenant, (size(asked.query.get("start"), 0, 999_999), _SEARCHES[asked.path], domain))
        if detail:
            return Call("detail", tenant, (int(detail[1]), domain))
        if job or asked.path.rstrip("/") == "/careers":
            return Call("page", tenant, (int(job[1]) if job else 0,))
        return None

    def answer(self, call: Call, view: View) -> Answer:
        company = view.board.company
        generation = 1 if company.quirk < 0.4 else 2
        if call.kind == "list":
            if not call.args[2]:
                return Answer(b'{"messages":{"domain":["Missing data for required field."]}}', 422)
            if call.args[2] != company.domain:
                return self.unknown(call)
            return self._listing(int(call.args[0]), int(call.args[1]), generation, view)
        if call.kind == "page" and not call.args[0]:
            return _careers(company, generation)
        found = view.find(int(call.args[0]) - _BASE)
        if found is None or not found[1]:
            return missing(b'{"status":404,"error":{"message":"Position not found"},"data":{}}')
        if call.kind == "page":
            return _job_page(found[0])
        return Answer(orjson.dumps(self._row(found[0], view.board.tenant, 1, text=True)))

    def unknown(self, call: Call) -> Answer:
        return page("Eightfold", "<h1>Talent Intelligence</h1>")

    def detail_id(self, payload: bytes) -> str | None:
        saved = orjson.loads(payload)
        position = saved.get("data", saved)
        return str(position["id"]) if position.keys() & {"job_description", "jobDescription"} else None

    def replay(self, call: Call, saved: Saved) -> Answer:
        listing = orjson.loads(saved.listing)
        generation, found = (2, listing["data"]) if "data" in listing else (1, listing)
        if call.kind == "page" and not call.args[0]:
            return _bootstrap(str(listing.get("domain", "acme.test")), generation)
        if call.kind != "list":  # a saved answer of the API stands for the posting's page, too
            return saved.detail(str(call.args[0]))
        pages = {len(found["positions"]): saved.last, 0: saved.listing}
        answer = pages.get(int(call.args[0]))
        return _nothing_more(listing) if answer is None else Answer(answer)

    def _listing(self, start: int, asked: int, generation: int, view: View) -> Answer:
        if asked < generation:
            return Answer(b'{"message":"Not authorized for PCSX"}')
        if asked > generation:
            return Answer(b'{"message":"PCSX is not enabled for this user."}', 403)
        tenant = view.board.tenant
        rows = [self._row(posting, tenant, asked, text=False) for posting in view.postings(start, start + _PAGE_SIZE)]
        if generation == 1:
            return Answer(orjson.dumps({"domain": view.board.company.domain, "count": view.total, "positions": rows}))
        data = {"positions": rows, "count": view.total, "sortBy": "timestamp", "appliedFilters": {}}
        return Answer(orjson.dumps({"status": 200, "error": {"message": "", "body": ""}, "data": data}))

    def _row(self, posting: Posting, tenant: str, generation: int, *, text: bool) -> dict[str, Any]:
        names = [_place(city) for city in posting.cities]
        option = _OPTIONS.get(posting.remote or "", {}).get(generation, "onsite" if posting.remote else None)
        published = int(posting.published.timestamp())
        row: dict[str, Any] = {
            "id": _BASE + posting.number,
            "name": posting.title,
            "locations": names,
            "department": posting.department,
        }
        if generation == 2:
            return row | {
                "displayJobId": f"R{posting.number}",
                "atsJobId": f"R{posting.number}",
                "standardizedLocations": [name.upper() for name in names],
                "postedTs": published,
                "creationTs": published - 86_400,
                "stars": 0,
                "isHot": 0,
                "workLocationOption": option,
                "positionUrl": f"/careers/job/{self.external_id(posting)}",
            }
        style = posting.company.style
        return row | {
            "posting_name": posting.title,
            "location": names[0],
            "business_unit": None,
            "t_create": published,
            "t_update": published,
            "ats_job_id": f"R{posting.number}",
            "display_job_id": f"R{posting.number}",
            "work_location_option": option,
            "job_description": "".join(markup(part, style) for part in posting.sections()) if text else "",
            "canonicalPositionUrl": self.posting_url(tenant, posting),
        }


def _place(city: City) -> str:
    return f"{city.name}, {city.region}, {COUNTRY_NAMES[city.country]['en']}"


def _careers(company: Company, generation: int) -> Answer:
    return _bootstrap(company.domain, generation)


def _nothing_more(listing: dict[str, Any]) -> Answer:
    rest = {"data": listing["data"] | {"positions": []}} if "data" in listing else {"positions": []}
    return Answer(orjson.dumps(listing | rest))


def _bootstrap(domain: str, generation: int) -> Answer:
    """The careers page: what its script reads, escaped, and nothing else of use."""
    mark = {1: "smartApplyData", 2: "pcsx-data"}[generation]
    data = escape(orjson.dumps({"domain": domain, "configs": {}}).decode())
    document = f'<!doctype html><html><body><code id="{mark}" style="display:none">{data}</code></body></html>'
    return Answer(document.encode(), content_type=HTML)


def _job_page(posting: Posting) -> Answer:
    """A posting's page with its JSON-LD."""
    style = posting.company.style
    node = {
        "@context": "https://schema.org",
        "@type": "JobPosting",
        "title": posting.title,
        "description": "".join(markup(part, style) for part in posting.sections()),
        "datePosted": posting.published.date().isoformat(),
        "hiringOrganization": {"@type": "Organization", "name": posting.company.name},
        "jobLocation": [
            {"@type": "Place", "address": {"@type": "PostalAddress", "addressLocality": city.name,
             "addressRegion": city.region, "addressCountry": city.country}}
            for city in posting.cities
        ],
    }  # fmt: skip
    script = orjson.dumps(node).decode().replace("</", "<\\/")
    head = f'<script type="application/ld+json">{script}</script>'
    return Answer(f"<!doctype html><html><head>{head}</head><body></body></html>".encode(), content_type=HTML)


SYSTEM = Eightfold()
