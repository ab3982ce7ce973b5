"""SmartRecruiters' posting API v1: pages of at most 100 rows without text, then one detail per posting."""

from __future__ import annotations

import re
from hashlib import blake2b
from typing import Any
from urllib.parse import quote

import orjson

from tests.sim.companies import Company
from tests.sim.places import COUNTRY_NAMES
from tests.sim.posting import Posting
from tests.sim.text import Section, markup
from tests.sim.view import View
from tests.sim.wire import Answer, Asked, Call, Saved, System, board_page, missing, posting_page, size

_API = re.compile(r"/v1/companies/([^/]+)(?:/postings(?:/([^/]+))?)?/?")
_PAGE = re.compile(r"/([^/]+)(?:/(\d{1,18})(?:-[^/]*)?)?/?")
_BASE = 743_999_000_000_000
_LARGEST_PAGE = 100
_EMPLOYMENT = {
    "full_time": ("permanent", "Full-time"),
    "part_time": ("part-time", "Part-time"),
    "temporary": ("contract", "Contract"),
    "internship": ("intern", "Intern"),
}
_TITLES = {
    "de": ("Unternehmensbeschreibung", "Stellenbeschreibung", "Qualifikationen", "Zusätzliche Informationen"),
    "en": ("Company Description", "Job Description", "Qualifications", "Additional Information"),
}
_SECTIONS = ("companyDescription", "jobDescription", "qualifications", "additionalInformation")
_KINDS = (("about",), ("intro", "tasks"), ("profile",), ("benefits", "contact"))


class SmartRecruiters(System):
    """api.smartrecruiters.com, careers. and jobs. An unknown company looks like an empty one."""

    name = "smartrecruiters"

    def tenant(self, company: Company) -> str:
        return "".join(word.capitalize() for word in company.words) + ("1" if company.index % 2 else "")

    def board_url(self, tenant: str) -> str:
        return f"https://careers.smartrecruiters.com/{quote(tenant)}"

    def external_id(self, posting: Posting) -> str:
        return str(_BASE + posting.number)

    def posting_url(self, tenant: str, posting: Posting) -> str:
        return f"https://jobs.smartrecruiters.com/{quote(tenant)}/{self.external_id(posting)}"

    def serves(self, host: str) -> bool:
        return re.fullmatch(r"(api|careers|jobs)\.smartrecruiters\.com", host) is not None

    def robots(self, host: str) -> str | None:
        return "User-agent: *\nDisallow: /\n" if host.startswith("api") else "User-agent: *\nAllow: /\n"

    def route(self, asked: Asked) -> Call | None:
        if not asked.host.startswith("api"):
            match = _PAGE.fullmatch(asked.path)
            return Call("page", match[1], (int(match[2] or 0),)) if match else None
        match = _API.fullmatch(asked.path)
        if match is None or not asked.path.startswith(f"/v1/companies/{match[1]}/postings"):
            return None
        if match[2]:
            return Call("detail", match[1], (match[2],))
        limit = size(asked.query.get("limit"), _LARGEST_PAGE, _LARGEST_PAGE)
        return Call("list", match[1], (size(asked.query.get("offset"), 0, 999_999_999), limit))

    def answer(self, call: Call, view: View) -> Answer:
        if call.kind == "list":
            offset, limit = int(call.args[0]), int(call.args[1])
            rows = [_row(posting, view.board.tenant) for posting in view.postings(offset, offset + limit)]
            return _listing(offset, limit, view.total, rows)
        if call.kind == "page" and not call.args[0]:
            return board_page(self, view.board.tenant, view)
        number = str(call.args[0])
        found = view.find(int(number) - _BASE) if number.isascii() and number.isdigit() and len(number) < 19 else None
        if found is None:
            return missing()
        if call.kind == "page":
            return posting_page(found[0]) if found[1] else missing()
        return Answer(orjson.dumps(_detail(self, found[0], view.board.tenant, active=found[1])), tagged=True)

    def unknown(self, call: Call) -> Answer:
        if call.kind == "list":
            return _listing(int(call.args[0]), int(call.args[1]), 0, [])
        if call.kind == "page":
            return Answer(b"", 302, headers={"Location": "https://jobs.smartrecruiters.com/"})
        return missing()

    def unpack(self, payload: bytes) -> tuple[bytes, dict[str, bytes]]:
        saved = orjson.loads(payload)
        if "postings" in saved and "details" in saved:  # one file that holds both
            details = {name: orjson.dumps(detail) for name, detail in saved["details"].items()}
            return orjson.dumps(saved["postings"]), details
        return payload, {}

    def detail_id(self, payload: bytes) -> str | None:
        saved = orjson.loads(payload)
        return str(saved["id"]) if "jobAd" in saved else None

    def replay(self, call: Call, saved: Saved) -> Answer:
        if call.kind == "list" and call.args[0]:
            total = orjson.loads(saved.listing).get("totalFound", 0)
            return _listing(int(call.args[0]), int(call.args[1]), total, [])
        return Answer(saved.listing) if call.kind == "list" else missing()


def _listing(offset: int, limit: int, total: int, rows: list[dict[str, Any]]) -> Answer:
    body = {"offset": offset, "limit": limit, "totalFound": total, "content": rows}
    return Answer(orjson.dumps(body), tagged=True)


def _row(posting: Posting, tenant: str) -> dict[str, Any]:
    city, company, number = posting.city, posting.company, posting.number
    country = COUNTRY_NAMES[city.country]["en"]
    mark = blake2b(posting.uuid.encode(), digest_size=16).hexdigest()
    location: dict[str, Any] = {
        "city": city.name,
        "region": city.region_code,
        "country": city.country.lower(),
        "remote": posting.remote == "remote",
        "hybrid": posting.remote == "hybrid",
        "fullLocation": f"{city.name}, {city.region_code}, {country}",
    }
    if company.index % 3:
        location |= {"address": posting.address, "postalCode": city.postal}
        location |= {"latitude": str(city.latitude), "longitude": str(city.longitude)}
    elif number % 5 == 0:
        del location["fullLocation"]
    employment, label = _EMPLOYMENT[posting.employment]
    native = {"de": ("German", "Deutsch"), "en": ("English", "English (US)")}[posting.language]
    field = {
        "fieldId": "COUNTRY",
        "fieldLabel": "Country/Region",
        "valueId": city.country.lower(),
        "valueLabel": country,
    }
    return {
        "id": str(_BASE + number),
        "name": posting.title,
        "uuid": posting.uuid,
        "jobAdId": f"{mark[:8]}-{mark[8:12]}-4{mark[13:16]}-9{mark[17:20]}-{mark[20:]}",
        "defaultJobAd": True,
        "refNumber": f"REF{number // 7}{'ABCDEFGH'[number % 8]}",
        "company": {"identifier": tenant, "name": company.name},
        "releasedDate": posting.published.strftime("%Y-%m-%dT%H:%M:%S.")
        + f"{posting.published.microsecond // 1000:03d}Z",
        "location": location,
        "industry": {"id": company.sector, "label": company.sector.title()},
        "department": {} if company.quirk < 0.4 else {"id": str(number % 900 + 100), "label": company.sector.title()},
        "function": {"id": posting.occupation.name, "label": posting.occupation.name.replace("_", " ").title()},
        "typeOfEmployment": {"id": employment, "label": label},
        "experienceLevel": {"id": "not_applicable", "label": "Not Applicable"},
        "customField": [{**field, "valueLabel": country}],
        "visibility": "PUBLIC",
        "ref": f"https://api.smartrecruiters.com/v1/companies/{tenant.lower()}/postings/{_BASE + number}",
        "creator": {"name": "HR"},
        "language": {"code": posting.language, "label": native[0], "labelNative": native[1]},
    }


def _detail(system: SmartRecruiters, posting: Posting, tenant: str, *, active: bool) -> dict[str, Any]:
    url, pay = system.posting_url(tenant, posting), posting.pay
    detail = _row(posting, tenant)
    detail |= {
        "active": active,
        "postingUrl": url,
        "applyUrl": f"{url}?oga=true",
        "jobAd": {"sections": _job_ad(posting)},
    }
    if pay is not None and posting.structured and posting.company.quirk < 0.3:
        period = {"year": "YEARLY", "month": "MONTHLY", "hour": "HOURLY"}[pay.period]
        salary = {"min": pay.min, "max": pay.max, "currency": pay.currency, "period": period}
        detail["compensation"] = {"salary": salary}
    return detail


def _job_ad(posting: Posting) -> dict[str, Any]:
    sections: dict[str, Section] = {section.kind: section for section in posting.sections()}
    style = posting.company.style
    return {
        name: {"title": title, "text": "".join(markup(sections[kind], style, heading=len(kinds) > 1) for kind in kinds)}
        for name, title, kinds in zip(_SECTIONS, _TITLES[posting.language], _KINDS, strict=True)
    }


SYSTEM = SmartRecruiters()
