"""The traps of single sources that the shared contract cannot know: pages, languages, withdrawals, XML bombs."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from daemons.sources import SOURCES, UnknownSource, source
from lib.errors import Gone, Malformed
from lib.net.messages import Response
from lib.posting.contract import DetailSource, Page, merge_rows

FEED = '<?xml version="1.0" encoding="UTF-8"?>{dtd}<workzag-jobs>{positions}</workzag-jobs>'
LEVELS = "".join('<!ENTITY a{} "{}">'.format(n, f"&a{n - 1};" * 10) for n in range(1, 12))
BOMB = f'<!DOCTYPE x [<!ENTITY a0 "aaaaaaaaaa">{LEVELS}]>'


def read(name: str, body: bytes | str | list[Any] | dict[str, Any], cursor: str | None = None) -> Page:
    raw = body if isinstance(body, bytes) else (body if isinstance(body, str) else json.dumps(body)).encode()
    request = source(name).request("acme", cursor)
    return source(name).parse("acme", Response(request=request, url=request.url, status=200, headers={}, body=raw))


def position(number: int, name: str = "Title", **texts: str) -> str:
    parts = "".join(f"<jobDescription><name>{k}</name><value>{v}</value></jobDescription>" for k, v in texts.items())
    return f"<position><id>{number}</id><name>{name}</name><jobDescriptions>{parts}</jobDescriptions></position>"


def test_an_unknown_source_is_told_with_those_that_exist() -> None:
    with pytest.raises(UnknownSource, match=f"'monster'; there are {', '.join(sorted(SOURCES))}$"):
        source("monster")
    with pytest.raises(TypeError):
        SOURCES["new"] = source("lever")  # type: ignore[index]


def test_lever_ends_at_the_first_short_page() -> None:
    assert read("lever", [{}] * 100).cursor == "100"
    assert read("lever", [{}] * 100, "300").cursor == "400"
    assert read("lever", [{}] * 99, "300").cursor is None
    assert read("lever", [], "400").cursor is None
    assert read("lever", [{}] * 250).cursor is None, "a server that does not page gives the whole board at once"
    assert source("lever").request("eu:acme", "400").params == {"mode": "json", "skip": "400", "limit": "100"}


def test_smartrecruiters_ends_at_its_total_or_at_an_empty_page() -> None:
    page = {"offset": 0, "limit": 100, "totalFound": 250, "content": [{}] * 100}
    assert read("smartrecruiters", page).cursor == "100"
    assert read("smartrecruiters", page | {"content": [{}] * 50}, "200").cursor is None
    assert read("smartrecruiters", page | {"content": []}, "100").cursor is None
    for total in (None, -1, True, "250", 2.5):
        with pytest.raises(Malformed):
            read("smartrecruiters", page | {"totalFound": total})


def detail(fields: dict[str, Any]) -> Any:
    reader = source("smartrecruiters")
    assert isinstance(reader, DetailSource)
    body = json.dumps({"id": "1", "name": "Title", "jobAd": {"sections": {}}} | fields).encode()
    request = reader.detail_request("acme", "1", "")
    return reader.parse_detail("acme", Response(request=request, url=request.url, status=200, headers={}, body=body))


def test_smartrecruiters_details() -> None:
    assert detail({}).html == "", "described, though there is no word: it must not be asked for again"
    with pytest.raises(Gone, match="posting 1"):
        detail({"active": False})
    for broken in ({"jobAd": None}, {"id": None}, {"name": " "}):
        with pytest.raises(Malformed):
            detail(broken)
    reader = source("smartrecruiters")
    assert isinstance(reader, DetailSource)
    with pytest.raises(Malformed):
        reader.detail_request("acme", "../admin", "")


def test_personio_takes_each_position_in_the_language_that_has_text() -> None:
    german = read("personio", FEED.format(dtd="", positions=position(1, "Eins", A="Text") + position(2, "Zwei")))
    english = read(
        "personio", FEED.format(dtd="", positions=position(1, "One", A="Text") + position(2, "Two", A="Text")), "en"
    )
    assert (german.cursor, english.cursor) == ("en", None)
    rows = merge_rows((*german.rows, *english.rows))
    assert [(row.title, row.language) for row in rows] == [("Eins", "de"), ("Two", "en")]


@pytest.mark.parametrize(
    "dtd",
    [
        BOMB,
        '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE x SYSTEM "http://127.0.0.1:9/evil.dtd">',
        '<!DOCTYPE x [<!ENTITY % p SYSTEM "http://127.0.0.1:9/evil.dtd"> %p;]>',
        "<!DOCTYPE workzag-jobs>",
    ],
)  # fmt: skip
def test_personio_refuses_every_document_type(dtd: str) -> None:
    started = time.process_time()
    for last in ("a", "a0", "a11"):
        body = FEED.format(dtd=dtd, positions=position(1, f"&{last};", A=f"&{last};"))
        attribute = FEED.format(dtd=dtd, positions=f'<position x="&{last};"><id>1</id></position>')
        for bomb in (body, attribute, FEED.format(dtd=dtd, positions=position(1))):
            with pytest.raises(Malformed):
                read("personio", bomb)
    assert time.process_time() - started < 10


@pytest.mark.parametrize(
    "spoilt",
    [b"\x00", b"\x01", b"&#0;", b"&#x1F;", b"&#xD800;", b"\xff", "München".encode("latin-1")],
)
def test_personio_keeps_the_neighbours_of_a_spoilt_character(spoilt: bytes) -> None:
    body = FEED.format(dtd="", positions=position(1, "Eins SPOILT") + position(2, "Zwei", A="Text")).encode()
    rows = read("personio", body.replace(b"SPOILT", spoilt)).rows
    assert [(row.external_id, row.title.split()[0]) for row in rows] == [("1", "Eins"), ("2", "Zwei")]
    assert "\x00" not in rows[0].title


def test_personio_reads_the_declared_encoding() -> None:
    body = FEED.format(dtd="", positions=position(1, "Prüfer")).replace("UTF-8", "ISO-8859-1").encode("latin-1")
    assert read("personio", body).rows[0].title == "Prüfer"


@pytest.mark.parametrize(
    "body",
    [
        FEED.format(dtd="", positions=position(1))[:-5],
        "<html><body>Not found</body></html>",
        "<workzag-jobs>" + "<a>" * 5_000 + "</a>" * 5_000 + "</workzag-jobs>",
        "<position><id>1</id></position>",
        "",
    ],
)
def test_personio_never_takes_a_part_for_the_whole(body: str) -> None:
    with pytest.raises(Malformed):
        read("personio", body)


@pytest.mark.parametrize("name", ["greenhouse", "ashby", "smartrecruiters"])
@pytest.mark.parametrize("body", [{}, {"jobs": None, "content": None}, {"jobs": {}, "content": {}}, []])
def test_a_broken_envelope_is_malformed(name: str, body: Any) -> None:
    with pytest.raises(Malformed):
        read(name, body)


def test_lever_says_that_a_site_is_unknown_with_an_object() -> None:
    with pytest.raises(Malformed):
        read("lever", {"ok": False, "error": "Document not found"})


@pytest.mark.parametrize(
    ("content", "html"),
    [
        ("&lt;p&gt;a &amp;amp; b&lt;/p&gt;", "<p>a &amp; b</p>"),
        ("&amp;lt;p&amp;gt;", "&lt;p&gt;"),
        ("&lt;a href=&quot;?a=1&amp;amp;b=2&quot;&gt;it&#39;s&lt;/a&gt;", '<a href="?a=1&amp;b=2">it\'s</a>'),
        ("<p>&amp;lt;</p>", "<p>&amp;lt;</p>"),
    ],
)
def test_greenhouse_takes_off_one_level_of_escaping(content: str, html: str) -> None:
    assert read("greenhouse", {"jobs": [{"id": 1, "title": "T", "content": content}]}).rows[0].html == html


@pytest.mark.parametrize(
    ("name", "said"),
    [("Employment Type", "X"), ("Vertragsart", "X"), ("contract_type", "X"), ("Type", None), ("Remote Type", None)],
)
def test_greenhouse_believes_only_a_field_whose_name_says_so(name: str, said: str | None) -> None:
    job = {"id": 1, "title": "T", "metadata": [{"id": 1, "name": name, "value": "X", "value_type": "short_text"}]}
    page = read("greenhouse", {"jobs": [job], "meta": {"total": 1}})
    assert (page.rows[0].employment_type, dict(page.unknown)) == (said, {})
