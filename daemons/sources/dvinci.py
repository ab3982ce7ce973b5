"""d.vinci career portals, their list of publications as JSON.

Source   https://{tenant}.dvinci-hr.com/jobPublication/list.json?lang=de, then the same in English
         Also on {tenant}.dvinci-easy.com, {tenant}.dvinci.de and hosts of the customers, and below /portal/{portal}/:
         such a tenant is "acme/portal/nord". Facts: a saved list and working clients, read 2026-11. No key.
Shape    an array with all publications and their texts, in parts; one publication per language of a job
Units    salaries in major units with `unitText`; dates are ISO 8601, with or without a time
Errors   an unknown tenant has no DNS name; 403 or 404 where the interface is switched off
Unsure   whether `lang` filters or only translates labels; limits, ETag; the form of `earliestEntryDate`
Traps    `jobOpening.id` is the job, `id` a publication of it: language versions share the former and differ in the
         latter, the German one is kept; `startDate` is often null; unsolicited applications are rows too;
         `contractPeriod` may be a text; places may be names of buildings
"""

from __future__ import annotations

import re

from daemons.sources.families.own_hosts import OwnHosts
from daemons.sources.families.system import System
from lib.errors import Malformed, Refused
from lib.net.messages import Request, Response
from lib.posting.contract import (
    MAX_FIELD_CHARS,
    Completeness,
    Confidence,
    Page,
    Posting,
    Record,
    Salary,
    clean_text,
    read_page,
)
from lib.posting.countries import country_code
from lib.posting.links import Link, web_url
from lib.posting.markup import joined
from lib.posting.values import any_remote, language, line, moment, places, salary

_HOSTS = OwnHosts("d.vinci", ".dvinci-hr.com", ("dvinci-easy.com", "dvinci.de"))
_BELOW = "/portal/"
_PORTAL = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_LANGUAGES = ("de", "en")
_TEXTS = ("introduction", "tasks", "profile", "weOffer", "closingText")
_IGNORED = (
    "pageTitle",
    "subtitle",
    "pageDescription",
    "applicationApplyApiURL",
    "applicationApplyWhatsAppURL",
    "benefits",
)
_IGNORED_OPENING = (
    "name",
    "reference",
    "costUnit",
    "targetGroups",
    "salaryRange",
    "earliestEntryDate",
    "responsibleUser",
    "reward",
    "formFieldAnswers",
)


class Dvinci(System):
    name = "dvinci"
    title = "d.vinci"
    completeness = Completeness.DOCUMENT
    confidence = Confidence.CONFIRMED

    def tenant_of(self, link: Link) -> str | None:
        portal, rest = _portal(link.segments)
        tenant = _HOSTS.tenant(link.host)
        if tenant is None and rest[:2] == ("jobPublication", "list.json"):
            tenant = _HOSTS.own(link.host)
        return f"{tenant}{_BELOW}{portal}" if tenant and portal else tenant

    def board_url(self, tenant: str) -> str:
        return f"{_base(tenant)}/de/jobs"

    def request(self, tenant: str, cursor: str | None) -> Request:
        asked = _LANGUAGES[0] if cursor is None else cursor
        if asked not in _LANGUAGES:
            raise Malformed(f"{cursor!r:.80} is no language that is asked for")
        return Request(url=f"{_base(tenant)}/jobPublication/list.json", params={"lang": asked})

    def parse(self, tenant: str, response: Response) -> Page:
        publications = response.json_array()
        base = _base(tenant)
        asked = response.request.params.get("lang")
        # Of several versions of one job the first is kept: that in the language asked for.
        publications.sort(key=lambda item: not (isinstance(item, dict) and item.get("language") == asked))
        return read_page(publications, lambda item: _row(item, base), cursor=_next(asked))


def _portal(segments: tuple[str, ...]) -> tuple[str | None, tuple[str, ...]]:
    """The portal that a path is below, and the rest of the path."""
    if segments[:1] == ("portal",) and len(segments) > 1 and _PORTAL.fullmatch(segments[1]):
        return segments[1], segments[2:]
    return None, segments


def _base(tenant: str) -> str:
    """The portal's address without a slash at its end. Raises Refused for what cannot be a tenant."""
    name, below, portal = tenant.partition(_BELOW)
    if below and not _PORTAL.fullmatch(portal):
        raise Refused(f"{tenant[:80]!r} cannot be a tenant of d.vinci")
    return f"https://{_HOSTS.host(name)}{below}{portal}"


def _next(asked: str | None) -> str | None:
    """The language to ask for after `asked`; None after the last, and for a list that was not asked for."""
    return _LANGUAGES[1] if asked == _LANGUAGES[0] else None


def _row(item: Record, base: str) -> Posting | None:
    publication = item.need("id", int)
    opening = item.sub("jobOpening")
    if opening is None:
        raise Malformed("no jobOpening")
    external_id = str(opening.need("id", int))
    said = language(item.get("language", str))
    kind = opening.get("type", str)
    started, created = item.get("startDate", str), opening.get("createdDate", str)
    named, country = _where(opening)
    row = Posting(
        external_id=external_id,
        title=line(item.need("position", str)) or "",
        url=web_url(item.get("jobPublicationURL", str)) or f"{base}/{said or 'de'}/jobs/{publication}",
        apply_url=web_url(item.get("applicationFormURL", str)),
        company=_first(opening, "company"),
        places=named,
        country=country,
        remote="remote" if any_remote(named) else None,
        employment_type=_employment_type(opening),
        department=_first(opening, "department", "orgUnit", "categories"),
        language=said,
        posted_at=moment(started) or moment(created),
        valid_through=moment(item.get("endDate", str)),
        salary=_salary(opening.sub("salary")),
        html=joined(filter(None, map(item.html, _TEXTS))),
    )
    item.skip(_IGNORED)
    opening.skip(_IGNORED_OPENING)
    return None if kind == "UNSOLICITED" else row


def _where(opening: Record) -> tuple[tuple[str, ...], str | None]:
    """The places' names, with the town where a name is only that of a building, and the country where all agree."""
    named: list[str | None] = []
    countries: set[str | None] = set()
    for location in opening.subs("locations"):
        address = location.sub("address")
        town = line(address.get("city", str)) if address else None
        name = line(location.get("name", str))
        named.append(", ".join(dict.fromkeys(part for part in (name, town) if part)))
        codes = [_country(holder) for holder in (location, address) if holder]
        countries.add(next(filter(None, codes), None))
        location.skip(("id", "latitude", "longitude", "additionalInformation"))
        if address:
            address.skip(("address1", "address2", "zipCode"))
    alone = opening.get("location", str)
    return places(named) or places([alone]), next(iter(countries)) if len(countries) == 1 else None


def _country(holder: Record) -> str | None:
    country = holder.sub("country")
    if country is None:
        return None
    code, name = country.get("isoA2", str), country.get("name", str)
    return country_code(code) or country_code(name)


def _named(holder: Record, field: str) -> list[str]:
    """What people read of one or several `{id, internalName, name}`; customers have plain texts there, too."""
    value = holder.take(field)
    texts = [
        one.get("name") if isinstance(one, dict) else one for one in (value if isinstance(value, list) else [value])
    ]
    lines = (line(clean_text(text)) for text in texts if isinstance(text, str))
    return [said for said in lines if said]


def _first(holder: Record, *fields: str) -> str | None:
    """The first text in the fields; all of them are read."""
    return next((text for field in [_named(holder, name) for name in fields] for text in field), None)


def _employment_type(opening: Record) -> str | None:
    """Working times and contract in the list's words: "Vollzeit, Teilzeit, befristet"."""
    words = dict.fromkeys((*_named(opening, "workingTimes"), *_named(opening, "contractPeriod")))
    return ", ".join(words)[:MAX_FIELD_CHARS].strip() or None


def _salary(stated: Record | None) -> Salary | None:
    if stated is None:
        return None
    code, value = stated.get("currency", str), stated.sub("value")
    if value is None:
        return None
    low, high = value.get("minValue", float), value.get("maxValue", float)
    return salary(low, high, code, value.get("unitText", str))
