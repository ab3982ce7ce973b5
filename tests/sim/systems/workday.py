"""Workday's career sites: 20 rows a page, the total on the first one only, nothing beyond the 2,000th row."""

from __future__ import annotations

import re
from hashlib import blake2b
from typing import TYPE_CHECKING, Any
from urllib.parse import quote
from weakref import WeakKeyDictionary

import orjson

from tests.sim.companies import Company
from tests.sim.hosted import Hosted
from tests.sim.places import COUNTRY_NAMES
from tests.sim.posting import Posting
from tests.sim.text import markup
from tests.sim.view import View
from tests.sim.wire import Answer, Asked, Call, Saved, board_page, missing, posting_page

if TYPE_CHECKING:
    from tests.sim.market import Market

_API = re.compile(r"/wday/cxs/([^/]+)/([^/]+)/(jobs|job/.+)")
_PAGE = re.compile(r"/(?:[a-z]{2}-[A-Z]{2}/)?([^/]+)(?:/job/(.+?)(?:/apply)?)?/?")
_NUMBER = re.compile(r"_JR(\d{1,18})\Z")
_PAGE_SIZE = 20
_WINDOW = 2_000
_TIME = {
    "de": {"part_time": "Teilzeit", "other": "Vollzeit"},
    "en": {"part_time": "Part time", "other": "Full time"},
}
_REMOTE = {"remote": "Remote", "hybrid": "Hybrid", "onsite": "On-site"}
_FACETS = ("jobFamilyGroup", "timeType", "locationCountry", "locations")


class Workday(Hosted):
    """{company}.{data centre}.myworkdayjobs.com, sites told apart by the first part of the path."""

    name = "workday"
    hosts = re.compile(r"([a-z0-9_-]+\.wd\d+)\.myworkdayjobs\.com")

    def __init__(self) -> None:
        self._values: WeakKeyDictionary[Market, dict[int, tuple[tuple[str, ...], ...]]] = WeakKeyDictionary()

    def tenant(self, company: Company) -> str:
        return f"{company.words[0].lower()}{company.index}.wd{3 + company.index % 2 * 100}/{company.words[-1].lower()}"

    def board_url(self, tenant: str) -> str:
        place, _, site = tenant.partition("/")
        return f"https://{place}.myworkdayjobs.com/{quote(site)}"

    def external_id(self, posting: Posting) -> str:
        return f"JR{posting.number}"

    def posting_url(self, tenant: str, posting: Posting) -> str:
        return f"{self.board_url(tenant)}/job/{_path(posting)}"

    def robots(self, host: str) -> str | None:
        return "User-agent: *\nDisallow: /*/refreshFacet/\n"

    def route_of(self, tenant: str, asked: Asked) -> Call | None:
        api = _API.fullmatch(asked.path)
        if api and api[3] == "jobs":
            site = f"{tenant}/{api[2]}"
            query = _query(asked) if api[1] == tenant.partition(".")[0] else None
            return Call("refused", site) if query is None else Call("list", site, query)
        if api:
            return Call("detail", f"{tenant}/{api[2]}", (api[3].removeprefix("job/"),))
        page = _PAGE.fullmatch(asked.path)
        return Call("page", f"{tenant}/{page[1]}", (page[2] or "",)) if page and page[1] != "wday" else None

    def answer(self, call: Call, view: View) -> Answer:
        if call.kind == "refused":
            return _error("HTTP_400", "invalid request", 400)
        if call.kind == "list":
            return self._listing(int(call.args[0]), int(call.args[1]), orjson.loads(str(call.args[2])), view)
        path = str(call.args[0])
        if call.kind == "page" and not path:
            return board_page(self, view.board.tenant, view)
        number = _NUMBER.search(path)
        found = view.find(int(number[1])) if number else None
        if found is None or path != _path(found[0]):
            return _error("S21", "not found", 404)
        if call.kind == "page":
            return posting_page(found[0]) if found[1] else missing()
        return self._detail(found[0], view) if found[1] else _error("S22", "permission denied", 403)

    def unknown(self, call: Call) -> Answer:
        return _error("S21", "not found: Job_Posting_Site_ID", 404 if call.kind != "list" else 422)

    def saved_tenant(self, name: str, listing: bytes) -> str:
        return f"{name}.wd3/external"

    def detail_id(self, payload: bytes) -> str | None:
        info = orjson.loads(payload).get("jobPostingInfo")
        return None if info is None else str(info["externalUrl"]).rpartition("_")[2]

    def replay(self, call: Call, saved: Saved) -> Answer:
        if call.kind != "list":
            return missing()
        pages = {len(orjson.loads(saved.listing)["jobPostings"]): saved.last, 0: saved.listing}
        return Answer(pages.get(int(call.args[0])) or b'{"total":0,"jobPostings":[],"facets":[]}')

    def _listing(self, offset: int, limit: int, applied: dict[str, list[str]], view: View) -> Answer:
        keys = [key for key in view.keys if self._has(key, applied, view)] if applied else list(view.keys)
        total = len(keys) if applied else view.total
        start = offset % _WINDOW  # an offset beyond the window starts over
        rows = [self._row(view.market.posting(key)) for key in keys[start : min(start + limit, _WINDOW)]]
        body = {
            "total": 0 if offset else min(total, _WINDOW),
            "jobPostings": rows,
            "facets": [] if offset else self._facets(keys, view),
            "userAuthenticated": False,
        }
        return Answer(orjson.dumps(body))

    def _facet_values(self, key: int, view: View) -> tuple[tuple[str, ...], ...]:
        """The values of one posting for each facet."""
        known = self._values.setdefault(view.market, {})
        if key not in known:
            posting = view.market.posting(key)
            names = tuple(city.name for city in posting.cities)
            known[key] = ((posting.occupation.name,), (_time(posting),), (posting.city.country,), names)
        return known[key]

    def _has(self, key: int, applied: dict[str, list[str]], view: View) -> bool:
        values = dict(zip(_FACETS, self._facet_values(key, view), strict=True))
        return all(
            any(_id(name, value) in wanted for value in values.get(name, ())) for name, wanted in applied.items()
        )

    def _facets(self, keys: list[int], view: View) -> list[dict[str, Any]]:
        counts: dict[str, dict[str, int]] = {name: {} for name in _FACETS}
        for key in keys:
            for name, values in zip(_FACETS, self._facet_values(key, view), strict=True):
                for value in values:
                    counts[name][value] = counts[name].get(value, 0) + 1
        groups = [
            {
                "facetParameter": name,
                "descriptor": name,
                "values": [
                    {"descriptor": value, "id": _id(name, value), "count": count} for value, count in found.items()
                ],
            }
            for name, found in counts.items()
        ]
        return [*groups[:2], {"facetParameter": "locationMainGroup", "values": groups[2:]}]

    def _row(self, posting: Posting) -> dict[str, Any]:
        places = "Standorte" if posting.language == "de" else "Locations"
        row = {
            "title": posting.title,
            "externalPath": f"/job/{_path(posting)}",
            "locationsText": posting.city.name if len(posting.cities) == 1 else f"{len(posting.cities)} {places}",
            "postedOn": "Heute ausgeschrieben" if posting.language == "de" else "Posted Today",
            "bulletFields": [f"JR{posting.number}"],
        }
        return row | _terms(posting)

    def _detail(self, posting: Posting, view: View) -> Answer:
        style, country = posting.company.style, posting.city.country
        info = {
            "id": blake2b(posting.uuid.encode(), digest_size=16).hexdigest(),
            "title": posting.title,
            "jobDescription": "".join(markup(section, style) for section in posting.sections()),
            "location": posting.city.name,
            "additionalLocations": [city.name for city in posting.cities[1:]],
            "postedOn": "Posted Today",
            "startDate": posting.published.date().isoformat(),
            "jobReqId": f"JR{posting.number}",
            "jobPostingId": _path(posting).partition("/")[2],
            "jobPostingSiteId": view.board.tenant.partition("/")[2],
            "country": {"descriptor": COUNTRY_NAMES[country]["en"], "id": _id("country", country)},
            "canApply": True,
            "posted": True,
            "includeResumeParsing": True,
            "externalUrl": self.posting_url(view.board.tenant, posting),
        }
        company = {"name": posting.company.name, "url": ""}
        body = {"jobPostingInfo": info | _terms(posting), "hiringOrganization": company, "similarJobs": []}
        return Answer(orjson.dumps(body | {"userAuthenticated": False}))


def _query(asked: Asked) -> tuple[int, int, str] | None:
    """Offset, limit and facets as JSON; None for what is refused: another method, no JSON, more than 20 rows."""
    try:
        query = orjson.loads(asked.body)
        offset, limit, facets = int(query["offset"]), int(query["limit"]), query["appliedFacets"]
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
        return None
    if asked.method != "POST" or not 0 < limit <= _PAGE_SIZE or offset < 0 or not isinstance(facets, dict):
        return None
    return offset, limit, orjson.dumps(facets).decode()


def _error(code: str, text: str, status: int) -> Answer:
    return Answer(orjson.dumps({"errorCode": code, "error": text}), status)


def _time(posting: Posting) -> str:
    names = _TIME[posting.language]
    return names.get(posting.employment, names["other"])


def _terms(posting: Posting) -> dict[str, str]:
    """What some sites say of time and place; some write the workload where the place of work belongs."""
    terms = {"timeType": _time(posting)}
    if posting.company.quirk > 0.9:
        terms["remoteType"] = "80-100%"
    elif posting.remote is not None:
        terms["remoteType"] = _REMOTE[posting.remote]
    return terms


def _id(name: str, value: str) -> str:
    return blake2b(f"{name}:{value}".encode(), digest_size=16).hexdigest()


def _path(posting: Posting) -> str:
    """Where a posting is: its place and title are in it, so it changes with them."""
    return f"{_slug(posting.city.name)}/{_slug(posting.title)[:66]}_JR{posting.number}"


def _slug(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9]", "-", text.replace("ü", "").replace("ä", "").replace("ö", ""))


SYSTEM = Workday()
