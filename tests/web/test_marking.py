"""Marks in a posting's text: the right words, and never a tag more."""

from __future__ import annotations

import re
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.web.marking import mark
from lib.text.html import clean_html

JAVA = frozenset({"Java", "SQL"})


@pytest.mark.parametrize(
    ("html", "words", "marked"),
    [
        ("<p>Sie können Java und SQL.</p>", [], "<p>Sie können <mark>Java</mark> und <mark>SQL</mark>.</p>"),
        ("<p>Kein Java nötig, aber SQL.</p>", [], "<p>Kein Java nötig, aber <mark>SQL</mark>.</p>"),
        ("<p>JavaScript</p>", [], "<p>JavaScript</p>"),
        ("<p>in Bern</p>", ["bern"], "<p>in <mark>Bern</mark></p>"),
        ("<p>Bernstein in Bern-West</p>", ["Bern"], "<p>Bernstein in <mark>Bern</mark>-West</p>"),
        ("<p>Koch &amp; Köchin</p>", ["Koch"], "<p><mark>Koch</mark> &amp; Köchin</p>"),
        ('<p><a href="https://java.example/">Java</a></p>', ["example"],
         '<p><a href="https://java.example/"><mark>Java</mark></a></p>'),
        ("<p>C&amp;A</p>", ["C&A"], "<p><mark>C&amp;A</mark></p>"),
        ("<p>amp &amp; lt</p>", ["amp"], "<p><mark>amp</mark> &amp; lt</p>"),
        ("<p>Java-Kenntnisse</p>", ["Kenntnisse"], "<p><mark>Java-Kenntnisse</mark></p>"),
        ("<p>ab</p>", ["ab", " ", ""], "<p>ab</p>"),
        ("", ["Koch"], ""),
    ],
)  # fmt: skip
def test_words_are_marked(html: str, words: list[str], marked: str) -> None:
    assert mark(html, JAVA, words) == marked


def _words(html: str) -> str:
    return unescape(re.sub(r"<[^>]*>", "", html))


HOSTILE = [
    "<script>alert(1)</script>",
    "&lt;script&gt;",
    '"><img src=x onerror=alert(1)>',
    "<mark>",
    "java",
    "&amp;lt;",
    "SQL",
]


@given(
    st.lists(st.sampled_from(HOSTILE) | st.text(max_size=12)), st.lists(st.sampled_from(HOSTILE) | st.text(max_size=6))
)
def test_nothing_but_marks_is_added(pieces: list[str], words: list[str]) -> None:
    clean = clean_html(" ".join(pieces))
    marked = mark(clean, JAVA, words)
    assert _words(marked) == _words(clean)
    without = re.sub(r"</?mark>", "", marked)
    assert re.findall(r"<[^>]*>", without) == re.findall(r"<[^>]*>", clean)
    assert clean_html(without) == clean_html(clean)
