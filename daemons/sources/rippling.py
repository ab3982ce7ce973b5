"""Rippling job boards, public job board API v1.

Source   https://api.rippling.com/platform/api/ats/v1/board/{tenant}/jobs, then .../jobs/{uuid} for each text
         Facts: developer.rippling.com (job board API) and recorded lists, read 2026-11. No key.
Shape    a bare array with the whole board, or `items` with a declared `totalItems`. The list has no text
Units    the day of creation is ISO 8601; pay ranges are in major units, one per place
Errors   404 for an unknown board
Unsure   details are known from working clients: the form of `createdOn`, and that `employmentType` has its wording
         under `id` and its code under `label`; limits and conditional GET are not documented
Traps    one row per place: the uuid repeats, and a posting has all the places of its rows; remote work is said in the
         place's label only; the last part of a label may be a state ("DE" is Delaware) and is no country
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import quote

import msgspec

from daemons.sources.families.system import System
from lib.net.messages import Request, Response
from lib.posting.contract import Completeness, Confidence, Page, Posting, Record, Remote, Salary, read_one, read_page
from lib.posting.countries import country_code
from lib.posting.envelopes import count_of, rows_of
from lib.posting.links import Ids, Link, Tenants, web_url
from lib.posting.markup import joined
from lib.posting.values import any_remote, line, moment, places, salary, salary_span

_TENANTS = Tenants("Rippling", re.compile(r"[\w](?:[\w.&+-]{0,98}[\w])?"), frozenset({"api"}))
_HOSTS = frozenset({"ats.rippling.com", "ats.us1.rippling.com"})
_LOCALE = re.compile(r"[a-z]{2}-[A-Z]{2}", re.ASCII)
_IDS = Ids(re.compile(r"[A-Za-z0-9-]{1,64}", re.ASCII))
_API = ("platform", "api", "ats", "v1", "board")
_REMOTE: dict[str, Remote] = {"REMOTE": "remote", "HYBRID": "hybrid", "ONSITE": "onsite"}
_IGNORED = ("language", "board", "activeJobApplication", "hasInterviewAssessment", "applicationFormId")


class Rippling(System):
    name = "rippling"
    title = "Rippling"
    completeness = Completeness.DOCUMENT
    confidence = Confidence.CONFIRMED

    def tenant_of(self, link: Link) -> str | None:
        if link.host == "api.rippling.com":
            return _TENANTS.find("".join(link.segments[5:6])) if link.segments[:5] == _API else None
        if link.host not in _HOSTS:
            return None
        segments = link.segments[1:] if link.segments and _LOCALE.fullmatch(link.segments[0]) else link.segments
        return _TENANTS.find("".join(segments[:1]))

    def board_url(self, tenant: str) -> str:
        return f"https://ats.rippling.com/{quote(_TENANTS.check(tenant), safe='')}/jobs"

    def request(self, tenant: str, cursor: str | None) -> Request:
        return Request(url=_jobs(tenant), documented_api=True)

    def parse(self, tenant: str, response: Response) -> Page:
        board = self.board_url(tenant)
        body = response.json()
        jobs = body if isinstance(body, list) else rows_of(body, "items")
        page = read_page(jobs, lambda job: _row(job, "", board), total=count_of(body, "totalItems"))
        return msgspec.structs.replace(page, rows=tuple(with_all_places(page.rows)))

    def detail_request(self, tenant: str, external_id: str, url: str) -> Request:
        return Request(url=f"{_jobs(tenant)}/{_IDS.check(external_id)}", documented_api=True, state=external_id)

    def parse_detail(self, tenant: str, response: Response) -> Posting:
        """The full posting; its `html` is "" when there is no text. Raises Malformed."""
        board = self.board_url(tenant)
        job, asked = response.json_object(), response.request.state
        row = read_one(job, lambda record: _row(record, asked, board))
        return row if row.html is not None else msgspec.structs.replace(row, html="")


def with_all_places(rows: Iterable[Posting]) -> list[Posting]:
    """One row per id, with the places of all its rows; the country only where they agree on it."""
    merged: dict[str, Posting] = {}
    listed: dict[str, list[Posting]] = {}
    for row in rows:
        listed.setdefault(row.external_id, []).append(row)
    for external_id, group in listed.items():
        named = places(name for row in group for name in row.places)
        countries, ways = {row.country for row in group}, [row.remote for row in group if row.remote]
        merged[external_id] = msgspec.structs.replace(
            group[0],
            places=named,
            country=group[0].country if len(countries) == 1 else None,
            remote=next(iter(ways), None),
        )
    return list(merged.values())


def _jobs(tenant: str) -> str:
    return f"https://api.rippling.com/platform/api/ats/v1/board/{quote(_TENANTS.check(tenant), safe='')}/jobs"


def _row(job: Record, asked: str, board: str) -> Posting:
    external_id = _IDS.check(job.get("uuid", str) or job.get("id", str) or asked)
    named, country, remote = _where(job)
    job.skip(_IGNORED)
    return Posting(
        external_id=external_id,
        title=line(job.need("name", str)) or "",
        url=web_url(job.get("url", str)) or f"{board}/{external_id}",
        apply_url=f"{board}/{external_id}/apply",
        company=line(job.get("companyName", str)),
        places=named,
        country=country,
        remote=remote,
        employment_type=_pair(job.sub("employmentType"), "id", "label"),
        department=_pair(job.sub("department"), "label", "name"),
        posted_at=moment(job.get("createdOn", str)),
        salary=_salary(job),
        html=_html(job.sub("description")),
    )


def _where(job: Record) -> tuple[tuple[str, ...], str | None, Remote | None]:
    """The places' labels, the country where all of them state the same, and how the work is done."""
    named: list[str | None] = [_pair(job.sub("workLocation"), "label", "id"), *job.strings("workLocations")]
    countries: set[str | None] = set()
    ways: list[Remote | None] = []
    for place in job.subs("locations"):
        named.append(place.get("name", str))
        countries.add(country_code(place.get("countryCode", str)))
        ways.append(_REMOTE.get(place.get("workplaceType", str) or ""))
        place.skip(("country", "state", "stateCode", "city"))
    labels = places(named)
    said: Remote | None = "remote" if any_remote(labels) else None
    return labels, countries.pop() if len(countries) == 1 else None, next(filter(None, ways), said)


def _pair(pair: Record | None, first: str, second: str) -> str | None:
    """The wording of a pair of wording and code, whichever of the two is there."""
    if pair is None:
        return None
    wording, other = line(pair.get(first, str)), line(pair.get(second, str))
    pair.skip(("id", "base_department", "department_tree"))
    return wording or other


def _salary(job: Record) -> Salary | None:
    """From the lowest to the highest of the places' ranges."""
    ranges = []
    for part in job.subs("payRangeDetails"):
        low, high = part.get("rangeStart", float), part.get("rangeEnd", float)
        ranges.append(salary(low, high, part.get("currency", str), part.get("frequency", str)))
        part.skip(("location", "isRemote"))
    return salary_span(ranges)


def _html(description: Record | None) -> str | None:
    """The role's text, then the company's; None in a list, where there is none."""
    if description is None:
        return None
    return joined((description.html("role"), description.html("company")))
