"""Eightfold career sites, both generations of their search.

Source   https://{host}/careers for the site's domain and generation, then /api/pcsx/search (the newer one) or
         /api/apply/v2/jobs, then .../jobs/{id} or the posting's page for each text. A tenant is "acme" for
         acme.eightfold.ai or a company's own host, and its domain where the address told it: "acme/acme.com". Facts:
         recorded answers and measurements of working clients, read 2026-11. No key; not documented for others, so
         robots.txt is kept to.
Shape    `positions` in pages of 10, whatever is asked for; `count` counts the list. The list has no text: the detail
         has it, and so has the posting's page as JSON-LD, which needs no domain
Units    times are Unix seconds; no salary
Errors   422 without the domain; a wrong domain is 200 with the vendor's own content; 403 where data centres are
         kept out or the search is switched off, 405 where it is blocked; 404 for an unknown posting
Unsure   whether every site of the older generation has JSON-LD in its posting pages; limits are not documented
Traps    the domain cannot be told from the host, and some sites have a plain name in its place; remote work is
         "remote_local"; options that no catalogue has occur
"""

from __future__ import annotations

import re
from typing import Any

import msgspec
import orjson
from lxml.html import HtmlElement

from daemons.sources.families.own_hosts import OwnHosts
from daemons.sources.families.posting_pages import asked_address, only_posting, read_posting
from daemons.sources.families.system import System
from lib.errors import Malformed, Refused
from lib.net.messages import Request, Response
from lib.posting.contract import Completeness, Confidence, Page, Posting, Record, Remote, read_one, read_page
from lib.posting.envelopes import need_count, rows_of
from lib.posting.links import Ids, Link, address_on, web_url
from lib.posting.trees import html_tree
from lib.posting.values import line, moment_s, places

_HOSTS = OwnHosts("Eightfold", ".eightfold.ai")
_DOMAIN = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,98}[a-z0-9])?", re.ASCII | re.IGNORECASE)
_GROUP = re.compile(r"""_EF_GROUP_ID\s*=\s*["']([^"'\s]{1,100})["']""")
_CURSOR = re.compile(r"([12]):([A-Za-z0-9.-]{1,100}):(\d{1,6})", re.ASCII)
_IDS = Ids(re.compile(r"\d{1,20}", re.ASCII))
_SEARCHES = {"1": "apply/v2/jobs", "2": "pcsx/search"}
_PAGE_SIZE = 10
_MAX_ROWS = 50_000
_REMOTE: dict[str, Remote] = {
    "remote": "remote", "remote_local": "remote", "remote_global": "remote", "hybrid": "hybrid", "onsite": "onsite",
}  # fmt: skip
_IGNORED = (
    "posting_name", "business_unit", "t_update", "ats_job_id", "display_job_id", "displayJobId", "atsJobId", "type",
    "id_locale", "standardizedLocations", "creationTs", "solrScore", "stars", "isHot", "locationFlexibility",
    "positionUrl", "jdHighlight", "positionExtraDetails", "positionUserActions", "isPrivate", "medallionProgram",
)  # fmt: skip


class Eightfold(System):
    name = "eightfold"
    title = "Eightfold"
    completeness = Completeness.TOTAL
    confidence = Confidence.CONFIRMED

    def tenant_of(self, link: Link) -> str | None:
        domain = link.query.get("domain", "").lower()
        known = domain if "." in domain and _DOMAIN.fullmatch(domain) else ""
        host = _HOSTS.tenant(link.host)
        if host is None and _DOMAIN.fullmatch(domain) and link.segments[:1] == ("careers",):
            host = _HOSTS.own(link.host)
        return None if host is None else f"{host}/{known}".rstrip("/")

    def board_url(self, tenant: str) -> str:
        host, domain = _parts(tenant)
        return f"https://{host}/careers" + (f"?domain={domain}" if domain else "")

    def request(self, tenant: str, cursor: str | None) -> Request:
        host, _ = _parts(tenant)
        if cursor is None:
            return Request(url=self.board_url(tenant))
        generation, domain, start = _place(cursor)
        asked = {"domain": domain, "start": start, "num": str(_PAGE_SIZE), "sort_by": "timestamp"}
        return Request(url=f"https://{host}/api/{_SEARCHES[generation]}", params=asked, state=cursor)

    def parse(self, tenant: str, response: Response) -> Page:
        if not response.request.state:
            return Page(rows=(), cursor=_first(html_tree(response.body)))
        generation, domain, start = _place(response.request.state)
        body = response.json_object()
        found = body.get("data") if generation == "2" else body
        if not isinstance(found, dict):
            raise Malformed(f"data is {type(found).__name__}, object expected")
        if str(found.get("domain", domain)).lower() != domain.lower():
            raise Malformed(f"the list is that of {str(found['domain'])[:80]!r}")
        rows, total = rows_of(found, "positions"), None if found.get("count") is None else need_count(found, "count")
        host, _ = _parts(tenant)
        following = int(start) + len(rows)
        more = rows and following < min(total or 0, _MAX_ROWS)
        cursor = f"{generation}:{domain}:{following}" if more else None
        return read_page(rows, lambda row: _row(row, host), total=total, cursor=cursor)

    def detail_request(self, tenant: str, external_id: str, url: str) -> Request:
        (host, domain), number = _parts(tenant), _IDS.check(external_id)
        if domain:
            return Request(url=f"https://{host}/api/apply/v2/jobs/{number}", params={"domain": domain}, state=number)
        listed = address_on(url, host)
        return Request(url=listed or f"https://{host}/careers/job/{number}", state=number, assumed=listed is None)

    def parse_detail(self, tenant: str, response: Response) -> Posting:
        """The full posting, of an answer of either API or of the posting's page. Raises Malformed."""
        host, _ = _parts(tenant)
        if response.body.lstrip()[:1] != b"{":
            return _of_page(response, host)
        body = response.json_object()
        row = read_one(body.get("data", body), lambda item: _row(item, host))
        return msgspec.structs.replace(row, html=row.html or "")


def _parts(tenant: str) -> tuple[str, str]:
    """The host and the domain, empty where the tenant does not say it. Raises Refused."""
    name, slash, domain = tenant.partition("/")
    if slash and not ("." in domain and _DOMAIN.fullmatch(domain)):
        raise Refused(f"{tenant[:80]!r} cannot be a tenant of Eightfold")
    return _HOSTS.host(name), domain


def _place(cursor: str) -> tuple[str, str, str]:
    """Generation, domain and start in a cursor. Raises Malformed."""
    found = _CURSOR.fullmatch(cursor)
    if found is None:
        raise Malformed(f"{cursor[:80]!r} is no cursor")
    return found[1], found[2], found[3]


def _first(page: HtmlElement) -> str:
    """The first cursor of the list, from what the careers page holds for its own script."""
    for mark, generation in (("pcsx-data", "2"), ("smartApplyData", "1")):
        for code in page.xpath("//code[@id=$mark]", mark=mark):
            domain = _stated(code.text or "")
            if domain:
                return f"{generation}:{domain}:0"
    scripts = "\n".join(script.text or "" for script in page.iter("script"))
    found = _GROUP.search(scripts)
    if found is None or not _DOMAIN.fullmatch(found[1]):
        raise Malformed("the careers page names no domain")
    return f"1:{found[1]}:0"


def _stated(code: str) -> str | None:
    try:
        data: Any = orjson.loads(code.encode("utf-8", "replace"))
    except orjson.JSONDecodeError:
        return None
    domain = data.get("domain") if isinstance(data, dict) else None
    return domain if isinstance(domain, str) and _DOMAIN.fullmatch(domain) else None


def _row(row: Record, host: str) -> Posting:
    external_id = _IDS.check(row.need("id", int))
    address = f"https://{host}/careers/job/{external_id}"
    public, canonical = row.get("publicUrl", str), row.get("canonicalPositionUrl", str)
    option = row.get("workLocationOption", str) or row.get("work_location_option", str)
    posted, created = row.get("postedTs", int), row.get("t_create", int)
    place, named = row.get("location", str), row.strings("locations")
    newer, older = row.html("jobDescription"), row.html("job_description")
    posting = Posting(
        external_id=external_id,
        title=line(row.need("name", str)) or "",
        url=web_url(public) or web_url(canonical) or address,
        places=places(named or [place]),
        remote=_REMOTE.get((option or "").lower()),
        department=line(row.get("department", str)),
        posted_at=moment_s(posted or created),
        html=newer or older or None,
    )
    row.skip(("work_location_option", *_IGNORED))
    return posting


def _of_page(response: Response, host: str) -> Posting:
    external_id = response.request.state
    address = asked_address(response, host, f"https://{host}/careers/job/{external_id}")
    return read_posting(only_posting(response.body), external_id, address)
