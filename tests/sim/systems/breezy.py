"""Breezy's portal JSON: a bare array, with texts where `verbose` asks for them; pay and many places as free text."""

from __future__ import annotations

import re
from typing import Any

import orjson

from tests.sim.companies import Company
from tests.sim.pay import Pay
from tests.sim.places import COUNTRY_NAMES, City
from tests.sim.posting import Posting
from tests.sim.text import markup
from tests.sim.view import View
from tests.sim.wire import HTML, Answer, Asked, Call, Saved, System, board_page, missing, page

_HOST = re.compile(r"([a-z0-9-]+)\.breezy\.hr")
_POSITION = re.compile(r"/p/([0-9a-f]{12})(?:-[^/]*)?(?:/apply)?/?")
_TYPES = {
    "full_time": ("fullTime", "Full-Time"),
    "part_time": ("partTime", "Part-Time"),
    "temporary": ("temporary", "Temporary"),
    "internship": ("internship", "Internship"),
}


class Breezy(System):
    """{tenant}.breezy.hr; who asks for an unknown tenant is sent to the vendor's own site."""

    name = "breezy"
    also = ("breezyhr",)

    def tenant(self, company: Company) -> str:
        return "-".join(company.words).lower()

    def board_url(self, tenant: str) -> str:
        return f"https://{tenant}.breezy.hr"

    def external_id(self, posting: Posting) -> str:
        return f"{posting.number:012x}"

    def posting_url(self, tenant: str, posting: Posting) -> str:
        return f"{self.board_url(tenant)}/p/{self.external_id(posting)}-stelle"

    def serves(self, host: str) -> bool:
        return host == "breezy.hr" or _HOST.fullmatch(host) is not None

    def route(self, asked: Asked) -> Call | None:
        match = _HOST.fullmatch(asked.host)
        if match is None:
            return Call("vendor", "")
        if asked.path.rstrip("/") == "/json":
            return Call("list", match[1], (asked.query.get("verbose") == "true",))
        if position := _POSITION.fullmatch(asked.path):
            return Call("detail", match[1], (int(position[1], 16),))
        return Call("page", match[1], (0,)) if asked.path == "/" else None

    def answer(self, call: Call, view: View) -> Answer:
        if call.kind == "list":
            rows = [self._row(posting, view.board.tenant) for posting in view.postings()]
            if not call.args[0]:
                rows = [{name: value for name, value in row.items() if name != "description"} for row in rows]
            return Answer(orjson.dumps(rows))
        if not call.args[0]:
            return board_page(self, view.board.tenant, view)
        found = view.find(int(call.args[0]))
        return _position_page(found[0]) if found and found[1] else missing()

    def unknown(self, call: Call) -> Answer:
        if call.kind == "vendor":
            return page("Breezy HR", "<h1>Hire easily</h1>")
        return Answer(b"", 302, headers={"Location": "https://breezy.hr/"})

    def replay(self, call: Call, saved: Saved) -> Answer:
        return Answer(saved.listing) if call.kind == "list" else missing()

    def _row(self, posting: Posting, tenant: str) -> dict[str, Any]:
        company, external_id = posting.company, self.external_id(posting)
        key, label = _TYPES[posting.employment]
        first, *others = (_place(city, posting) for city in posting.cities)
        row = {
            "id": external_id,
            "friendly_id": f"{external_id}-stelle",
            "name": posting.title,
            "url": self.posting_url(tenant, posting),
            "published_date": posting.published.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
            "type": {"id": key, "name": label},
            "location": first,
            "locations": others,
            "department": posting.department,
            "salary": _salary(posting.pay) if posting.pay and posting.structured else "",
            "company": {"name": company.name, "logo_url": None, "friendly_id": tenant},
            "description": _text(posting),
        }
        if company.quirk < 0.3:
            del row["department"]
        return row


def _text(posting: Posting) -> str:
    return "".join(markup(section, posting.company.style) for section in posting.sections())


def _place(city: City, posting: Posting) -> dict[str, Any]:
    name = city.english if posting.language == "en" else city.name
    state: Any = city.region if posting.company.index % 2 else {"id": city.region_code, "name": city.region}
    return {
        "name": f"{name}, {city.country}",
        "city": name,
        "state": state,
        "country": {"id": city.country, "name": COUNTRY_NAMES[city.country]["en"]},
        "is_remote": posting.remote == "remote",
    }


def _salary(pay: Pay) -> str:
    symbol = "€" if pay.currency == "EUR" else "CHF "
    upper = "" if pay.max is None else f" - {symbol}{pay.max:,.2f}"
    return f"{symbol}{pay.min:,.2f}{upper} / {pay.period}"


def _position_page(posting: Posting) -> Answer:
    """The position's page, with the JSON-LD that portals put into it."""
    city = posting.city
    address = {"@type": "PostalAddress", "addressLocality": city.name, "addressCountry": city.country}
    node = {
        "@context": "http://schema.org",
        "@type": "JobPosting",
        "title": posting.title,
        "description": _text(posting),
        "datePosted": posting.published.date().isoformat(),
        "hiringOrganization": {"@type": "Organization", "name": posting.company.name},
        "jobLocation": {"@type": "Place", "address": address},
    }
    script = orjson.dumps(node).decode().replace("</", "<\\/")
    body = page(
        posting.title, f'<script type="application/ld+json">{script}</script><main>{_text(posting)}</main>'
    ).body
    return Answer(body, content_type=HTML)


SYSTEM = Breezy()
