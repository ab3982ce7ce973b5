"""Personio career sites, public XML feed of positions.

Source   https://{tenant}.jobs.personio.de/xml?language=de, then the same in English
         Facts: developer.personio.de (recruiting, positions XML) and recorded feeds, read 2026-11. No key.
Shape    `workzag-jobs` with one `position` per job, the whole board in one document per language
Units    times are ISO 8601 with an offset; salaries are in major units
Errors   404 with an HTML page for an unknown tenant, and where the customer switched the feed off; 429 per tenant
Unsure   `salaryInformation` was seen in one feed only, other `type`s than `yearly` are guesses; conditional GET is
         not documented
Traps    `language` does not filter: every position comes, without descriptions where there is no translation, so the
         language of a row is known only where it has text; ids repeat; there is no address of a position, no closing
         date, and remote work is an office called "Remote" or "Homeoffice"
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from lxml import etree

from daemons.sources.families.subdomains import Subdomains
from lib.errors import Malformed
from lib.net.messages import Request, Response
from lib.posting.contract import Completeness, Confidence, Page, Posting, Record, Salary, read_page
from lib.posting.links import Ids
from lib.posting.markup import joined, section
from lib.posting.trees import xml_tree
from lib.posting.values import any_remote, line, moment, places, salary

_IDS = Ids(re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII))
_LANGUAGES = ("de", "en")
_IGNORED = (
    "recruitingCategory",
    "seniority",
    "yearsOfExperience",
    "keywords",
    "occupation",
    "occupationCategory",
)


class Personio(Subdomains):
    name = "personio"
    title = "Personio"
    completeness = Completeness.DOCUMENT
    confidence = Confidence.CONFIRMED
    ending = ".jobs.personio.de"
    endings = (".jobs.personio.com", "-jobs.personio.de", "-jobs.personio.com")

    def request(self, tenant: str, cursor: str | None) -> Request:
        asked = _LANGUAGES[0] if cursor is None else cursor
        if asked not in _LANGUAGES:
            raise Malformed(f"{cursor!r:.80} is no language of the feed")
        return Request(url=f"{self.board_url(tenant)}/xml", params={"language": asked}, documented_api=True)

    def parse(self, tenant: str, response: Response) -> Page:
        board = self.board_url(tenant)
        asked = response.request.params.get("language")
        items = (_fields(position) for position in _positions(response.body))
        return read_page(items, lambda position: _row(position, board, asked), cursor=_next(asked))


def _next(asked: str | None) -> str | None:
    """The language to ask for after `asked`; None after the last, and for a document that was not asked for."""
    following = dict(zip(_LANGUAGES, _LANGUAGES[1:], strict=False))
    return following.get(asked or "")


def _positions(body: bytes) -> Iterable[etree._Element]:
    root = xml_tree(body)
    if root.tag != "workzag-jobs":
        raise Malformed(f"workzag-jobs was expected, not {str(root.tag)[:80]}")
    if len(root) and root.find("position") is None:
        raise Malformed(f"no position, but {str(root[0].tag)[:80]}")
    return root.iterchildren("position")


def _fields(position: etree._Element) -> dict[str, Any]:
    """The position as a JSON-like object, so that it is read like the rows of all other sources."""
    fields: dict[str, Any] = {}
    for child in position.iterchildren("*"):
        name = str(child.tag)
        if name == "jobDescriptions":
            fields[name] = [_texts(part) for part in child.iterchildren("jobDescription")]
        elif name == "additionalOffices":
            fields[name] = [office.text or "" for office in child.iterchildren("office")]
        elif name == "salaryInformation":
            fields[name] = _texts(child)
        else:
            fields[name] = child.text or ""
    return fields


def _texts(element: etree._Element) -> dict[str, str]:
    return {str(child.tag): child.text or "" for child in element.iterchildren("*")}


def _row(position: Record, board: str, asked: str | None) -> Posting:
    external_id = _IDS.check(position.need("id", str).strip())
    html = joined(
        section(line(part.get("name", str)), part.html("value") or "") for part in position.subs("jobDescriptions")
    )
    language = asked if html else None
    link = f"{board}/job/{external_id}" + (f"?language={language}" if language else "")
    named = places([position.get("office", str), *position.strings("additionalOffices")])
    position.skip(_IGNORED)
    return Posting(
        external_id=external_id,
        title=line(position.need("name", str)) or "",
        url=link,
        apply_url=f"{link}#apply",
        company=line(position.get("subcompany", str)),
        places=named,
        remote="remote" if any_remote(named) else None,
        employment_type=_employment_type(position),
        department=line(position.get("department", str)),
        language=language,
        posted_at=moment(position.get("createdAt", str)),
        salary=_salary(position.sub("salaryInformation")),
        html=html or None,
    )


def _employment_type(position: Record) -> str | None:
    """Contract and schedule in the feed's words: "permanent, full-time"."""
    contract, schedule = line(position.get("employmentType", str)), line(position.get("schedule", str))
    return ", ".join(word for word in (contract, schedule) if word) or None


def _salary(stated: Record | None) -> Salary | None:
    if stated is None:
        return None
    stated.skip(("currencySymbol",))
    low, high = stated.get("min", str), stated.get("max", str)
    return salary(low, high, stated.get("currencyCode", str), stated.get("type", str))
