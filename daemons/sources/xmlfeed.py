"""XML job feeds, as employers and partners make them for job search engines.

Source   the feed's own address, registered as `feed:https://...`; gzip files too. The forms that search engines publish
         as what they accept (Indeed, Adzuna, Jobrapido, LinkedIn: one `job` per posting) and RSS or Atom with job
         fields; read 2026-11
Shape    any root; whichever of the known elements comes first is a posting, and so are those beside it. What it says
         is read by the names that these forms share, wherever in the posting they stand
Units    salaries in words, or as bounds in major units; dates in RFC 822, ISO 8601 or day first
Errors   those of any web server; an HTML page instead of a feed holds no posting and is no feed
Unsure   which fields a feed has: nobody keeps to one form. RSS and Atom hold the latest postings only, so nothing is
         concluded from what they do not have
Traps    feeds of hundreds of megabytes: they are read in pieces and never as a whole. HTML names such as `&nbsp;`,
         forbidden characters and wrong encodings are common and repaired; a tag that is not closed ends the reading
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from email.utils import parsedate_to_datetime
from html import unescape

from lxml import etree

from daemons.sources.families.system import System
from lib.errors import Malformed
from lib.net.messages import Request, Response
from lib.posting.contract import (
    MAX_ID_CHARS,
    MAX_TEXT_CHARS,
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
from lib.posting.countries import country_code
from lib.posting.links import Link, Tenants, web_url
from lib.posting.markup import paragraphs
from lib.posting.trees import inner_html
from lib.posting.values import any_remote, day, line, moment, places, salary, salary_phrase
from lib.posting.values import language as language_of
from lib.posting.xmlstream import XmlStream

_SCHEME = "feed:"
_HOST = r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?"
_TENANTS = Tenants(
    "XML feeds", re.compile(rf"https://{_HOST}(?::\d{{1,5}})?/[\w!$&'()*+,./:;=?@%~-]{{0,400}}", re.ASCII)
)
_POSTINGS = ("job", "vacancy", "position", "posting", "offer", "ad", "stelle", "item", "entry")
_LATEST_ONLY = frozenset({"item", "entry", "rss", "rdf"})
_ROOTS = frozenset({"source", "jobs", "feed", "rss", "rdf", "vacancies", "positions", "postings", "offers", "ads"})
_PAGE_ROWS = 500
_PAGE_CHARS = 4_000_000
_MARKUP = re.compile(r"<[a-zA-Z/!]")
_TEXTS = ("encoded", "description", "content", "introtext", "summary", "body")
_IDS = ("partnerjobid", "referencenumber", "reference_id", "requisitionid", "jobid", "job_id", "id", "guid")
_APPLY_LINKS = ("applyurl", "apply_url", "applylink")
_LINKS = ("url", "link", "joburl")
_PLACES = ("location", "city", "region", "state", "province")
_EMPLOYMENT = ("jobtype", "job_type", "employmenttype", "contract_type", "contracttype", "employmentcontract")
_POSTED = ("date", "pubdate", "publishdate", "published", "dateposted")
_CLOSING = ("expirationdate", "expirydate", "expires", "validthrough", "valid_through")
_IGNORED = (
    "updated", "startdate", "postalcode", "postcode", "streetaddress", "email", "education", "experience", "cpc",
    "companyid", "code", "industrycode", "experiencelevel", "sourcename", "website", "creator", "name", "type",
)  # fmt: skip
_REMOTE: dict[str, Remote] = {
    "yes": "remote", "true": "remote", "1": "remote", "remote": "remote", "fully remote": "remote",
    "hybrid": "hybrid", "hybrid remote": "hybrid", "on-site": "onsite", "onsite": "onsite",
}  # fmt: skip


class XmlFeed(System):
    name = "xmlfeed"
    title = "XML feed"
    completeness = Completeness.DOCUMENT
    confidence = Confidence.CONFIRMED

    def detect(self, url: str) -> str | None:
        address = url.strip()
        return _TENANTS.find(address.removeprefix(_SCHEME)) if address.startswith(_SCHEME) else None

    def tenant_of(self, link: Link) -> str | None:
        return None  # no web address says that it is a feed's: `feed:` before it does

    def board_url(self, tenant: str) -> str:
        return f"{_SCHEME}{_TENANTS.check(tenant)}"

    def request(self, tenant: str, cursor: str | None) -> Request:
        return Request(url=_TENANTS.check(tenant), timeout_s=900.0, max_bytes=2_000_000_000, documented_api=True)

    def parse(self, tenant: str, response: Response) -> Page:
        parts = list(self.pages(tenant, (response.body,)))
        unknown: dict[str, int] = {}
        for part in parts:
            for name, times in part.unknown.items():
                unknown[name] = unknown.get(name, 0) + times
        return Page(
            rows=tuple(row for part in parts for row in part.rows),
            rejected=tuple(row for part in parts for row in part.rejected),
            excerpt=any(part.excerpt for part in parts),
            unknown=unknown,
        )

    def pages(self, tenant: str, pieces: Iterable[bytes]) -> Iterator[Page]:
        stream = XmlStream(_POSTINGS)
        for piece in pieces:
            yield from _pages(stream, stream.feed(piece))
        yield from _pages(stream, stream.close())
        if stream.name is None:
            if stream.root not in _ROOTS:
                raise Malformed(f"{stream.root[:80]} is no job feed: there is no posting in it")
            yield Page(rows=(), excerpt=stream.root in _LATEST_ONLY)


def _pages(stream: XmlStream, elements: Iterator[etree._Element]) -> Iterator[Page]:
    """What one piece of the document holds, some hundred postings at a time."""
    rows: list[dict[str, list[str]]] = []
    chars = 0

    def page() -> Page:
        return read_page(rows, _row, excerpt=stream.name in _LATEST_ONLY)

    broken: Malformed | None = None
    try:
        for element in elements:
            fields: dict[str, list[str]] = {}
            _gather(element, fields)
            rows.append(fields)
            chars += sum(len(text) for texts in fields.values() for text in texts)
            if len(rows) >= _PAGE_ROWS or chars > _PAGE_CHARS:
                yield page()
                rows, chars = [], 0
    except Malformed as error:
        broken = error
    if rows:
        yield page()
    if broken is not None:
        raise broken


def _gather(parent: etree._Element, fields: dict[str, list[str]]) -> None:
    """The texts in an element by the names of what they stand in, however deep: `location` may hold a `city`."""
    for element in parent.iterchildren("*"):
        name = _name(element)
        if len(element) and name not in _TEXTS:
            _gather(element, fields)
            continue
        text = inner_html(element) if len(element) else element.text or ""
        # Atom says links and categories in attributes; the ends of a salary are each called "amount".
        said = text.strip() or element.get("href") or element.get("term")
        if said:
            fields.setdefault(_name(parent) if name == "amount" else name, []).append(said)


def _name(element: etree._Element) -> str:
    return str(element.tag).rpartition("}")[2].lower()


def _row(job: Record) -> Posting:
    apply_link = _link(job, _APPLY_LINKS)
    link = _link(job, _LINKS) or apply_link
    if link is None:
        raise Malformed("no address of the posting")
    named = places(map(unescape, next(filter(None, [job.strings(name) for name in _PLACES]), [])))
    remote = _first(job, ("remotetype", "isremote", "remote"))
    row = Posting(
        external_id=_identity(_first(job, _IDS) or link),
        title=line(_first(job, ("title", "jobtitle"))) or "",
        url=link,
        apply_url=apply_link,
        company=line(_first(job, ("company", "employer", "companyname"))),
        places=named,
        country=country_code(_first(job, ("country", "countrycode"))),
        remote=_REMOTE.get((remote or "").lower()) or ("remote" if any_remote(named) else None),
        employment_type=line(_first(job, _EMPLOYMENT)),
        department=line(_first(job, ("department", "category", "jobfunction", "functiongroup"))),
        language=language_of(_first(job, ("language", "lang"))),
        posted_at=_moment(_first(job, _POSTED)),
        valid_through=_moment(_first(job, _CLOSING)),
        salary=_salary(job),
        html=_html(job),
    )
    job.skip(_IGNORED)
    return row


def _first(job: Record, names: Iterable[str]) -> str | None:
    """The first text under the first of the names that has one; all of them count as read."""
    found = [text for name in names for text in job.strings(name)]
    return clean_text(unescape(found[0])) if found else None


def _link(job: Record, names: Iterable[str]) -> str | None:
    """The first whole address; many feeds escape theirs once more."""
    texts = (text.replace("&amp;", "&") for name in names for text in job.strings(name))
    return next(filter(None, map(web_url, texts)), None)


def _identity(said: str) -> str:
    """An id as it is said, or its hash where it is too long: many feeds have none but an address."""
    text = said.strip()
    return text if len(text) <= MAX_ID_CHARS else hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def _html(job: Record) -> str | None:
    texts = [text for name in _TEXTS for text in job.take(name) or () if text.strip()]
    if not texts:
        return None
    text = clean_text(texts[0], MAX_TEXT_CHARS)
    return text if _MARKUP.search(text) else paragraphs(text)[:MAX_TEXT_CHARS]


def _salary(job: Record) -> Salary | None:
    low, high = _first(job, ("salary_min", "salarymin", "lowend")), _first(job, ("salary_max", "salarymax", "highend"))
    code = _first(job, ("salary_currency", "currencycode", "currency"))
    per = _first(job, ("salary_period", "period"))
    said = _first(job, ("salary", "compensation"))
    return salary(low, high, code, per) or salary_phrase(said)


def _moment(text: str | None) -> datetime | None:
    """A date as ISO 8601, day first, or as in e-mail ("Tue, 29 Jun 2021 22:49:39 GMT")."""
    if text is None:
        return None
    read = moment(text) or day(text, "dmy")
    if read is None:
        try:
            read = moment(parsedate_to_datetime(text).isoformat())
        except (ValueError, OverflowError):
            return None
    return read
