"""Comeet (Spark Hire Recruit) careers, in two steps: the company's hosted page, then the careers API 2.0.

Source   https://www.comeet.com/jobs/{slug}/{uid}, then
         https://www.comeet.co/careers-api/2.0/company/{uid}/positions?token=...&details=true
         Facts: developers.comeet.com (careers API), recorded positions and working clients, read 2026-11.
Shape    the page says the company's token for the API, which gives a bare array with the whole board. A page without a
         token has the same objects in `COMPANY_POSITIONS_DATA`
Units    the only time is that of the last change (ISO 8601 in UTC): there is no date of publication, and no pay
Errors   404 for a company or position that is gone; a page without positions where the slug is not the company's
Unsure   limits and conditional GET are not documented
Traps    the token is public, but the customer's: it is asked for each time and is no part of an error or an address of
         a posting (`position_url` has it); internal positions are in the answer; a place's name is the customer's own
         label, the town stands beside it; parts of the text may be null
"""

from __future__ import annotations

import json
import re
from typing import Any

from daemons.sources.families.system import System
from lib.errors import Malformed
from lib.net.messages import Request, Response
from lib.posting.contract import Completeness, Confidence, Page, Posting, Record, Remote, read_page
from lib.posting.countries import country_code
from lib.posting.links import Ids, Link, Tenants, web_url
from lib.posting.markup import joined, section
from lib.posting.trees import decoded
from lib.posting.values import line, places

_TENANTS = Tenants("Comeet", re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}/[0-9A-F]{2,3}\.[0-9A-F]{3}", re.ASCII))
_HOSTS = frozenset({"www.comeet.com", "www.comeet.co", "comeet.com", "comeet.co"})
_IDS = Ids(re.compile(r"[A-Za-z0-9.-]{1,64}", re.ASCII))
_STEP = "token:"
_TOKEN = re.compile(r"[0-9A-Za-z]{8,128}", re.ASCII)
_SAID_TOKEN = re.compile(r"""["']?\btoken["']?\s{0,20}:\s{0,20}["']([0-9A-Za-z]{8,128})["']""", re.ASCII)
_POSITIONS = re.compile(r"COMPANY_POSITIONS_DATA\s{0,20}=\s{0,20}(?=\[)", re.ASCII)
_FORGIVING = json.JSONDecoder(strict=False)
_REMOTE: dict[str, Remote] = {"remote": "remote", "hybrid": "hybrid", "onsite": "onsite"}
_IGNORED = (
    "careers_page_url", "categories", "company_referrals_reward", "description", "email", "email_alias",
    "experience_level", "internal_use_custom_id", "is_company_reward", "is_consent_needed", "is_reward",
    "is_sms_consent_needed", "link", "linkedin_job_posting_id", "picture_url", "position_company_number",
    "position_url", "referrals_reward", "requirements", "time_updated", "url_detected_page",
    "url_recruit_hosted_page",
)  # fmt: skip
_IGNORED_PLACE = (
    "arrival_instructions", "location_uid", "postal_code", "state", "street_name", "street_number", "timezone",
)  # fmt: skip


class Comeet(System):
    name = "comeet"
    title = "Comeet"
    completeness = Completeness.DOCUMENT
    confidence = Confidence.CONFIRMED

    def tenant_of(self, link: Link) -> str | None:
        if link.host not in _HOSTS or link.segments[:1] != ("jobs",):
            return None
        return _TENANTS.find("/".join(link.segments[1:3]))

    def board_url(self, tenant: str) -> str:
        return f"https://www.comeet.com/jobs/{_TENANTS.check(tenant)}"

    def request(self, tenant: str, cursor: str | None) -> Request:
        """The hosted page, or the API with the token that the page said (`token:...`)."""
        board = self.board_url(tenant)
        if cursor is None:
            return Request(url=board)
        token = cursor.removeprefix(_STEP)
        if not cursor.startswith(_STEP) or not _TOKEN.fullmatch(token):
            raise Malformed("that cannot be a token of Comeet")
        uid = tenant.rpartition("/")[2]
        return Request(
            url=f"https://www.comeet.co/careers-api/2.0/company/{uid}/positions",
            params={"token": token, "details": "true"},
            documented_api=True,
        )

    def parse(self, tenant: str, response: Response) -> Page:
        board = self.board_url(tenant)
        is_page = response.body[:100].lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")
        if is_page and "token" not in response.request.params:
            page = decoded(response.body)
            if said := _SAID_TOKEN.search(page):
                return Page(rows=(), cursor=_STEP + said[1])
            return read_page(_embedded(page), lambda position: _row(position, board))
        return read_page(response.json_array(), lambda position: _row(position, board))


def _embedded(page: str) -> list[Any]:
    found = _POSITIONS.search(page)
    if found is None:
        raise Malformed("neither a token nor positions in the page")
    try:
        positions = _FORGIVING.raw_decode(page, found.end())[0]
    except (ValueError, RecursionError) as error:
        raise Malformed(f"the positions in the page are not JSON: {error}"[:300]) from error
    return list(positions)


def _row(position: Record, board: str) -> Posting | None:
    external_id = _IDS.check(position.need("uid", str))
    named, country, remote = _where(position.sub("location"))
    hosted, active = web_url(position.get("url_comeet_hosted_page", str)), position.get("url_active_page", str)
    workplace = (position.get("workplace_type", str) or "").strip().lower().replace("-", "")
    row = Posting(
        external_id=external_id,
        title=line(position.need("name", str)) or "",
        url=hosted or web_url(active) or f"{board}/position/{external_id}",
        company=line(position.get("company_name", str)),
        places=named,
        country=country,
        remote=_REMOTE.get(workplace) or remote,
        employment_type=line(position.get("employment_type", str)),
        department=line(position.get("department", str)),
        html=_html(position),
    )
    position.skip(_IGNORED)
    return None if position.get("is_internal", bool) else row


def _where(location: Record | None) -> tuple[tuple[str, ...], str | None, Remote | None]:
    """The town, or what the customer calls the place; its country; whether it is a remote one."""
    if location is None:
        return (), None, None
    name, town, country = (line(location.get(key, str)) for key in ("name", "city", "country"))
    is_remote = location.get("is_remote", bool)
    location.skip(_IGNORED_PLACE)
    return places([town or name]), country_code(country), "remote" if is_remote else None


def _html(position: Record) -> str | None:
    """The parts in their order, each under its name; hosted pages have them one level deeper."""
    custom = position.sub("custom_fields")
    parts = position.subs("details") or (custom.subs("details") if custom else [])
    texts = []
    for part in parts:
        order, name = part.get("order", int), line(part.get("name", str))
        texts.append((order or 0, section(name, part.html("value") or "")))
    return joined(text for _, text in sorted(texts, key=lambda one: one[0])) or None
