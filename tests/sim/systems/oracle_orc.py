"""Oracle Recruiting Cloud: paging inside the finder, no rows without expand, the count on the first page only."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

import orjson

from tests.sim.companies import Company
from tests.sim.places import COUNTRY_NAMES, City
from tests.sim.posting import Posting
from tests.sim.text import Section, markup
from tests.sim.view import View
from tests.sim.wire import Answer, Asked, Call, Saved, System, board_page, missing, page, posting_or_missing, size

_HOST = re.compile(r"[a-z0-9-]+\.fa\.em2\.oraclecloud\.com")
_API = "/hcmRestApi/resources/latest/recruitingCEJobRequisition"
_PAGE = re.compile(r"/hcmUI/CandidateExperience/[a-zA-Z-]+/sites/([^/]+)(?:/job/(\d{1,18}))?/?")
_LARGEST_PAGE = 200
_WINDOW = 10_000
_SECTIONS = {
    "ExternalDescriptionStr": ("intro", "about"),
    "ExternalResponsibilitiesStr": ("tasks",),
    "ExternalQualificationsStr": ("profile",),
    "CorporateDescriptionStr": ("benefits", "contact"),
}
_WORKPLACES = {
    "remote": ("ORA_REMOTE", "Remote"), "hybrid": ("ORA_HYBRID", "Hybrid"), "onsite": ("ORA_ON_SITE", "On-site"),
    None: (None, ""),
}  # fmt: skip
_SCHEDULES = {"full_time": "Full time", "part_time": "Part time", "temporary": "Full time", "internship": "Full time"}
_CONTRACTS = {"temporary": "Fixed term", "internship": "Internship"}


class OracleRecruiting(System):
    """One host per customer, with the REST resources and the Candidate Experience pages."""

    name = "oracle_orc"
    also = ("oraclehcm", "oracle_recruiting_cloud", "oracle_cx")

    def tenant(self, company: Company) -> str:
        return f"{company.words[0][:4].lower()}{company.index}.fa.em2.oraclecloud.com/CX_{company.index % 3 + 1}"

    def board_url(self, tenant: str) -> str:
        host, _, site = tenant.partition("/")
        return f"https://{host}/hcmUI/CandidateExperience/de/sites/{quote(site)}"

    def external_id(self, posting: Posting) -> str:
        return str(posting.number)

    def posting_url(self, tenant: str, posting: Posting) -> str:
        return f"{self.board_url(tenant)}/job/{posting.number}"

    def serves(self, host: str) -> bool:
        return _HOST.fullmatch(host) is not None

    def route(self, asked: Asked) -> Call | None:
        found = _PAGE.fullmatch(asked.path)
        if found:
            return Call("page", f"{asked.host}/{found[1]}", (found[2] or "",))
        kind, _, given = asked.query.get("finder", "").partition(";")
        finder = dict(part.partition("=")[::2] for part in given.split(","))
        tenant = f"{asked.host}/{finder.get('siteNumber', '')}"
        if asked.path == f"{_API}s" and kind == "findReqs":
            limit = size(finder.get("limit"), 25, _LARGEST_PAGE)
            is_expanded = "requisitionList" in asked.query.get("expand", "")
            return Call("list", tenant, (size(finder.get("offset"), 0, 999_999), limit, is_expanded))
        if asked.path == f"{_API}Details" and kind == "ById":
            return Call("detail", tenant, (finder.get("Id", "").strip('"'),))
        return None

    def answer(self, call: Call, view: View) -> Answer:
        if call.kind == "list":
            offset, limit, is_expanded = int(call.args[0]), int(call.args[1]), bool(call.args[2])
            stop = min(offset + limit, _WINDOW)
            rows = [_row(posting) for posting in view.postings(offset, stop)] if is_expanded else None
            return _listing(offset, limit, view.total, rows)
        if call.kind == "page" and not call.args[0]:
            return board_page(self, view.board.tenant, view)
        number = str(call.args[0])
        found = view.find(int(number)) if number.isascii() and number.isdigit() and len(number) < 19 else None
        if call.kind == "page":
            return posting_or_missing(found)
        return _items([_detail(found[0])] if found and found[1] else [])

    def unknown(self, call: Call) -> Answer:
        return page("Sign In", "<form><input name=userid><input name=password type=password></form>")

    def saved_tenant(self, name: str, listing: bytes) -> str:
        return f"{name}.fa.em2.oraclecloud.com/CX_1"

    def unpack(self, payload: bytes) -> tuple[bytes, dict[str, bytes]]:
        saved = orjson.loads(payload)
        if "list_items" in saved:  # one file that holds both
            rows = saved["list_items"]
            listing = orjson.dumps({"items": [{"TotalJobsCount": len(rows), "requisitionList": rows}]})
            return listing, {name: orjson.dumps(detail) for name, detail in saved["details"].items()}
        return payload, {}

    def detail_id(self, payload: bytes) -> str | None:
        saved = orjson.loads(payload)
        item = next(iter(saved.get("items", [saved])), {})
        return str(item["Id"]) if "ExternalDescriptionStr" in item else None

    def replay(self, call: Call, saved: Saved) -> Answer:
        if call.kind != "list":
            return missing()
        offset, limit = int(call.args[0]), int(call.args[1])
        pages = {len(orjson.loads(saved.listing)["items"][0]["requisitionList"]): saved.last, 0: saved.listing}
        found = pages.get(offset)
        return _listing(offset, limit, 0, []) if found is None else Answer(found)


def _items(items: list[dict[str, Any]]) -> Answer:
    body = {"items": items, "count": len(items), "hasMore": False, "limit": 25, "offset": 0, "links": []}
    return Answer(orjson.dumps(body))


def _listing(offset: int, limit: int, total: int, rows: list[dict[str, Any]] | None) -> Answer:
    found: dict[str, Any] = {"SearchId": 1, "Offset": offset, "Limit": limit, "SortBy": "POSTING_DATES_DESC"}
    found["TotalJobsCount"] = 0 if offset else total
    return _items([found if rows is None else found | {"requisitionList": rows}])


def _place(city: City) -> str:
    return f"{city.name}, {COUNTRY_NAMES[city.country]['en']}"


def _row(posting: Posting) -> dict[str, Any]:
    code, label = _WORKPLACES[posting.remote]
    has_code = posting.company.quirk < 0.8
    return {
        "Id": str(posting.number),
        "Title": posting.title,
        "PostedDate": posting.published.date().isoformat(),
        "PostingEndDate": None,
        "Language": {"de": "D", "en": "US"}[posting.language],
        "PrimaryLocation": _place(posting.city),
        "PrimaryLocationCountry": posting.city.country,
        "GeographyId": 300_000_000_000_000 + posting.number,
        "HotJobFlag": False,
        "ShortDescriptionStr": "",
        "WorkplaceType": label,
        "WorkplaceTypeCode": code if has_code else None,
        "JobFamily": posting.department,
        "JobFunction": None,
        "JobSchedule": _SCHEDULES[posting.employment],
        "ContractType": _CONTRACTS.get(posting.employment),
        "Organization": None,
        "LegalEmployer": posting.company.name,
        "Distance": round(posting.published.timestamp() * 1_000),
        "ExternalQualificationsStr": None,
        "ExternalResponsibilitiesStr": None,
        "secondaryLocations": [
            {"RequisitionLocationId": index, "Name": _place(city), "CountryCode": city.country}
            for index, city in enumerate(posting.cities[1:])
        ],
        "workLocation": [],
    }


def _detail(posting: Posting) -> dict[str, Any]:
    sections: dict[str, Section] = {section.kind: section for section in posting.sections()}
    style = posting.company.style
    kept = {name: value for name, value in _row(posting).items() if name not in ("PostedDate", "Language", "Distance")}
    return kept | {
        "ExternalPostedStartDate": posting.published.strftime("%Y-%m-%dT%H:%M:%S+00:00"),
        "ExternalPostedEndDate": None,
        "ContentLocale": posting.language,
        **{
            name: "".join(markup(sections[kind], style) for kind in kinds if kind in sections)
            for name, kinds in _SECTIONS.items()
        },
    }


SYSTEM = OracleRecruiting()
