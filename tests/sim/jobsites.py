"""What Indeed and Glassdoor would show of a market: lists by words and place, and each job in full, as HasData gives
them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from hashlib import blake2b
from html import escape
from typing import Any, Literal

from lib.text.html import html_to_text
from tests.sim.market import Market
from tests.sim.occupations import words
from tests.sim.pay import Pay
from tests.sim.places import COUNTRY_NAMES
from tests.sim.posting import Posting, key_of
from tests.sim.structured import job_posting, script, text_of

Site = Literal["indeed", "glassdoor"]

INDEED_PAGE, GLASSDOOR_PAGE = 15, 30
_START_STEP = 10  # Indeed's next page begins ten rows further, whatever a page shows
_EXCERPT = 160
_COUNTRIES = {"de": "DE", "at": "AT", "ch": "CH", "com": "DE", "www": "DE"}
_WORD = re.compile(r"\w{3,}")
_EMPLOYMENT = {
    "full_time": "Vollzeit", "part_time": "Teilzeit", "temporary": "Befristeter Vertrag", "internship": "Praktikum",
}  # fmt: skip
_LABELS = {"remote": "Homeoffice", "hybrid": "Hybrides Arbeiten"}


@dataclass(frozen=True)
class Advert:
    """A posting as it can be found: by its title, by all that is said, by where it is."""

    posting: Posting
    title: str
    said: str
    places: frozenset[str]


class JobSites:
    """Both sites' view of `market`."""

    def __init__(self, market: Market) -> None:
        self._market = market

    @cached_property
    def _adverts(self) -> tuple[Advert, ...]:
        return tuple(map(_advert, map(self._market.posting, sorted(self._market.open_keys()))))

    def found(self, keyword: str, location: str, domain: str) -> list[Posting]:
        """Open postings with one of the words at least, those with most of them first, in the title above all."""
        country = country_of(domain)
        place = location.casefold().strip()
        wanted = set(_WORD.findall(keyword.casefold()))
        anywhere = place in {"", *map(str.casefold, COUNTRY_NAMES[country].values())}
        counted = [
            (sum((word in advert.said) + 2 * (word in advert.title) for word in wanted), advert.posting)
            for advert in self._adverts
            if advert.posting.city.country == country and (anywhere or place in advert.places)
        ]
        hits = [one for one in counted if one[0]]
        hits.sort(key=lambda one: (-one[0], -one[1].published.timestamp(), one[1].key))
        return [posting for _, posting in hits]

    def job(self, site: Site, url: str) -> Posting | None:
        """The open posting with this address on `site`, None where there is none."""
        pattern = r"jk=([0-9a-f]{16})" if site == "indeed" else r"jl=(\d+)"
        found = re.search(pattern, url)
        if found is None:
            return None
        key = key_of(int(found[1][:8], 16) if site == "indeed" else int(found[1]))
        if key is None or key not in self._market.open_keys():
            return None
        posting = self._market.posting(key)
        return posting if site == "glassdoor" or job_key(posting) == found[1] else None

    def indeed_list(self, keyword: str, location: str, domain: str, start: int) -> dict[str, Any]:
        """A page of Indeed's."""
        found = self.found(keyword, location, domain)
        url = f"https://{domain}/jobs?q={keyword}&l={location}"
        body: dict[str, Any] = {
            "searchInformation": {"title": f"{keyword} Jobs in {location}", "totalResults": len(found)},
            "jobs": [indeed_row(posting, domain) for posting in found[start : start + INDEED_PAGE]],
        }
        if start + _START_STEP < len(found):
            body["pagination"] = {"nextPage": f"{url}&start={start + _START_STEP}"}
        return body

    def glassdoor_list(self, keyword: str, location: str, domain: str, page: int) -> dict[str, Any]:
        """A page of Glassdoor's, from 1."""
        found = self.found(keyword, location, domain)
        began = (page - 1) * GLASSDOOR_PAGE
        now = datetime.combine(self._market.start, datetime.min.time(), UTC) + timedelta(days=self._market.day)
        pages = range(1, len(found) // GLASSDOOR_PAGE + 2)
        tokens = {str(number): page_token(number) for number in pages if number != page}
        return {
            "jobs": [glassdoor_row(posting, domain, now) for posting in found[began : began + GLASSDOOR_PAGE]],
            "pagination": {"otherPages": tokens, "nextPageToken": tokens.get(str(page + 1))},
        }


def _advert(posting: Posting) -> Advert:
    titles = (title for language in ("de", "en") for title in words(language)[posting.occupation.name]["titles"])
    skills = (skill for language in ("de", "en") for skill in words(language)[posting.occupation.name]["skills"])
    names = (name.casefold() for city in posting.cities for name in (city.name, city.english))
    said = " ".join((posting.title, *titles, *skills)).casefold()
    return Advert(posting, posting.title.casefold(), said, frozenset(names))


def country_of(domain: str) -> str:
    """The country of a site such as de.indeed.com or www.glassdoor.at."""
    ending = domain.rpartition(".")[2]
    return _COUNTRIES.get(domain.partition(".")[0] if ending == "com" else ending, "DE")


def page_token(page: int) -> str:
    """What Glassdoor's page is asked for by."""
    return f"AB4AA{page:04d}"


def page_of(token: str) -> int | None:
    """The page behind a token, None where there is none."""
    found = re.fullmatch(r"AB4AA(\d{4})", token)
    return int(found[1]) if found else None


def job_key(posting: Posting) -> str:
    """Indeed's key of a posting: sixteen hexadecimal digits, the first half its number."""
    return f"{posting.number:08x}{blake2b(posting.uuid.encode(), digest_size=4).hexdigest()}"


def indeed_row(posting: Posting, domain: str) -> dict[str, Any]:
    """A job in Indeed's list."""
    return {
        "title": posting.title,
        "company": posting.company.name,
        "location": _place(posting),
        "url": f"https://{domain}/viewjob?jk={job_key(posting)}",
        "jobKey": job_key(posting),
        "isoDate": posting.published.isoformat().replace("+00:00", "Z"),
        "details": list(_labels(posting)),
        "description": _excerpt(posting),
        "sponsored": posting.number % 9 == 0,
        "salary": _indeed_pay(posting.pay),
    }


def indeed_detail(posting: Posting) -> dict[str, Any]:
    """A job in full."""
    return {
        "title": posting.title,
        "company": posting.company.name,
        "location": _place(posting),
        "details": {
            "jobType": [_EMPLOYMENT[posting.employment]],
            "workSetting": [_LABELS[posting.remote]] if posting.remote in _LABELS else [],
        },
        "salary": _indeed_pay(posting.pay),
        "description": html_to_text(text_of(posting)),
        "descriptionHtml": text_of(posting),
    }


def glassdoor_row(posting: Posting, domain: str, now: datetime) -> dict[str, Any]:
    """A job in Glassdoor's list."""
    return {
        "id": posting.number,
        "title": posting.title,
        "url": f"https://{domain}/job-listing/j.htm?jl={posting.number}",
        "employer": {"id": posting.company.index + 1, "name": posting.company.name, "rating": 3.9},
        "location": _place(posting),
        "ageInDays": max(0, (now - posting.published).days),
        "description": _excerpt(posting),
        "skills": [],
        "sponsored": False,
        "salary": _glassdoor_pay(posting.pay),
    }


def glassdoor_detail(posting: Posting) -> dict[str, Any]:
    """A job in full."""
    return {
        "job": {
            "id": posting.number,
            "title": posting.title,
            "expired": False,
            "employer": {"name": posting.company.name},
            "address": {"city": posting.city.name, "country": posting.city.country},
            "datePosted": posting.published.date().isoformat(),
            "salary": _glassdoor_pay(posting.pay),
            "descriptionHtml": text_of(posting),
        }
    }


def page(posting: Posting, url: str) -> str:
    """The job's own page."""
    head = f"<title>{escape(posting.title)}</title>{script(job_posting(posting, url))}"
    body = f'<h1>{escape(posting.title)}</h1><div id="jobDescriptionText">{text_of(posting)}</div>'
    return f"<!doctype html><html lang={posting.language}><head>{head}</head><body>{body}</body></html>"


def _place(posting: Posting) -> str:
    return f"{posting.city.postal} {posting.city.name}"


def _labels(posting: Posting) -> Iterator[str]:
    yield _EMPLOYMENT[posting.employment]
    if posting.remote in _LABELS:
        yield _LABELS[posting.remote]


def _excerpt(posting: Posting) -> str:
    return html_to_text(text_of(posting))[:_EXCERPT] + "…"


def _indeed_pay(pay: Pay | None) -> dict[str, Any] | None:
    return pay and {"min": pay.min, "max": pay.max or pay.min, "type": f"{pay.period.upper()}LY"}


def _glassdoor_pay(pay: Pay | None) -> dict[str, Any] | None:
    if pay is None:
        return None
    period = {"year": "ANNUAL", "month": "MONTHLY", "hour": "HOURLY"}[pay.period]
    return {
        "min": pay.min, "max": pay.max or pay.min, "currency": pay.currency, "period": period,
        "source": "EMPLOYER_PROVIDED",
    }  # fmt: skip
