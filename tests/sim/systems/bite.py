"""B-ITE: a script that tells the listing's key, a search by POST, details by the posting's hash alone."""

from __future__ import annotations

import re
from typing import Any

import orjson

from tests.sim.companies import Company
from tests.sim.pay import Pay
from tests.sim.posting import Posting
from tests.sim.structured import text_of
from tests.sim.view import View
from tests.sim.wire import Answer, Asked, Call, Saved, System, missing, posting_page

_SCRIPT = re.compile(r"/([A-Za-z0-9_-]+)/jobs-api/([A-Za-z0-9_-]+)\.min\.js")
_POSTING = re.compile(r"/jobposting/([0-9a-f]{40})(/json)?")
_KEY_BYTES = 20
_LARGEST_PAGE = 1_000


class Bite(System):
    """cs-assets.b-ite.com and jobs.b-ite.com. A listing's key is its tenant, in figures."""

    name = "bite"

    def tenant(self, company: Company) -> str:
        return f"kunde{company.index}:stellen"

    def board_url(self, tenant: str) -> str:
        customer, _, listing = tenant.partition(":")
        return f"https://cs-assets.b-ite.com/{customer}/jobs-api/{listing}.min.js"

    def external_id(self, posting: Posting) -> str:
        return f"{posting.uuid.replace('-', '')}{posting.number:08x}"

    def posting_url(self, tenant: str, posting: Posting) -> str:
        return f"https://jobs.b-ite.com/jobposting/{self.external_id(posting)}"

    def serves(self, host: str) -> bool:
        return host in ("cs-assets.b-ite.com", "jobs.b-ite.com")

    def route(self, asked: Asked) -> Call | None:
        if asked.host.startswith("cs-assets"):
            script = _SCRIPT.fullmatch(asked.path)
            return Call("script", f"{script[1]}:{script[2]}") if script else None
        if asked.path == "/api/v1/postings/search" and asked.method == "POST":
            return _question(asked.body)
        posting = _POSTING.fullmatch(asked.path)
        return Call("detail" if posting[2] else "page", "", (int(posting[1][32:], 16),)) if posting else None

    def number(self, call: Call) -> int | None:
        return int(call.args[0]) if call.kind in ("detail", "page") else None

    def answer(self, call: Call, view: View) -> Answer:
        if call.kind == "script":
            key = view.board.tenant.encode().ljust(_KEY_BYTES, b"\0").hex()
            script = f'!function(){{var t="{key}",e=n.createClient({{key:t}});e.list()}}();'
            return Answer(script.encode(), content_type="application/javascript")
        if call.kind == "list":
            offset, number = int(call.args[0]), int(call.args[1])
            shown = view.postings(offset, offset + number)
            return _listing(view.total, offset, [self._row(one, view.board.tenant) for one in shown])
        found = view.find(int(call.args[0]))
        if found is None or not found[1]:
            return missing()
        return posting_page(found[0]) if call.kind == "page" else Answer(orjson.dumps(_detail(found[0])))

    def unknown(self, call: Call) -> Answer:
        return missing()

    def saved_tenant(self, name: str, listing: bytes) -> str:
        return f"{name}:stellen"

    def replay(self, call: Call, saved: Saved) -> Answer:
        if call.kind == "script":
            return Answer(f'createClient({{key:"{"0" * 40}"}})'.encode(), content_type="application/javascript")
        return Answer(saved.listing) if call.kind == "list" and call.args[0] == 0 else missing()

    def _row(self, posting: Posting, tenant: str) -> dict[str, Any]:
        return {
            "id": self.external_id(posting),
            "url": self.posting_url(tenant, posting),
            "title": posting.title,
            "employmentType": [posting.employment],
            "address": _address(posting),
            "createdOn": posting.published.isoformat(timespec="milliseconds"),
            "modifiedOn": posting.published.isoformat(timespec="milliseconds"),
        }


def _question(body: bytes) -> Call | None:
    try:
        asked = orjson.loads(body)
        tenant = bytes.fromhex(asked["key"]).rstrip(b"\0").decode()
        page = asked.get("page", {})
        return Call("list", tenant, (int(page.get("offset", 0)), min(_LARGEST_PAGE, int(page.get("num", 20)))))
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _listing(total: int, offset: int, rows: list[dict[str, Any]]) -> Answer:
    return Answer(orjson.dumps({"jobPostings": rows, "page": {"total": total, "offset": offset, "num": len(rows)}}))


def _address(posting: Posting) -> dict[str, Any]:
    city = posting.city
    name = city.english if posting.language == "en" else city.name
    return {"city": name, "postCode": city.postal, "country": city.country.lower()}


def _detail(posting: Posting) -> dict[str, Any]:
    pay = posting.pay if posting.structured else None
    return {
        "title": posting.title,
        "content": {"html": {"rendered": text_of(posting)}},
        "address": _address(posting),
        "employmentType": [posting.employment],
        "createdAt": posting.published.isoformat(timespec="milliseconds"),
        "baseSalary": _salary(pay) if pay else None,
        "employer": {"name": posting.company.name},
        "locale": posting.language,
    }


def _salary(pay: Pay) -> dict[str, Any]:
    return {"currency": pay.currency, "unitText": pay.period.upper(), "minValue": pay.min, "maxValue": pay.max}


SYSTEM = Bite()
