"""Listings of Indeed and Glassdoor as HasData gives them.

Source   /scrape/indeed/listing and /scrape/glassdoor/listing; facts: HasData's own samples, read 2026-11
Shape    `jobs`; Indeed's `pagination.nextPage` is an address that holds the next `start`, Glassdoor's
         `pagination.otherPages` has tokens by number; the texts in both are cut, the whole ones are in the details
Units    Indeed: `isoDate`, pay {min, max, type: YEARLY} in the country's money, which is not named.
         Glassdoor: `ageInDays`, pay {min, max, currency, period: ANNUAL, source}
Errors   a search that finds nothing is an empty list
Unsure   whether Indeed's listing names the job key beside the address: that of an advertisement may be without it, so
         that only what it says can tell it from others
"""

from __future__ import annotations

import hashlib
import re
from datetime import datetime, timedelta
from typing import Any

from daemons.discover.query import Ask
from lib.errors import Malformed
from lib.net.messages import Response
from lib.posting.contract import Page, Posting, Record, Remote, Salary, read_page
from lib.posting.envelopes import rows_of
from lib.posting.links import Ids, read_link, web_url
from lib.posting.values import any_remote, line, moment, places, salary, salary_phrase
from lib.text.html import html_to_text

_KEYS = Ids(re.compile(r"[0-9a-f]{16}", re.ASCII))
_NUMBERS = Ids(re.compile(r"\d{1,20}", re.ASCII))
_START = re.compile(r"\d{1,4}", re.ASCII)
_MAX_AGE_DAYS = 3_650
_MAX_TOKEN_CHARS = 2_000
_TEASER_CHARS = 1_000
_PERIODS = {"ANNUAL": "year", "MONTHLY": "month", "WEEKLY": "week", "DAILY": "day", "HOURLY": "hour"}
_INDEED_IGNORED = ("sponsored", "date", "benefits", "jobKey", "companyUrl", "rating", "reviewsCount")
_GLASSDOOR_IGNORED = ("sponsored", "skills", "ageInDays", "id")


def read_listing(ask: Ask, response: Response, at: datetime) -> Page:
    """The page of postings in an answer that came at `at`. Raises Malformed for an answer that is no list."""
    body = response.json_object()
    jobs = rows_of(body, "jobs")
    if ask.provider == "indeed":
        return read_page(jobs, lambda job: _indeed(job, ask), cursor=_next_start(body), excerpt=True)
    return read_page(jobs, lambda job: _glassdoor(job, ask, at), cursor=_next_token(body, ask.page + 1), excerpt=True)


def _indeed(job: Record, ask: Ask) -> Posting:
    title = line(job.need("title", str)) or ""
    company, place = line(job.get("company", str)), line(job.get("location", str))
    url, labels = web_url(job.get("url", str)), job.strings("details")
    key = _KEYS.find(job.take("jobKey")) or _job_key(url)
    address = f"https://{ask.domain}/viewjob?jk={key}" if key else url
    if address is None:
        raise Malformed("no address")
    job.skip(_INDEED_IGNORED)
    return Posting(
        external_id=key or _described_by(title, company, place),
        title=title,
        url=address,
        company=company,
        places=places([place]),
        country=ask.query.country,
        remote=workplace(labels, place),
        employment_type=", ".join(dict.fromkeys(labels)) or None,
        posted_at=moment(job.get("isoDate", str)),
        salary=indeed_salary(job.take("salary")),
        teaser=_teaser(job),
    )


def _glassdoor(job: Record, ask: Ask, at: datetime) -> Posting:
    number = _NUMBERS.check(job.take("id"))
    place, employer, age = line(job.get("location", str)), job.sub("employer"), job.get("ageInDays", int)
    company = None if employer is None else line(employer.get("name", str)) or line(employer.get("shortName", str))
    if employer is not None:
        employer.skip(("id", "shortName", "rating", "sponsored", "logoUrl", "url"))
    job.skip(_GLASSDOOR_IGNORED)
    return Posting(
        external_id=number,
        title=line(job.need("title", str)) or "",
        url=web_url(job.get("url", str)) or f"https://{ask.domain}/job-listing/?jl={number}",
        company=company,
        places=places([place]),
        country=ask.query.country,
        remote=workplace((), place),
        posted_at=_days_ago(at, age),
        salary=glassdoor_salary(job.take("salary")),
        teaser=_teaser(job),
    )


def _teaser(job: Record) -> str | None:
    """Enough of the text to tell its language, which a hard limit may ask for before anybody buys the whole."""
    return line(html_to_text((job.get("description", str) or "")[:_TEASER_CHARS]))


def workplace(labels: tuple[str, ...] | list[str], place: str | None) -> Remote | None:
    """Where the work is done, as far as labels or the place's name say so outright."""
    words = [label.casefold() for label in labels]
    if any("hybrid" in word for word in words):
        return "hybrid"
    return "remote" if "remote" in words or any_remote(places([place])) else None


def indeed_salary(stated: Any) -> Salary | None:
    """Pay as Indeed shows it: an object, in older answers a text."""
    if isinstance(stated, str):
        return salary_phrase(stated[:200])
    if not isinstance(stated, dict):
        return None
    per, code = stated.get("type"), stated.get("currency")
    return salary(stated.get("min"), stated.get("max"), _text(code), _text(per))


def glassdoor_salary(stated: Any) -> Salary | None:
    """Pay that the employer gave; what Glassdoor estimates is nothing that the posting states."""
    if not isinstance(stated, dict) or stated.get("source") != "EMPLOYER_PROVIDED":
        return None
    per, code = _text(stated.get("period")), _text(stated.get("currency")) or _text(stated.get("payCurrency"))
    return salary(stated.get("min"), stated.get("max"), code, _PERIODS.get(per or "", per))


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _job_key(url: str | None) -> str | None:
    link = read_link(url) if url else None
    return None if link is None else _KEYS.find(link.query.get("jk")) or _KEYS.find(link.query.get("vjk"))


def _described_by(*said: str | None) -> str:
    """An id for an advertisement that has none: the same words, the same id."""
    joined = "\x1f".join(one or "" for one in said)
    return f"ad-{hashlib.blake2b(joined.casefold().encode(), digest_size=12).hexdigest()}"


def _days_ago(at: datetime, days: int | None) -> datetime | None:
    if days is None or not 0 <= days <= _MAX_AGE_DAYS:
        return None
    return at.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=days)


def _next_start(body: dict[str, Any]) -> str | None:
    pagination = body.get("pagination")
    url = pagination.get("nextPage") if isinstance(pagination, dict) else None
    link = read_link(url) if isinstance(url, str) else None
    start = "" if link is None else link.query.get("start", "")
    return start if _START.fullmatch(start) else None


def _next_token(body: dict[str, Any], page: int) -> str | None:
    pagination = body.get("pagination")
    if not isinstance(pagination, dict):
        return None
    others = pagination.get("otherPages")
    token = pagination.get("nextPageToken") or (others.get(str(page)) if isinstance(others, dict) else None)
    return token if isinstance(token, str) and 0 < len(token) <= _MAX_TOKEN_CHARS and token.isascii() else None
