"""Arbeitnow's feed: pages of a hundred, times in seconds, and a next page whose address changes with every answer."""

from __future__ import annotations

from typing import Any

import orjson

from tests.sim.companies import Company
from tests.sim.posting import Posting
from tests.sim.structured import text_of
from tests.sim.view import View
from tests.sim.wire import Answer, Asked, Call, Saved, System, board_page, missing, posting_or_missing, size

_API = "https://www.arbeitnow.com/api/job-board-api"
_JOBS = "/jobs/companies/"
_PAGE_SIZE = 100
_TYPES = {"full_time": ["Full-Time"], "part_time": ["Teilzeit"], "temporary": ["Befristet"], "internship": []}


class Arbeitnow(System):
    """www.arbeitnow.com: one feed for all the world."""

    name = "arbeitnow"
    single = True

    def tenant(self, company: Company) -> str:
        return "all"

    def board_url(self, tenant: str) -> str:
        return "https://www.arbeitnow.com/"

    def external_id(self, posting: Posting) -> str:
        return f"job-{posting.number}"

    def posting_url(self, tenant: str, posting: Posting) -> str:
        company = "-".join(posting.company.words).lower()
        return f"https://www.arbeitnow.com{_JOBS}{company}/{self.external_id(posting)}"

    def serves(self, host: str) -> bool:
        return host == "www.arbeitnow.com"

    def route(self, asked: Asked) -> Call | None:
        if asked.path == "/api/job-board-api":
            return Call("list", "all", (max(1, size(asked.query.get("page"), 1, 100_000)),))
        if asked.path.startswith(_JOBS):
            number = asked.path.rpartition("/job-")[2]
            return Call("page", "all", (int(number) if number.isascii() and number.isdigit() else 0,))
        return Call("board", "all") if asked.path == "/" else None

    def answer(self, call: Call, view: View) -> Answer:
        if call.kind == "board":
            return board_page(self, view.board.tenant, view)
        if call.kind == "page":
            return posting_or_missing(view.find(int(call.args[0])))
        page = int(call.args[0])
        start = (page - 1) * _PAGE_SIZE
        rows = [self._row(posting) for posting in view.postings(start, start + _PAGE_SIZE)]
        more = start + _PAGE_SIZE < len(view.keys)
        return _listing(page, rows, f"{_API}?page={page + 1}&at={view.touched.timestamp():.0f}" if more else None)

    def unknown(self, call: Call) -> Answer:
        return _listing(1, [], None) if call.kind == "list" else missing()

    def saved_tenant(self, name: str, listing: bytes) -> str:
        return "all"

    def replay(self, call: Call, saved: Saved) -> Answer:
        if call.kind != "list":
            return missing()
        return Answer(saved.listing) if call.args[0] == 1 else _listing(int(call.args[0]), [], None)

    def _row(self, posting: Posting) -> dict[str, Any]:
        city = posting.city
        return {
            "slug": self.external_id(posting),
            "company_name": posting.company.name,
            "title": posting.title,
            "description": text_of(posting),
            "remote": posting.remote == "remote",
            "url": self.posting_url("all", posting),
            "tags": [posting.company.sector.title()],
            "job_types": _TYPES[posting.employment],
            "location": city.english if posting.language == "en" else city.name,
            "created_at": int(posting.published.timestamp()),
        }


def _listing(page: int, rows: list[dict[str, Any]], following: str | None) -> Answer:
    links = {"first": f"{_API}?page=1", "last": None, "prev": None, "next": following}
    meta = {"current_page": page, "path": _API, "per_page": _PAGE_SIZE, "terms": "Please link back.", "info": "Jobs"}
    return Answer(orjson.dumps({"data": rows, "links": links, "meta": meta}))


SYSTEM = Arbeitnow()
