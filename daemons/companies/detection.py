"""Which system and tenant an address, a chain of redirects or a company's own page leads to, and what says so. Pure.

What belongs to which system is for the sources to say (`detect`); here is only where in a page to look, and how much
each place proves: a frame or script of a system is the company's own board, a link may be anybody's. A link that says
nothing of jobs, to a board that is not called like the site, is a mention and proves nothing.
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

from daemons.companies.careers_links import score, speaks_of_others
from daemons.companies.domains import domain_table, host_of, registered
from daemons.companies.embeds import ASSETS, EMBEDS, Asset
from daemons.companies.names import alike
from daemons.sources import SOURCES
from lib.errors import Malformed, Refused
from lib.posting.contract import Source, clean_text
from lib.posting.links import read_link, web_url
from lib.posting.trees import decoded, html_tree, text_of

How = Literal["address", "redirect", "embed", "asset", "script", "link", "mention"]
STRENGTH: Mapping[How, int] = {
    "address": 6, "redirect": 5, "embed": 4, "asset": 3, "script": 2, "link": 1, "mention": 0,
}  # fmt: skip
MAX_ADDRESSES = 2_000
MAX_CHARS = 3_000_000
_MAX_EVIDENCE_CHARS = 300
# Links to so many companies' boards make a page a directory: none of them is its owner's.
_MAX_STRANGERS = 5

# Searches over many companies' postings: a link to one says nothing of who the page belongs to.
SEARCHES = frozenset({"adzuna", "arbeitnow", "bundesagentur", "jooble"})

_WRITTEN = re.compile(r"(?:https?:|(?<=[\"'=]))//[^\s\"'<>`()\\]{4,500}", re.IGNORECASE)
_ESCAPED = re.compile(r"\\(?:/|u002f|x2f)", re.IGNORECASE)
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
    """The board that a chain of redirects passes, the last one of several: companies move, old addresses lead on.

    A search over many companies' postings is nobody's board.
    """
    for url in reversed(urls):
        found = in_address(url)
        if found is not None and found.source not in SEARCHES:
            return found if len(urls) == 1 else replace(found, how="redirect")
    return None


def in_page(body: bytes | str, url: str) -> list[Found]:
    """All boards that the page at `url` shows or links to, the surest first. Any bytes give a list."""
    text = decoded(body)[:MAX_CHARS]
    shown = _without_comments(text)
    seen: dict[tuple[str, str], Found] = {}
    own = in_address(url)
    for found in (*([own] if own else ()), *_embeds(shown), *_assets(shown, url), *_addresses(text, url)):
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

    Links prove little: a page that links to many boards is a directory, and of a few only one that is named more often
    than all others together wins. None of several frames or scripts wins that are there equally often.
    """
    owned = [one for one in found if one.how != "mention" and one.source not in SEARCHES]
    if not owned:
        return None
    first = owned[0]
    if first.how in ("link", "script"):
        others = [one.times for one in owned[1:]]
        return first if len(others) < _MAX_STRANGERS and sum(others) < first.times else None
    tied = any((one.how, one.times) == (first.how, first.times) for one in owned[1:])
    return None if tied else first


def _embeds(text: str) -> Iterator[Found]:
    lower = text.lower()
    for embed in EMBEDS:
        source = SOURCES.get(embed.source)
        if source is None or embed.beside not in lower:
            continue
        for match in embed.pattern.finditer(text):
            tenant = source.detect(embed.address.format(*match.groups()))
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
    asked: set[tuple[How, str]] = set()
    for how, address, element in _places(text, url):
        if (how, address) in asked:
            continue
        if len(asked) >= MAX_ADDRESSES:
            return
        asked.add((how, address))
        found = in_address(address)
        if found is not None and found.source not in SEARCHES:
            mention = how == "link" and not _is_owners(found.tenant, _words(element), url)
            yield replace(found, how="mention" if mention else how)


def _is_owners(tenant: str, words: str, url: str) -> bool:
    """Whether a link may lead to the board of the page's owner: by the page's address, its words or the names."""
    if speaks_of_others(url):
        return alike(tenant, host_of(url))
    return score("", url) > 0 or score(words, "https://link.invalid/") > 0 or alike(tenant, host_of(url))


def _words(element: etree._Element | None) -> str:
    return "" if element is None else f"{text_of(element) or ''} {element.get('title', '')}"


def _places(text: str, url: str) -> Iterator[tuple[How, str, etree._Element | None]]:
    """The addresses in a page, each with what it is there, a frame or widget, a link, or a text in a script, and with
    its element."""
    try:
        tree = html_tree(text)
    except Malformed:
        yield from (("script", address, None) for address in _written(_without_comments(text), url))
        return
    base = next((href for href in tree.xpath("//base/@href")), None)
    beside = _absolute(base, url, relative=True) if base else None
    for element in tree.iter(etree.Element):
        tag = element.tag if isinstance(element.tag, str) else ""
        if tag == "script":
            yield from (("script", address, element) for address in _written(element.text or "", url))
        for name, value in element.items():
            how: How = "embed" if tag in _FRAMES or name.startswith("data-") else "link"
            address = _address(tag, name, value, beside or url)
            if address is not None:
                yield how, address, element
            elif _speaks(name, value):
                refreshed = tag == "meta" and element.get("http-equiv", "").lower() == "refresh"
                yield from (("embed" if refreshed else "script", found, element) for found in _written(value, url))


def _address(tag: str, name: str, value: str, base: str) -> str | None:
    """What an attribute that holds nothing but an address leads to."""
    ours = name.startswith("data-")
    if name not in _ADDRESS_ATTRIBUTES and not (ours and ("//" in value or "." in value)):
        return None
    return _absolute(value, base, relative=not ours and tag != "meta")


def _speaks(name: str, value: str) -> bool:
    """Whether an attribute may hold settings with addresses in them."""
    return (name == "content" or name.startswith("data-") or value[:1] in "{[") and len(value) > len("https://x.y")


def _written(text: str, url: str) -> Iterator[str]:
    """The addresses in a script, in JSON or in settings, however their slashes are written."""
    plain = unescape(_ESCAPED.sub("/", text).replace("\\u0026", "&"))
    for match in _WRITTEN.finditer(plain):
        address = _absolute(match[0].rstrip(".,;"), url, relative=False)
        if address is not None:
            yield address


def _without_comments(text: str) -> str:
    """Markup without what it hides; a comment that never ends stays."""
    first, *rest = text.split("<!--")
    return first + "".join(after if ends else inside for inside, ends, after in (one.partition("-->") for one in rest))


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
