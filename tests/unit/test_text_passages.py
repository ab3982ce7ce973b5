"""Lines that hold certain words, and small letters at the same positions."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from lib.text.passages import lower, matches, passages


def test_passages_are_whole_lines_in_order() -> None:
    text = "two b\nnothing\none a and a\nlast a b"
    assert [text[start:end] for start, end in passages(text, ("a", "b"))] == ["two b", "one a and a", "last a b"]
    assert passages(text, ("missing",)) == [] and passages("", ("a",)) == []


def test_matches_stay_within_a_line() -> None:
    text = "a\nb a b"
    assert [match.span() for match in matches(re.compile(r"a\s+b"), text, passages(text, ("a",)))] == [(4, 7)]


@given(st.text(alphabet=st.characters()))
def test_lower_keeps_positions(text: str) -> None:
    assert len(lower(text)) == len(text)
    for small, letter in zip(lower(text), text, strict=True):
        assert small == letter or small.casefold() == letter.casefold()
