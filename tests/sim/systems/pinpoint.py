"""Pinpoint's postings endpoint: one document, the text in parts with headings, pay that may be hidden, no dates."""

from __future__ import annotations

import re
from typing import Any

import orjson

from tests.sim.companies import Company
from tests.sim.hosted import Hosted
from tests.sim.posting import Posting
from tests.sim.text import markup
from tests.sim.view import View
from tests.sim.wire import Answer, Asked, Call, Saved, board_page, missing, page, posting_or_missing

_PATH = re.compile(r"(?:/[a-z]{2})?/postings/([0-9a-f-]{36})/?")
_LISTS = re.compile(r"(?:/[a-z]{2})?/postings\.json")
_TYPES = {
    "full_time": ("permanent_full_time", "Full Time"),
    "part_time": ("permanent_part_time", "Part Time"),
    "temporary": ("fixed_term_full_time", "Fixed Term"),
    "internship": ("internship", "Internship"),
}
_PARTS = ("key_responsibilities", "skills_knowledge_expertise", "benefits")


class Pinpoint(Hosted):
    """{tenant}.pinpointhq.com; who asks for an unknown tenant is sent to the vendor's own site."""

    name = "pinpoint"
    hosts = re.compile(r"([a-z0-9-]+)\.pinpointhq\.com")

    def tenant(self, company: Company) -> str:
        return "-".join(company.words).lower()

    def board_url(self, tenant: str) -> str:
        return f"https://{tenant}.pinpointhq.com"

    def external_id(self, posting: Posting) -> str:
        return posting.uuid

    def posting_url(self, tenant: str, posting: Posting) -> str:
        return f"{self.board_url(tenant)}{_path(posting)}"

    def route_of(self, tenant: str, asked: Asked) -> Call | None:
        if tenant == "www":
            return Call("vendor", "")
        if _LISTS.fullmatch(asked.path):
            return Call("list", tenant)
        if posting := _PATH.fullmatch(asked.path):
            return Call("page", tenant, (posting[1],))
        return Call("page", tenant, ("",)) if asked.path == "/" else None

    def answer(self, call: Call, view: View) -> Answer:
        if call.kind == "list":
            rows = [self._row(posting, view.board.tenant) for posting in view.postings()]
            return Answer(orjson.dumps({"data": rows}))
        if not call.args[0]:
            return board_page(self, view.board.tenant, view)
        return posting_or_missing(view.find_uuid(str(call.args[0])))

    def unknown(self, call: Call) -> Answer:
        if call.kind == "vendor":
            return page("Pinpoint", "<h1>Recruiting software</h1>")
        return Answer(b"", 302, headers={"Location": "https://www.pinpointhq.com/"})

    def replay(self, call: Call, saved: Saved) -> Answer:
        return Answer(saved.listing) if call.kind == "list" else missing()

    def _row(self, posting: Posting, tenant: str) -> dict[str, Any]:
        city, company = posting.city, posting.company
        name = city.english if posting.language == "en" else city.name
        code, worded = _TYPES[posting.employment]
        department = {"id": str(posting.number % 90), "name": posting.department}
        requisition: dict[str, Any] = {"id": str(posting.number + 1), "requisition_id": f"REQ-{posting.number % 1000}"}
        row: dict[str, Any] = {
            "id": posting.uuid,
            "title": posting.title,
            "url": self.posting_url(tenant, posting),
            "path": _path(posting),
            **_texts(posting),
            **_pay(posting),
            "employment_type": code,
            "employment_type_text": worded,
            "workplace_type": posting.remote,
            "workplace_type_text": (posting.remote or "").title() or None,
            "deadline_at": None,
            "job": {**requisition, "department": department, "division": None},
            "location": {
                "id": str(city.weight),
                "city": name,
                "name": name,
                "postal_code": city.postal,
                "province": city.region,
            },
        }
        if company.index % 3 == 0:  # older sites: no whole address, and the department is elsewhere
            del row["url"]
            row |= {"department": department, "job": requisition}
        return row


def _path(posting: Posting) -> str:
    return f"/{posting.language}/postings/{posting.uuid}"


def _texts(posting: Posting) -> dict[str, Any]:
    """The text in four parts; a part's heading is a field of its own."""
    intro, about, *rest, last = posting.sections()
    style = posting.company.style
    texts: dict[str, Any] = {"description": markup(intro, style) + markup(about, style)}
    for name, part in zip(_PARTS, rest, strict=True):
        texts |= {f"{name}_header": part.heading, name: markup(part, style, heading=False)}
    return {**texts, _PARTS[-1]: texts[_PARTS[-1]] + markup(last, style)}


def _pay(posting: Posting) -> dict[str, Any]:
    pay = posting.pay
    least, most = (pay.min, pay.max) if pay else (None, None)
    return {
        "compensation": None,
        "compensation_minimum": least,
        "compensation_maximum": most,
        "compensation_currency": pay.currency if pay else None,
        "compensation_frequency": pay.period if pay else None,
        "compensation_visible": posting.structured,
    }


SYSTEM = Pinpoint()
