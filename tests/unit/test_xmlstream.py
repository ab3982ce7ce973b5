"""XML read while its bytes come: the same elements however it is cut, and an end to whatever is no document."""

from __future__ import annotations

import gzip
import time
from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.errors import Malformed
from lib.posting import xmlstream
from lib.posting.xmlstream import XmlStream

DOCUMENT = (
    '<?xml version="1.0" encoding="utf-8"?>\n<source><publisher>Müller &amp; Söhne</publisher>'
    "<job><title>K&ouml;ch&#xed;n\x0b</title><job>inner</job></job>\n<job><title><![CDATA[a&nbsp;&unknown;]]></title>"
    "</job><job/><other><job><title>deeper</title></job></other><job><title>&#0;&#65;</title></job></source>\n"
).encode()
TITLES = ["Köchín\ufffd", "a&#160;&amp;unknown;", None, "\ufffdA"]


def read(pieces: Iterable[bytes], names: Iterable[str] = ("job",)) -> tuple[list[str | None], XmlStream]:
    stream = XmlStream(names)
    titles = [element.findtext("title") for piece in pieces for element in stream.feed(piece)]
    titles += [element.findtext("title") for element in stream.close()]
    return titles, stream


@given(cuts=st.lists(st.integers(0, len(DOCUMENT)), max_size=8), packed=st.booleans())
@settings(max_examples=100, deadline=None)
def test_it_may_be_cut_anywhere(cuts: list[int], packed: bool) -> None:
    document = gzip.compress(DOCUMENT, mtime=0) if packed else DOCUMENT
    ends = [0, *sorted(min(cut, len(document)) for cut in cuts), len(document)]
    pieces = [document[start:end] for start, end in zip(ends, ends[1:], strict=False)]
    titles, stream = read(pieces)
    assert titles == TITLES
    assert (stream.name, stream.root) == ("job", "source")


def test_every_byte_may_come_alone() -> None:
    assert read(DOCUMENT[at : at + 1] for at in range(len(DOCUMENT)))[0] == TITLES


def test_packed_files_may_have_several_members() -> None:
    half = len(DOCUMENT) // 2
    packed = gzip.compress(DOCUMENT[:half]) + gzip.compress(DOCUMENT[half:]) + b"\0" * 9
    assert read([packed[:99], packed[99:]])[0] == TITLES


@pytest.mark.parametrize(
    ("encoding", "declared"), [("iso-8859-15", "ISO-8859-15"), ("cp1252", "windows-1252"), ("utf-16", "utf-16")]
)
def test_declared_encodings_are_read(encoding: str, declared: str) -> None:
    text = f'<?xml version="1.0" encoding="{declared}"?><jobs><job><title>Köchin 5 €</title></job></jobs>'
    assert read([text.encode(encoding)])[0] == ["Köchin 5 €"]


@pytest.mark.parametrize("declared", ["utf-8", "zlib", "iso-8859-12", "nonsense"])
def test_wrong_encodings_cost_characters_only(declared: str) -> None:
    text = (
        f'<?xml version="1.0" encoding="{declared}"?><jobs><job><title>K'.encode()
        + b"\xff\xf6chin</title></job></jobs>"
    )
    assert read([text])[0] == ["K\ufffd\ufffdchin"]


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b" ",
        b"Not Found",
        b"{}",
        b"<jobs><job></jobs>",
        b"<jobs><job/>",
        b"<jobs><job/></jobs><jobs/>",
        b"<jobs><job title=></job></jobs>",
        b'<!DOCTYPE jobs [<!ENTITY a "b">]><jobs><job>&a;</job></jobs>',
        b"\x1f\x8b\x08cut",
        gzip.compress(DOCUMENT, mtime=0)[:-20],
        DOCUMENT[:-20],
    ],
    ids=repr,
)
def test_what_is_no_document_is_malformed(document: bytes) -> None:
    with pytest.raises(Malformed):
        read([document])


def test_what_came_before_the_break_is_read() -> None:
    stream = XmlStream(["job"])
    titles: list[str | None] = []
    with pytest.raises(Malformed):
        for piece in (DOCUMENT[:-80], b" < broken>", b" " * 2_000):
            titles.extend(element.findtext("title") for element in stream.feed(piece))
    assert titles == TITLES[:3]


def test_entities_do_not_multiply() -> None:
    levels = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
    with pytest.raises(Malformed):
        read([f'<!DOCTYPE x [<!ENTITY l0 "x">{levels}]><x><job>&l11;</job></x>'.encode()])


def test_endless_text_between_postings_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xmlstream, "MAX_ELEMENT_BYTES", 1_000_000)
    with pytest.raises(Malformed, match="without the end of a posting"):
        read([b"<jobs><job/>", *[b"<other>text</other>" * 10_000] * 20])


def test_a_bomb_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xmlstream, "MAX_BYTES", 5_000_000)
    bomb = gzip.compress(b"<jobs>" + b"<job></job>" * 1_000_000)
    with pytest.raises(Malformed, match="when unpacked"):
        read([bomb])


@pytest.mark.parametrize("unit", [b"<job>", b"<a>", b"&", b"&amp;", b"<![CDATA[", b"<!--", b"]]>", b"&#", b'a="b" '])
def test_hostile_repetition_ends_soon(unit: bytes) -> None:
    started = time.process_time()
    with pytest.raises(Malformed):
        read([b"<jobs><job ", *[unit * (2_000_000 // len(unit))]])
    assert time.process_time() - started < 10
