"""Arbeitnow's job board API: one feed of many employers, most of them in Germany.

Source   https://www.arbeitnow.com/api/job-board-api?page=1
         Facts: working clients and a recorded answer, read 2026-11. No key. Its terms (in `meta.terms`) ask for a link
         back: the posting's address is Arbeitnow's own
Shape    `data` in pages from 1, newest first; the last page has `links.next` null or no rows
Units    `created_at` is Unix seconds
Errors   none documented
Unsure   the length of a page (100 in most answers, 20 to 25 in others), limits, conditional GET
Traps    `links.next` carries a changing term, so pages are counted instead; the list has no total: a page that shifts
         while it is read shows its rows twice; `job_types` mixes German and English
"""

from __future__ import annotations

from daemons.sources.families.system import System
from lib.errors import Refused
from lib.net.messages import Request, Response
from lib.posting.contract import Completeness, Confidence, Healthy, Page, Posting, Record, read_page
from lib.posting.envelopes import next_page, number_of, rows_of
from lib.posting.links import Link, web_url
from lib.posting.values import line, moment_s, places

_TENANT = "all"
_SITE = "https://www.arbeitnow.com"
_MAX_PAGES = 500


class Arbeitnow(System):
    name = "arbeitnow"
    title = "Arbeitnow"
    completeness = Completeness.SHORT_PAGE
    healthy = Healthy()
    confidence = Confidence.WORKING

    def tenant_of(self, link: Link) -> str | None:
        return _TENANT if link.host.removeprefix("www.") == "arbeitnow.com" else None

    def board_url(self, tenant: str) -> str:
        _check(tenant)
        return f"{_SITE}/"

    def request(self, tenant: str, cursor: str | None) -> Request:
        _check(tenant)
        return Request(
            url=f"{_SITE}/api/job-board-api", params={"page": str(number_of(cursor, 1))}, documented_api=True
        )

    def parse(self, tenant: str, response: Response) -> Page:
        body = response.json_object()
        data, links = rows_of(body, "data"), body.get("links")
        more = bool(data and isinstance(links, dict) and links.get("next"))
        return read_page(data, _row, cursor=next_page(response.request.params.get("page"), more=more, most=_MAX_PAGES))


def _check(tenant: str) -> None:
    if tenant != _TENANT:
        raise Refused(f"{tenant[:80]!r} cannot be a tenant of Arbeitnow, which has one feed: {_TENANT}")


def _row(job: Record) -> Posting:
    slug = job.need("slug", str)
    job.skip(("tags",))
    return Posting(
        external_id=slug,
        title=line(job.need("title", str)) or "",
        url=web_url(job.get("url", str)) or f"{_SITE}/",
        company=line(job.get("company_name", str)),
        places=places([job.get("location", str)]),
        remote="remote" if job.get("remote", bool) else None,
        employment_type=line(", ".join(job.strings("job_types"))),
        posted_at=moment_s(job.get("created_at", float)),
        html=job.html("description") or "",
    )
