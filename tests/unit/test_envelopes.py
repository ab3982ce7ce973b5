"""What stands around rows: found level by level, counted or refused; cursors, ids, and addresses on a host."""

from __future__ import annotations

import re
from typing import Any

import pytest

from lib.errors import Malformed
from lib.posting.envelopes import count_of, need_count, next_page, next_row, number_of, rows_of
from lib.posting.links import Ids, address_on


def test_rows_are_found_where_they_are_said_to_be() -> None:
    assert rows_of({"data": {"jobs": [1]}}, "data", "jobs") == [1]
    for body in ({}, {"data": None}, {"data": []}, {"data": {"jobs": {}}}, [], None, "data"):
        with pytest.raises(Malformed, match=r"^data\.jobs is \w+, list expected$"):
            rows_of(body, "data", "jobs")


@pytest.mark.parametrize("count", [None, -1, True, "7", 7.0, [], {}])
def test_what_counts_nothing_is_no_count(count: Any) -> None:
    assert count_of({"meta": {"total": count}}, "meta", "total") is None
    with pytest.raises(Malformed, match=r"^meta\.total is no count$"):
        need_count({"meta": {"total": count}}, "meta", "total")


def test_counts() -> None:
    assert [count_of({"n": n}, "n") for n in (0, 7)] == [need_count({"n": n}, "n") for n in (0, 7)] == [0, 7]
    assert count_of([], "n") is None


def test_a_cursor_is_a_number() -> None:
    assert (number_of(None, 1), number_of("0", 1), number_of("40", 1)) == (1, 0, 40)
    for strange in ("", "-1", "1e3", " 1", "١", "1" * 8, "1&x=2"):
        with pytest.raises(Malformed):
            number_of(strange, 0)


def test_rows_go_on_until_all_have_come() -> None:
    assert next_row("0", 50, 120, most=1_000) == "50"
    assert next_row("100", 20, 120, most=1_000) is None
    assert next_row("50", 0, 120, most=1_000) is None, "an answer without rows ends it"
    assert next_row(None, 50, 120, most=1_000) is None, "nobody knows where this began"
    with pytest.raises(Malformed):
        next_row("1000", 50, 2_000, most=1_000)


def test_pages_go_on_while_there_are_more() -> None:
    assert (next_page("1", more=True, most=3), next_page("3", more=False, most=3)) == ("2", None)
    assert next_page(None, more=True, most=3) is None
    with pytest.raises(Malformed):
        next_page("3", more=True, most=3)


def test_ids_are_texts_or_whole_numbers_of_one_form() -> None:
    ids = Ids(re.compile(r"\d{1,3}", re.ASCII))
    assert (ids.find(7), ids.find("007"), ids.check(0)) == ("7", "007", "0")
    for strange in (None, True, 7.0, "", "7/..", "1234", "٧", [7], {"id": 7}, "\ud800"):
        assert ids.find(strange) is None
        with pytest.raises(Malformed):
            ids.check(strange)


def test_only_an_https_address_on_exactly_this_host_is_on_it() -> None:
    assert address_on("https://acme.example/jobs/7?a=1#apply", "acme.example") == "https://acme.example/jobs/7?a=1"
    assert address_on("https://ACME.example/", "acme.example") == "https://ACME.example/"
    for other in (
        "http://acme.example/", "https://acme.example:444/", "https://acme.example@evil.example/", "/jobs/7", "",
        "https://me@acme.example/", "https://acme.example.evil.example/", "https://evil.example/acme.example", "https://[",
    ):  # fmt: skip
        assert address_on(other, "acme.example") is None
