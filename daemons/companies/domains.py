"""The domains below which each system's boards are, so that an index of the web is filtered before anything is read.

Derived from the sources: where a made-up tenant's board and list would be. What cannot be derived that way, because
tenants are hosts or a system has several domains, is the table here; a test asks that no source is without domains.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from daemons.sources import SOURCES
from lib.errors import Refused
from lib.posting.contract import Source
from lib.posting.links import read_link

# One of these is a tenant of almost every source.
_MADE_UP = ("acme", "acme.wd3/External")

_MORE: Mapping[str, tuple[str, ...]] = {
    "ashby": ("ashbyhq.com",),
    "beesite": ("beesite.de",),
    "bite": ("b-ite.com",),
    "comeet": ("comeet.com", "comeet.co"),
    "concludis": ("concludis.de",),
    "dvinci": ("dvinci-hr.com", "dvinci-easy.com", "dvinci.de"),
    "eightfold": ("eightfold.ai",),
    "icims": ("icims.com",),
    "onlyfy": ("onlyfy.jobs", "jobbase.io", "prescreenapp.io"),
    "oracle_orc": ("oraclecloud.com",),
    "personio": ("personio.de", "personio.com"),
    "pinpoint": ("pinpointhq.com",),
    "recruitee": ("recruitee.com",),
    "refline": ("refline.ch",),
    "rexx": ("rexx-systems.com", "rexx-recruitment.com"),
    "softgarden": ("softgarden.io", "softgarden.de"),
    "successfactors": ("jobs2web.com", "successfactors.com", "successfactors.eu", "sapsf.com", "sapsf.eu", "cloud.sap"),
    "teamtailor": ("teamtailor.com",),
    "umantis": ("umantis.com",),
    "workday": ("myworkdayjobs.com", "myworkdaysite.com"),
}

# Systems whose boards keep Common Crawl's robot out (robots.txt, read 2026-11): nobody's index shows them.
KEPT_OUT: Mapping[str, str] = {"lever": "robots.txt of jobs.lever.co keeps Common Crawl out: find its boards elsewhere"}


def domain_table(sources: Iterable[Source] = SOURCES.values()) -> dict[str, tuple[Source, ...]]:
    """Domains as registered ("lever.co") and the sources whose boards are below them."""
    table: defaultdict[str, list[Source]] = defaultdict(list)
    for source in sources:
        for domain in sorted({*_derived(source), *_MORE.get(source.name, ())}):
            table[domain].append(source)
    return {domain: tuple(found) for domain, found in table.items()}


def registered(host: str) -> str:
    """The registered domain of a system's host; none of them has a registry suffix of two labels (co.uk)."""
    return ".".join(host.split(".")[-2:])


def host_of(url: str) -> str:
    """The host of an address, "" where it has none."""
    try:
        return (urlsplit(url).hostname or "").removesuffix(".")
    except ValueError:
        return ""


def _derived(source: Source) -> set[str]:
    found = set()
    for tenant in _MADE_UP:
        try:
            urls = (source.board_url(tenant), source.request(tenant, None).url)
        except Refused:
            continue
        for url in urls:
            link = read_link(url)
            # Where tenants are hosts, the made-up one is no domain of the system.
            if link is not None and registered(link.host) not in tenant and source.detect(url) is not None:
                found.add(registered(link.host))
    return found
