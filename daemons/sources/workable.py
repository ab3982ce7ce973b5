"""Workable career pages, the public widget's list of jobs.

Source   https://apply.workable.com/api/v1/widget/accounts/{tenant}?details=true
         Facts: recorded answers and working clients, read 2026-11. No key.
Shape    one document with the whole board: `jobs`; the text only with `details=true`
Units    dates without a time; no salary
Errors   404 for an unknown account; 200 with no jobs for an empty one; 429 with Retry-After of up to hours
Unsure   the limits are not documented; whether the numeric id of an embedded widget is taken in place of the account;
         conditional GET is not documented
Traps    a job in several places is one row per place with one `shortcode`; `telecommuting` is remote work within the
         named countries; `hidden` places are not shown on the board; unknown values are empty texts
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import timedelta

import msgspec

from daemons.sources.families.system import System
from lib.net.messages import Request, Response
from lib.posting.contract import Completeness, Confidence, Page, Posting, Record, clean_text, read_page
from lib.posting.countries import country_code
from lib.posting.envelopes import rows_of
from lib.posting.links import Ids, Link, Tenants, web_url
from lib.posting.values import line, moment, places

_TENANTS = Tenants(
    "Workable", re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}", re.ASCII), frozenset({"api", "j", "www", "jobs", "apply"})
)
_HOST = re.compile(r"([a-z0-9-]+)\.workable\.com", re.ASCII)
_IDS = Ids(re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII))
_IGNORED = ("code", "shortlink", "created_at", "education", "experience", "function", "industry")


class Workable(System):
    name = "workable"
    title = "Workable"
    every = timedelta(hours=12)
    completeness = Completeness.DOCUMENT
    confidence = Confidence.CONFIRMED

    def tenant_of(self, link: Link) -> str | None:
        if link.host == "apply.workable.com":
            is_widget = link.segments[:4] == ("api", "v1", "widget", "accounts")
            return _TENANTS.find("".join(link.segments[4:5] if is_widget else link.segments[:1]))
        found = _HOST.fullmatch(link.host)
        return _TENANTS.find(found[1]) if found else None

    def board_url(self, tenant: str) -> str:
        return f"https://apply.workable.com/{_TENANTS.check(tenant)}/"

    def request(self, tenant: str, cursor: str | None) -> Request:
        return Request(
            url=f"https://apply.workable.com/api/v1/widget/accounts/{_TENANTS.check(tenant)}",
            params={"details": "true"},
        )

    def parse(self, tenant: str, response: Response) -> Page:
        body, board = response.json_object(), self.board_url(tenant)
        jobs, name = rows_of(body, "jobs"), body.get("name")
        company = line(clean_text(name)) if isinstance(name, str) else None
        page = read_page(jobs, lambda job: _row(job, board, company))
        return msgspec.structs.replace(page, rows=tuple(_one_each(page.rows)))


def _one_each(rows: Iterable[Posting]) -> Iterable[Posting]:
    """One posting per id, with the places of all its rows; its country only where they agree."""
    found: dict[str, list[Posting]] = {}
    for row in rows:
        found.setdefault(row.external_id, []).append(row)
    for same in found.values():
        first = next((row for row in same if row.html), same[0])
        yield (
            first
            if len(same) == 1
            else msgspec.structs.replace(
                first,
                places=places(place for row in same for place in row.places),
                country=first.country if len({row.country for row in same}) == 1 else None,
            )
        )


def _row(job: Record, board: str, company: str | None) -> Posting:
    external_id = _IDS.check(job.need("shortcode", str).strip())
    named, country = _where(job)
    html = job.html("description")
    row = Posting(
        external_id=external_id,
        title=line(job.need("title", str)) or "",
        url=f"{board}j/{external_id}",
        apply_url=web_url(job.get("application_url", str)),
        company=company,
        places=named,
        country=country,
        remote="remote" if job.get("telecommuting", bool) else None,
        employment_type=line(job.get("employment_type", str)),
        department=line(job.get("department", str)),
        posted_at=moment(job.get("published_on", str)),
        html=html if html and html.strip() else None,
    )
    job.skip(("url", *_IGNORED))
    return row


def _where(job: Record) -> tuple[tuple[str, ...], str | None]:
    """The places' names, and the country where all agree; a hidden place is left at its country."""
    town, region, land = (job.get(name, str) for name in ("city", "state", "country"))
    named, countries = [], set()
    for place in job.subs("locations"):
        country, code = place.get("country", str), place.get("countryCode", str)
        parts = (place.get("city", str), place.get("region", str), country)
        named.append(_name(parts[2:] if place.get("hidden", bool) else parts))
        countries.add(country_code(code) or country_code(country))
    if not named:
        named, countries = [_name((town, region, land))], {country_code(land)}
    return places(named), countries.pop() if len(countries) == 1 else None


def _name(parts: Iterable[str | None]) -> str:
    return ", ".join(dict.fromkeys(part for part in map(line, parts) if part))
