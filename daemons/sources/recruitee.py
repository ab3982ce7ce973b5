"""Recruitee (Tellent) career sites: the public offers API, and the XML feed of offers where that is refused.

A tenant is "acme" for acme.recruitee.com, or a company's own host, which has the same paths.

Source   https://{tenant}.recruitee.com/api/offers/, else https://{tenant}.recruitee.com/api/feeds/offers.xml
         Facts: docs.recruitee.com (careers site API, feed), recorded answers of the API, read 2026-11. No key yet:
         from 2027-02-10 on the API wants the customer's X-Careers-Sites-Token and answers 401 without it. The feed is
         not covered by that, so an API that wants a token is followed by the feed.
Shape    one document with the whole board: `offers`, with their texts
Units    times are "2026-08-05 10:10:39 UTC"; salaries are texts in major units, their period is year, month or hour
Errors   404 for an unknown host; a redirect to recruitee.com for a board that is hosted elsewhere; 401 see above
Unsure   the feed's fields are known from other readers, not from payloads of our own: the raw one has hyphens in its
         names, the formatted one underscores; salaries in it are not documented; limits and conditional GET neither
Traps    an offer has all its language versions in `translations` and does not name the one it is shown in: that is the
         one whose text is the offer's; the flags for remote, hybrid and on-site overlap; the country is localised,
         its code is not; what is not `published` is no offer
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from lxml import etree

from daemons.sources.families.own_hosts import Branded
from lib.errors import Malformed
from lib.net.messages import Request, Response
from lib.posting.contract import Completeness, Confidence, Page, Posting, Record, Remote, Salary, read_page
from lib.posting.countries import country_code
from lib.posting.envelopes import rows_of
from lib.posting.links import Ids, web_url
from lib.posting.markup import joined
from lib.posting.trees import xml_tree
from lib.posting.values import language, line, moment, places, salary

_IDS = Ids(re.compile(r"\d{1,18}", re.ASCII))
_FEED = "feed"
_WANTS_TOKEN = 401
_FLAGS: tuple[Remote, ...] = ("remote", "hybrid", "onsite")
_IGNORED = (
    "category", "category_code", "city", "country", "cover_image", "created_at", "dynamic_fields", "education_code",
    "experience_code", "guid", "highlight", "location_question_visible", "locations_question",
    "locations_question_required", "locations_question_type", "mailbox_email", "max_hours", "max_hours_per_week",
    "min_hours", "min_hours_per_week", "open_questions", "options_cover_letter", "options_cv", "options_phone",
    "options_photo", "options_salutation", "options_title", "position", "postal_code", "sharing_description",
    "sharing_image", "sharing_title", "state_code", "state_name", "tags", "updated_at",
)  # fmt: skip


class Recruitee(Branded):
    name = "recruitee"
    title = "Recruitee"
    completeness = Completeness.DOCUMENT
    confidence = Confidence.CONFIRMED
    ending = ".recruitee.com"
    reserved = frozenset({"auth", "careers", "docs", "help", "support"})

    def request(self, tenant: str, cursor: str | None) -> Request:
        board = self.board_url(tenant)
        if cursor == _FEED:
            return Request(url=f"{board}/api/feeds/offers.xml", documented_api=True)
        return Request(url=f"{board}/api/offers/", answers=frozenset({_WANTS_TOKEN}), documented_api=True)

    def parse(self, tenant: str, response: Response) -> Page:
        board = self.board_url(tenant)
        self.check_hosted(response)
        if response.status == _WANTS_TOKEN:
            return Page(rows=(), cursor=_FEED)
        if response.body[:100].lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
            return read_page(_feed(response.body), lambda offer: _row(offer, board))
        return read_page(rows_of(response.json_object(), "offers"), lambda offer: _row(offer, board))


def _feed(body: bytes) -> Iterable[dict[str, Any]]:
    root = xml_tree(body)
    if root.tag != "offers":
        raise Malformed(f"offers was expected, not {str(root.tag)[:80]}")
    if len(root) and root.find("offer") is None:
        raise Malformed(f"no offer, but {str(root[0].tag)[:80]}")
    return (_fields(offer) for offer in root.iterchildren("offer"))


def _fields(offer: etree._Element) -> dict[str, Any]:
    """An offer of the feed as the API would give it."""
    fields: dict[str, Any] = {}
    for child in offer.iterchildren("*"):
        name = str(child.tag).replace("-", "_")
        if name == "locations":
            fields[name] = [_fields(location) for location in child.iterchildren("*")]
        elif name == "salary" and len(child):
            fields[name] = _fields(child)
        elif name in ("remote", "hybrid", "on_site"):
            fields[name] = (child.text or "").strip() == "true"
        else:
            fields[name] = child.text or None
    return fields


def _row(offer: Record, board: str) -> Posting | None:
    number = offer.take("id")
    external_id = _IDS.check(number.strip() if isinstance(number, str) else number)
    title, description = offer.need("title", str), offer.html("description")
    slug = offer.get("slug", str) or external_id
    address = offer.get("careers_url", str)
    named = _places(offer)
    row = Posting(
        external_id=external_id,
        title=line(title) or "",
        url=web_url(address) or web_url(f"{board}/o/{slug}") or board,
        apply_url=web_url(offer.get("careers_apply_url", str) or offer.get("apply_url", str)),
        company=line(offer.get("company_name", str)),
        places=named,
        country=country_code(offer.get("country_code", str)),
        remote=_remote(offer),
        employment_type=line(offer.get("employment_type_code", str)),
        department=line(offer.get("department", str)),
        language=_language(offer.take("translations"), title, description),
        posted_at=_moment(offer.get("published_at", str)),
        valid_through=_moment(offer.get("close_at", str)),
        salary=_salary(offer),
        html=joined((description, offer.html("requirements"))) or None,
    )
    offer.skip(_IGNORED)
    return row if (offer.get("status", str) or "published") == "published" else None


def _language(versions: Any, title: str, description: str | None) -> str | None:
    """The language of the version that is shown; None where two versions read the same."""
    if not isinstance(versions, dict):
        return None
    found = [
        tag
        for tag, version in versions.items()
        if isinstance(version, dict) and (version.get("title"), version.get("description")) == (title, description)
    ]
    return language(found[0]) if len(found) == 1 else None


def _places(offer: Record) -> tuple[str, ...]:
    """Each place by town, state and country, or by its name; without a list, as the offer words it."""
    worded = offer.get("location", str)
    named = []
    for place in offer.subs("locations"):
        name, town = line(place.get("name", str)), line(place.get("city", str))
        parts = (town or name, line(place.get("state", str)), line(place.get("country", str)))
        named.append(", ".join(dict.fromkeys(part for part in parts if part)))
        place.skip(("id", "country_code", "state_code", "postal_code", "street", "note", "translations"))
    return places(named) or places([worded])


def _remote(offer: Record) -> Remote | None:
    """The freest of the ways of working that are ticked; none ticked says nothing."""
    ticked = (offer.get(name, bool) for name in ("remote", "hybrid", "on_site"))
    return next((way for way, is_ticked in zip(_FLAGS, tuple(ticked), strict=True) if is_ticked), None)


def _salary(offer: Record) -> Salary | None:
    stated = offer.sub("salary")
    if stated is None:
        return None
    low, high = stated.get("min", str), stated.get("max", str)
    return salary(low, high, stated.get("currency", str), stated.get("period", str))


def _moment(text: str | None) -> datetime | None:
    """A time as Recruitee writes it; "UTC" is no offset that ISO 8601 knows."""
    return moment(text.strip().removesuffix(" UTC")) if text else None
