"""Pinpoint career sites, public JSON endpoint of postings.

A tenant is "acme" for acme.pinpointhq.com, or a company's own host, which has the same paths.

Source   https://{tenant}.pinpointhq.com/postings.json
         Facts: recorded answers (trimmed), read 2026-11; the vendor offers the endpoint for showing postings on other
         sites. No key.
Shape    one document with the whole board: `data`, the text in parts, each with a heading of its own
Units    pay is in major units; the deadline is ISO 8601 with an offset; there is no date of publication
Errors   404 or a redirect to www.pinpointhq.com for an unknown tenant
Unsure   limits and conditional GET are not documented
Traps    `job` is the requisition, with an id of its own; addresses may be missing, or in one of the site's languages;
         pay that is not to be shown is in the answer; a department is an object or a text, below `job` or not
"""

from __future__ import annotations

import re
from typing import Any

from daemons.sources.families.own_hosts import Branded
from lib.net.messages import Request, Response
from lib.posting.contract import (
    Completeness,
    Confidence,
    Page,
    Posting,
    Record,
    Remote,
    Salary,
    clean_text,
    read_page,
)
from lib.posting.envelopes import rows_of
from lib.posting.links import Ids, Link, read_link, web_url
from lib.posting.markup import joined, section
from lib.posting.values import line, moment, places, salary

_IDS = Ids(re.compile(r"[A-Za-z0-9-]{1,64}", re.ASCII))
_OWN_PATH = re.compile(r"[a-z]{2}/postings/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)
_REMOTE: dict[str, Remote] = {"remote": "remote", "hybrid": "hybrid", "onsite": "onsite"}
_SECTIONS = ("key_responsibilities", "skills_knowledge_expertise", "benefits")
_IGNORED = ("compensation", "reporting_to", "requisition_id", "video", "job_pack", "structure_custom_group_one")


class Pinpoint(Branded):
    name = "pinpoint"
    title = "Pinpoint"
    completeness = Completeness.DOCUMENT
    confidence = Confidence.CONFIRMED
    ending = ".pinpointhq.com"
    reserved = frozenset({"developers", "help", "status"})

    def tenant_of(self, link: Link) -> str | None:
        named = _OWN_PATH.fullmatch("/".join(link.segments))
        return super().tenant_of(link) or (self.own(link.host) if named else None)

    def request(self, tenant: str, cursor: str | None) -> Request:
        return Request(url=f"{self.board_url(tenant)}/postings.json", documented_api=True)

    def parse(self, tenant: str, response: Response) -> Page:
        board = self.board_url(tenant)
        self.check_hosted(response)
        return read_page(rows_of(response.json_object(), "data"), lambda posting: _row(posting, board))


def _row(posting: Record, board: str) -> Posting:
    path = posting.get("path", str) or ""
    address = web_url(posting.get("url", str)) or web_url(f"{board}/{path.lstrip('/')}" if path else None)
    external_id = _id(posting.take("id"), address)
    job = posting.sub("job")
    row = Posting(
        external_id=external_id,
        title=line(posting.need("title", str)) or "",
        url=address or f"{board}/postings/{external_id}",
        places=_places(posting.sub("location")),
        remote=_remote(posting),
        employment_type=_worded(posting, "employment_type"),
        department=_name(job.take("department") if job else None) or _name(posting.take("department")),
        valid_through=moment(posting.get("deadline_at", str)),
        salary=_salary(posting),
        html=_html(posting) or None,
    )
    if job:
        job.skip(("id", "requisition_id", "division", "structure_custom_group_one"))
    posting.skip(_IGNORED)
    return row


def _id(value: Any, address: str | None) -> str:
    """The posting's id, else the last part of its address; never the requisition's."""
    if found := _IDS.find(value):
        return found
    link = read_link(address) if address else None
    return _IDS.check(link.segments[-1] if link and "postings" in link.segments[:-1] else None)


def _name(value: Any) -> str | None:
    """A department's name, from an object or a text."""
    name = value.get("name") if isinstance(value, dict) else value
    return line(clean_text(name)) if isinstance(name, str) else None


def _places(location: Record | None) -> tuple[str, ...]:
    """The place as it is called, with its town in front where the name does not have it."""
    if location is None:
        return ()
    name, town, province = (line(location.get(key, str)) for key in ("name", "city", "province"))
    location.skip(("id", "postal_code", "street_address"))
    if name and town and town.casefold() not in name.casefold():
        return places([f"{town}, {name}"])
    return places([name or ", ".join(part for part in (town, province) if part)])


def _remote(posting: Record) -> Remote | None:
    kind, worded = posting.get("workplace_type", str), posting.get("workplace_type_text", str)
    return _REMOTE.get((kind or worded or "").strip().lower().replace("-", ""))


def _worded(posting: Record, name: str) -> str | None:
    """What people read of a code and its wording."""
    code, worded = line(posting.get(name, str)), line(posting.get(f"{name}_text", str))
    return worded or code


def _salary(posting: Record) -> Salary | None:
    """The pay, unless it is marked as not to be shown."""
    low, high = posting.get("compensation_minimum", float), posting.get("compensation_maximum", float)
    currency, per = posting.get("compensation_currency", str), posting.get("compensation_frequency", str)
    hidden = posting.get("compensation_visible", bool) is False
    return None if hidden else salary(low, high, currency, per)


def _html(posting: Record) -> str:
    parts = [posting.html("description")]
    for name in _SECTIONS:
        heading, text = line(posting.get(f"{name}_header", str)), posting.html(name)
        parts.append(section(heading, text or ""))
    return joined(parts)
