"""BambooHR's careers list: one document without texts, two kinds of places, then a detail for each opening."""

from __future__ import annotations

import re
from typing import Any

import orjson

from tests.sim.companies import Company
from tests.sim.hosted import Hosted
from tests.sim.pay import Pay
from tests.sim.places import COUNTRY_NAMES
from tests.sim.posting import Posting
from tests.sim.text import markup
from tests.sim.view import View
from tests.sim.wire import Answer, Asked, Call, Saved, board_page, missing, page, posting_page

_OPENING = re.compile(r"/careers/(\d{1,18})(/detail)?/?")
_LOCATION_TYPE = {"remote": "1", "hybrid": "2", "onsite": "0", None: None}
_EMPLOYMENT = {
    "full_time": "Full-Time ",
    "part_time": "Part-Time",
    "temporary": "Temporary",
    "internship": "Internship",
}


class BambooHR(Hosted):
    """{tenant}.bamboohr.com; who asks for an unknown tenant is sent to the vendor's own site."""

    name = "bamboohr"
    hosts = re.compile(r"([a-z0-9-]+)\.bamboohr\.com")

    def tenant(self, company: Company) -> str:
        return "".join(company.words).lower()

    def board_url(self, tenant: str) -> str:
        return f"https://{tenant}.bamboohr.com/careers"

    def external_id(self, posting: Posting) -> str:
        return str(posting.number)

    def posting_url(self, tenant: str, posting: Posting) -> str:
        return f"{self.board_url(tenant)}/{posting.number}"

    def route_of(self, tenant: str, asked: Asked) -> Call | None:
        if tenant == "www":
            return Call("vendor", "")
        if asked.path.rstrip("/") == "/careers/list":
            return Call("list", tenant)
        if opening := _OPENING.fullmatch(asked.path):
            return Call("detail" if opening[2] else "page", tenant, (int(opening[1]),))
        return Call("page", tenant, (0,)) if asked.path.rstrip("/") in ("", "/careers", "/jobs") else None

    def answer(self, call: Call, view: View) -> Answer:
        if call.kind == "list":
            rows = [_listed(posting) for posting in view.postings()]
            return Answer(orjson.dumps({"meta": {"totalCount": view.total}, "result": rows}))
        if not call.args[0]:
            return board_page(self, view.board.tenant, view)
        found = view.find(int(call.args[0]))
        if found is None or not found[1]:
            return missing()
        if call.kind == "page":
            return posting_page(found[0])
        return Answer(orjson.dumps({"result": {"jobOpening": self._opening(found[0], view), "formFields": {}}}))

    def unknown(self, call: Call) -> Answer:
        if call.kind == "vendor":
            return page("BambooHR", "<h1>The people platform</h1>")
        return Answer(b"", 302, headers={"Location": "https://www.bamboohr.com/"})

    def unpack(self, payload: bytes) -> tuple[bytes, dict[str, bytes]]:
        saved = orjson.loads(payload)
        if "list" in saved and "details" in saved:  # one file that holds both
            details = {name: orjson.dumps(detail) for name, detail in saved["details"].items()}
            return orjson.dumps(saved["list"]), details
        return payload, {}

    def replay(self, call: Call, saved: Saved) -> Answer:
        return Answer(saved.listing) if call.kind == "list" else missing()

    def _opening(self, posting: Posting, view: View) -> dict[str, Any]:
        place = {"postalCode": posting.city.postal, "addressCountry": COUNTRY_NAMES[posting.city.country]["en"]}
        row = _listed(posting)
        if row["location"]["city"]:
            row["location"] |= place
        pay = posting.pay if posting.structured else None
        return {
            **{name: value for name, value in row.items() if name not in ("id", "isRemote")},
            "jobOpeningShareUrl": self.posting_url(view.board.tenant, posting),
            "jobOpeningStatus": "Open",
            "description": "".join(markup(section, posting.company.style) for section in posting.sections()),
            "compensation": _compensation(pay) if pay else None,
            "datePosted": posting.published.date().isoformat(),
            "minimumExperience": "Mid-level",
        }


def _listed(posting: Posting) -> dict[str, Any]:
    city = posting.city
    name = city.english if posting.language == "en" else city.name
    office: dict[str, Any] = {"city": name, "state": city.region}
    typed: dict[str, Any] = {"country": None, "state": None, "province": None, "city": None}
    if posting.remote == "remote":  # has no office: its place was typed in
        office = {"city": None, "state": None}
        typed |= {"country": COUNTRY_NAMES[city.country]["en"], "city": name}
    return {
        "id": str(posting.number),
        "jobOpeningName": posting.title,
        "departmentId": str(18_000 + posting.number % 300),
        "departmentLabel": f"{posting.department} ",
        "employmentStatusLabel": _EMPLOYMENT[posting.employment],
        "employmentType": None,
        "location": office,
        "atsLocation": typed,
        "isRemote": 1 if posting.remote == "remote" and posting.number % 2 else None,
        "locationType": _LOCATION_TYPE[posting.remote],
    }


def _compensation(pay: Pay) -> str:
    upper = "" if pay.max is None else f" - {pay.max:,.2f}"
    return f"{pay.currency} {pay.min:,.2f}{upper} / {pay.period}"


SYSTEM = BambooHR()
