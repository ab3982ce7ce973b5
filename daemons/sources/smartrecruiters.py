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

from daemons.sources.families.paths import Paths
from lib.errors import Gone, Malformed
from lib.net.messages import Request, Response
from lib.posting.contract import Completeness, Confidence, Page, Posting, Record, Remote, Salary, read_one, read_page
from lib.posting.countries import country_code
from lib.posting.envelopes import need_count, next_row, number_of, rows_of
from lib.posting.links import Ids, Tenants, web_url
from lib.posting.markup import joined, section
from lib.posting.values import language, line, moment, places, salary

_TENANTS = Tenants(
    "SmartRecruiters", re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}", re.ASCII), frozenset({"oneclick-ui"})
)
_IDS = Ids(re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", re.ASCII))
_ONE_CLICK = ("oneclick-ui", "company")
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


class SmartRecruiters(Paths):
    name = "smartrecruiters"
    title = "SmartRecruiters"
    completeness = Completeness.TOTAL
    confidence = Confidence.CONFIRMED
    tenants = _TENANTS
    board = "https://careers.smartrecruiters.com/"
    places = (
        *((f"{name}.smartrecruiters.com", path) for name in ("careers", "jobs") for path in (_ONE_CLICK, ())),
        ("api.smartrecruiters.com", ("v1", "companies")),
    )

    def request(self, tenant: str, cursor: str | None) -> Request:
        asked = {"limit": str(_PAGE_SIZE), "offset": str(number_of(cursor, 0))}
        return Request(url=_postings(tenant), params=asked, documented_api=True)

    def parse(self, tenant: str, response: Response) -> Page:
        body = response.json_object()
        content, total = rows_of(body, "content"), need_count(body, "totalFound")
        self.tenants.check(tenant)
        cursor = next_row(response.request.params.get("offset"), len(content), total, most=_MAX_ROWS)
        return read_page(content, lambda item: _row(item, tenant), total=total, cursor=cursor)

    def detail_request(self, tenant: str, external_id: str, url: str) -> Request:
        return Request(url=f"{_postings(tenant)}/{_IDS.check(external_id)}", documented_api=True)

    def parse_detail(self, tenant: str, response: Response) -> Posting:
        """The full posting; its `html` is "" when all sections are empty. Raises Malformed, Gone when inactive."""
        body = response.json_object()
        if not isinstance(body.get("jobAd"), dict):
            raise Malformed("no jobAd")
        self.tenants.check(tenant)
        row = read_one(body, lambda item: _row(item, tenant))
        if body.get("active") is False:
            raise Gone(f"posting {row.external_id} is no longer active", status=410)
        return row


def _postings(tenant: str) -> str:
    return f"https://api.smartrecruiters.com/v1/companies/{_TENANTS.check(tenant)}/postings"


def _row(item: Record, tenant: str) -> Posting:
    external_id = _IDS.check(item.need("id", str))
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
