"""HTML and XML answers as lxml trees, and what sources read out of them. Any bytes give a tree or `Malformed`."""

from __future__ import annotations

import codecs
import json
import re
from html import escape
from typing import Any

import orjson
from lxml import etree
from lxml.html import HtmlElement, HTMLParser, document_fromstring

from lib.errors import Malformed
from lib.posting.contract import MAX_TEXT_CHARS, clean_text

MAX_HTML_CHARS = 20_000_000

_FORGIVING = json.JSONDecoder(strict=False)

_CHARSET = re.compile(rb"""charset\s*=\s*["']?\s*([A-Za-z0-9_.:-]{1,40})""", re.IGNORECASE)
_CHARSET_WINDOW = 4_096
_DECLARATION = re.compile(r"\A\ufeff?\s*<\?xml[^>]*\?>")
# What XML 1.0 forbids, as itself or as a reference; one such character would cost the whole document.
_FORBIDDEN_SIGN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_FORBIDDEN = re.compile(
    _FORBIDDEN_SIGN.pattern
    + "|&#0*(?:[0-8]|1[124-9]|2[0-9]|3[01]);|&#x0*(?:[0-8bcef]|1[0-9a-f]|d[89a-f][0-9a-f]{2}|fff[ef]);",
    re.IGNORECASE,
)
# libxml2 compares each attribute of a tag with all before it.
_CROWDED_TAG = re.compile(
    r"<[a-zA-Z][^\s<>/]*+"
    r"(?:[\s/]*+[^\s<>=\"'/]++(?:\s*+=\s*+(?:\"[^\"]*+\"|'[^']*+'|[^\s<>\"']++)?+)?+){257}+"
)
_NO_TEXT = frozenset({"script", "style", "template", "noscript"})
_INLINE = frozenset({"a", "abbr", "b", "em", "font", "i", "mark", "small", "span", "strong", "sub", "sup", "u", "wbr"})


def html_tree(body: bytes | str) -> HtmlElement:
    """The document's root element `html`. UTF-8 where the bytes are, else the charset that the document declares.

    Raises Malformed when there is no markup in it, or more than MAX_HTML_CHARS.
    """
    text = decoded(body)
    if len(text) > MAX_HTML_CHARS:
        raise Malformed(f"a page of {len(text)} characters")
    if _CROWDED_TAG.search(text):
        raise Malformed("a tag of more than 256 attributes")
    text = _FORBIDDEN_SIGN.sub("\ufffd", _DECLARATION.sub("", text))
    # What lies deeper than the 256 levels that libxml2 takes by default is no posting.
    parser = HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, no_network=True)
    try:
        return document_fromstring(text.encode(), parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError, ValueError) as error:
        raise Malformed(f"not HTML: {error}"[:300]) from error


def xml_tree(body: bytes) -> etree._Element:
    """The root element. Characters that XML forbids are replaced.

    Raises Malformed: not XML, or with a document type (entities, files, bombs), which no feed needs.
    """
    try:
        return _xml(body)
    except etree.XMLSyntaxError as error:
        if not re.match(rb"\s*<", body.removeprefix(codecs.BOM_UTF8)[:1_000]):
            raise Malformed(f"not XML: {error}") from error
    text = _DECLARATION.sub("", body.decode("utf-8", "replace"))
    try:
        return _xml(_FORBIDDEN.sub("\ufffd", text).encode())
    except etree.XMLSyntaxError as error:
        raise Malformed(f"not XML: {error}") from error


def _xml(body: bytes) -> etree._Element:
    parser = etree.XMLParser(
        resolve_entities=False, load_dtd=False, no_network=True, huge_tree=False, remove_comments=True, remove_pis=True
    )
    root = etree.fromstring(body, parser)
    if root.getroottree().docinfo.internalDTD is not None:
        raise Malformed("a document type is declared")
    return root


def decoded(body: bytes | str) -> str:
    """A page's text: UTF-8, else the charset that its head declares, else Windows-1252 as browsers read it."""
    if isinstance(body, str):
        return body
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError:
        named = _CHARSET.search(body[:_CHARSET_WINDOW])
    try:
        return body.decode(named[1].decode() if named else "cp1252", "replace")
    except (LookupError, ValueError):
        return body.decode("cp1252", "replace")


def text_of(element: etree._Element | None) -> str | None:
    """The text inside the element on one line, without scripts; None when there is none."""
    if element is None:
        return None
    parts: list[str] = []
    for event, node in etree.iterwalk(element, events=("start", "end")):
        if event == "start":
            parts.append("" if node.tag in _NO_TEXT else node.text or "")
        else:
            parts.append("" if node.tag in _INLINE else " ")
            parts.append("" if node is element else node.tail or "")
    return " ".join(clean_text("".join(parts), MAX_TEXT_CHARS).split()) or None


def inner_html(element: etree._Element) -> str:
    """The element's content as markup, cut at MAX_TEXT_CHARS."""
    children = (etree.tostring(child, encoding="unicode", method="html") for child in element)
    return clean_text(escape(element.text or "") + "".join(children), MAX_TEXT_CHARS).strip()


def script_json(tree: etree._Element, xpath: str) -> Any:
    """The JSON inside the first script that `xpath` finds, such as `//script[@id="__NEXT_DATA__"]`.

    Raises Malformed when there is none, or no JSON in it.
    """
    script = next(iter(tree.xpath(xpath)), None)  # type: ignore[arg-type]
    if not isinstance(script, etree._Element):
        raise Malformed(f"no {xpath[:100]} in the page")
    text = script.text or ""
    try:
        return orjson.loads(text.encode("utf-8", "replace"))
    except orjson.JSONDecodeError as error:
        try:  # as Response.json does: what one value alone can spoil does not cost the rest
            return _FORGIVING.decode(text.strip())
        except (ValueError, RecursionError):
            raise Malformed(f"no JSON in {xpath[:100]}: {error}") from error
