"""softgarden: modern sites with a feed, and classic ones whose list shows cards for its first postings only."""

from __future__ import annotations

import re
from datetime import timedelta
from html import escape
from typing import Any

import orjson

from tests.sim.companies import Company
from tests.sim.places import COUNTRY_NAMES, City
from tests.sim.posting import Posting
from tests.sim.text import markup
from tests.sim.view import View
from tests.sim.wire import HTML, Answer, Asked, Call, Saved, System, board_page, missing, page, posting_page

_MODERN = re.compile(r"([a-z0-9-]+)\.career\.softgarden\.de")
_CLASSIC = re.compile(r"([a-z0-9-]+)\.softgarden\.io")
_JOB = re.compile(r"/jobs?/(\d{1,18})(?:/[^/]*)?/?")
_LIST = re.compile(r"/(?:(?:de|en)/vacancies/?)?")
_BASE = 40_000_000
_CARDS = 12
_EMPLOYMENT = {
    "full_time": ["FULL_TIME"],
    "part_time": "PART_TIME",
    "temporary": ["FULL_TIME", "TEMPORARY"],
    "internship": "INTERN",
}
_UNIT = {"year": "YEAR", "month": "MONTH", "hour": "HOUR"}
_ROBOTS = "User-agent: *\nDisallow: /*/widgets/\nDisallow: /api/\nDisallow: /rest/\nDisallow: /apply/\n"


class Softgarden(System):
    """{tenant}.career.softgarden.de and {tenant}.softgarden.io; a token that ends in -io is on the classic host."""

    name = "softgarden"

    def tenant(self, company: Company) -> str:
        return "-".join(company.words).lower() + ("-io" if company.index % 2 else "")

    def board_url(self, tenant: str) -> str:
        return f"{_origin(tenant)}/de/vacancies" if _is_classic(tenant) else _origin(tenant)

    def external_id(self, posting: Posting) -> str:
        return str(_BASE + posting.number)

    def posting_url(self, tenant: str, posting: Posting) -> str:
        number = self.external_id(posting)
        return (
            f"{_origin(tenant)}/job/{number}/Stelle"
            if _is_classic(tenant)
            else f"{_origin(tenant)}/jobs/{number}/stelle/"
        )

    def serves(self, host: str) -> bool:
        return (_MODERN.fullmatch(host) or _CLASSIC.fullmatch(host)) is not None

    def robots(self, host: str) -> str | None:
        return _ROBOTS if _CLASSIC.fullmatch(host) else None

    def route(self, asked: Asked) -> Call | None:
        modern, classic = _MODERN.fullmatch(asked.host), _CLASSIC.fullmatch(asked.host)
        host = modern or classic
        if host is None or (classic is not None) != _is_classic(host[1]):
            return Call("page", "")
        if job := _JOB.fullmatch(asked.path):
            return Call("detail" if classic else "page", host[1], (int(job[1]),))
        if modern and asked.path == "/jobs.feed.json":
            return Call("list", host[1])
        if _LIST.fullmatch(asked.path):
            return Call("list" if classic and asked.path != "/" else "page", host[1], (0,))
        return None

    def answer(self, call: Call, view: View) -> Answer:
        if call.kind == "list":
            return self._vacancies(view) if _is_classic(view.board.tenant) else self._feed(view)
        if not call.args[0]:
            return board_page(self, view.board.tenant, view)
        found = view.find(int(call.args[0]) - _BASE)
        if found is None or not found[1]:
            return page("404", "<h1>Job nicht gefunden</h1>", 404)
        if call.kind == "page":
            return posting_page(found[0])
        data = _script(self._item(found[0], view.board.tenant, classic=True))
        return page(
            found[0].title, f"<h1>{escape(found[0].title)}</h1><script type='application/ld+json'>{data}</script>"
        )

    def unknown(self, call: Call) -> Answer:
        return Answer(b"Unknown subdomain.", 404, HTML)

    def saved_tenant(self, name: str, listing: bytes) -> str:
        return name if listing.startswith(b"{") else f"{name}-io"

    def replay(self, call: Call, saved: Saved) -> Answer:
        return Answer(saved.listing) if call.kind == "list" else missing()

    def _feed(self, view: View) -> Answer:
        elements = [
            {
                "@type": "DataFeedItem",
                "dateModified": f"{view.touched:%Y-%m-%dT%H:%M:%S}+02:00",
                "item": self._item(posting, view.board.tenant, classic=False),
            }
            for posting in view.postings()
        ]
        feed = {
            "meta": {},
            "@context": "https://schema.org",
            "@type": "DataFeed",
            "name": view.board.company.name,
            "dateModified": f"{view.touched:%Y-%m-%dT%H:%M:%S}+02:00",
            "numberOfItems": view.total,
            "dataFeedElement": elements,
        }
        return Answer(orjson.dumps(feed))

    def _vacancies(self, view: View) -> Answer:
        ids = [_BASE + posting.number for posting in view.postings()]
        ids += range(1, 1 + max(0, view.total - len(ids)))  # a list that lies names postings that nobody has
        cards = "".join(map(_card, view.postings(0, _CARDS)))
        script = f"<script>var complete_job_id_list = jobs_selected = [{', '.join(map(str, ids))}];</script>"
        return page(view.board.company.name, f'{script}<div class="results">{cards}</div>')

    def _item(self, posting: Posting, tenant: str, *, classic: bool) -> dict[str, Any]:
        text = "".join(markup(section, posting.company.style) for section in posting.sections())
        posted = posting.published
        item: dict[str, Any] = {
            "@type": "JobPosting",
            "title": posting.title,
            "url": self.posting_url(tenant, posting),
            "datePosted": f"{posted:%Y-%m-%dT%H:%M:%S}+00:00",
            "identifier": {"@type": "PropertyValue", "name": posting.company.name, "value": _BASE + posting.number},
            "description": text,
            "employmentType": _EMPLOYMENT[posting.employment],
            "hiringOrganization": {"@type": "Organization", "name": posting.company.name},
            "jobLocation": [_location(city) for city in posting.cities],
        }
        if classic:
            pay = posting.pay if posting.structured else None
            low, high = (pay.min, pay.max or 0) if pay else (0, 0)
            value = {"@type": "QuantitativeValue", "minValue": low, "maxValue": high}
            unit = {"unitText": _UNIT[pay.period] if pay else "YEAR"}
            currency = pay.currency if pay else "EUR"
            item["baseSalary"] = {"@type": "MonetaryAmount", "currency": currency, "value": value | unit}
            item["validThrough"] = f"{posted + timedelta(days=730):%Y-%m-%dT%H:%M:%S}+00:00"
        return item


def _is_classic(tenant: str) -> bool:
    return tenant.endswith("-io")


def _origin(tenant: str) -> str:
    return f"https://{tenant}.softgarden.io" if _is_classic(tenant) else f"https://{tenant}.career.softgarden.de"


def _location(city: City) -> dict[str, Any]:
    country = COUNTRY_NAMES[city.country]["de"] if city.weight % 2 else city.country
    address = {"@type": "PostalAddress", "streetAddress": "-", "addressLocality": city.name, "postalCode": city.postal}
    return {"@type": "Place", "address": address | {"addressCountry": country}}


def _card(posting: Posting) -> str:
    number = _BASE + posting.number
    places = "".join(f'<span class="location-view-item">{escape(city.name)}</span>' for city in posting.cities)
    return (
        f'<div class="matchElement" id="job_id_{number}"><div class="matchValue title">'
        f'<a href="../job/{number}/Stelle?jobDbPVId={number}&amp;l=de">{escape(posting.title)}</a></div>'
        f'<div class="matchValue date">{posting.published:%d.%m.%y}</div>'
        f'<div class="matchValue ProjectGeoLocationCity">{places}</div>'
        f'<div class="matchValue jobcategory">{escape(posting.department)}</div></div>'
    )


def _script(data: dict[str, Any]) -> str:
    return orjson.dumps({"@context": "https://schema.org", **data}).decode().replace("</", "<\\/")


SYSTEM = Softgarden()
