"""beesite: the search is JSON in the address, counts come as text, postings' pages are on the company's own host."""

from __future__ import annotations

import re
from typing import Any

import orjson

from tests.sim.companies import Company
from tests.sim.hosted import Hosted
from tests.sim.places import COUNTRY_NAMES
from tests.sim.posting import Posting
from tests.sim.view import View
from tests.sim.wire import Answer, Asked, Call, Saved, board_page, missing


class Beesite(Hosted):
    """{tenant}.app.beesite.de."""

    name = "beesite"
    hosts = re.compile(r"([a-z0-9-]+)\.app\.beesite\.de")

    def tenant(self, company: Company) -> str:
        return "-".join((*company.words, "gjb")).lower()

    def board_url(self, tenant: str) -> str:
        return f"https://{tenant}.app.beesite.de/"

    def external_id(self, posting: Posting) -> str:
        return str(posting.number)

    def posting_url(self, tenant: str, posting: Posting) -> str:
        return f"https://jobs.{posting.company.domain}/index.php?ac=jobad&id={posting.number}"

    def route_of(self, tenant: str, asked: Asked) -> Call | None:
        if asked.path not in ("/", "/search", "/search/"):
            return None
        if asked.path == "/":
            return Call("board", tenant)
        try:
            wanted = orjson.loads(asked.query.get("data", ""))["SearchParameters"]
            return Call("list", tenant, (int(wanted["FirstItem"]), int(wanted["CountItem"])))
        except (ValueError, KeyError, TypeError):
            return Call("broken", tenant)

    def answer(self, call: Call, view: View) -> Answer:
        if call.kind == "board":
            return board_page(self, view.board.tenant, view)
        if call.kind == "broken":
            return Answer(b'{"Error":"invalid search"}', 500)
        first, count = max(1, int(call.args[0])), min(1_000, int(call.args[1]))
        shown = view.postings(first - 1, first - 1 + count)
        as_text = view.board.company.index % 2 == 0
        return _listing(view.total, [self._row(one, view.board.tenant) for one in shown], as_text=as_text)

    def unknown(self, call: Call) -> Answer:
        return missing()

    def replay(self, call: Call, saved: Saved) -> Answer:
        if call.kind != "list":
            return missing()
        return Answer(saved.listing) if call.args[0] == 1 else _listing(0, [], as_text=False)

    def _row(self, posting: Posting, tenant: str) -> dict[str, Any]:
        language = posting.language
        places: list[dict[str, Any]] = [
            {
                "CityName": city.english if language == "en" else city.name,
                "CountryName": COUNTRY_NAMES[city.country][language],
            }
            for city in posting.cities
        ]
        described = {
            "ID": str(posting.number),
            "PositionID": str(posting.number),
            "PositionTitle": posting.title,
            "PositionURI": self.posting_url(tenant, posting),
            "PositionLocation": places if posting.company.index % 3 or len(places) > 1 else places[0],
            "PublicationStartDate": posting.published.date().isoformat(),
            "ParentOrganizationName": posting.company.name,
            "JobSector": [{"Name": posting.department}],
        }
        return {"MatchedObjectId": str(posting.number), "MatchedObjectDescriptor": described}


def _listing(total: int, items: list[dict[str, Any]], *, as_text: bool) -> Answer:
    result = {
        "SearchResultCount": len(items),
        "SearchResultCountAll": str(total) if as_text else total,
        "SearchResultItems": items,
    }
    return Answer(orjson.dumps({"SearchResult": result}))


SYSTEM = Beesite()
