"""Ashby job boards, public posting API.

Source   https://api.ashbyhq.com/posting-api/job-board/{tenant}?includeCompensation=true
         Facts: developers.ashbyhq.com (public job posting API) and recorded answers, read 2026-11. No key.
Shape    one document with the whole board: `jobs`
Units    times are ISO 8601 with milliseconds; salaries are in major units, their interval is "1 YEAR" and the like
Errors   404 for an unknown board (text/plain); 429; an answer can take ten seconds
Unsure   the limits are not documented; one client reports an empty board instead of 404 for an unknown one;
         conditional GET is not documented
Traps    `isListed: false` rows are not public; `isRemote` may be true on a hybrid job, `workplaceType` decides;
         tenants keep their case and may hold blanks and dots; the country is a name
"""

from __future__ import annotations

import re
from urllib.parse import quote

from daemons.sources.families.paths import Paths
from lib.net.messages import Request, Response
from lib.posting.contract import Completeness, Confidence, Page, Posting, Record, Remote, Salary, read_page
from lib.posting.countries import country_code
from lib.posting.envelopes import rows_of
from lib.posting.links import Tenants, web_url
from lib.posting.markup import paragraphs
from lib.posting.values import line, moment, places, salary, salary_span

_IGNORED = ("shouldDisplayCompensationOnJobPostings",)
_REMOTE: dict[str, Remote] = {"remote": "remote", "hybrid": "hybrid", "onsite": "onsite"}


class Ashby(Paths):
    name = "ashby"
    title = "Ashby"
    completeness = Completeness.DOCUMENT
    confidence = Confidence.CONFIRMED
    tenants = Tenants("Ashby", re.compile(r"[^\W_][\w .&+'()-]{0,99}"), frozenset({"api"}))
    board = "https://jobs.ashbyhq.com/"
    places = (("jobs.ashbyhq.com", ()), ("api.ashbyhq.com", ("posting-api", "job-board")))

    def request(self, tenant: str, cursor: str | None) -> Request:
        return Request(
            url=f"https://api.ashbyhq.com/posting-api/job-board/{self.segment(tenant)}",
            params={"includeCompensation": "true"},
            documented_api=True,
        )

    def parse(self, tenant: str, response: Response) -> Page:
        board = self.board_url(tenant)
        return read_page(rows_of(response.json_object(), "jobs"), lambda job: _row(job, board))


def _row(job: Record, board: str) -> Posting | None:
    external_id = job.need("id", str)
    title = line(job.need("title", str)) or ""
    department, team = line(job.get("department", str)), line(job.get("team", str))
    named, country = _where(job)
    row = Posting(
        external_id=external_id,
        title=title,
        url=web_url(job.get("jobUrl", str)) or f"{board}/{quote(external_id, safe='')}",
        apply_url=web_url(job.get("applyUrl", str)),
        places=named,
        country=country,
        remote=_remote(job),
        employment_type=line(job.get("employmentType", str)),
        department=department or team,
        posted_at=moment(job.get("publishedAt", str)),
        salary=_salary(job.sub("compensation")),
        html=_html(job),
    )
    job.skip(_IGNORED)
    return None if job.get("isListed", bool) is False else row


def _where(job: Record) -> tuple[tuple[str, ...], str | None]:
    """The places' names and the main one's country."""
    names = [job.get("location", str)]
    country, locality = _address(job.sub("address"))
    for other in job.subs("secondaryLocations"):
        names.append(other.get("location", str))
        _address(other.sub("address"))
    named = places(names)
    return named or places([locality]), country


def _address(address: Record | None) -> tuple[str | None, str | None]:
    """The country's code and the town."""
    postal = address.sub("postalAddress") if address else None
    if postal is None:
        return None, None
    postal.skip(("addressRegion", "postalCode", "streetAddress"))
    return country_code(postal.get("addressCountry", str)), postal.get("addressLocality", str)


def _remote(job: Record) -> Remote | None:
    is_remote = job.get("isRemote", bool)
    workplace = line(job.get("workplaceType", str))
    return _REMOTE.get((workplace or "").lower()) or ("remote" if is_remote else None)


def _salary(compensation: Record | None) -> Salary | None:
    """From the lowest to the highest tier's salary; equity and bonuses are left out."""
    if compensation is None:
        return None
    compensation.skip(("compensationTierSummary", "scrapeableCompensationSalarySummary", "compensationTiers"))
    found = []
    for part in compensation.subs("summaryComponents"):
        kind = part.get("compensationType", str)
        low, high = part.get("minValue", float), part.get("maxValue", float)
        read = salary(low, high, part.get("currencyCode", str), part.get("interval", str))
        part.skip(("id", "summary"))
        if kind == "Salary":
            found.append(read)
    return salary_span(found)


def _html(job: Record) -> str | None:
    markup, plain = job.html("descriptionHtml"), job.html("descriptionPlain")
    return markup if markup and markup.strip() else paragraphs(plain or "") or None
