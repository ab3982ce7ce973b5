"""Records that are emptied while they are read, pages that keep their good rows, and rows merged by id."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from lib.errors import Malformed
from lib.net.messages import Request, Response
from lib.posting.contract import (
    MAX_FIELD_CHARS,
    MAX_TEXT_CHARS,
    Posting,
    Record,
    Salary,
    clean_text,
    fill_row,
    merge_rows,
    read_page,
)


def record(**fields: Any) -> tuple[Record, Counter[str]]:
    unknown: Counter[str] = Counter()
    return Record(fields, unknown), unknown


def posting(external_id: str, **fields: Any) -> Posting:
    return Posting(external_id=external_id, title="Title", url="https://a.example/", **fields)


def response(body: bytes) -> Response:
    return Response(request=Request(url="x"), url="x", status=200, headers={}, body=body)


@pytest.mark.parametrize("value", [None, 1, True, [], {}])
def test_need_refuses_what_is_no_text(value: Any) -> None:
    reader, _ = record(name=value)
    with pytest.raises(Malformed, match="name is"):
        reader.need("name", str)


def test_a_bool_is_no_number() -> None:
    reader, unknown = record(a=True, b=False, c=1)
    assert (reader.get("a", int), reader.get("b", float), reader.get("c", float)) == (None, None, 1)
    assert unknown == {"a!": 1, "b!": 1}


def test_what_is_left_over_is_counted_with_its_path() -> None:
    reader, unknown = record(a=1, inner={"b": 2, "c": 3}, many=[{"d": 4}, 5, {"d": 6}])
    inner = reader.sub("inner")
    assert inner is not None
    assert inner.get("b", int) == 2
    assert len(reader.subs("many")) == 2
    reader.close()
    assert unknown == {"a": 1, "inner.c": 1, "many.d": 2, "many!": 1}


def test_texts_are_storable_and_bounded() -> None:
    reader, _ = record(name="a\x00b\ud800" + "x" * 5_000, page="y" * (MAX_TEXT_CHARS + 5), list=["a\x00", 5])
    name, page = reader.get("name", str), reader.html("page")
    assert name is not None
    assert page is not None
    assert name.startswith("ab?x")
    assert len(name) <= MAX_FIELD_CHARS
    assert len(page) == MAX_TEXT_CHARS
    assert reader.strings("list") == ["a"]
    assert clean_text("a\ud83d\ude00b") == "a??b"


def test_a_broken_row_fails_alone() -> None:
    def read(row: Record) -> Posting | None:
        kind = row.get("kind", str)
        if kind == "hidden":
            return None
        if kind == "absurd":
            raise OverflowError("year out of range")
        return posting(row.need("id", str))

    items = [{"id": "1"}, None, {"kind": "hidden"}, {"kind": "absurd"}, {"id": " "}, {"id": "x" * 201}, {"id": "2"}]
    page = read_page(items, read, total=7)
    assert [row.external_id for row in page.rows] == ["1", "2"]
    assert [rejected.reason for rejected in page.rejected] == [
        "row is NoneType, not an object",
        "year out of range",
        "no id or no title",
        "id is longer than 200 characters",
    ]
    assert (page.skipped, page.total) == (1, 7)


def test_a_row_that_cannot_be_shown_is_still_set_aside() -> None:
    deep: Any = 1
    for _ in range(100_000):
        deep = {"a": deep}
    page = read_page([deep, {"id": 10**30, "x": "\ud800"}], lambda row: posting(row.need("id", str)))
    assert [rejected.raw for rejected in page.rejected] == [
        "(nested too deeply to be shown)",
        '{"id": 1000000000000000000000000000000, "x": "?"}',
    ]


def test_a_list_of_nothing_but_rubbish_is_no_list() -> None:
    with pytest.raises(Malformed, match="more than 10000 rows cannot be read"):
        read_page((None for _ in range(1_000_000)), lambda row: posting(row.need("id", str)))


def test_the_first_row_with_text_wins_and_keeps_the_place_of_the_id() -> None:
    rows = [posting("1"), posting("2", html="two"), posting("1", html="one"), posting("1", html="later")]
    assert [(row.external_id, row.html) for row in merge_rows(rows)] == [("1", "one"), ("2", "two")]


def test_a_detail_fills_its_row_and_takes_nothing_away() -> None:
    listed = posting("1", employment_type="Vollzeit", places=("Wien",))
    filled = fill_row(listed, posting("1", html="text", salary=Salary(min=1.0)))
    assert filled == posting("1", employment_type="Vollzeit", places=("Wien",), html="text", salary=Salary(min=1.0))


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b'["\\ud800", 1]', ["\ud800", 1]),
        (b'["\xff", 1]', ["\ufffd", 1]),
        (b'["a\x01b", 1]', ["a\x01b", 1]),
        (b"[1e999]", [float("inf")]),
        ('["\u00fc"]'.encode("utf-16"), ["\u00fc"]),
        (b'\xef\xbb\xbf["a"]', ["a"]),
    ],
)
def test_one_bad_value_does_not_cost_the_document(body: bytes, value: Any) -> None:
    assert response(body).json() == value


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b'{"jobs": [{"id": 1}', b"[" * 100_000, b"9" * 100_000, b"\x00", b"\xff\xfe"]
)
def test_what_is_no_json_is_malformed(body: bytes) -> None:
    with pytest.raises(Malformed):
        response(body).json()
