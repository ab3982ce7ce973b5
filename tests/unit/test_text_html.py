"""Markup in, safe markup and readable text out, in bounded time."""

from __future__ import annotations

import html.parser
import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.text.html import MAX_TEXT_CHARS, clean_html, html_to_text, plain_text

ALLOWED = {"p", "ul", "ol", "li", "h2", "h3", "h4", "strong", "em", "br", "a"}


class Checker(html.parser.HTMLParser):
    """Collects what a browser would see as tags, and fails on whatever clean_html promises not to write."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in ALLOWED
        if tag == "a":
            assert [name for name, _ in attrs] == ["href"]
            assert re.match(r"(https?://|mailto:)", attrs[0][1] or "", re.IGNORECASE)
        else:
            assert not attrs
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_comment(self, data: str) -> None:
        raise AssertionError("comment")

    def handle_decl(self, decl: str) -> None:
        raise AssertionError("declaration")

    def handle_pi(self, data: str) -> None:
        raise AssertionError("instruction")


def check(clean: str) -> None:
    checker = Checker()
    checker.feed(clean)
    checker.close()
    assert not checker.open


def test_text_keeps_paragraphs_items_and_headings_apart() -> None:
    markup = """
      <h1>Koch (m/w/d)</h1><div>Wir suchen <b>dich</b>&nbsp;f&uuml;r die K&uuml;che.</div>
      <p>Deine Aufgaben:</p><ul><li>Kochen<li><p>Einkaufen</p></li></ul><p>Bis<br>bald</p>"""
    assert html_to_text(markup) == (
        "Koch (m/w/d)\n\nWir suchen dich für die Küche.\n\nDeine Aufgaben:\n\n- Kochen\n- Einkaufen\n\nBis\nbald"
    )


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("a\r\nb\n\nc < d & e", "a\nb\n\nc < d & e"),
        ("&lt;p&gt;Hallo&lt;/p&gt;&lt;p&gt;Welt&lt;/p&gt;", "Hallo\n\nWelt"),
        ("<script>x()</script><style>p{}</style><p hidden>a</p><p style='DISPLAY : none'>b</p>c", "c"),
        ("<p aria-hidden=true>a</p><template>b</template><noscript>c</noscript><!-- d -->e", "e"),
        ("<p>• eins<br>• zwei</p>", "- eins\n- zwei"),
        ("<table><tr><td>a<td>b<tr><td>c</table>", "a b\n\nc"),
        ("<ul><li>a<ul><li>b</ul></ul>c", "- a\n- b\n\nc"),
        ("<p>Auf&shy;gabe\u200b</p>", "Aufgabe"),
        ("", ""),
        ("<p> </p><ul><li></li></ul>", ""),
    ],
)
def test_text_of(markup: str, text: str) -> None:
    assert html_to_text(markup) == text


def test_clean_html_keeps_structure_and_nothing_else() -> None:
    markup = (
        '<div class=x onclick=alert(1)><h5>Profil</h5>a <b>b <i>c</i></b><br><br>d<a href="https://x.de/?a=1&b=2">e</a>'
        '</div><ol><li><span>f</span></ol><img src=x onerror=alert(1)><iframe src="//evil"></iframe>'
    )
    assert clean_html(markup) == (
        '<h4>Profil</h4><p>a <strong>b <em>c</em></strong></p><p>d<a href="https://x.de/?a=1&amp;b=2">e</a></p>'
        "<ol><li>f</li></ol>"
    )


@pytest.mark.parametrize(
    "attack",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "<svg/onload=alert(1)>",
        "<svg><style><img src=x onerror=alert(1)></style></svg>",
        "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=alert(1)&gt;'>",
        "<a href='javascript:alert(1)'>x</a>",
        "<a href=' java\nscript:alert(1)'>x</a>",
        "<a href='&#106;avascript:alert(1)'>x</a>",
        "<a href='data:text/html,<script>alert(1)</script>'>x</a>",
        "<a href='https://x.de/\" onmouseover=\"alert(1)'>x</a>",
        "<a href='https://x.de/\u200b\"onclick=alert(1)'>x</a>",
        "&lt;script&gt;alert(1)&lt;/script&gt;",
        "<p>&lt;img src=x onerror=alert(1)&gt;</p>",
        "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
        "<xmp><script>alert(1)</script></xmp>",
        "<!--><img src=x onerror=alert(1)>-->",
        "<![CDATA[<script>alert(1)</script>]]>",
        "<scr<script>ipt>alert(1)</scr</script>ipt>",
        "<form action=javascript:alert(1)><button>x",
        "<base href='https://evil/'><meta http-equiv=refresh content='0;url=https://evil'>",
    ],
)
def test_attacks_leave_only_the_safe_subset(attack: str) -> None:
    for markup in (attack, attack * 300):
        check(clean_html(markup))


BOMBS = {
    "deep": "<div>" * 100_000 + "x" + "</div>" * 100_000,
    "deep lists": "<ul><li>" * 60_000 + "x",
    "deep tables": "<table><tr><td>" * 30_000 + "x",
    "deep formatting": "<b><i>" * 80_000 + "x",
    "unclosed formatting": "<p>" + "".join(f"<font a={i}>" for i in range(20_000)) + "<p>x" * 40_000,
    "formatting behind quotes": "<p>" + "".join(f'<font a="<{i}">' for i in range(20_000)) + "<p>x" * 30_000,
    "depth hidden by scripts": "<div><script></div></script>" * 15_000,
    "attributes": "<div " + " ".join(f"a{i}=1" for i in range(50_000)) + ">x",
    "attributes around brackets": "<div " + "".join(f'a{i}="{"<" * (i % 200 == 0)}" ' for i in range(40_000)) + ">x",
    "less-than": "<" * 500_000,
    "ampersands": "&" * 500_000,
    "comments": "<!--" * 120_000,
    "long": "Wort " * 10_000_000,
    "custom": "<x-y>" * 100_000,
    "templates": "<template>" * 50_000,
}


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_end_soon_and_stay_small(name: str) -> None:
    started = time.process_time()
    clean = clean_html(BOMBS[name])
    text = plain_text(clean)
    assert time.process_time() - started < 5
    assert len(text) <= MAX_TEXT_CHARS
    assert len(clean) < 5_000_000


@settings(deadline=None)
@given(st.text(alphabet=st.characters(), max_size=300))
def test_any_text_is_survived(text: str) -> None:
    check(clean_html(text))
    html_to_text(text).encode()


PIECES = (
    "<p> </p> <ul> </ul> <li> <ol> </li> <br> <b> </b> <i> <h1> </h1> <td> <tr> <table> </table> "
    "<a\thref='https://x.de'> </a> <script> </script> <svg> <!-- --> < &lt; <div\thidden> </div> Wort • &#0; <p ' \" >"
)
TAGS = st.sampled_from([*PIECES.split(" "), " ", "\n", "\x00", "\ud800"])


@settings(deadline=None)
@given(st.lists(TAGS, max_size=60).map("".join))
def test_any_markup_becomes_well_formed(markup: str) -> None:
    clean = clean_html(markup)
    check(clean)
    text = html_to_text(markup)
    assert "\x00" not in text and text == text.strip()
    text.encode()
    assert "\n\n\n" not in text


@settings(deadline=None)
@given(st.lists(st.sampled_from(["<p>a b</p>", "<ul><li>c</li></ul>", "<h2>d</h2>", "<p>e<br>f</p>"]), max_size=9))
def test_clean_html_changes_nothing_twice(parts: list[str]) -> None:
    once = clean_html("".join(parts))
    assert clean_html(once) == once
