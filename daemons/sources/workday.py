"""Workday career sites, the JSON behind myworkdayjobs.com (CXS).

Source   POST https://{company}.{wdN}.myworkdayjobs.com/wday/cxs/{company}/{site}/jobs, then GET .../{site}/job/{path}
         A tenant is company, data centre and site: "acme.wd3/external". Facts: recorded answers and measurements of
         working clients, read 2026-11. No key; not documented for others, so robots.txt is kept to.
Shape    `jobPostings` in pages of 20 by `offset`; `total` and `facets` on the first page only. The list has no text:
         the detail has `jobPostingInfo`
Units    dates without a time, in the detail only ("Posted 3 Days Ago" in the list); no salary
Errors   404, 410 or 422 for an unknown site; 403 with errorCode S22 for a withdrawn posting, any other 403 is a wall;
         303 to a community page during maintenance; 400 for a limit over 20
Unsure   whether sites under myworkdaysite.com are always served under myworkdayjobs.com too; conditional GET is not
         documented
Traps    later pages say `total: 0`; `total` stops at 2,000 and an offset beyond starts over, so larger boards are read
         in parts, by a facet whose counts are not capped; "3 Locations" is no place; `remoteType` may hold a workload;
         a site's name has no case; a detail is found by its whole path only, which changes with title and place: the
         requisition at its end does not, and with a copy's number ("JR1-1") it is the posting's id
"""

from __future__ import annotations

import re
from urllib.parse import quote, unquote

import orjson

from daemons.sources.families.system import System
from daemons.sources.families.workday_parts import PAGE_SIZE, at, following
from lib.errors import Denied, Gone, Malformed
from lib.net.messages import Request, Response
from lib.posting.contract import Completeness, Confidence, Page, Posting, Record, Remote, read_one, read_page
from lib.posting.countries import country_code
from lib.posting.envelopes import need_count, rows_of
from lib.posting.links import Link, Tenants, address_on
from lib.posting.values import line, moment, places

_TENANTS = Tenants("Workday", re.compile(r"[a-z0-9_-]{1,63}\.wd\d{1,4}/[a-z0-9][a-z0-9_-]{0,99}", re.ASCII))
_HOST = re.compile(r"([a-z0-9_-]+\.wd\d+)\.myworkdayjobs\.com", re.ASCII)
_SHARED_HOST = re.compile(r"(wd\d+)\.myworkdaysite\.com", re.ASCII)
_LANGUAGE = re.compile(r"[a-z]{2}(?:-[a-z]{2})?", re.ASCII | re.IGNORECASE)
_PATH = re.compile(r"/job/([^/?#\\\s\x00-\x1f]{1,150}(?:/[^/?#\\\s\x00-\x1f]{1,150})?)")
_REQUISITION = re.compile(r"_([^_/]*\d[^_/]*)\Z")
_SOME_PLACES = re.compile(r"\d+ \w+")
_WITHDRAWN = "S22"
_REMOTE: dict[str, Remote] = {
    "remote": "remote", "fully remote": "remote", "hybrid": "hybrid", "partially remote": "hybrid",
    "on-site": "onsite", "onsite": "onsite", "on site": "onsite", "vor ort": "onsite",
}  # fmt: skip
_IGNORED = (
    "id", "postedOn", "jobReqId", "jobPostingId", "jobPostingSiteId", "canApply", "includeResumeParsing",
    "jobRequisitionLocation", "questionnaireId", "secondaryQuestionnaireId", "supportsAutoFill", "timeLeftToApply",
)  # fmt: skip


class Workday(System):
    name = "workday"
    title = "Workday"
    completeness = Completeness.TOTAL
    confidence = Confidence.CONFIRMED

    def tenant_of(self, link: Link) -> str | None:
        segments = [segment.lower() for segment in link.segments]
        if segments[:2] == ["wday", "cxs"]:
            segments = segments[3:]
        elif segments and _LANGUAGE.fullmatch(segments[0]) and ("-" in segments[0] or _is_site(segments[1:])):
            segments = segments[1:]
        found, shared = _HOST.fullmatch(link.host), _SHARED_HOST.fullmatch(link.host)
        if found:
            return _TENANTS.find(f"{found[1]}/{''.join(segments[:1])}")
        if shared and segments[:1] == ["recruiting"]:
            return _TENANTS.find(f"{''.join(segments[1:2])}.{shared[1]}/{''.join(segments[2:3])}")
        return None

    def board_url(self, tenant: str) -> str:
        host, _, site = _parts(tenant)
        return f"https://{host}/{site}"

    def request(self, tenant: str, cursor: str | None) -> Request:
        place = at(cursor)
        query = {
            "appliedFacets": {name: list(ids) for name, ids in place.facets},
            "limit": PAGE_SIZE,
            "offset": place.offset,
            "searchText": "",
        }
        return Request(
            url=f"{_api(tenant)}/jobs",
            method="POST",
            headers={"Accept": "application/json", "Content-Type": "application/json"},
            body=orjson.dumps(query),
            state=cursor or "",
        )

    def parse(self, tenant: str, response: Response) -> Page:
        body = response.json_object()
        rows, total = rows_of(body, "jobPostings"), None if body.get("total") is None else need_count(body, "total")
        place = at(response.request.state or None)
        board = self.board_url(tenant)
        stated, cursor = following(place, len(rows), total, body.get("facets"))
        return read_page(rows, lambda row: _row(row, board), total=stated, cursor=cursor)

    def detail_request(self, tenant: str, external_id: str, url: str) -> Request:
        board = self.board_url(tenant)
        if not _PATH.fullmatch(f"/job/{external_id}"):
            raise Malformed(f"{external_id[:80]!r} cannot be the id of a posting")
        listed = address_on(url, _parts(tenant)[0]) or ""
        path = _PATH.fullmatch(unquote(listed.removeprefix(board)))
        known = path is not None and _requisition(path[1]) == external_id
        return Request(
            url=f"{_api(tenant)}/job/{quote(path[1] if path and known else external_id, safe='/')}",
            headers={"Accept": "application/json"},
            answers=frozenset({403}),
            state=external_id,
            assumed=not known,
        )

    def parse_detail(self, tenant: str, response: Response) -> Posting:
        """The full posting. Raises Malformed, Gone when it is withdrawn, Denied at any other 403."""
        if response.status == 403:
            raise _refusal(response)
        info = response.json_object().get("jobPostingInfo")
        board = self.board_url(tenant)
        row = read_one(info, lambda item: _detail(item, board, response.request.state))
        if isinstance(info, dict) and info.get("posted") is False:
            raise Gone("the posting is withdrawn", status=410)
        return row


def _is_site(segments: list[str]) -> bool:
    """Whether a path goes on with a site: two letters before one are a language, without one they are the site."""
    return bool(segments) and segments[0] not in ("", "job", "jobs")


def _parts(tenant: str) -> tuple[str, str, str]:
    """Host, company and site."""
    place, _, site = _TENANTS.check(tenant).partition("/")
    return f"{place}.myworkdayjobs.com", place.partition(".")[0], site


def _api(tenant: str) -> str:
    host, company, site = _parts(tenant)
    return f"https://{host}/wday/cxs/{company}/{site}"


def _refusal(response: Response) -> Gone | Denied:
    try:
        code = response.json_object().get("errorCode")
    except Malformed:
        code = None
    return Gone("the posting is withdrawn", status=410) if code == _WITHDRAWN else Denied("status 403")


def _row(row: Record, board: str) -> Posting:
    path = unquote(row.need("externalPath", str))
    found = _PATH.fullmatch(path)
    if found is None:
        raise Malformed(f"{path[:80]!r} cannot be the path of a posting")
    place = line(row.get("locationsText", str))
    row.skip(("bulletFields", "postedOn"))
    return Posting(
        external_id=_requisition(found[1]),
        title=line(row.need("title", str)) or "",
        url=_public(board, found[1]),
        places=places([None if place and _SOME_PLACES.fullmatch(place) else place]),
        remote=_REMOTE.get((line(row.get("remoteType", str)) or "").lower()),
        employment_type=line(row.get("timeType", str)),
    )


def _detail(info: Record, board: str, asked: str) -> Posting:
    country, shown = info.sub("country"), _PATH.search(unquote(info.get("externalUrl", str) or ""))
    path = shown[1] if shown else asked
    info.skip(("posted", *_IGNORED))
    return Posting(
        external_id=asked or _requisition(path),
        title=line(info.need("title", str)) or "",
        url=_public(board, path),
        apply_url=f"{_public(board, path)}/apply",
        places=places([info.get("location", str), *info.strings("additionalLocations")]),
        country=country_code(country.get("descriptor", str)) if country else None,
        remote=_REMOTE.get((line(info.get("remoteType", str)) or "").lower()),
        employment_type=line(info.get("timeType", str)),
        posted_at=moment(info.get("startDate", str)),
        valid_through=moment(info.get("endDate", str)),
        html=info.html("jobDescription") or "",
    )


def _requisition(path: str) -> str:
    """What stays of a path when the posting is retitled or moved: its requisition, and which copy of it this is."""
    found = _REQUISITION.search(path)
    return found[1] if found else path


def _public(board: str, path: str) -> str:
    return f"{board}/job/{quote(path, safe='/')}"
