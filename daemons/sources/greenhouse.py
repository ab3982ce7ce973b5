"""Greenhouse boards, public Job Board API v1.

Source   https://boards-api.greenhouse.io/v1/boards/{tenant}/jobs?content=true
         Facts: github.com/grnhse/greenhouse-api-docs (job board), read 2026-11. No key; robots.txt allows the paths.
Shape    one document with the whole board: `jobs`, and `meta.total` that says how many there are
Units    ids are integers; times are ISO 8601 with an offset; `pay_input_ranges` are in cents without a period
Errors   404 for an unknown tenant; an empty board is 200 with `jobs: []`; 429 with Retry-After
Unsure   `pay_transparency=true` is documented for one job, on a list it was seen to work (a board without it just has
         no ranges). Whether boards on job-boards.eu.greenhouse.io need a European API host is not confirmed: the
         global one is asked. Conditional GET is not documented.
Traps    `content` is HTML escaped once more; `updated_at` moves for whole boards at once and is no date of the
         posting; `company_name` has trailing blanks; `metadata` is per customer, its values are of any type
"""

from __future__ import annotations

import re

from daemons.sources.families.system import System
from lib.net.messages import Request, Response
from lib.posting.contract import Completeness, Confidence, Page, Posting, Record, Salary, clean_text, read_page
from lib.posting.envelopes import count_of, rows_of
from lib.posting.links import Link, Tenants, web_url
from lib.posting.values import any_remote, language, line, moment, places, salary, salary_span

_TENANTS = Tenants("Greenhouse", re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}", re.ASCII), frozenset({"embed", "v1"}))
_HOSTS = frozenset(
    f"{name}{region}.greenhouse.io" for name in ("boards", "job-boards", "boards-api") for region in ("", ".eu")
) | {"app.greenhouse.io"}
_IGNORED = (
    "internal_job_id",  # groups posts of one job
    "requisition_id",  # may be a placeholder shared by many
    "updated_at",
    "offices",  # the company's tree of offices, not where this job is
    "data_compliance",
    "ai_disclaimer",
    "include_ai_disclaimer",
    "ai_opt_out_request_url",
)
_EMPLOYMENT_FIELD = re.compile(
    r"(?:employment|contract|engagement)[ _-]?type|type of (?:employment|contract)|time type|employment status"
    r"|(?:beschäftigungs|anstellungs|vertrags)art|art der (?:beschäftigung|anstellung)|arbeitszeit(?:modell)?",
    re.IGNORECASE,
)


class Greenhouse(System):
    name = "greenhouse"
    title = "Greenhouse"
    completeness = Completeness.TOTAL
    confidence = Confidence.CONFIRMED

    def tenant_of(self, link: Link) -> str | None:
        if link.host not in _HOSTS:
            return None
        if link.segments[:1] == ("embed",):
            return _TENANTS.find(link.query.get("for"))
        if link.segments[:2] == ("v1", "boards"):
            return _TENANTS.find("".join(link.segments[2:3]))
        if link.host == "app.greenhouse.io":
            return None
        return _TENANTS.find(link.query.get("url_token") or "".join(link.segments[:1]))

    def board_url(self, tenant: str) -> str:
        return f"https://job-boards.greenhouse.io/{_TENANTS.check(tenant)}"

    def request(self, tenant: str, cursor: str | None) -> Request:
        return Request(
            url=f"https://boards-api.greenhouse.io/v1/boards/{_TENANTS.check(tenant)}/jobs",
            params={"content": "true", "pay_transparency": "true"},
            documented_api=True,
        )

    def parse(self, tenant: str, response: Response) -> Page:
        body, board = response.json_object(), self.board_url(tenant)
        return read_page(rows_of(body, "jobs"), lambda job: _row(job, board), total=count_of(body, "meta", "total"))


def _row(job: Record, board: str) -> Posting:
    external_id = str(job.need("id", int))
    location = job.sub("location")
    named = places(re.split(r"[;|]", (location.get("name", str) or "") if location else ""))
    link = web_url(job.get("absolute_url", str))
    job.skip(_IGNORED)
    return Posting(
        external_id=external_id,
        title=line(job.need("title", str)) or "",
        url=link or f"{board}/jobs/{external_id}",
        apply_url=link,
        company=line(job.get("company_name", str)),
        places=named,
        remote="remote" if any_remote(named) else None,
        employment_type=_employment_type(job.subs("metadata")),
        department=_department(job.subs("departments")),
        language=language(job.get("language", str)),
        posted_at=moment(job.get("first_published", str)),
        valid_through=moment(job.get("application_deadline", str)),
        salary=_salary(job.subs("pay_input_ranges")),
        html=_unescaped(job.html("content")),
    )


def _employment_type(metadata: list[Record]) -> str | None:
    """What a custom field says whose name leaves no doubt."""
    said = None
    for field in metadata:
        field.skip(("id", "value_type"))
        value = field.take("value")
        name = line(field.get("name", str)) or ""
        if said is None and _EMPLOYMENT_FIELD.fullmatch(name):
            values = value if isinstance(value, list) else [value]
            said = line(", ".join(clean_text(one) for one in values if isinstance(one, str)))
    return said


def _department(departments: list[Record]) -> str | None:
    names = []
    for department in departments:
        names.append(line(department.get("name", str)))
        department.skip(("id", "child_ids", "parent_id"))
    return next((name for name in names if name and name != "No Department"), None)


def _salary(ranges: list[Record]) -> Salary | None:
    """From the lowest to the highest zone."""
    found = []
    for one in ranges:
        low, high = one.get("min_cents", float), one.get("max_cents", float)
        one.skip(("title", "blurb"))
        found.append(salary(_units(low), _units(high), one.get("currency_type", str), None))
    return salary_span(found)


def _units(cents: float | None) -> float | None:
    return None if cents is None else cents / 100


def _unescaped(content: str | None) -> str | None:
    """One level of escaping taken off, `&amp;` last; content that has tags already is left as it is.

    The API escapes these five only; the standard library's table of all entities takes ten times as long.
    """
    if content is None or "<" in content:
        return content
    for entity, character in (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&#39;", "'"), ("&amp;", "&")):
        content = content.replace(entity, character)
    return content
