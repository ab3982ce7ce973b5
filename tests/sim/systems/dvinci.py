"""d.vinci's list of publications: one document, one row per language of a job, whatever language is asked for."""

from __future__ import annotations

import re
from typing import Any

import orjson

from tests.sim.companies import Company
from tests.sim.hosted import Hosted
from tests.sim.pay import Pay
from tests.sim.places import COUNTRY_NAMES, City
from tests.sim.posting import Language, Posting
from tests.sim.text import Section, markup
from tests.sim.view import View
from tests.sim.wire import Answer, Asked, Call, Saved, board_page, missing, page, posting_page

_PAGE = re.compile(r"/(de|en)/jobs(?:/(\d{1,18})(?:/[^/]*)?)?(?:/apply)?/?")
_OPENING = 20_000
_TIMES = {
    "full_time": ("FULL_TIME", "Vollzeit"),
    "part_time": ("PART_TIME", "Teilzeit"),
    "temporary": ("FULL_TIME", "Vollzeit"),
    "internship": ("INTERNSHIP", "Praktikum"),
}
_KINDS = {"introduction": ("intro", "about"), "tasks": ("tasks",), "profile": ("profile",), "weOffer": ("benefits",)}


class Dvinci(Hosted):
    """{tenant}.dvinci-hr.com: the tenant is in the host. A host that nobody has is 404 here, no DNS name there."""

    name = "dvinci"
    hosts = re.compile(r"([a-z0-9-]+)\.dvinci-hr\.com")

    def tenant(self, company: Company) -> str:
        return "-".join(company.words).lower()

    def board_url(self, tenant: str) -> str:
        return f"https://{tenant}.dvinci-hr.com/de/jobs"

    def external_id(self, posting: Posting) -> str:
        return str(_OPENING + posting.number)

    def posting_url(self, tenant: str, posting: Posting) -> str:
        return _url(tenant, posting, "de" if "de" in _languages(posting) else posting.language)

    def route_of(self, tenant: str, asked: Asked) -> Call | None:
        if asked.path == "/jobPublication/list.json":
            return Call("list", tenant)
        match = _PAGE.fullmatch(asked.path)
        return Call("page", tenant, (int(match[2] or 0),)) if match else None

    def answer(self, call: Call, view: View) -> Answer:
        if call.kind == "page" and not call.args[0]:
            return board_page(self, view.board.tenant, view)
        if call.kind == "page":
            found = view.find(int(call.args[0]) // 2)
            return posting_page(found[0]) if found and found[1] else self.unknown(call)
        tenant = view.board.tenant
        rows = [_row(tenant, posting, said) for posting in view.postings() for said in _languages(posting)]
        if rows and view.board.company.index % 2:
            rows.append(_unsolicited(rows[0]))
        return Answer(orjson.dumps(rows))

    def unknown(self, call: Call) -> Answer:
        return missing() if call.kind == "list" else page("Nicht gefunden", "<h1>404</h1>", 404)

    def replay(self, call: Call, saved: Saved) -> Answer:
        return Answer(saved.listing) if call.kind == "list" else self.unknown(call)


def _languages(posting: Posting) -> tuple[Language, ...]:
    """The languages that a job is published in, those nobody wants to read first included."""
    return ("en", "de") if posting.translated else (posting.language,)


def _publication(posting: Posting, said: Language) -> int:
    return posting.number * 2 + (said == "en")


def _url(tenant: str, posting: Posting, said: Language) -> str:
    slug = re.sub(r"[^a-z0-9]+", "-", posting.title.lower()).strip("-")
    return f"https://{tenant}.dvinci-hr.com/{said}/jobs/{_publication(posting, said)}/{slug}"


def _row(tenant: str, posting: Posting, said: Language) -> dict[str, Any]:
    url, company = _url(tenant, posting, said), posting.company
    sections = {section.kind: section for section in posting.sections(said)}
    texts = {name: _text([sections[kind] for kind in kinds], company.style) for name, kinds in _KINDS.items()}
    started = f"{posting.published:%Y-%m-%dT%H:%MZ}" if company.index % 3 else None
    return {
        "id": _publication(posting, said),
        "language": said,
        "position": posting.title,
        "pageTitle": posting.title,
        "subtitle": None,
        "pageDescription": None,
        "jobPublicationURL": url,
        "applicationFormURL": f"{url}/apply",
        "applicationApplyApiURL": None,
        "applicationApplyWhatsAppURL": None,
        "startDate": started,
        "endDate": None,
        **texts,
        "closingText": _text([sections["contact"]], company.style),
        "benefits": [],
        "jobOpening": _opening(posting),
    }


def _text(sections: list[Section], style: int) -> str:
    return "".join(markup(section, style) for section in sections)


def _opening(posting: Posting) -> dict[str, Any]:
    internal, label = _TIMES[posting.employment]
    contract = "befristet" if posting.employment == "temporary" else "unbefristet"
    plain = posting.company.quirk < 0.3
    return {
        "id": _OPENING + posting.number,
        "name": posting.title,
        "type": "DEFAULT",
        "reference": f"R-{posting.number % 1_000}",
        "location": posting.city.name,
        "locations": [_location(number, city, posting) for number, city in enumerate(posting.cities)],
        "categories": [{"id": 3, "internalName": posting.company.sector, "name": posting.company.sector.title()}],
        "targetGroups": [],
        "workingTimes": [{"id": 1, "internalName": internal, "name": label}],
        "contractPeriod": contract if plain else {"id": 1, "internalName": "PERMANENT", "name": contract},
        "earliestEntryDate": None,
        "orgUnit": None,
        "company": {"id": 1, "internalName": "1", "name": posting.company.name},
        "department": posting.department,
        "costUnit": None,
        "salary": _salary(posting.pay) if posting.pay and posting.structured else None,
        "salaryRange": None,
        "createdDate": f"{posting.published:%Y-%m-%d}",
    }


def _location(number: int, city: City, posting: Posting) -> dict[str, Any]:
    country = {"name": COUNTRY_NAMES[city.country]["de"], "isoA2": city.country}
    address = {"address1": posting.address, "zipCode": city.postal, "city": city.name, "country": country}
    return {
        "id": str(number),
        "name": city.name,
        "country": country,
        "latitude": city.latitude,
        "longitude": city.longitude,
        "additionalInformation": None,
        "address": None if posting.company.quirk < 0.2 else address,
    }


def _salary(pay: Pay) -> dict[str, Any]:
    unit = pay.period if pay.currency == "CHF" else pay.period.upper()
    return {"currency": pay.currency, "value": {"minValue": pay.min, "maxValue": pay.max, "unitText": unit}}


def _unsolicited(row: dict[str, Any]) -> dict[str, Any]:
    """The standing invitation to apply for nothing in particular, that most portals have."""
    opening = {**row["jobOpening"], "id": 1, "name": "Initiativbewerbung", "type": "UNSOLICITED"}
    return {**row, "id": 1, "position": "Initiativbewerbung", "jobOpening": opening}


SYSTEM = Dvinci()
