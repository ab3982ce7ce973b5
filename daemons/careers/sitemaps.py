"""Sitemaps as sites write them: page lists, indexes, plain text, gzip, and broken ones. Pure.

Facts: sitemaps.org protocol (50,000 addresses and 50 MB a file, `loc` and `lastmod`). Nobody notices a
wrong sitemap, so a broken one gives what was read before the break.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass, field
from io import BytesIO
from itertools import islice

from lxml import etree

from lib.errors import Malformed
from lib.posting.links import web_url
from lib.posting.trees import decoded

MAX_ENTRIES = 50_000
MAX_BYTES = 50_000_000
_GZIP = b"\x1f\x8b"
_STRAY = re.compile(rb"&(?!#?\w{1,10};)")
_LINE = re.compile(r"https?://\S{4,2000}")


@dataclass(frozen=True)
class Sitemap:
    """`pages` and `sitemaps` (of an index): addresses in their order, each with its `lastmod` as written or ""."""

    pages: dict[str, str] = field(default_factory=dict)
    sitemaps: dict[str, str] = field(default_factory=dict)


def read_sitemap(body: bytes) -> Sitemap:
    """What a sitemap lists, at most MAX_ENTRIES. Raises Malformed for a gzip bomb, a cut gzip stream, or no sitemap."""
    plain = _unpacked(body)
    found = Sitemap()
    is_sitemap = _read_xml(plain, found)
    if not is_sitemap and b"<" not in plain[:1_000]:
        for line in islice(_LINE.finditer(decoded(plain)), MAX_ENTRIES):
            if url := web_url(line[0]):
                found.pages[url] = ""
    if not (found.pages or found.sitemaps or is_sitemap):
        raise Malformed("no sitemap: neither addresses nor an empty list of them")
    return found


def _read_xml(plain: bytes, found: Sitemap) -> bool:
    """Fills `found` as far as the XML can be read; False when it is no sitemap."""
    events = etree.iterparse(
        BytesIO(_STRAY.sub(b"&amp;", plain)), events=("start", "end"), recover=True, resolve_entities=False,
        load_dtd=False, no_network=True, huge_tree=False, remove_comments=True, remove_pis=True,
    )  # fmt: skip
    is_sitemap = False
    entries = 0
    try:
        for event, element in events:
            name = element.tag.rpartition("}")[2]
            is_sitemap = is_sitemap or name in ("urlset", "sitemapindex")
            if event == "start" or name not in ("url", "sitemap"):
                continue
            entries += 1
            if entries > MAX_ENTRIES:
                break
            _take(element, found.pages if name == "url" else found.sitemaps)
            element.clear()
            while element.getprevious() is not None:  # the root would keep what is read
                del element.getparent()[0]
    except etree.XMLSyntaxError:
        return is_sitemap  # what was read before the break counts
    return is_sitemap


def _take(entry: etree._Element, into: dict[str, str]) -> None:
    parts = {child.tag.rpartition("}")[2]: (child.text or "").strip() for child in entry if isinstance(child.tag, str)}
    if url := web_url(parts.get("loc")):
        into.setdefault(url, parts.get("lastmod", "")[:100])


def _unpacked(body: bytes) -> bytes:
    if not body.startswith(_GZIP):
        return body
    unpacker = zlib.decompressobj(wbits=31)
    try:
        text = unpacker.decompress(body, MAX_BYTES)
    except zlib.error as error:
        raise Malformed(f"not gzip: {error}") from error
    if not unpacker.eof:
        raise Malformed(f"a gzip stream that is cut, or holds more than {MAX_BYTES} bytes")
    return text
