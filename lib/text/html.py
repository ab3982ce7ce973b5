"""Markup of job descriptions: a small safe subset for browsers, and plain text for everything else.

`clean_html` parses like a browser does (selectolax) and writes anew: tags, attributes and escapes are its own, so that
nothing of the input's markup reaches a page. `plain_text` reads only what `clean_html` wrote.
Traps: an HTML5 tree builder needs quadratic time for deep nesting, quadratic memory for unclosed formatting tags that
differ in an attribute, quadratic time again for a tag of many attributes. `_tame` takes all of that away first.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from html import escape, unescape

from selectolax.lexbor import LexborHTMLParser, LexborNode

MAX_HTML_CHARS = 500_000
MAX_TEXT_CHARS = 200_000
MAX_DEPTH = 128


def _tags(names: str) -> frozenset[str]:
    return frozenset(names.split())


_HEADINGS = {"h1": "h2", "h2": "h2", "h3": "h3", "h4": "h4", "h5": "h4", "h6": "h4"}
_INLINE = {"strong": "strong", "b": "strong", "em": "em", "i": "em"}
_LISTS = {"ul": "ul", "ol": "ol", "menu": "ul", "dir": "ul"}
_BLOCKS = _tags(
    "address article aside blockquote body caption center dd details div dl dt fieldset figcaption figure footer form "
    "header hgroup hr html legend main nav p pre section summary table tbody tfoot thead tr"
)
_CELLS = _tags("td th")
_DROPPED = _tags(
    "!doctype -comment applet area audio base button canvas datalist embed frame frameset head iframe img input link "
    "map math meta noembed noframes noscript object option param picture plaintext script select source style svg "
    "template textarea title track video xmp"
)
_FORMATTING = _tags("big code font nobr s small strike tt u")
# These end when the next one starts, so they do not nest however often they stay open.
_NOT_NESTING = _tags(
    "a area base br col dd dt embed hr img input li link meta option p param source td th tr track wbr"
)

# Characters that PostgreSQL or UTF-8 cannot hold, or that nobody sees but every comparison trips over.
_UNWANTED = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)
_TAG = re.compile(r"<(/?)([a-zA-Z][^\s/<>]{0,30})(?=[\s/>])[^<>]*>")
_TAG_START = re.compile(_TAG.pattern + r"|<(?=[a-zA-Z/])")
_MANY_TAGS = 400
_LONG_TAG = re.compile(r"<[a-zA-Z/][^>]{500}")
_MAX_TAG_CHARS = 2_000
_HIDING = re.compile(r"hidden|display\s*:\s*none", re.IGNORECASE)
_HIDDEN_STYLE = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_LINK = re.compile(r"(?:https?://|mailto:)[^\s<>\"'\\`]{3,2000}", re.IGNORECASE)
_BLOCK_ENDS = re.compile(r"</(?:p|h[234]|[uo]l)>")
_TAGS = re.compile(r"<[^>]*>")
_NEWLINES = re.compile(r"\n[\n ]*")
_BULLET = re.compile(r"^(?:- )?[•·▪▫◦‣⁃●○■□➢➤►✓✔*–-][ \t]+", re.MULTILINE)


def html_to_text(html: str) -> str:
    """Readable plain text of any markup: paragraphs apart by an empty line, list items as "- ", no hidden parts.

    Input beyond MAX_HTML_CHARS and output beyond MAX_TEXT_CHARS is cut. Text without markup keeps its lines.
    """
    return plain_text(clean_html(html))


def clean_html(html: str) -> str:
    """The same words in p, ul, ol, li, h2-h4, strong, em, br and a[href] (http, https, mailto); safe in a browser."""
    source = html[:MAX_HTML_CHARS].encode("utf-8", "ignore").decode().replace("\x00", "")
    if "<" not in source and "&lt;" in source:
        source = unescape(source)  # some boards escape their markup once more
    if not _TAG.search(source):
        source = source.replace("\r\n", "\n").replace("\n", "<br>")
    if source.count("<") > _MANY_TAGS or _LONG_TAG.search(source):
        source = _tame(source)
    writer = _Writer()
    root = LexborHTMLParser(source).root
    if root is not None:
        _walk(root, writer, hiding=_HIDING.search(source) is not None)
    return writer.finish()


def plain_text(clean: str) -> str:
    """Plain text of what `clean_html` returned (of nothing else)."""
    text = clean.replace("<br>", "\n").replace("<li>", "\n- ")
    text = _TAGS.sub("", _BLOCK_ENDS.sub("\n\n", text))
    text = _BULLET.sub("- ", _NEWLINES.sub(_newlines, text))
    return unescape(text).strip()[:MAX_TEXT_CHARS]


def _newlines(run: re.Match[str]) -> str:
    return "\n\n" if run[0].count("\n") > 1 else "\n"


def _tame(html: str) -> str:
    """The same markup with tags of usual length, nested up to MAX_DEPTH, and formatting bare and never in itself."""
    depth = 0
    formats: set[str] = set()

    def rewrite(tag: re.Match[str]) -> str:
        nonlocal depth
        name = (tag[2] or "").lower()
        if not name or len(tag[0]) > _MAX_TAG_CHARS:
            return " "
        if name in _FORMATTING:
            return ""
        closing = bool(tag[1])
        if name in _NOT_NESTING:
            return tag[0]
        if name in _INLINE:
            inline = _INLINE[name]
            if (inline in formats) != closing:
                return ""
            formats.symmetric_difference_update({inline})
            return f"<{tag[1]}{inline}>"
        depth = max(depth - 1, 0) if closing else depth + 1
        return tag[0] if depth + closing <= MAX_DEPTH else " "

    return _TAG_START.sub(rewrite, html)


def _walk(root: LexborNode, writer: _Writer, *, hiding: bool) -> None:
    """Tells the writer about every visible node in document order; no recursion, whatever the depth."""
    node = root
    leave: list[Callable[[], None] | None] = []
    while True:
        tag = node.tag or ""
        if tag == "-text":
            writer.text(node.text_content or "")
        elif tag not in _DROPPED and not (hiding and _is_hidden(node)):
            leave.append(writer.enter(tag, node))
            child = node.first_child
            if child is not None:
                node = child
                continue
            _call(leave.pop())
        while node.next is None:
            if not leave:
                return
            _call(leave.pop())
            parent = node.parent
            if parent is None or not leave:
                return
            node = parent
        node = node.next


def _call(leave: Callable[[], None] | None) -> None:
    if leave is not None:
        leave()


def _is_hidden(node: LexborNode) -> bool:
    attributes = node.attributes
    return (
        "hidden" in attributes
        or attributes.get("aria-hidden") == "true"
        or _HIDDEN_STYLE.search(attributes.get("style") or "") is not None
    )


class _Level:
    """One open list: its tag, and which of its tags are written (they wait for the first word)."""

    __slots__ = ("in_item", "tag", "written")

    def __init__(self, tag: str) -> None:
        self.tag = tag
        self.written = False
        self.in_item = False


class _Writer:
    """Writes the safe subset. Tags are opened by the first word inside them, so that nothing empty is written."""

    def __init__(self) -> None:
        self._out: list[str] = []
        self._levels: list[_Level] = []
        self._block: str | None = None
        self._heading: str | None = None
        self._wanted: list[str] = []
        self._open: list[str] = []
        self._breaks = 0
        self._space = False
        self._fresh = True

    def enter(self, tag: str, node: LexborNode) -> Callable[[], None] | None:
        """Notes that an element starts; returns what to call when it ends."""
        if tag in _INLINE:
            return self._want(_INLINE[tag])
        if tag == "a":
            return self._want_link(node)
        if tag == "br":
            self._breaks += 1
        elif tag == "li":
            return self._enter_item()
        elif tag in _BLOCKS:
            self._end_block()
            return self._end_block
        elif tag in _LISTS:
            self._enter_list(_LISTS[tag])
            return self._leave_list
        elif tag in _HEADINGS:
            self._end_block()
            self._heading = _HEADINGS[tag]
            return self._leave_heading
        elif tag in _CELLS:
            self._space = True
            return self._leave_cell
        return None

    def text(self, raw: str) -> None:
        """Words inside the innermost element; runs of white space count as one."""
        words = raw.split()
        if not words:
            self._space = self._space or bool(raw)
            return
        if raw[0].isspace():
            self._space = True
        self._prepare()
        self._out.append(escape(" ".join(words), quote=False))
        self._fresh = False
        self._space = raw[-1].isspace()

    def finish(self) -> str:
        """All that was written, every tag closed."""
        while self._levels:
            self._leave_list()
        self._end_block()
        return _UNWANTED.sub("", "".join(self._out))

    def _prepare(self) -> None:
        """Opens what the next word needs around it, and settles the breaks and the space before it."""
        if self._breaks and not self._fresh:
            self._break()
        self._breaks = 0
        if self._levels:
            self._open_items()
        elif self._block is None:
            self._block = self._heading or "p"
            self._out.append(f"<{self._block}>")
        if self._open != self._wanted:
            self._close_inline(keep=_common(self._open, self._wanted))
        if self._space and not self._fresh:
            self._out.append(" ")
        for tag in self._wanted[len(self._open) :]:
            self._out.append(f"<{tag}>")
            self._open.append(tag)

    def _break(self) -> None:
        if self._block in ("h2", "h3", "h4"):
            self._space = True
        elif self._breaks > 1 and not self._levels:
            self._end_block()
        else:
            self._close_inline()
            self._out.append("<br>")
            self._fresh = True

    def _open_items(self) -> None:
        for level in self._levels:
            if not level.written:
                self._out.append(f"<{level.tag}>")
                level.written = True
            if not level.in_item:
                self._out.append("<li>")
                level.in_item = True
                self._fresh = True

    def _want(self, tag: str) -> Callable[[], None] | None:
        if tag in self._wanted:
            return None
        self._wanted.append(tag)
        return self._unwant

    def _want_link(self, node: LexborNode) -> Callable[[], None] | None:
        href = (node.attributes.get("href") or "").strip()
        if not _LINK.fullmatch(href) or any(tag.startswith("a ") for tag in self._wanted):
            return None
        return self._want(f'a href="{escape(href)}"')

    def _unwant(self) -> None:
        self._wanted.pop()

    def _close_inline(self, keep: int = 0) -> None:
        while len(self._open) > keep:
            self._out.append(f"</{self._open.pop().split(' ', 1)[0]}>")

    def _end_block(self) -> None:
        if self._levels:
            self._breaks = max(self._breaks, 1)
            return
        self._close_inline()
        if self._block is not None:
            self._out.append(f"</{self._block}>")
        self._block = None
        self._fresh = True
        self._breaks = 0

    def _leave_heading(self) -> None:
        self._end_block()
        self._heading = None

    def _leave_cell(self) -> None:
        self._space = True

    def _enter_list(self, tag: str) -> None:
        self._end_block()
        self._close_inline()
        self._levels.append(_Level(tag))

    def _leave_list(self) -> None:
        self._end_item()
        level = self._levels.pop()
        if level.written:
            self._out.append(f"</{level.tag}>")

    def _enter_item(self) -> Callable[[], None]:
        if not self._levels:
            self._enter_list("ul")
            return self._leave_list
        self._end_item()
        return self._end_item

    def _end_item(self) -> None:
        self._close_inline()
        level = self._levels[-1]
        if level.in_item:
            self._out.append("</li>")
            level.in_item = False
        self._breaks = 0
        self._fresh = True


def _common(one: list[str], other: list[str]) -> int:
    """How many elements both lists start with."""
    count = 0
    for left, right in zip(one, other, strict=False):
        if left != right:
            break
        count += 1
    return count
