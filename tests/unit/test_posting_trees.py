"""Pages and feeds as trees: any bytes, in bounded time."""

from __future__ import annotations

import contextlib
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.errors import Malformed
from lib.posting.trees import html_tree, inner_html, script_json, text_of, xml_tree
from lib.posting.values import day, moment_s


@settings(deadline=None, max_examples=200)
@given(st.binary(max_size=400) | st.text(max_size=400))
def test_any_bytes_give_a_tree_or_an_error(body: bytes | str) -> None:
    with contextlib.suppress(Malformed):
        (text_of(html_tree(body)) or "").encode()


@settings(deadline=None, max_examples=200)
@given(st.binary(max_size=300).map(lambda rest: b"<jobs><job>" + rest))
def test_any_bytes_give_xml_or_an_error(body: bytes) -> None:
    with contextlib.suppress(Malformed):
        (text_of(xml_tree(body)) or "").encode()


@pytest.mark.parametrize(
    "body",
    [
        "<div>" * 200_000,
        "<a " + " ".join(f"x{number}=1" for number in range(200_000)) + ">",
        "<a " + "".join(f'x{number}=">"' for number in range(200_000)) + ">",
        "<a <b " * 200_000,
        '<a x=\'"<a y="' * 100_000,
        "<b a=1><p>" * 100_000,
    ],
    ids=["deep", "attributes", "quoted attributes", "unclosed tags", "quotes", "unclosed elements"],
)
def test_hostile_markup_is_read_or_refused_in_bounded_time(body: str) -> None:
    before = time.process_time()
    with contextlib.suppress(Malformed):
        html_tree(body)
    assert time.process_time() - before < 5


def test_a_page_is_read_in_the_charset_it_declares() -> None:
    assert text_of(html_tree("<p>Grüße</p>".encode())) == "Grüße"
    assert text_of(html_tree('<meta charset="iso-8859-15"><p>5 € für Grüße'.encode("iso-8859-15"))) == "5 € für Grüße"
    assert text_of(html_tree("<p>„Grüße“".encode("cp1252"))) == "„Grüße“"


def test_the_text_of_an_element_has_no_scripts_and_parts_what_stands_apart() -> None:
    tree = html_tree("<div><p>Pflege</p><p>fach<b>kraft</b></p><script>x()</script> m/w/d</div> more")
    assert text_of(tree.find(".//div")) == "Pflege fachkraft m/w/d"
    assert inner_html(html_tree("<td>R&amp;D <i>lead</i></td>").find(".//i").getparent()) == "R&amp;D <i>lead</i>"


def test_json_in_a_script_is_read() -> None:
    page = html_tree('<script id="data" type="application/json">{"jobs": [1]}</script>')
    assert script_json(page, '//script[@id="data"]') == {"jobs": [1]}
    with pytest.raises(Malformed, match="no //script"):
        script_json(page, '//script[@id="other"]')


def test_a_document_type_is_refused_and_forbidden_characters_cost_nothing_else() -> None:
    with pytest.raises(Malformed, match="document type"):
        xml_tree(b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>')
    assert text_of(xml_tree(b"<?xml version='1.0'?><a>x\x0b&#2;y</a>")) == "x\ufffd\ufffdy"


def test_dates_in_figures() -> None:
    assert str(day("31.12.26", "dmy")) == "2026-12-31 00:00:00+00:00"
    assert day("12/31/2026 08:00", "mdy") == day("2026-12-31", "ymd") == day("31.12.2026", "dmy")
    assert day("31.02.2026", "dmy") is day("00.00.0000", "dmy") is day("soon", "dmy") is None
    assert moment_s(1_790_000_000.0) is not None
    assert moment_s(float("inf")) is None
