"""Recruitee's careers site API: one document, language versions, salaries as texts; and the same as an XML feed."""

from __future__ import annotations

import re
from datetime import datetime
from html import escape
from typing import Any

import orjson

from tests.sim.companies import Company
from tests.sim.places import COUNTRY_NAMES, City
from tests.sim.posting import Language, Posting
from tests.sim.text import markup
from tests.sim.view import View
from tests.sim.wire import Answer, Asked, Call, Saved, System, board_page, missing, page, posting_or_missing

_HOST = re.compile(r"([a-z0-9-]+)\.recruitee\.com")
_OFFER = re.compile(r"/o/[a-z-]*-(\d{1,18})(?:/c/new)?/?")
_FEEDS = ("/api/offers.xml", "/api/feeds/offers.xml")
_EMPLOYMENT = {
    "full_time": "fulltime_permanent",
    "part_time": "parttime_permanent",
    "temporary": "fulltime_fixed_term",
    "internship": "internship",
}
_XML = "application/xml; charset=utf-8"


class Recruitee(System):
    """{tenant}.recruitee.com; a board that is hosted elsewhere is sent to the vendor's own site.

    Every second customer's API wants a token already, as all will; the feeds do not.
    """

    name = "recruitee"

    def tenant(self, company: Company) -> str:
        return "".join(company.words).lower()

    def board_url(self, tenant: str) -> str:
        return f"https://{tenant}.recruitee.com"

    def external_id(self, posting: Posting) -> str:
        return str(posting.number)

    def posting_url(self, tenant: str, posting: Posting) -> str:
        return f"{self.board_url(tenant)}/o/{_slug(posting)}"

    def serves(self, host: str) -> bool:
        return host == "recruitee.com" or _HOST.fullmatch(host) is not None

    def robots(self, host: str) -> str | None:
        return "User-agent: *\nDisallow: /v/\n"

    def route(self, asked: Asked) -> Call | None:
        match = _HOST.fullmatch(asked.host)
        if match is None:
            return Call("vendor", "")
        if asked.path.rstrip("/") == "/api/offers":
            return Call("list", match[1], ("json",))
        if asked.path in _FEEDS:
            return Call("list", match[1], ("xml", asked.path == _FEEDS[0]))
        if offer := _OFFER.fullmatch(asked.path):
            return Call("page", match[1], (int(offer[1]),))
        return Call("page", match[1], (0,)) if asked.path == "/" else None

    def answer(self, call: Call, view: View) -> Answer:
        if call.kind == "page":
            if not call.args[0]:
                return board_page(self, view.board.tenant, view)
            return posting_or_missing(view.find(int(call.args[0])))
        offers = [self._offer(posting, view.board.tenant) for posting in view.postings()]
        if call.args[0] == "json":
            if view.board.company.index % 4 > 1:
                return Answer(b'{"error":"Unauthorized"}', 401)
            # An offer that has just been closed stays for a day on every second board, under another status.
            hidden = view.closed_today() if offers and view.board.company.index % 2 else []
            offers += [{**self._offer(posting, view.board.tenant), "status": "closed"} for posting in hidden]
            return Answer(orjson.dumps({"offers": offers}))
        return Answer(_feed(offers, raw=bool(call.args[1])), content_type=_XML)

    def unknown(self, call: Call) -> Answer:
        if call.kind == "vendor":
            return page("Careers site not hosted here", "<h1>Recruitee</h1>")
        if call.kind == "page":
            return Answer(b"", 301, headers={"Location": "https://recruitee.com/careers_not_hosted"})
        return missing(b'{"error":"Not Found"}', "application/json; charset=utf-8")

    def replay(self, call: Call, saved: Saved) -> Answer:
        return Answer(saved.listing) if call.kind == "list" and call.args[0] == "json" else self.unknown(call)

    def _offer(self, posting: Posting, tenant: str) -> dict[str, Any]:
        company, language, city = posting.company, posting.language, posting.city
        url = self.posting_url(tenant, posting)
        shown = _texts(posting, language)
        other: Language = "en" if language == "de" else "de"
        versions = {language: shown, **({other: _texts(posting, other)} if posting.translated else {})}
        first = _location(city, language)
        pay = posting.pay if posting.structured else None
        return {
            "id": posting.number,
            "slug": _slug(posting),
            "guid": f"{posting.number:x}",
            "position": posting.number % 500,
            "status": "published",
            "company_name": company.name,
            "department": posting.department,
            **shown,
            "location": "Remote job"
            if posting.remote == "remote"
            else f"{first['city']}, {first['state']}, {first['country']}",
            "city": first["city"],
            "state_name": city.region,
            "state_code": city.region_code,
            "country": first["country"],
            "country_code": city.country,
            "postal_code": city.postal,
            "locations": [_location(place, language) for place in posting.cities],
            "remote": posting.remote == "remote",
            "hybrid": posting.remote == "hybrid" or (posting.remote == "remote" and company.quirk < 0.3),
            "on_site": posting.remote == "onsite",
            "employment_type_code": _EMPLOYMENT[posting.employment],
            "category_code": company.sector,
            "salary": {
                "min": f"{pay.min:.2f}".removesuffix(".00") if pay else None,
                "max": f"{pay.max:.2f}".removesuffix(".00") if pay and pay.max else None,
                "period": pay.period if pay else None,
                "currency": pay.currency if pay else None,
            },
            "tags": [],
            "careers_url": url,
            "careers_apply_url": f"{url}/c/new",
            "mailbox_email": f"job.{posting.number:x}@{tenant}.recruitee.com",
            "created_at": _stamp(posting.published),
            "published_at": _stamp(posting.published),
            "updated_at": _stamp(posting.published),
            "close_at": None,
            "translations": versions,
        }


def _slug(posting: Posting) -> str:
    return f"stelle-{posting.number}"


def _stamp(when: datetime) -> str:
    return when.strftime("%Y-%m-%d %H:%M:%S UTC")


def _texts(posting: Posting, language: Language) -> dict[str, Any]:
    parts = [markup(section, posting.company.style) for section in posting.sections(language)]
    return {
        "title": posting.title,
        "description": "".join(parts[:3]),
        "requirements": "".join(parts[3:]) or None,
        "highlight": None,
    }


def _location(city: City, language: Language) -> dict[str, Any]:
    name = city.english if language == "en" else city.name
    return {
        "id": 20_000 + city.weight,
        "name": name,
        "city": name,
        "state": city.region,
        "state_code": city.region_code,
        "country": COUNTRY_NAMES[city.country][language],
        "country_code": city.country,
        "postal_code": city.postal,
        "street": None,
        "note": None,
    }


def _feed(offers: list[dict[str, Any]], *, raw: bool) -> bytes:
    """The XML form: no versions, other names for two fields, and in the raw one hyphens in all names."""
    rows = []
    for offer in offers:
        renamed = {"careers_apply_url": "apply_url", "category_code": "category"}
        fields = {renamed.get(name, name): value for name, value in offer.items() if name != "translations"}
        rows.append(_element("offer", fields, raw))
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<offers>\n{"".join(rows)}</offers>\n'.encode()


def _element(name: str, value: Any, raw: bool) -> str:
    tag = name.replace("_", "-") if raw else name
    if isinstance(value, dict):
        inside = "".join(_element(key, inner, raw) for key, inner in value.items())
    elif isinstance(value, list):
        inside = "".join(_element("location", inner, raw) for inner in value)
    elif isinstance(value, bool):
        inside = str(value).lower()
    elif name in ("title", "description", "requirements") and value:
        inside = f"<![CDATA[{value}]]>"
    else:
        inside = "" if value is None else escape(str(value))
    return f"<{tag}>{inside}</{tag}>\n"


SYSTEM = Recruitee()
