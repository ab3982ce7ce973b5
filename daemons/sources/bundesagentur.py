"""Bundesagentur für Arbeit, Jobsuche: the job board of the German employment agency. A tenant is a search.

Source   https://rest.arbeitsagentur.de/jobboerse/jobsuche-service/pc/v6/jobs, then /pc/v4/jobdetails/{base64(id)}
         Facts: bundesAPI's description (of v4), answers recorded by others in 2026 (v6), read 2026-11. The key is the
         public one of the agency's own web page
Shape    `ergebnisliste` in pages of 100 from 1, missing where nothing was found; `maxErgebnisse` counts the list; at
         most 10,000 rows of a search can be reached
Units    dates without time; `aenderungsdatum` without offset; pay in euros, its period in `verguetungsangabe`
Errors   400 beyond the 10,000; 403 with an empty body for a wrong key or a burst; 404 for a detail that is gone; a
         place that is not understood is 200 with `woOutput.suchmodus` UNGUELTIG
Unsure   whether details are still served to this key (reports differ); whether a facet names all its values;
         limits; conditional GET
Traps    a search of more than 10,000 is split by the values of its facets until each part can be reached, and is whole
         only when all parts together have its rows; v4 and v5 no longer search; ads of partners have a stub as text;
         places and countries are words in capitals; German umlauts in places must be umlauts
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

import msgspec

from daemons.sources.families.searches import Searches, query_of
from daemons.sources.families.split_search import Walking, following
from daemons.sources.families.system import System
from lib.errors import Malformed
from lib.net.messages import Request, Response
from lib.posting.contract import (
    MAX_TEXT_CHARS,
    Completeness,
    Confidence,
    Healthy,
    Page,
    Posting,
    Record,
    Remote,
    Salary,
    read_one,
    read_page,
)
from lib.posting.countries import country_code
from lib.posting.envelopes import need_count, rows_of
from lib.posting.links import Ids, Link, web_url
from lib.posting.markup import paragraphs
from lib.posting.values import line, moment, places, salary

_API = "https://rest.arbeitsagentur.de/jobboerse/jobsuche-service"
_SITE = "https://www.arbeitsagentur.de/jobsuche"
_SEARCHES = Searches("the Bundesagentur", frozenset({"de"}))
_HEADERS = {"X-API-Key": "jobboerse-jobsuche", "Accept": "application/json"}
_IDS = Ids(re.compile(r"[!-~]{1,100}"))
_MARKUP = re.compile(r"<(?:p|br|ul|ol|li|b|strong|div|h[1-6])\b", re.IGNORECASE)
_PAGE_SIZE = 100
# Facets and the filter that takes their values, in the order in which they split best.
_FACETS = {"berufsfeld": "berufsfeld", "arbeitsort": "wo", "befristung": "befristung", "arbeitszeit": "arbeitszeit"}
_PERIODS = {"JAHRESGEHALT": "year", "MONATSGEHALT": "month", "STUNDENLOHN": "hour"}
_KINDS = {"AUSBILDUNG": "Ausbildung", "SELBSTAENDIGKEIT": "Selbständigkeit", "PRAKTIKUM_TRAINEE": "Praktikum"}
_PART_TIME = tuple(f"arbeitszeitTeilzeit{part}" for part in ("Vormittag", "Nachmittag", "Abend", "Flexibel"))
_IGNORED = (
    "alleBerufe",
    "alternativBeruf1",
    "alternativBeruf2",
    "weitereBerufe",
    "hauptberuf",
    "arbeitgeberKundennummerHash",
    "entfernung",
    "eintrittszeitraum",
    "aenderungsdatum",
    "artDerVerguetung",
    "quereinstiegGeeignet",
    "chiffrenummer",
    "arbeitszeitSchichtNachtWochenende",
)


class Bundesagentur(System):
    name = "bundesagentur"
    title = "Bundesagentur für Arbeit"
    every = timedelta(hours=24)
    completeness = Completeness.TOTAL
    healthy = Healthy()
    confidence = Confidence.WORKING
    consent = (
        "the interface is the agency's own web page's and is not published for others; its terms say nothing about"
        " it. Decide whether you may use it, or ask the agency."
    )
    window = 10_000

    def tenant_of(self, link: Link) -> str | None:
        api = link.host == "rest.arbeitsagentur.de" and link.segments[:2] == ("jobboerse", "jobsuche-service")
        page = link.host.removeprefix("www.") == "arbeitsagentur.de" and link.segments == ("jobsuche", "suche")
        return _SEARCHES.find("de", link.query.get("was"), link.query.get("wo")) if api or page else None

    def board_url(self, tenant: str) -> str:
        _, what, where = _SEARCHES.check(tenant)
        return f"{_SITE}/suche?{query_of(was=what, wo=where)}"

    def request(self, tenant: str, cursor: str | None) -> Request:
        walking = Walking.read(cursor, allowed=frozenset(_FACETS.values()))
        part = dict(walking.part)
        if "wo" in part:
            part["umkreis"] = "0"
        _, what, where = _SEARCHES.check(tenant)
        query = query_of(was=what, wo="" if "wo" in part else where)
        return Request(
            url=f"{_API}/pc/v6/jobs?{query}",
            params=part | {"page": str(walking.page), "size": str(_PAGE_SIZE)},
            headers=_HEADERS,
            documented_api=True,
            state=walking.text(),
        )

    def parse(self, tenant: str, response: Response) -> Page:
        body = response.json_object()
        total = need_count(body, "maxErgebnisse")
        found = rows_of({"ergebnisliste": []} | body, "ergebnisliste")
        place = body.get("woOutput")
        if isinstance(place, dict) and place.get("suchmodus") == "UNGUELTIG":
            raise Malformed(f"the place of the search {tenant!r} is not understood")
        walking = Walking.read(response.request.state or None, allowed=frozenset(_FACETS.values()))
        then = following(
            walking, total=total, rows=len(found), window=self.window, page_size=_PAGE_SIZE, facets=_facets(body)
        )
        # A part's own count says nothing about the whole.
        return read_page(found, _row, total=None if walking.part else total, cursor=then.text() if then else None)

    def detail_request(self, tenant: str, external_id: str, url: str) -> Request:
        _SEARCHES.check(tenant)
        code = quote(b64encode(_IDS.check(external_id).encode()).decode(), safe="")
        return Request(url=f"{_API}/pc/v4/jobdetails/{code}", headers=_HEADERS, documented_api=True)

    def parse_detail(self, tenant: str, response: Response) -> Posting:
        return read_one(response.json_object(), _detail)


def _facets(body: Mapping[str, Any]) -> dict[str, dict[str, int]]:
    """The counts of each facet that can be asked for, under the name of its filter."""
    stated = body.get("facetten")
    found: dict[str, dict[str, int]] = {}
    if not isinstance(stated, dict):
        return found
    for facet, name in _FACETS.items():
        holder = stated.get(facet)
        counts = holder.get("counts") if isinstance(holder, dict) else None
        if isinstance(counts, dict):
            found[name] = {value: count for value, count in counts.items() if type(count) is int and count > 0}
    return found


def _row(item: Record) -> Posting:
    external_id = _IDS.check(item.need("referenznummer", str).strip())
    named, country = _where(item.subs("stellenlokationen"))
    first = moment(item.get("datumErsteVeroeffentlichung", str))
    since, until = _span(item.sub("veroeffentlichungszeitraum"))
    row = Posting(
        external_id=external_id,
        title=line(item.need("stellenangebotsTitel", str)) or "",
        url=f"{_SITE}/jobdetail/{quote(external_id, safe='')}",
        apply_url=web_url(item.get("externeURL", str)),
        company=line(item.get("firma", str)),
        places=named,
        country=country,
        remote=_remote(item),
        employment_type=_employment(item),
        posted_at=first or since,
        valid_through=until,
        salary=_salary(item),
    )
    item.skip(_IGNORED)
    return row


def _detail(item: Record) -> Posting:
    text = item.html("stellenangebotsBeschreibung") or ""
    html = text if _MARKUP.search(text) else paragraphs(text)[:MAX_TEXT_CHARS]
    return msgspec.structs.replace(_row(item), html=html)


def _span(published: Record | None) -> tuple[datetime | None, datetime | None]:
    return (None, None) if published is None else (moment(published.get("von", str)), moment(published.get("bis", str)))


def _where(locations: list[Record]) -> tuple[tuple[str, ...], str | None]:
    """The towns and the first one's country."""
    towns, countries = [], []
    for location in locations:
        address = location.sub("adresse")
        if address is not None:
            towns.append(address.get("ort", str))
            countries.append(address.get("land", str))
            address.skip(("strasse", "hausnummer", "plz", "region"))
        location.skip(("breite", "laenge"))
    return places(towns), country_code((countries[0] or "").replace("_", " ")) if countries else None


def _remote(item: Record) -> Remote | None:
    possible, share = item.get("homeofficemoeglich", bool), item.get("homeofficeprozent", float)
    item.skip(("homeofficetyp",))
    if not possible:
        return None
    return "remote" if share == 100 else "hybrid"


def _employment(item: Record) -> str | None:
    words = [_KINDS.get(item.get("stellenangebotsart", str) or "")]
    words.append("Vollzeit" if item.get("arbeitszeitVollzeit", bool) else None)
    part_time = [item.get(name, bool) for name in _PART_TIME]
    words.append("Teilzeit" if any(part_time) else None)
    words.append("Minijob" if item.get("istGeringfuegigeBeschaeftigung", bool) else None)
    words.append({"BEFRISTET": "befristet", "UNBEFRISTET": "unbefristet"}.get(item.get("vertragsdauer", str) or ""))
    return ", ".join(word for word in words if word) or None


def _salary(item: Record) -> Salary | None:
    period = _PERIODS.get(item.get("verguetungsangabe", str) or "")
    low, high = item.get("gehaltsspanneVon", float), item.get("gehaltsspanneBis", float)
    fixed = item.get("festgehalt", float)
    return salary(low or fixed, high or fixed, "EUR", period) if period else None
