"""XML documents of any length, read element by element as their bytes come. Any bytes give elements or `Malformed`."""

from __future__ import annotations

import codecs
import re
import zlib
from collections.abc import Iterable, Iterator
from html.entities import name2codepoint

from lxml import etree

from lib.errors import Malformed

MAX_ELEMENT_BYTES = 20_000_000  # between the ends of two elements; nothing of that size is a posting
MAX_BYTES = 4_000_000_000  # unpacked

_STEP_BYTES = 1 << 16
_GZIP = b"\x1f\x8b"
_HEAD_CHARS = 1_000
_DECLARATION = re.compile(r"\A\s*<\?xml\b[^>]*\?>")
_ENCODING = re.compile(rb"""<\?xml\b[^>]*\bencoding\s*=\s*["']([A-Za-z0-9_.-]{1,40})["']""")
_CHARSETS = re.compile(r"iso-?8859-?\d{1,2}|(?:windows-|cp)125\d|latin-?1|us-ascii", re.IGNORECASE)
# What XML 1.0 forbids, as itself or as a reference; one such character would cost the rest of the document.
_FORBIDDEN = re.compile(
    "[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
    "|&#0*(?:[0-8]|1[124-9]|2[0-9]|3[01]);|&#[xX]0*(?:[0-8bcefBCEF]|1[0-9a-fA-F]|[dD][89a-fA-F][0-9a-fA-F]{2}|[fF]{3}[eEfF]);"
)
_NAMED = re.compile("&([A-Za-z][A-Za-z0-9]{1,31});")
_CUT = re.compile("&[#A-Za-z0-9]{0,40}$")  # a reference that goes on in the next piece
_OF_XML = frozenset({"amp", "lt", "gt", "quot", "apos"})


class XmlStream:
    """Finds the elements called one of `names`: whichever comes first, and those beside it.

    `name`: what they are called, in lower case without a namespace; None until there is one. `root`: likewise for the
    document's root, after its end.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self.name: str | None = None
        self.root = ""
        tags = [f"{{*}}{spelt}" for name in names for spelt in (name, name.capitalize(), name.upper())]
        self._parser = etree.XMLPullParser(
            events=("start", "end"), tag=tags, resolve_entities=False, load_dtd=False, no_network=True,
            huge_tree=False, remove_comments=True, remove_pis=True,
        )  # fmt: skip
        self._text = _Text()
        self._packed: _Unpacking | None = None
        self._began = False
        self._head = b""
        self._parent: etree._Element | None = None
        self._tag = ""
        self._idle = 0

    def feed(self, piece: bytes) -> Iterator[etree._Element]:
        """The elements that end in `piece`, each to be read before the next is asked for. Raises Malformed."""
        if not self._began:
            piece = self._head + piece
            if len(piece) < len(_GZIP):
                self._head = piece
                return
            self._began = True
            self._packed = _Unpacking() if piece.startswith(_GZIP) else None
        for data in self._packed.feed(piece) if self._packed else (piece,):
            for start in range(0, len(data), _STEP_BYTES):
                yield from self._parsed(self._text.decode(data[start : start + _STEP_BYTES]))

    def close(self) -> Iterator[etree._Element]:
        """The last elements. Raises Malformed when the document has not come to its end."""
        if self._packed is not None:
            self._packed.close()
        yield from self._parsed(self._text.decode(b"", last=True))
        try:
            self.root = _local(self._parser.close())
        except etree.XMLSyntaxError as error:
            raise Malformed(f"not XML: {error}") from error

    def _parsed(self, text: str) -> Iterator[etree._Element]:
        if not text:
            return
        broken: etree.XMLSyntaxError | None = None
        try:
            self._parser.feed(text.encode())
        except etree.XMLSyntaxError as error:  # what ended before the break is there all the same
            broken = error
        self._idle += len(text)
        for event, element in self._parser.read_events():
            assert isinstance(element, etree._Element)  # no other events were asked for
            if event == "start":
                self._begin(element)
            elif element.tag == self._tag and element.getparent() is self._parent:
                self._idle = 0
                yield element
                _forget(element)
        if broken is not None:
            raise Malformed(f"not XML: {broken}") from broken
        if self._idle > MAX_ELEMENT_BYTES:
            raise Malformed(f"{MAX_ELEMENT_BYTES} characters without the end of a posting")

    def _begin(self, element: etree._Element) -> None:
        if self.name is None:
            if element.getroottree().docinfo.internalDTD is not None:
                raise Malformed("a document type is declared")
            self.name, self._tag, self._parent = _local(element), str(element.tag), element.getparent()


def _local(element: etree._Element) -> str:
    return etree.QName(element).localname.lower()


def _forget(element: etree._Element) -> None:
    """Frees an element and all that is before it."""
    element.clear()
    node: etree._Element | None = element
    while node is not None:
        while (before := node.getprevious()) is not None:
            before.getparent().remove(before)  # type: ignore[union-attr]
        node = node.getparent()


class _Text:
    """The document's characters, without its declaration, and with what is no XML replaced."""

    def __init__(self) -> None:
        self._decoder: codecs.IncrementalDecoder | None = None
        self._head = b""
        self._held = ""
        self._headless = False

    def decode(self, data: bytes, *, last: bool = False) -> str:
        """The text in `data`; a few characters may wait for the next call."""
        if self._decoder is None:
            self._head += data
            if len(self._head) < _HEAD_CHARS and not last:
                return ""
            self._decoder, data = _decoder_of(self._head), self._head
        text = self._held + self._decoder.decode(data, last)
        self._held = ""
        if not self._headless and text:
            self._headless = True
            text = _DECLARATION.sub("", text.removeprefix("\ufeff")).lstrip()
        if not last and (cut := _CUT.search(text, max(0, len(text) - 41))):
            text, self._held = text[: cut.start()], cut[0]
        return _NAMED.sub(_numbered, _FORBIDDEN.sub("\ufffd", text))


def _decoder_of(head: bytes) -> codecs.IncrementalDecoder:
    """UTF-8 unless its first bytes or its declaration name another encoding that is used for feeds."""
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return codecs.getincrementaldecoder("utf-16")("replace")
    named = _ENCODING.search(head[:_HEAD_CHARS])
    name = named[1].decode() if named else "utf-8"
    try:
        return codecs.getincrementaldecoder(name if _CHARSETS.fullmatch(name) else "utf-8")("replace")
    except LookupError:  # such as iso-8859-12
        return codecs.getincrementaldecoder("utf-8")("replace")


def _numbered(found: re.Match[str]) -> str:
    """A name that HTML knows and XML does not, as a number; any other stands for itself."""
    name = found[1]
    if name in _OF_XML:
        return found[0]
    return f"&#{name2codepoint[name]};" if name in name2codepoint else f"&amp;{name};"


class _Unpacking:
    """A gzip file, unpacked piece by piece."""

    def __init__(self) -> None:
        self._inflate = zlib.decompressobj(16 + zlib.MAX_WBITS)
        self._size = 0

    def feed(self, data: bytes) -> Iterator[bytes]:
        """What `data` holds. Raises Malformed."""
        while data:
            if self._inflate.eof:  # members may follow one another, and zeros as padding
                data = data.lstrip(b"\0")
                if not data:
                    return
                self._inflate = zlib.decompressobj(16 + zlib.MAX_WBITS)
            try:
                piece = self._inflate.decompress(data, 1 << 20)
            except zlib.error as error:
                raise Malformed(f"not gzip: {error}") from error
            data = self._inflate.unused_data or self._inflate.unconsumed_tail
            self._size += len(piece)
            if self._size > MAX_BYTES:
                raise Malformed(f"more than {MAX_BYTES} bytes when unpacked")
            yield piece

    def close(self) -> None:
        """Raises Malformed when the file ends early."""
        if not self._inflate.eof:
            raise Malformed("the gzip file ends early")
