"""Which system and tenant an address, a chain of redirects or a company's own page leads to, and what says so. Pure.

What belongs to which system is for the sources to say (`detect`); here is only where in a page to look, and how much
each place proves: a frame or script of a system is the company's own board, a link may be anybody's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from html import unescape
from typing import Literal
from urllib.parse import urljoin

from lxml import etree

from daemons.companies.domains import domain_table, host_of, registered
from daemons.companies.embeds import ASSETS, EMBEDS, Asset
from daemons.sources import SOURCES
from lib.errors import Malformed, Refused
from lib.posting.contract import Source, clean_text
from lib.posting.links import read_link, web_url
from lib.posting.trees import decoded, html_tree

How = Literal["address", "redirect", "embed", "asset", "script", "link"]
STRENGTH: Mapping[How, int] = {"address": 6, "redirect": 5, "embed": 4, "asset": 3, "script": 2, "link": 1}
MAX_ADDRESSES = 2_000
MAX_CHARS = 3_000_000
_MAX_EVIDENCE_CHARS = 300
# Links to so many companies' boards make a page a directory: none of them is its owner's.
_MAX_STRANGERS = 5

# Searches over many companies' postings: a link to one says nothing of who the page belongs to.
_SEARCHES = frozenset({"adzuna", "arbeitnow", "bundesagentur", "jooble"})

_IN_SCRIPT = re.compile(r"https?:(?:\\?/){2}[^\s\"'<>`()\\]{4,500}(?:\\/[^\s\"'<>`()\\]{0,300}){0,12}")
_FRAMES = frozenset({"iframe", "frame", "script", "embed", "object", "form"})
_ADDRESS_ATTRIBUTES = ("src", "href", "action", "data", "content")


@dataclass(frozen=True)
class Found:
    """A board. `evidence`: the address or the piece of markup that names it; `times`: how often the page does."""

    source: str
    tenant: str
    how: How
    evidence: str
    times: int = 1

    @property
    def url(self) -> str:
        """The board's public page."""
        return SOURCES[self.source].board_url(self.tenant)


def in_address(url: str) -> Found | None:
    """The board that `url` belongs to: a board's, a posting's or an API's address.

    Below a system's own domain only that system is asked; anywhere else, all are.
    """
    for source in _domains().get(registered(host_of(url)), SOURCES.values()):
        tenant = source.detect(url)
        if tenant is not None:
            return Found(source.name, tenant, "address", _cut(url))
    return None


@cache
def _domains() -> Mapping[str, tuple[Source, ...]]:
    return domain_table()


def in_redirects(urls: Sequence[str]) -> Found | None:
    """The board that a chain of redirects passes, the last one of several: companies move, old addresses lead on."""
    for url in reversed(urls):
        found = in_address(url)
        if found is not None:
            return found if len(urls) == 1 else replace(found, how="redirect")
    return None


def in_page(body: bytes | str, url: str) -> list[Found]:
    """All boards that the page at `url` shows or links to, the surest first. Any bytes give a list."""
    text = decoded(body)[:MAX_CHARS]
    seen: dict[tuple[str, str], Found] = {}
    own = in_address(url)
    for found in (*([own] if own else ()), *_embeds(text), *_assets(text, url), *_addresses(text, url)):
        key = (found.source, found.tenant.casefold())
        held = seen.get(key)
        if held is None:
            seen[key] = found
        else:
            better = found if STRENGTH[found.how] > STRENGTH[held.how] else held
            seen[key] = replace(better, times=held.times + 1)
    return sorted(seen.values(), key=lambda one: (-STRENGTH[one.how], -one.times))


def best(found: Sequence[Found]) -> Found | None:
    """The board of the page's owner among those that `in_page` found; None where that cannot be told.

    Links prove little: a page that links to many boards is a directory, and of a few the one that is named most wins,
    but none when two are named equally often.
    """
    if not found:
        return None
    first = found[0]
    rivals = [one for one in found[1:] if STRENGTH[one.how] == STRENGTH[first.how]]
    if first.how in ("link", "script") and len(rivals) >= _MAX_STRANGERS:
        return None
    if any(one.times == first.times for one in rivals):
        return None
    return first


def _embeds(text: str) -> Iterator[Found]:
    lower = text.lower()
    for embed in EMBEDS:
        source = SOURCES.get(embed.source)
        if source is None or embed.beside not in lower:
            continue
        for match in embed.pattern.finditer(text):
            tenant = source.detect(embed.address.format(match[1]))
            if tenant is not None:
                yield Found(source.name, tenant, "embed", _cut(match[0]))


def _assets(text: str, url: str) -> Iterator[Found]:
    for asset in ASSETS:
        match = asset.pattern.search(text)
        tenant = match and _own_host(asset, url)
        if match and tenant:
            yield Found(asset.source, tenant, "asset", _cut(match[0]))


def _own_host(asset: Asset, url: str) -> str | None:
    """The tenant that the page's own host is to the source, None where the source takes no such hosts."""
    source, link = SOURCES.get(asset.source), read_link(url)
    if source is None or link is None:
        return None
    try:
        board = read_link(source.board_url(link.host))
    except Refused:
        return None
    return link.host if board is not None and board.host == link.host else None


def _addresses(text: str, url: str) -> Iterator[Found]:
    asked: set[str] = set()
    for how, address in _places(text, url):
        if address in asked:
            continue
        if len(asked) >= MAX_ADDRESSES:
            return
        asked.add(address)
        found = in_address(address)
        if found is not None and found.source not in _SEARCHES:
            yield replace(found, how=how)


def _places(text: str, url: str) -> Iterator[tuple[How, str]]:
    """The addresses in a page, each with what it is there: a frame or widget, a link, or a text in a script."""
    try:
        tree = html_tree(text)
    except Malformed:
        tree = None
    for element in () if tree is None else tree.iter(etree.Element):
        tag = element.tag if isinstance(element.tag, str) else ""
        for name, value in element.items():
            if name in _ADDRESS_ATTRIBUTES or (name.startswith("data-") and ("//" in value or "." in value)):
                framed = tag in _FRAMES or name.startswith("data-")
                address = _absolute(value, url, relative=not name.startswith("data-") and tag != "meta")
                if address is not None:
                    yield "embed" if framed else "link", address
    for match in _IN_SCRIPT.finditer(text):
        plain = unescape(match[0].replace("\\/", "/").replace("\\u0026", "&"))
        address = web_url(plain.rstrip(".,;"))
        if address is not None:
            yield "script", address


def _absolute(value: str, url: str, *, relative: bool) -> str | None:
    value = value.strip()
    if not value or len(value) > 2_000 or value[0] == "#":
        return None
    if "://" not in value and not relative and not value.startswith("//"):
        return None
    try:
        return web_url(urljoin(url, value))
    except ValueError:
        return None


def _cut(text: str) -> str:
    return clean_text(" ".join(text.split()), _MAX_EVIDENCE_CHARS)
