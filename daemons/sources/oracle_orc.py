"""Oracle Recruiting Cloud, Candidate Experience sites, REST resource recruitingCEJobRequisitions.

Source   https://{host}/hcmRestApi/resources/latest/recruitingCEJobRequisitions, then ...Details for each text
         A tenant is host and site: "abcd.fa.em2.oraclecloud.com/CX_1". Facts: docs.oracle.com (Recruiting REST API) and
         recorded answers, read 2026-11. No key.
Shape    paging is inside `finder`: `limit` up to 200, `offset`; `items[0].requisitionList` has the rows, and only with
         `expand`; `TotalJobsCount` counts the list on its first page
Units    times are ISO 8601, a date alone in the list; no salary
Errors   a wrong host gives a login page; a withdrawn requisition is 200 without `items`; 302, 403, 429 and 503 come
         and go
Unsure   an unknown site is answered with the host's default one, and its echo does not tell; behind a company's own
         domain the API may be at another host, which the page names in `data-apibaseurl`
Traps    without `expand` the count is right and the rows are missing; `Limit` echoes what was asked for, 200 is what
         comes; past the first page `TotalJobsCount` may be 0; nothing is listed beyond 10,000 rows
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

from daemons.sources.families.system import System
from lib.errors import Gone, Malformed
from lib.net.messages import Request, Response
from lib.posting.contract import (
    MAX_FIELD_CHARS,
    Completeness,
    Confidence,
    Page,
    Posting,
    Record,
    Remote,
    read_one,
    read_page,
)
from lib.posting.countries import country_code
from lib.posting.links import Ids, Link, Tenants
from lib.posting.markup import joined
from lib.posting.values import language, line, moment, places

_HOST = r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.){1,6}[a-z]{2,24}"
_TENANTS = Tenants("Oracle Recruiting Cloud", re.compile(rf"{_HOST}/[A-Za-z0-9][A-Za-z0-9_-]{{0,99}}", re.ASCII))
_IDS = Ids(re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", re.ASCII))
_SITE = ("hcmUI", "CandidateExperience")
_API = "hcmRestApi/resources/latest/recruitingCEJobRequisition"
_CURSOR = re.compile(r"(\d{1,5}):(\d{1,12})", re.ASCII)
_PAGE_SIZE = 200
_WINDOW = 10_000
_TEXTS = (
    "ExternalDescriptionStr",
    "ExternalResponsibilitiesStr",
    "ExternalQualificationsStr",
    "CorporateDescriptionStr",
)
_REMOTE: dict[str, Remote] = {
    "ORA_REMOTE": "remote", "ORA_HYBRID": "hybrid", "ORA_ON_SITE": "onsite", "REMOTE": "remote", "HYBRID": "hybrid",
    "ON-SITE": "onsite", "VOR ORT": "onsite",
}  # fmt: skip
_IGNORED = (
    "Category",
    "ShortDescriptionStr", "Distance", "Relevancy", "GeographyId", "GeographyNodeId", "HotJobFlag", "TrendingFlag",
    "BeFirstToApplyFlag", "JobFunction", "JobFunctionCode", "JobFamilyId", "ManagerLevel", "JobShift", "JobType",
    "JobGrade", "JobLevel", "StudyLevel", "WorkerType", "DomesticTravelRequired", "InternationalTravelRequired",
    "WorkDurationYears", "WorkDurationMonths", "WorkYears", "WorkMonths", "WorkHours", "WorkDays", "BusinessUnit",
    "BusinessUnitId", "LegalEmployerId", "OrganizationId", "RequisitionType", "RequisitionId", "NumberOfOpenings",
    "ObjectVerNumberProfile", "ApplyWhenNotPostedFlag", "OtherRequisitionTitle", "HiringManager", "media", "skills",
    "ExternalContactName", "ExternalContactEmail", "InternalQualificationsStr", "InternalResponsibilitiesStr",
    "OrganizationDescriptionStr", "requisitionFlexFields", "primaryLocationCoordinates", "links",
)  # fmt: skip


class OracleRecruiting(System):
    name = "oracle_orc"
    title = "Oracle Recruiting Cloud"
    completeness = Completeness.TOTAL
    confidence = Confidence.CONFIRMED

    def tenant_of(self, link: Link) -> str | None:
        if link.segments[:2] == _SITE and link.segments[3:4] == ("sites",):
            return _TENANTS.find(f"{link.host}/{''.join(link.segments[4:5])}")
        if "/".join(link.segments).startswith(_API):
            named = re.search(r"siteNumber=([^,;]+)", link.query.get("finder", ""))
            return _TENANTS.find(f"{link.host}/{named[1]}") if named else None
        return None

    def board_url(self, tenant: str) -> str:
        host, site = _parts(tenant)
        return f"https://{host}/hcmUI/CandidateExperience/de/sites/{site}"

    def request(self, tenant: str, cursor: str | None) -> Request:
        host, site = _parts(tenant)
        offset, _ = _place(cursor or "")
        finder = f"findReqs;siteNumber={site},limit={_PAGE_SIZE},offset={offset},sortBy=POSTING_DATES_DESC"
        return Request(
            url=f"https://{host}/{_API}s?finder={quote(finder, safe=';=,')}",
            params={"onlyData": "true", "expand": "requisitionList.workLocation,requisitionList.secondaryLocations"},
            documented_api=True,
            state=cursor or "",
        )

    def parse(self, tenant: str, response: Response) -> Page:
        found = _only_item(response)
        rows, total = found.get("requisitionList"), found.get("TotalJobsCount")
        if total is not None and (not isinstance(total, int) or isinstance(total, bool) or not 0 <= total < 10**12):
            raise Malformed("TotalJobsCount is no count")
        if rows is None and total == 0:
            rows = []
        if not isinstance(rows, list):
            raise Malformed(f"requisitionList is {type(rows).__name__}, list expected: was it expanded?")
        board = self.board_url(tenant)
        offset, before = _place(response.request.state)
        stated = max(before, total or 0)
        return read_page(
            rows,
            lambda row: _row(row, board),
            total=None if total is None and not stated else stated,
            cursor=_next(offset, len(rows), stated),
        )

    def detail_request(self, tenant: str, external_id: str, url: str) -> Request:
        host, site = _parts(tenant)
        finder = f'ById;Id="{_IDS.check(external_id)}",siteNumber={site}'
        return Request(
            url=f"https://{host}/{_API}Details",
            params={"expand": "all", "onlyData": "true", "finder": finder},
            documented_api=True,
        )

    def parse_detail(self, tenant: str, response: Response) -> Posting:
        """The full posting. Raises Malformed, Gone when the requisition is not shown any more."""
        body = response.json_object()
        items = body.get("items", [body])
        if not isinstance(items, list):
            raise Malformed(f"items is {type(items).__name__}, list expected")
        if not items:
            raise Gone("the requisition is not shown any more", status=410)
        board = self.board_url(tenant)
        return read_one(items[0], lambda row: _row(row, board))


def _parts(tenant: str) -> tuple[str, str]:
    host, _, site = _TENANTS.check(tenant).partition("/")
    return host, site


def _place(cursor: str) -> tuple[int, int]:
    """Offset and total in a cursor, which is "offset:total". Raises Malformed."""
    found = _CURSOR.fullmatch(cursor or "0:0")
    if found is None:
        raise Malformed(f"{cursor[:80]!r} is no cursor")
    return int(found[1]), int(found[2])


def _only_item(response: Response) -> dict[str, Any]:
    items = response.json_object().get("items")
    if not isinstance(items, list) or not items or not isinstance(items[0], dict):
        raise Malformed("no search result in items")
    return items[0]


def _next(offset: int, rows: int, total: int) -> str | None:
    following = offset + rows
    if rows == 0 or following >= min(total, _WINDOW):
        return None
    return f"{following}:{total}"


def _row(row: Record, board: str) -> Posting:
    external_id = _IDS.check(row.need("Id", str))
    posted, posted_at = row.get("PostedDate", str), row.get("ExternalPostedStartDate", str)
    ending, ends_at = row.get("PostingEndDate", str), row.get("ExternalPostedEndDate", str)
    schedule, contract = line(row.get("JobSchedule", str)), line(row.get("ContractType", str))
    unit = [line(row.get(name, str)) for name in ("Department", "Organization", "JobFamily")]
    named, country = _where(row)
    posting = Posting(
        external_id=external_id,
        title=line(row.need("Title", str)) or "",
        url=f"{board}/job/{external_id}",
        company=line(row.get("LegalEmployer", str)),
        places=named,
        country=country,
        remote=_remote(row),
        employment_type=", ".join(part for part in (schedule, contract) if part)[:MAX_FIELD_CHARS] or None,
        department=next((name for name in unit if name), None),
        language=_language(row.get("Language", str), row.get("ContentLocale", str)),
        posted_at=moment(posted_at) or moment(posted),
        valid_through=moment(ends_at) or moment(ending),
        html=_html(row),
    )
    row.skip(_IGNORED)
    return posting


def _where(row: Record) -> tuple[tuple[str, ...], str | None]:
    """The places' names, and the country where all agree."""
    named = [row.get("PrimaryLocation", str)]
    countries = {country_code(row.get("PrimaryLocationCountry", str))}
    for other in row.subs("secondaryLocations"):
        named.append(other.get("Name", str))
        countries.add(country_code(other.get("CountryCode", str)))
        other.skip(("RequisitionLocationId", "GeographyNodeId", "GeographyId", "Latitude", "Longitude", "links"))
    row.skip(("workLocation", "otherWorkLocations"))  # offices by their own names, streets: the place is said above
    return places(named), countries.pop() if len(countries) == 1 else None


def _remote(row: Record) -> Remote | None:
    code, label = line(row.get("WorkplaceTypeCode", str)), line(row.get("WorkplaceType", str))
    return _REMOTE.get((code or "").upper()) or _REMOTE.get((label or "").upper())


def _language(code: str | None, locale: str | None) -> str | None:
    """Lists have Oracle's own codes ("D", "US"), details ISO ones."""
    return language(locale) or {"D": "de", "US": "en", "GB": "en", "F": "fr", "I": "it"}.get((code or "").upper())


def _html(row: Record) -> str | None:
    """The sections in their order; None in a list, where they are null."""
    sections = [row.html(name) for name in _TEXTS]
    return None if all(section is None for section in sections) else joined(sections)
