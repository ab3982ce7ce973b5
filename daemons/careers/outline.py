"""What of a page meets the eye: its lines, headings and links, in one pass over its tree. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from lxml import etree

MAX_LINES = 5_000
MAX_LINE_CHARS = 2_000
MAX_LINKS = 5_000


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_UNSEEN = _names("script style template noscript svg head select iframe object canvas")
_AROUND = _names("nav footer aside header")
_AROUND_ROLES = _names("navigation contentinfo banner complementary search dialog alertdialog")
_INLINE = _names("a abbr b bdi cite code em font i ins kbd label mark q s small span strong sub sup time u var wbr")
_HEADINGS = _names("h1 h2 h3 h4 h5 h6")
_EMPHASIS = _names("strong b dt th summary legend caption u")
_HIDDEN_STYLE = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_CONSENT = re.compile(r"cookie|consent|cmp-|usercentrics|borlabs", re.IGNORECASE)


@dataclass(frozen=True)
class Link:
    """`href` as written; `text`: the link's words, or what a screen reader would say."""

    href: str
    text: str


@dataclass
class Outline:
    """`lines`: the page's own words, one block each, without menus, header and footer; `around`: the words of those.

    `headings`: headings and short emphasised lines of the page's own words, `h1`: the first-level ones anywhere.
    `links`: all, wherever they are.
    """

    title: str = ""
    h1: list[str] = field(default_factory=list)
    headings: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    around: list[str] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    metas: dict[str, str] = field(default_factory=dict)
    base: str | None = None
    canonical: str | None = None
    twins: list[str] = field(default_factory=list)
    scripts: int = 0
    mounts: int = 0

    @property
    def text(self) -> str:
        """The page's own words, a line per block."""
        return "\n".join(self.lines)


def outline(tree: etree._Element) -> Outline:
    """The outline of a page's tree."""
    found = Outline()
    _read_head(tree, found)
    _Pen(found).walk(tree)
    return found


def _read_head(tree: etree._Element, found: Outline) -> None:
    for element in tree.iter("title", "meta", "link", "base", "script"):
        if element.tag == "title" and not found.title:
            found.title = " ".join("".join(map(str, element.itertext())).split())[:MAX_LINE_CHARS]
        elif element.tag == "meta":
            name = (element.get("property") or element.get("name") or element.get("http-equiv") or "").lower()
            if name and len(found.metas) < 200:
                found.metas.setdefault(name, (element.get("content") or "")[:MAX_LINE_CHARS])
        elif element.tag == "base" and found.base is None:
            found.base = element.get("href")
        elif element.tag == "link":
            _read_relation(element, found)
        elif element.tag == "script":
            found.scripts += 1


def _read_relation(element: etree._Element, found: Outline) -> None:
    relations = (element.get("rel") or "").lower().split()
    href = element.get("href")
    if not href:
        return
    if "canonical" in relations and found.canonical is None:
        found.canonical = href
    elif "alternate" in relations and element.get("hreflang") and len(found.twins) < 50:
        found.twins.append(href)
    elif "next" in relations and len(found.links) < MAX_LINKS:
        found.links.append(Link(href, "next page"))


class _Pen:
    """Writes lines while it walks: a block's end ends the line."""

    def __init__(self, found: Outline) -> None:
        self._found = found
        self._parts: list[str] = []
        self._around = 0  # how many of the open elements are menus and the like

    def walk(self, tree: etree._Element) -> None:
        walker = etree.iterwalk(tree, events=("start", "end"))
        skipped: etree._Element | None = None
        for event, node in walker:
            tag = node.tag if isinstance(node.tag, str) else ""
            if event == "start":
                if _is_unseen(node, tag):
                    walker.skip_subtree()
                    skipped = node
                    continue
                self._open(node, tag)
            else:
                if node is skipped:
                    skipped = None
                else:
                    self._close(node, tag)
                self._parts.append(node.tail or "")
        self._end_line()

    def _open(self, node: etree._Element, tag: str) -> None:
        self._note(node, tag)
        if tag not in _INLINE:
            self._end_line()
        if _is_around(node, tag):
            self._around += 1
        self._parts.append(node.text or "")

    def _close(self, node: etree._Element, tag: str) -> None:
        if tag not in _INLINE:
            self._end_line()
        if _is_around(node, tag):
            self._around -= 1

    def _note(self, node: etree._Element, tag: str) -> None:
        found = self._found
        if tag == "a" and node.get("href") and len(found.links) < MAX_LINKS:
            found.links.append(Link((node.get("href") or "")[:2_000], _words(node) or node.get("title") or ""))
        elif tag == "h1" and len(found.h1) < 20 and (words := _words(node)):
            found.h1.append(words)
        if not self._around and len(found.headings) < 500 and (tag in _HEADINGS or tag in _EMPHASIS):
            words = _words(node)
            if words and len(words) <= (300 if tag in _HEADINGS else 80):
                found.headings.append(words)
        if not len(node) and tag in ("div", "main", "section", "app-root") and not (node.text or "").strip():
            found.mounts += 1

    def _end_line(self) -> None:
        line = " ".join("".join(self._parts).split())[:MAX_LINE_CHARS]
        self._parts.clear()
        into = self._found.around if self._around else self._found.lines
        if line and len(into) < MAX_LINES:
            into.append(line)


def _words(node: etree._Element) -> str:
    return " ".join("".join(_some_text(node)).split())[:MAX_LINE_CHARS]


def _some_text(node: etree._Element) -> Iterator[str]:
    """The text inside, with a blank between elements, cut soon: a page may put everything into one heading."""
    left = MAX_LINE_CHARS
    for part in node.itertext("*", with_tail=True):
        yield f"{part!s} "
        left -= len(part)
        if left < 0:
            return


def _is_unseen(node: etree._Element, tag: str) -> bool:
    if not tag or tag in _UNSEEN or node.get("hidden") is not None or node.get("aria-hidden") == "true":
        return True
    style = node.get("style")
    if style and _HIDDEN_STYLE.search(style[:500]):
        return True
    return tag in ("div", "section", "dialog") and bool(_CONSENT.search(f"{node.get('id')} {node.get('class')}"[:300]))


def _is_around(node: etree._Element, tag: str) -> bool:
    if node.get("role") in _AROUND_ROLES:
        return True
    # A header inside an article is the ad's own.
    return tag in _AROUND and not (
        tag == "header" and any(up.tag in ("main", "article") for up in node.iterancestors())
    )
