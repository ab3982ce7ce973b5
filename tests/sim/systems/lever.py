"""Lever's postings API v0: a bare array, paged by skip and limit, the text in parts, times in milliseconds."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

import orjson

from tests.sim.companies import Company
from tests.sim.posting import Posting
from tests.sim.text import Section, markup
from tests.sim.view import View
from tests.sim.wire import Answer, Asked, Call, Saved, System, board_page, missing, posting_page, size

_API = re.compile(r"/v0/postings/([^/]+)(?:/([0-9a-f-]{36}))?/?")
_PAGE = re.compile(r"/([^/]+)(?:/([0-9a-f-]{36})(?:/apply)?)?/?")
_NO_LIMIT = 1_000_000
_COMMITMENT = {
    "de": {"full_time": "Vollzeit", "part_time": "Teilzeit", "temporary": "Befristet", "internship": "Praktikum"},
    "en": {"full_time": "Full-time", "part_time": "Part-time", "temporary": "Fixed-term", "internship": "Internship"},
}
_WORKPLACE = {"remote": "remote", "hybrid": "hybrid", "onsite": "on-site", None: "unspecified"}
_INTERVAL = {"year": "per-year-salary", "month": "per-month-salary", "hour": "per-hour-wage"}


class Lever(System):
    """api.lever.co and api.eu.lever.co; the two instances have separate sites."""

    name = "lever"

    def tenant(self, company: Company) -> str:
        # Tokens end in -eu on the EU instance only so that a board's URL can be told from its token alone.
        return "-".join(company.words).lower() + ("-eu" if company.index % 2 else "")

    def board_url(self, tenant: str) -> str:
        return f"https://jobs{_instance(tenant)}.lever.co/{quote(tenant)}"

    def external_id(self, posting: Posting) -> str:
        return posting.uuid

    def posting_url(self, tenant: str, posting: Posting) -> str:
        return f"{self.board_url(tenant)}/{posting.uuid}"

    def serves(self, host: str) -> bool:
        return re.fullmatch(r"(api|jobs)(\.eu)?\.lever\.co", host) is not None

    def route(self, asked: Asked) -> Call | None:
        european = ".eu." in asked.host
        if asked.host.startswith("jobs"):
            match = _PAGE.fullmatch(asked.path)
            return Call("page", match[1], (match[2] or "", european)) if match else None
        match = _API.fullmatch(asked.path)
        if not match:
            return None
        if match[2]:
            return Call("detail", match[1], (match[2], european))
        skip, limit = size(asked.query.get("skip"), 0, _NO_LIMIT), size(asked.query.get("limit"), _NO_LIMIT, _NO_LIMIT)
        return Call("list", match[1], (skip, european, limit, asked.query.get("mode") == "json"))

    def answer(self, call: Call, view: View) -> Answer:
        if bool(call.args[1]) != (_instance(view.board.tenant) != ""):
            return self.unknown(call)
        if call.kind == "list":
            if not call.args[3]:
                return board_page(self, view.board.tenant, view)
            skip, limit = int(call.args[0]), int(call.args[2])
            rows = [self._row(posting, view.board.tenant) for posting in view.postings(skip, skip + limit)]
            return Answer(orjson.dumps(rows), tagged=True)
        if not call.args[0]:
            return board_page(self, view.board.tenant, view)
        found = view.find_uuid(str(call.args[0]))
        if found is None or not found[1]:
            return self.unknown(call)
        if call.kind == "page":
            return posting_page(found[0])
        return Answer(orjson.dumps(self._row(found[0], view.board.tenant)))

    def unknown(self, call: Call) -> Answer:
        if call.kind == "page":
            return missing()
        return missing(b'{"ok":false,"error":"Document not found"}', "application/json; charset=utf-8")

    def replay(self, call: Call, saved: Saved) -> Answer:
        if call.kind != "list" or call.args[1]:
            return self.unknown(call)
        return Answer(saved.listing if call.args[0] == 0 else b"[]")

    def _row(self, posting: Posting, tenant: str) -> dict[str, Any]:
        intro, about, *listed, contact = posting.sections()
        url, city, style = self.posting_url(tenant, posting), posting.city, posting.company.style
        opening, body = markup(intro, style), markup(about, style)
        names = [place.english if posting.language == "en" else place.name for place in posting.cities]
        row = {
            "additionalPlain": contact.plain(),
            "additional": f"<div>{markup(contact, style)}</div>",
            "categories": {
                "commitment": _COMMITMENT[posting.language][posting.employment],
                "department": posting.department,
                "location": names[0],
                "team": posting.company.sector.title(),
                "allLocations": names,
            },
            "createdAt": round(posting.published.timestamp() * 1_000),
            "descriptionPlain": f"{intro.plain()}\n\n{about.plain()}",
            "description": f"<div>{opening}{body}</div>",
            "id": posting.uuid,
            "lists": [{"text": part.heading, "content": _items(part)} for part in listed],
            "text": posting.title,
            "country": city.country if posting.company.quirk < 0.9 else None,
            "workplaceType": _WORKPLACE[posting.remote],
            "opening": f"<div>{opening}</div>",
            "openingPlain": intro.plain(),
            "descriptionBody": f"<div>{body}</div>",
            "descriptionBodyPlain": about.plain(),
            "hostedUrl": url,
            "applyUrl": f"{url}/apply",
        }
        pay = posting.pay
        if pay is not None and posting.structured and pay.max is not None:
            interval = _INTERVAL[pay.period]
            row["salaryRange"] = {"currency": pay.currency, "interval": interval, "min": pay.min, "max": pay.max}
        return row


def _instance(tenant: str) -> str:
    return ".eu" if tenant.endswith("-eu") else ""


def _items(section: Section) -> str:
    lines = (*section.paragraphs, *section.bullets)
    return markup(Section(section.kind, "", (), lines), 0)[len("<ul>") : -len("</ul>")]


SYSTEM = Lever()
