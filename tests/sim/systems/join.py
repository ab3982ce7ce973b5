"""JOIN: pages with their data inside, a list of five a page that repeats its last page, texts in Markdown, cents."""

from __future__ import annotations

import re
from hashlib import blake2b
from typing import Any

import orjson

from tests.sim.companies import Company
from tests.sim.places import COUNTRY_NAMES, City
from tests.sim.posting import Posting
from tests.sim.text import Section
from tests.sim.view import View
from tests.sim.wire import HTML, Answer, Asked, Call, Saved, System, missing, size

_API = re.compile(r"/api/public/companies/(\d{1,18})/jobs/?")
_PAGE = re.compile(r"/companies/([^/]+)(?:/(\d{1,18})(?:-[^/]*)?)?/?")
_BASE = 15_000_000
_LARGEST_PAGE = 5
_PLACEHOLDER = {"id": 233, "name": "JOIN", "domain": "join"}
_EMPLOYMENT = {
    "full_time": ("Vollzeit", "Employee"),
    "part_time": ("Teilzeit", "Part-time"),
    "temporary": ("Befristet", "Temporary"),
    "internship": ("Praktikum", "Internship"),
}
_WORKPLACE = {"remote": "REMOTE", "hybrid": "HYBRID", "onsite": "ONSITE", None: None}
_FREQUENCY = {"year": "PER_YEAR", "month": "PER_MONTH", "hour": "PER_HOUR"}
_PARTS = {
    "intro": ("intro", "about"),
    "tasks": ("tasks",),
    "requirements": ("profile",),
    "benefits": ("benefits",),
    "outro": ("contact",),
}
_SPECIAL = re.compile(r"([\\`*_\[\]<>#|])")


class Join(System):
    """join.com, where the company is in the path, and in its API a number that only the company's page tells."""

    name = "join"

    def __init__(self) -> None:
        self._slugs: dict[int, str] = {}

    def tenant(self, company: Company) -> str:
        slug = "-".join(company.words).lower()
        self._slugs[_company_id(slug)] = slug
        return slug

    def board_url(self, tenant: str) -> str:
        return f"https://join.com/companies/{tenant}"

    def external_id(self, posting: Posting) -> str:
        return str(_BASE + posting.number)

    def posting_url(self, tenant: str, posting: Posting) -> str:
        return f"{self.board_url(tenant)}/{_id_param(posting)}"

    def serves(self, host: str) -> bool:
        return host in ("join.com", "www.join.com")

    def robots(self, host: str) -> str | None:
        return "User-agent: *\nAllow: /\n"

    def route(self, asked: Asked) -> Call | None:
        number = min(size(asked.query.get("page"), 1, 9_999), 9_999)
        if api := _API.fullmatch(asked.path):
            length = size(asked.query.get("pageSize"), _LARGEST_PAGE, 999)
            return Call("list", self._slugs.get(int(api[1]), ""), ("api", number, length))
        match = _PAGE.fullmatch(asked.path)
        if match is None:
            return None
        if match[2]:
            return Call("detail", match[1], (int(match[2]),))
        return Call("list", match[1], ("page", number, _LARGEST_PAGE))

    def answer(self, call: Call, view: View) -> Answer:
        company = {"id": _company_id(view.board.tenant), "name": view.board.company.name, "domain": view.board.tenant}
        if call.kind == "detail":
            found = view.find(int(call.args[0]) - _BASE)
            if found is None or not found[1]:
                return _page({"statusCode": 404 if found is None else 410})
            return _page({"initialState": {"company": company, "job": _job(found[0], detail=True)}})
        door, number, length = str(call.args[0]), int(call.args[1]), int(call.args[2])
        if not 0 < length <= _LARGEST_PAGE:
            return Answer(orjson.dumps({"message": "pageSize must not be greater than 5"}), 422)
        pages = max(1, -(-len(view.keys) // length))
        start = (min(max(number, 1), pages) - 1) * length
        rows = [_job(posting, detail=False) for posting in view.postings(start, start + length)]
        paging = {"page": min(number, pages), "pageCount": pages, "perPage": length, "rowCount": view.total}
        jobs = {"items": rows, "pagination": paging}
        return (
            Answer(orjson.dumps(jobs)) if door == "api" else _page({"initialState": {"company": company, "jobs": jobs}})
        )

    def unknown(self, call: Call) -> Answer:
        if call.kind == "list" and call.args[0] == "api":
            return missing(b'{"message":"Not Found"}', "application/json; charset=utf-8")
        if call.kind == "list" and call.tenant and call.tenant[0] < "n":
            jobs = {"items": [], "pagination": {"page": 1, "pageCount": 1, "perPage": 5, "rowCount": 0}}
            return _page({"initialState": {"company": _PLACEHOLDER, "jobs": jobs}})
        return _page({"statusCode": 404})

    def replay(self, call: Call, saved: Saved) -> Answer:
        return Answer(saved.listing, content_type=HTML)


def _company_id(slug: str) -> int:
    return int.from_bytes(blake2b(slug.encode(), digest_size=4).digest()) % 900_000 + 1_000


def _id_param(posting: Posting) -> str:
    slug = re.sub(r"[^a-z0-9]+", "-", posting.title.lower()).strip("-")
    return f"{_BASE + posting.number}-{slug}"


def _page(props: dict[str, Any]) -> Answer:
    data = orjson.dumps({"props": {"pageProps": props}, "page": "/companies/[domain]"}).replace(b"<", b"\\u003c")
    head = b'<!doctype html><html><head><meta charset="utf-8"><title>JOIN</title></head><body><div id="__next"></div>'
    script = b'<script id="__NEXT_DATA__" type="application/json">' + data + b"</script>"
    return Answer(head + script + b"</body></html>", content_type=HTML)


def _job(posting: Posting, *, detail: bool) -> dict[str, Any]:
    spelled = _EMPLOYMENT[posting.employment][0 if posting.language == "de" else 1]
    job: dict[str, Any] = {
        "id": 900_000 + posting.number,
        "idParam": _id_param(posting),
        "title": posting.title,
        "createdAt": posting.published.strftime("%Y-%m-%dT%H:%M:%S") + (".000Z" if posting.number % 2 else "Z"),
        "workplaceType": _WORKPLACE[posting.remote],
        "employmentType": {"name": spelled},
        "category": {"name": posting.department},
        "city": _city(posting.city, posting.language),
        "language": {"iso6391": posting.language},
    }
    if not detail:
        return job
    pay = posting.pay
    if pay is not None and pay.max is not None:
        job["salaryAmountFrom"] = {"currency": pay.currency, "amount": round(pay.min * 100)}
        job["salaryAmountTo"] = {"currency": pay.currency, "amount": round(pay.max * 100)}
        job["salaryFrequency"] = _FREQUENCY[pay.period]
    sections = {section.kind: section for section in posting.sections()}
    texts = {name: "\n\n".join(_markdown(sections[kind]) for kind in kinds) for name, kinds in _PARTS.items()}
    return job | texts | {"status": "ONLINE", "settings": {"showSalary": posting.structured}}


def _city(city: City, language: str) -> dict[str, Any]:
    name = city.english if language == "en" else city.name
    return {"cityName": name, "regionName": city.region, "countryName": COUNTRY_NAMES[city.country][language]}


def _markdown(section: Section) -> str:
    head = [f"## {_escaped(section.heading)}"] if section.heading else []
    bullets = ["\n".join(f"* {_escaped(line)}" for line in section.bullets)] if section.bullets else []
    return "\n\n".join([*head, *map(_escaped, section.paragraphs), *bullets])


def _escaped(line: str) -> str:
    return _SPECIAL.sub(r"\\\1", line)


SYSTEM = Join()
