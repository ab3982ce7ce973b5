"""Addresses out of the Common Crawl index: its CDX lines and the answers of its index API. Pure.

Source of facts: index.commoncrawl.org (pywb's CDX server API) and recorded answers, read 2026-11. A line is JSON, or
JSON after a key and a time stamp; an address may carry a `redirect`. A search without captures is answered with 404.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

import orjson

from daemons.companies.domains import host_of, registered
from lib.errors import Malformed
from lib.net.messages import Request, Response
from lib.posting.contract import Source, clean_text

COLLECTIONS = "https://index.commoncrawl.org/collinfo.json"
MAX_LINE_BYTES = 1_000_000
_CRAWL = re.compile(r"CC-MAIN-\d{4}-\d{2}", re.ASCII)
_MAX_PAGES = 100_000
_MAX_TENANTS = 200_000  # a part of a real crawl names some thousands


@dataclass(frozen=True)
class Capture:
    """An address that was crawled, and where it redirected to."""

    url: str
    redirect: str | None = None


@dataclass
class Tally:
    """What a part of the index holds: how many captures, how many of known domains, and the tenants they name."""

    table: Mapping[str, tuple[Source, ...]]
    rows: int = 0
    matched: int = 0
    broken: int = 0
    tenants: dict[tuple[str, str], tuple[str, str]] = field(default_factory=dict)  # folded -> (as spelt, evidence)
    times: Counter[tuple[str, str]] = field(default_factory=Counter)

    def add(self, capture: Capture, times: int = 1) -> None:
        """Counts a capture of a known domain, and `times` - 1 like it. Raises Malformed for more than can be real."""
        self.matched += times
        if not (self._take(capture.url, times) or capture.redirect is None):
            self._take(capture.redirect, times)

    def _take(self, url: str, times: int) -> bool:
        for source in self.table.get(registered(host_of(url)), ()):
            tenant = source.detect(url)
            if tenant is not None:
                key = (source.name, tenant.casefold())
                self.times[key] += times
                if key not in self.tenants:
                    if len(self.tenants) >= _MAX_TENANTS:
                        raise Malformed(f"more than {_MAX_TENANTS} tenants in one part of the index")
                    self.tenants[key] = (clean_text(tenant), clean_text(url))
                return True
        return False

    def rows_for_store(self) -> list[tuple[str, str, str, int]]:
        """(source, tenant, evidence, times) of every tenant."""
        return [(key[0], tenant, evidence, self.times[key]) for key, (tenant, evidence) in sorted(self.tenants.items())]


def read_lines(lines: Iterable[bytes], tally: Tally) -> None:
    """Counts CDX lines; those of other domains only as rows, those that cannot be read as broken.

    Raises Malformed when they name more tenants than can be real.
    """
    for line in lines:
        if not line.strip():
            continue
        tally.rows += 1
        capture = _capture(line)
        if capture is None:
            tally.broken += 1
        elif registered(host_of(capture.url)) in tally.table:
            tally.add(capture)


def _capture(line: bytes) -> Capture | None:
    start = line.find(b"{")
    if start < 0 or len(line) > MAX_LINE_BYTES:
        return None
    try:
        fields = orjson.loads(line[start:])
    except orjson.JSONDecodeError:
        return None
    url, redirect = fields.get("url"), fields.get("redirect")
    return Capture(url, redirect if isinstance(redirect, str) else None) if isinstance(url, str) else None


def newest_crawl(response: Response) -> str:
    """The name of the newest crawl in the list of all ("CC-MAIN-2026-25"). Raises Malformed."""
    names = [one.get("id") for one in response.json_array() if isinstance(one, dict)]
    known = [name for name in names if isinstance(name, str) and _CRAWL.fullmatch(name)]
    if not known:
        raise Malformed("the list of crawls names none")
    return max(known)


def is_crawl(name: str) -> bool:
    """Whether `name` is that of a crawl."""
    return _CRAWL.fullmatch(name) is not None


def count_request(crawl: str, domain: str) -> Request:
    """Asks how many pages of captures the index has for a domain and all hosts below it."""
    return _request(crawl, domain, "showNumPages=true")


def page_request(crawl: str, domain: str, page: int) -> Request:
    """Asks for one of those pages, numbered from 0."""
    return _request(crawl, domain, f"page={page}")


def read_count(response: Response) -> int:
    """How many pages there are. Raises Malformed."""
    pages = response.json_object().get("pages")
    if not isinstance(pages, int) or isinstance(pages, bool) or not 0 <= pages <= _MAX_PAGES:
        raise Malformed("no number of pages")
    return pages


def _request(crawl: str, domain: str, what: str) -> Request:
    url = f"https://index.commoncrawl.org/{crawl}-index?url={quote('*.' + domain, safe='')}&output=json&{what}"
    return Request(url=url, timeout_s=180.0, max_bytes=200_000_000, documented_api=True)
