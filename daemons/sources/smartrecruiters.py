"""SmartRecruiters career sites, public Posting API v1.

Source   https://api.smartrecruiters.com/v1/companies/{tenant}/postings, then .../postings/{id} for each text
         Facts: developers.smartrecruiters.com (Posting API) and recorded answers, read 2026-11. No key. robots.txt of
         the API host disallows all page crawlers; this is the vendor's documented public API for showing postings
         elsewhere and is called as documented, at a few requests a second.
Shape    `content` in pages of at most 100 by `offset`; `totalFound` counts the list. The list has no text: the detail
         has `jobAd.sections`
Units    times are ISO 8601 in UTC; the country is a lower-case ISO code
Errors   an unknown company is 200 with `totalFound: 0`, the same as an empty board; 404 for an unknown posting;
         `active: false` for one that was withdrawn; 429
Unsure   `compensation` was seen in consumers' code only; limits are not documented; an ETag was seen, conditional GET
         is not documented
Traps    several ads may belong to one job: `refNumber` repeats, `id` does not; `fullLocation` has empty parts;
         labels are in the posting's language
"""

from __future__ import annotations

import re
from datetime import timedelta

from lib.errors import Gone, Malformed
from lib.net.messages import Request, Response
from lib.posting.contract import Completeness, Confidence, Healthy, Page, Posting, Record, Remote, Salary, read_page
from lib.posting.countries import country_code
from lib.posting.links import Tenants, read_link, web_url
from lib.posting.markup import joined, section
from lib.posting.values import language, line, moment, places, salary

_TENANTS = Tenants(
    "SmartRecruiters", re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}", re.ASCII), frozenset({"oneclick-ui"})
)
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", re.ASCII)
_PAGE_SIZE = 100
_MAX_ROWS = 200_000
_SECTIONS = ("companyDescription", "jobDescription", "qualifications", "additionalInformation")
_IGNORED = (
    "uuid",
    "jobAdId",
    "defaultJobAd",
    "refNumber",
    "industry",
    "function",
    "experienceLevel",
    "customField",
    "visibility",
    "ref",
    "creator",
    "postingUrl",  # changes with the title; the address built from company and id does not
)


class SmartRecruiters:
    name = "smartrecruiters"
    title = "SmartRecruiters"
    every = timedelta(hours=6)
    completeness = Completeness.TOTAL
    healthy = Healthy()
    confidence = Confidence.CONFIRMED
    consent = None

    def detect(self, url: str) -> str | None:
        link = read_link(url)
        if link is None:
            return None
        if link.host == "api.smartrecruiters.com":
            return _TENANTS.find("".join(link.segments[2:3])) if link.segments[:2] == ("v1", "companies") else None
        if link.host not in ("careers.smartrecruiters.com", "jobs.smartrecruiters.com"):
            return None
        place = 2 if link.segments[:2] == ("oneclick-ui", "company") else 0
        return _TENANTS.find("".join(link.segments[place : place + 1]))

    def board_url(self, tenant: str) -> str:
        return f"https://careers.smartrecruiters.com/{_TENANTS.check(tenant)}"

    def request(self, tenant: str, cursor: str | None) -> Request:
        return Request(
            url=_postings(tenant), params={"limit": str(_PAGE_SIZE), "offset": cursor or "0"}, documented_api=True
        )

    def parse(self, tenant: str, response: Response) -> Page:
        body = response.json_object()
        content, total = body.get("content"), body.get("totalFound")
        if not isinstance(content, list):
            raise Malformed(f"content is {type(content).__name__}, list expected")
        if not isinstance(total, int) or isinstance(total, bool) or total < 0:
            raise Malformed("totalFound is no count")
        _TENANTS.check(tenant)
        offset = response.request.params.get("offset")
        cursor = None if offset is None else _next(int(offset), len(content), total)
        return read_page(content, lambda item: _row(item, tenant), total=total, cursor=cursor)

    def detail_request(self, tenant: str, external_id: str) -> Request:
        if not _ID.fullmatch(external_id):
            raise Malformed(f"{external_id[:80]!r} cannot be the id of a posting")
        return Request(url=f"{_postings(tenant)}/{external_id}", documented_api=True)

    def parse_detail(self, tenant: str, response: Response) -> Posting:
        """The full posting; its `html` is "" when all sections are empty. Raises Malformed, Gone when inactive."""
        body = response.json_object()
        if not isinstance(body.get("jobAd"), dict):
            raise Malformed("no jobAd")
        _TENANTS.check(tenant)
        page = read_page([body], lambda item: _row(item, tenant))
        if page.rejected:
            raise Malformed(page.rejected[0].reason)
        if body.get("active") is False:
            raise Gone(f"posting {page.rows[0].external_id} is no longer active", status=410)
        return page.rows[0]


def _postings(tenant: str) -> str:
    return f"https://api.smartrecruiters.com/v1/companies/{_TENANTS.check(tenant)}/postings"


def _next(offset: int, rows: int, total: int) -> str | None:
    following = offset + rows
    if rows == 0 or following >= total:
        return None
    if following > _MAX_ROWS:
        raise Malformed(f"more than {_MAX_ROWS} rows")
    return str(following)


def _row(item: Record, tenant: str) -> Posting:
    external_id = item.need("id", str)
    if not _ID.fullmatch(external_id):
        raise Malformed(f"{external_id[:80]!r} cannot be the id of a posting")
    title = line(item.need("name", str)) or ""
    identifier, company = _company(item.sub("company"))
    named, country, remote = _where(item.sub("location"))
    item.skip((*_IGNORED, "active"))
    return Posting(
        external_id=external_id,
        title=title,
        url=f"https://jobs.smartrecruiters.com/{identifier or tenant}/{external_id}",
        apply_url=web_url(item.get("applyUrl", str)),
        company=company,
        places=named,
        country=country,
        remote=remote,
        employment_type=_label(item.sub("typeOfEmployment")),
        department=_label(item.sub("department")),
        language=_language(item.sub("language")),
        posted_at=moment(item.get("releasedDate", str)),
        salary=_salary(item.sub("compensation")),
        html=_html(item.sub("jobAd")),
    )


def _company(company: Record | None) -> tuple[str | None, str | None]:
    """The identifier as the company spells it, and its name."""
    if company is None:
        return None, None
    return _TENANTS.find(company.get("identifier", str)), line(company.get("name", str))


def _where(location: Record | None) -> tuple[tuple[str, ...], str | None, Remote | None]:
    """The place's name, the country's code, and whether the work is remote, hybrid or neither."""
    if location is None:
        return (), None, None
    city, region, country = (location.get(name, str) for name in ("city", "region", "country"))
    full = location.get("fullLocation", str)
    parts = full.split(",") if line(full) and full else [city, region, country]
    name = ", ".join(part for part in map(line, parts) if part)
    is_remote, is_hybrid = location.get("remote", bool), location.get("hybrid", bool)
    remote: Remote | None = "hybrid" if is_hybrid else "remote" if is_remote else None
    if is_remote is False and is_hybrid is False:
        remote = "onsite"
    location.skip(("address", "postalCode", "latitude", "longitude"))
    return places([name]), country_code(country), remote


def _label(choice: Record | None) -> str | None:
    """What people read of a `{id, label}` pair."""
    if choice is None:
        return None
    key, label = line(choice.get("id", str)), line(choice.get("label", str))
    return label or key


def _language(stated: Record | None) -> str | None:
    if stated is None:
        return None
    stated.skip(("label", "labelNative"))
    return language(stated.get("code", str))


def _salary(compensation: Record | None) -> Salary | None:
    stated = compensation.sub("salary") if compensation else None
    if stated is None:
        return None
    low, high = stated.get("min", float), stated.get("max", float)
    return salary(low, high, stated.get("currency", str), stated.get("period", str))


def _html(job_ad: Record | None) -> str | None:
    """The sections in their order, each under its title; None in a list, where there are none."""
    if job_ad is None:
        return None
    sections = job_ad.sub("sections")
    if sections is None:
        return ""
    sections.skip(("videos",))
    parts = filter(None, map(sections.sub, _SECTIONS))
    return joined(section(line(part.get("title", str)), part.html("text") or "") for part in parts)
