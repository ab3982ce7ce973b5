"""beesite by milch & zucker: the search behind the career pages of large German companies.

Source   https://{tenant}.app.beesite.de/search?data={the search as JSON}
         Facts: five working clients, read 2026-11. No key
Shape    `SearchResult.SearchResultItems` in pages of 100 by `FirstItem` (from 1); `SearchResultCountAll` counts all
Units    days as YYYY-MM-DD
Errors   not known; a page that is no search result has no `SearchResult`
Unsure   limits; whether a tenant without a channel or language in its search lists what it shows nobody; whether the
         text could be asked for: no client does, so postings of this source have none
Traps    counts come as numbers or as text; `PositionLocation` is a list or one object; a posting's address is on the
         company's own host
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import orjson

from daemons.sources.families.subdomains import Subdomains
from lib.errors import Malformed
from lib.net.messages import Request, Response
from lib.posting.contract import Completeness, Confidence, Page, Posting, Record, clean_text, read_page
from lib.posting.countries import country_code
from lib.posting.envelopes import count_of, number_of, rows_of
from lib.posting.links import web_url
from lib.posting.values import line, moment, places

_PAGE_SIZE = 100
_MAX_ROWS = 20_000
_FIELDS = (
    "ID", "PositionID", "PositionTitle", "PositionURI", "PositionLocation.CountryName", "PositionLocation.CityName",
    "PublicationStartDate", "ParentOrganizationName", "JobSector.Name",
)  # fmt: skip


class Beesite(Subdomains):
    name = "beesite"
    title = "beesite"
    every = timedelta(hours=12)
    completeness = Completeness.TOTAL
    confidence = Confidence.PARTIAL
    ending = ".app.beesite.de"
    page = "/"

    def request(self, tenant: str, cursor: str | None) -> Request:
        first = number_of(cursor, 1)
        search = {
            "LanguageCode": "DE",
            "SearchParameters": {
                "FirstItem": first,
                "CountItem": _PAGE_SIZE,
                "Sort": [{"Criterion": "PublicationStartDate", "Direction": "DESC"}],
                "MatchedObjectDescriptor": _FIELDS,
            },
            "SearchCriteria": [],
        }
        return Request(
            url=f"{self.board_url(tenant)}search", params={"data": orjson.dumps(search).decode()}, state=str(first)
        )

    def parse(self, tenant: str, response: Response) -> Page:
        result = response.json_object().get("SearchResult")
        if not isinstance(result, dict):
            raise Malformed("no SearchResult")
        items = rows_of({"SearchResultItems": []} | result, "SearchResultItems")
        total = _count(result.get("SearchResultCountAll"))
        if total is None:
            raise Malformed("SearchResultCountAll is no count")
        board = self.board_url(tenant)
        cursor = _next(response.request.state, len(items), total)
        return read_page(items, lambda item: _row(item, board), total=total, cursor=cursor)


def _count(value: Any) -> int | None:
    if isinstance(value, str) and re.fullmatch(r"\d{1,9}", value, re.ASCII):
        return int(value)
    return count_of({"": value}, "")


def _next(state: str, rows: int, total: int) -> str | None:
    following = int(state or 0) + rows
    if not state or rows == 0 or following > total:
        return None
    if following > _MAX_ROWS:
        raise Malformed(f"more than {_MAX_ROWS} rows")
    return str(following)


def _row(item: Record, board: str) -> Posting:
    found = item.sub("MatchedObjectDescriptor")
    if found is None:
        raise Malformed("no MatchedObjectDescriptor")
    ids = (found.take("PositionID"), item.take("MatchedObjectId"), found.take("ID"))
    external_id = next((str(one) for one in ids if isinstance(one, int | str) and not isinstance(one, bool)), "")
    named, country = _where(found.take("PositionLocation"))
    sector = found.take("JobSector")
    names = sector if isinstance(sector, list) else [sector]
    row = Posting(
        external_id=line(clean_text(external_id)) or "",
        title=line(found.need("PositionTitle", str)) or "",
        url=web_url(found.get("PositionURI", str)) or board,
        company=line(found.get("ParentOrganizationName", str)),
        places=named,
        country=country,
        department=_named(names, "Name"),
        posted_at=moment(found.get("PublicationStartDate", str)),
    )
    item.skip(("RelevanceRank", "RelevanceScore"))
    return row


def _where(stated: Any) -> tuple[tuple[str, ...], str | None]:
    locations = [one for one in (stated if isinstance(stated, list) else [stated]) if isinstance(one, dict)]
    towns = [town for one in locations if isinstance(town := one.get("CityName"), str)]
    return places(clean_text(town) for town in towns), country_code(_named(locations, "CountryName"))


def _named(parts: list[Any], name: str) -> str | None:
    """The first text of that name in a list of objects."""
    found = (part.get(name) for part in parts if isinstance(part, dict))
    return line(next((clean_text(one) for one in found if isinstance(one, str)), None))
