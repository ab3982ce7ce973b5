"""Jooble's keyed search: a POST whose body is the question, snippets instead of texts, ids of either sign."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

import orjson

from tests.sim.companies import Company
from tests.sim.posting import Posting
from tests.sim.view import View
from tests.sim.wire import Answer, Asked, Call, Saved, System, board_page, missing, posting_or_missing

_HOST = re.compile(r"(de|at|ch)\.jooble\.org")
_PAGE_SIZE = 20
_LARGEST_PAGE = 100
_TYPES = {"full_time": "Vollzeit", "part_time": "Teilzeit", "temporary": "Befristet", "internship": "Praktikum"}


class Jooble(System):
    """{country}.jooble.org; any key opens, none is 403."""

    name = "jooble"

    def tenant(self, company: Company) -> str:
        return f"{company.country.lower()}:{' '.join(company.words).lower()}:"

    def board_url(self, tenant: str) -> str:
        country, what, _ = tenant.split(":")
        return f"https://{country}.jooble.org/SearchResult?ukw={quote(what)}"

    def external_id(self, posting: Posting) -> str:
        return str(posting.number if posting.number % 2 else -posting.number)

    def posting_url(self, tenant: str, posting: Posting) -> str:
        return f"https://{tenant[:2]}.jooble.org/desc/{self.external_id(posting)}"

    def serves(self, host: str) -> bool:
        return _HOST.fullmatch(host) is not None

    def route(self, asked: Asked) -> Call | None:
        country = asked.host[:2]
        if asked.path == "/SearchResult":
            return Call("board", f"{country}:{asked.query.get('ukw', '')}:")
        number = asked.path.removeprefix("/desc/").removeprefix("-")
        if asked.path.startswith("/desc/") and number.isascii() and number.isdigit():
            return Call("page", "", (int(number),))
        if not asked.path.startswith("/api/") or asked.method != "POST":
            return None
        if not asked.path.removeprefix("/api/"):
            return Call("keyless", "")
        try:
            question = orjson.loads(asked.body)
            rows = min(_LARGEST_PAGE, int(question.get("ResultOnPage", _PAGE_SIZE)))
            return Call("list", f"{country}:{question['keywords']}:", (int(question.get("page", 1)), rows))
        except (ValueError, KeyError, TypeError):
            return None

    def number(self, call: Call) -> int | None:
        return int(call.args[0]) if call.kind == "page" else None

    def answer(self, call: Call, view: View) -> Answer:
        if call.kind == "board":
            return board_page(self, view.board.tenant, view)
        if call.kind == "page":
            return posting_or_missing(view.find(int(call.args[0])))
        rows = int(call.args[1])
        start = max(0, int(call.args[0]) - 1) * rows
        shown = view.postings(start, start + rows)
        return _listing(view.total, [self._row(posting, view.board.tenant) for posting in shown])

    def unknown(self, call: Call) -> Answer:
        if call.kind == "keyless":
            return Answer(b"", 403)
        return _listing(0, []) if call.kind == "list" else missing()

    def saved_tenant(self, name: str, listing: bytes) -> str:
        return f"de:{name}:"

    def replay(self, call: Call, saved: Saved) -> Answer:
        return Answer(saved.listing) if call.kind == "list" and call.args[0] == 1 else self.unknown(call)

    def _row(self, posting: Posting, tenant: str) -> dict[str, Any]:
        pay = posting.pay
        salary = ""
        if pay is not None and posting.structured and pay.period == "year":
            salary = f"{pay.min:.0f} {pay.currency} pro Jahr"
        return {
            "title": posting.title,
            "location": posting.city.name,
            "snippet": f"...<b>{posting.title}</b>&nbsp;{posting.sections()[0].plain()[:120]}...",
            "salary": salary,
            "source": posting.company.domain,
            "type": _TYPES[posting.employment],
            "link": self.posting_url(tenant, posting),
            "company": posting.company.name,
            "updated": posting.published.strftime("%Y-%m-%dT%H:%M:%S.0000000"),
            "id": int(self.external_id(posting)),
        }


def _listing(total: int, jobs: list[dict[str, Any]]) -> Answer:
    return Answer(orjson.dumps({"totalCount": total, "jobs": jobs}))


SYSTEM = Jooble()
